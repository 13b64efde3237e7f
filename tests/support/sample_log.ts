/** A short hand-made log: one update, two prompts, one expansion, rewards, credit, one mini-batch. */
import {
  EVERY_GROUP,
  PLAIN_REWARD,
  TREE_CREDIT,
  TURN_LOSS,
  TURN_TREE,
} from '../../src/algo/catalogue/defaults.ts';
import {
  nodeId,
  tokenId,
  type NodeOrigin,
  type Prompt,
  type RunConfig,
  type TurnNode,
} from '../../src/units.ts';
import type { EnvironmentDescription, RunEvent, UpdateMetrics } from '../../src/protocol/protocol.ts';

export const VOCABULARY = ['<q>', '?', '<think>', '</think>', '<search>', '</search>', '<result>', '</result>', '<answer>', '</answer>', 'Yara', 'mother', 'Pia', 'Ugo', 'plan']; // prettier-ignore

const ids = (text: string) => text.split(' ').map((word) => tokenId(VOCABULARY.indexOf(word)));

export const ENVIRONMENT: EnvironmentDescription = {
  name: 'search',
  title: 'Multi-hop search',
  description: 'Answers questions by searching.',
  vocabulary: VOCABULARY,
  stopTokens: [5, 9],
  datasets: ['hotpot'],
  contextLength: 96,
  callLimit: 5,
};

export const CONFIG: RunConfig = {
  preset: 'instant',
  seed: 7,
  updates: 40,
  environment: 'search',
  datasets: ['hotpot'],
  model: { vocabularySize: 15, channels: 8, layers: 1, heads: 2, kvHeads: 2, headSize: 4, hidden: 16, rmsEpsilon: 1e-6, ropeTheta: 1e4, queryKeyNorm: true, tiedOutput: true, previousTokenMixing: true, logitScale: 1 }, // prettier-ignore
  weights: null,
  algorithm: {
    name: 'at2po',
    rollout: { ...TURN_TREE, initialBranches: 2, iterations: 1, picks: 1, leavesPerTree: 3 }, // prettier-ignore
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: { ...TREE_CREDIT, valueRule: 'child_mean' },
    loss: { ...TURN_LOSS, clipLow: 0.02, clipHigh: 0.03 },
  },
  promptsPerUpdate: 2,
  promptsPerMinibatch: 2,
  temperature: 1,
  optimiser: { learningRate: 5e-4, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, gradientClip: 1 },
  evaluation: { every: 10, questions: 200, datasets: ['hotpot'] },
};

const prompt = (index: number): Prompt => ({
  index,
  dataset: 'hotpot',
  seed: 100 + index,
  tokens: ids('<q> Yara mother ?'),
  answer: ids('Pia'),
});

interface Sketch {
  readonly text: string;
  readonly masked?: number; // leading tokens of the environment
  readonly ending?: TurnNode['ending'];
}

function turn(
  id: number,
  parent: number,
  depth: number,
  origin: NodeOrigin,
  { text, masked = 0, ending = null }: Sketch,
): TurnNode {
  // prettier-ignore
  const tokens = ids(text);
  const mask = tokens.map((_, index) => (index < masked ? 0 : 1));
  return {
    id: nodeId(id),
    parent: nodeId(parent),
    children: [],
    tree: 0,
    depth,
    origin,
    tokens,
    mask,
    logProb: mask.map((scored, index) => -0.1 * scored * (index + 1)),
    entropy: mask.map((scored) => 0.5 * scored),
    turnSurprisal: 0.2 * id,
    lastGenerationLength: tokens.length - masked,
    callCount: ending ? depth : depth + 1,
    ending,
    pruned: false,
  };
}

const SEARCH: Sketch = { text: '<think> plan </think> <search> Yara mother </search>' };
const result = (text: string, ending: TurnNode['ending']): Sketch => ({
  text: `<result> Yara Pia </result> ${text}`,
  masked: 4,
  ending,
});
const RIGHT = result('<think> Yara Pia </think> <answer> Pia </answer>', 'answer');
const WRONG = result('<think> Yara Ugo </think> <answer> Ugo </answer>', 'answer');
const BROKEN: Sketch = { text: 'plan plan <answer>', ending: 'malformed' };

/** Two first turns; the first calls and answers; the second is malformed; turn 1 is re-sampled. */
export const NODES: readonly TurnNode[] = [
  turn(1, 0, 0, { kind: 'initial', branch: 0 }, SEARCH),
  turn(2, 0, 0, { kind: 'initial', branch: 1 }, BROKEN),
  turn(3, 1, 1, { kind: 'continuation' }, RIGHT),
  turn(4, 0, 0, { kind: 'expansion', iteration: 0, pick: 0, resampled: nodeId(1) }, SEARCH),
  turn(5, 4, 1, { kind: 'continuation' }, WRONG),
];

export const METRICS: UpdateMetrics = {
  exactMatch: 0.5,
  unknown: 0,
  reliability: 0.5,
  meanReward: 0,
  malformed: 1 / 3,
  turnSurprisal: 0.41,
  depth: 1.67,
  toolCalls: 0.67,
  deadTrees: 0.5,
  sampledTokens: 60,
  rolloutBatches: 1,
  droppedGroups: 0,
  loss: 0.0123,
  clipFraction: 0.08,
  clipFractionLast: 0.1,
  ppoKl: 0.0021,
  turnKlEntropy: 0.003,
  singleTurnCount: 1,
  gradientNorm: 0.75,
  skippedSteps: 0,
  uniqueTokens: 80,
  rowTokens: 100,
  entropy: 0.37,
  rolloutMs: 420,
  trainMs: 310,
};

const LEAVES = [nodeId(2), nodeId(3), nodeId(5)];
const candidate = (node: number, turnSurprisal: number, rank: number) => ({
  node: nodeId(node),
  turnSurprisal,
  siblingCount: 1,
  penalty: 0.05,
  score: turnSurprisal - 0.05,
  rank,
  pickCount: rank === 0 ? 1 : 0,
});

function treeEvents(update: number, promptIndex: number): RunEvent[] {
  const at = { update, prompt: promptIndex };
  const node = (index: number): RunEvent => ({ kind: 'node', ...at, node: NODES[index] });
  const record = { iteration: 0, candidates: [candidate(0, 0, 1), candidate(1, 0.2, 0)], picks: [nodeId(1)] };
  return [node(0), node(1), node(2), { kind: 'expansion', ...at, record }, node(3), node(4), { kind: 'leaves', ...at, leaves: LEAVES, pruned: [] }]; // prettier-ignore
}

const row = (leaf: number, advantage: number) => ({
  prompt: 0,
  leaf: nodeId(leaf),
  tokenIndex: [4, 5, 6],
  turnIndex: [0, 0, 0],
  oldLogProb: [-0.1, -0.2, -0.3],
  logProb: [-0.11, -0.19, -0.3],
  entropy: [0.5, 0.5, 0.5],
  advantage: [advantage, advantage, advantage],
  weight: [0.1, 0.1, 0.1],
  tokenLoss: [-advantage, -advantage, -advantage],
  dlogProb: [-0.1 * advantage, -0.1 * advantage, -0.1 * advantage],
  turnLogRatio: [0],
});

/** Prompt 0 earns −1, 1, 0; prompt 1 earns 0 everywhere: a dead tree. */
export function updateEvents(update: number, metrics: UpdateMetrics = METRICS): RunEvent[] {
  const credit = (
    promptIndex: number,
    normalised: number[],
  ): Extract<RunEvent, { kind: 'credit' }>['trees'][number] => {
    const [bad, good, zero] = normalised;
    const values = [(good + bad + zero) / 3, good, bad, good, zero, zero];
    return {
      prompt: promptIndex,
      valueRule: 'child_mean',
      advantageRule: 'node_value',
      normalised: [null, null, bad, good, null, zero],
      values,
      advantages: values,
    };
  };
  return [
    { kind: 'update-started', update, prompts: [prompt(0), prompt(1)] },
    { kind: 'phase', update, phase: 'rollout' },
    ...treeEvents(update, 0),
    ...treeEvents(update, 1),
    { kind: 'phase', update, phase: 'reward' },
    {
      kind: 'rewards',
      update,
      trees: [
        { prompt: 0, byNode: [null, null, -1, 1, null, 0] },
        { prompt: 1, byNode: [null, null, 0, 0, null, 0] },
      ],
    },
    { kind: 'phase', update, phase: 'value' },
    { kind: 'phase', update, phase: 'advantage' },
    { kind: 'credit', update, trees: [credit(0, [-1.22, 1.22, 0]), credit(1, [0, 0, 0])] },
    { kind: 'phase', update, phase: 'loss' },
    { kind: 'loss', update, minibatch: 0, loss: 0.0123, rows: [row(2, -1.22), row(3, 1.22)] },
    { kind: 'phase', update, phase: 'step' },
    { kind: 'step', update, minibatch: 0, gradientNorm: 0.75, gradientNorms: { embedding: 0.6, head: 0.45 }, headNorms: [], skipped: false }, // prettier-ignore
    { kind: 'metrics', update, metrics },
  ];
}

export const START: Extract<RunEvent, { kind: 'run-started' }> & { readonly config: RunConfig } = {
  kind: 'run-started',
  origin: { kind: 'trained' },
  tokens: 'vocabulary',
  config: CONFIG,
  adapter: { vendor: 'google', architecture: 'swiftshader', description: 'SwiftShader', software: true },
  environment: ENVIRONMENT,
  parameterCount: 94_592,
  date: '2026-11-21T00:00:00.000Z',
};

export const SAMPLE_LOG: readonly RunEvent[] = [
  START,
  {
    kind: 'evaluation',
    update: 0,
    dataset: 'hotpot',
    questions: 200,
    greedy: false,
    exactMatch: 0.33,
    unknown: null,
    reliability: null,
  },
  { kind: 'status', status: 'running', update: 1, phase: 'rollout' },
  ...updateEvents(1),
  ...updateEvents(2, { ...METRICS, exactMatch: 0.75, entropy: 0.31, clipFraction: 0.02, deadTrees: 0 }),
  {
    kind: 'evaluation',
    update: 2,
    dataset: 'hotpot',
    questions: 200,
    greedy: false,
    exactMatch: 0.62,
    unknown: null,
    reliability: null,
  },
  { kind: 'status', status: 'paused', update: 2, phase: 'step' },
];
