/**
 * The numbers that a lesson may ask the lab for, by what they are of. Read through the page's own readers, never computed here.
 * To add one: a line of the table of its place. Pure.
 */
import type { LossConfig, NodeId, RatioLevel, RecordedTree } from '../../units.ts';
import { ROOT } from '../../units.ts';
import { leavesBelow } from '../../algo/tree/tree.ts';
import type { UpdateMetrics } from '../../protocol/protocol.ts';
import { advantageRanges } from '../credit/advantage_range.ts';
import { agreementOf, otherRule, tokenPairs, underRule, type Agreement } from '../credit/compare.ts';
import { creditRulesOf, type Recredit } from '../credit/credit.ts';
import { lossBalance, type LossBalance } from '../loss/batch_reading.ts';
import {
  askClip,
  readLoss,
  type ClipAnswer,
  type LossReading,
  type LossToken,
} from '../loss/loss_reading.ts';
import { netWeight, type NetWeight } from '../loss/net_weight.ts';
import { bestLeaf, contextLengthOf, isDead, pathTo, recipeOf, rewardOf } from '../record/reading.ts';
import type { RunState, TreeState, UpdateState } from '../record/run_state.ts';
import type { Selection } from '../place/selection.ts';

/** Where an expression is read: a run, and a place in it with the rules that are chosen there. */
export interface Ground {
  readonly run: RunState;
  readonly selection: Selection;
}

/** How a number is printed: `fine` and `weight` with the digits of numbers near 0. */
export type QuantityKind = 'signed' | 'fine' | 'plain' | 'ratio' | 'weight' | 'nats' | 'count' | 'share';

/** What is on screen there. */
export interface Scene extends Ground {
  readonly update: UpdateState | null;
  readonly state: TreeState | null;
  readonly tree: RecordedTree | null; // once it is grown
  readonly credit: Recredit | null;
  readonly ratioLevel: RatioLevel | null; // asked about in place of the run's
}

type Known = number | null | undefined;

/** A number of one kind of place. */
export interface Reader<Of extends readonly unknown[] = readonly []> {
  readonly kind: QuantityKind;
  readonly read: (scene: Scene, ...of: Of) => Known;
}
export type Readers<Of extends readonly unknown[] = readonly []> = Readonly<Record<string, Reader<Of>>>;

/** The leaf of the row on screen. */
export const rowLeaf = ({ state, selection }: Scene): NodeId | null =>
  selection.leaf ?? (state && bestLeaf(state));

// Of a turn.

/** The number that every token of the turn is trained with; null where rows differ, as null is where there is none. */
function advantageOf({ tree, credit }: Scene, node: NodeId): number | null {
  const range = tree && credit ? advantageRanges(tree, credit)[node] : null;
  return range && range[0] === range[1] ? range[0] : null;
}

const end =
  (side: 0 | 1) =>
  ({ tree, credit }: Scene, node: NodeId): Known =>
    tree && credit ? advantageRanges(tree, credit)[node]?.[side] : null;

/** What the turn is trained with in the row on screen. */
function rowAdvantage(scene: Scene, node: NodeId): Known {
  const { run, tree, credit } = scene;
  const leaf = rowLeaf(scene);
  if (!tree || !credit || leaf === null) return null;
  return tokenPairs(tree, credit, credit, leaf, contextLengthOf(run)).find((pair) => pair.node === node)?.a;
}

/** Weight with which a node enters its parent's value. */
function weightOf({ state, credit }: Scene, node: NodeId): Known {
  const parent = state?.nodes[node]?.parent;
  const step = credit?.values.trace.find((entry) => entry.node === parent);
  return step?.terms.find((term) => term.node === node)?.weight;
}

const candidateOf = ({ state, selection }: Scene, node: NodeId) => {
  const record = state?.expansions[selection.round ?? state.expansions.length - 1];
  return record?.candidates.find((candidate) => candidate.node === node);
};

const sampledTokens = ({ state }: Scene, node: NodeId): number | undefined =>
  state?.nodes[node]?.mask.filter((bit) => bit !== 0).length;

/** Of all turns from the question to the node; the question is not among them. @param bit of the mask */
const tokensTo = ({ state }: Scene, node: NodeId, bit: 0 | 1): Known =>
  state &&
  pathTo(state, node).flatMap(({ mask }) => mask.filter((own) => (own === 0 ? 0 : 1) === bit)).length;

export const OF_NODE: Readers<[node: NodeId]> = {
  reward: { kind: 'plain', read: ({ credit, state }, node) => (credit ?? state)?.rewards?.[node] },
  'normalised reward': { kind: 'signed', read: ({ credit }, node) => credit?.normalised.byNode[node] },
  value: { kind: 'signed', read: ({ credit }, node) => credit?.values.byNode[node] },
  weight: { kind: 'plain', read: weightOf },
  advantage: { kind: 'signed', read: advantageOf },
  'least advantage': { kind: 'signed', read: end(0) },
  'greatest advantage': { kind: 'signed', read: end(1) },
  'row advantage': { kind: 'signed', read: rowAdvantage },
  'turn ratio': {
    kind: 'ratio',
    read: (scene, node) => readingOf(scene)?.turns.find((turn) => turn.node === node)?.turnRatio,
  },
  surprisal: { kind: 'nats', read: ({ state }, node) => state?.nodes[node]?.turnSurprisal },
  'leaves below': { kind: 'count', read: ({ tree }, node) => tree && leavesBelow(tree, node).length },
  children: { kind: 'count', read: ({ state }, node) => state?.nodes[node]?.children.length },
  tokens: { kind: 'count', read: sampledTokens },
  'masked tokens': {
    kind: 'count',
    read: (scene, node) => {
      const all = scene.state?.nodes[node]?.tokens.length;
      return all === undefined ? null : all - (sampledTokens(scene, node) ?? 0);
    },
  },
  'sampled tokens to': { kind: 'count', read: (scene, node) => tokensTo(scene, node, 1) },
  'masked tokens to': { kind: 'count', read: (scene, node) => tokensTo(scene, node, 0) },
  'turns to': { kind: 'count', read: ({ state }, node) => state && pathTo(state, node).length - 1 },
  score: { kind: 'plain', read: (scene, node) => candidateOf(scene, node)?.score },
  penalty: { kind: 'plain', read: (scene, node) => candidateOf(scene, node)?.penalty },
  'sibling count': { kind: 'count', read: (scene, node) => candidateOf(scene, node)?.siblingCount },
  rank: {
    kind: 'count',
    read: (scene, node) => {
      const rank = candidateOf(scene, node)?.rank;
      return rank === undefined ? null : rank + 1; // people count from 1
    },
  },
  picks: { kind: 'count', read: (scene, node) => candidateOf(scene, node)?.pickCount },
};

// Of the tree on screen.

/** Two rules over all rows of the tree: those chosen, and the other of GRPO and the tree's own, as Compare has them. */
function agreement({ run, selection, update, state, tree, credit }: Scene): Agreement | null {
  const own = creditRulesOf(run, selection);
  if (!update || !state || !tree || !credit || !own) return null;
  const { againstValue, againstAdvantage, leafNormalisation } = selection;
  const { config } = credit;
  const other = underRule(update, state, own, {
    valueRule: againstValue ?? config.valueRule,
    advantageRule: againstAdvantage ?? otherRule(config.advantageRule),
    leafNormalisation,
  });
  const length = contextLengthOf(run);
  return other && agreementOf(tree.leaves.flatMap((leaf) => tokenPairs(tree, credit, other, leaf, length)));
}

export const OF_TREE: Readers = {
  leaves: { kind: 'count', read: ({ state }) => state?.leaves.length },
  turns: {
    kind: 'count',
    read: ({ state }) => state && state.nodes.filter((node) => node?.pruned === false).length - 1,
  },
  'first turns': { kind: 'count', read: ({ state }) => state?.nodes[ROOT]?.children.length },
  'right leaves': {
    kind: 'count',
    read: ({ state }) => state?.leaves.filter((leaf) => state.rewards?.[leaf] === 1).length,
  },
  candidates: {
    kind: 'count',
    read: ({ state, selection }) => state?.expansions[selection.round ?? 0]?.candidates.length,
  },
  rounds: { kind: 'count', read: ({ state }) => state?.expansions.length },
  'mean of rewards': { kind: 'plain', read: ({ credit }) => credit?.normalised.statistics.mean },
  'deviation of rewards': { kind: 'plain', read: ({ credit }) => credit?.normalised.statistics.deviation },
  'trained tokens': { kind: 'count', read: (scene) => agreement(scene)?.tokens },
  'opposite tokens': { kind: 'count', read: (scene) => agreement(scene)?.opposite },
  'cosine of the rules': { kind: 'plain', read: (scene) => agreement(scene)?.cosine },
  updates: { kind: 'count', read: ({ run }) => run.updates.length },
};

// Of an update.

type MetricKey = Exclude<keyof UpdateMetrics, 'unknown' | 'reliability'>; // which older logs lack

const metric = (key: MetricKey, kind: QuantityKind): Reader => ({
  kind,
  read: ({ update }) => update?.metrics?.[key],
});

/** Dead trees whose leaves all earned what passes the test. */
const dead = (test: (reward: number) => boolean): Reader => ({
  kind: 'count',
  read: ({ update }) =>
    update?.trees.filter((tree) => isDead(tree) && test(rewardOf(tree, tree.leaves[0]) ?? NaN)).length,
});

const hasRight = (tree: TreeState): boolean => tree.leaves.some((leaf) => rewardOf(tree, leaf) === 1);

export const OF_UPDATE: Readers = {
  trees: { kind: 'count', read: ({ update }) => update?.trees.length },
  'dead trees': dead(() => true),
  'all-right trees': dead((reward) => reward === 1),
  'all-wrong trees': dead((reward) => reward < 1),
  'exact match': metric('exactMatch', 'share'),
  'trees with a right leaf': {
    kind: 'count',
    read: ({ update }) => update?.trees.filter(hasRight).length,
  },
  'live trees without a right leaf': {
    kind: 'count',
    read: ({ update }) => update?.trees.filter((tree) => !isDead(tree) && !hasRight(tree)).length,
  },
  'dead share': metric('deadTrees', 'share'),
  'malformed share': metric('malformed', 'share'),
  'clipped share': metric('clipFraction', 'share'),
  depth: metric('depth', 'plain'),
  'tool calls': metric('toolCalls', 'plain'),
  'unique tokens': metric('uniqueTokens', 'count'),
  'row tokens': metric('rowTokens', 'count'),
};

// Of the mini-batch of the row on screen.

const lossConfigOf = ({ run }: Scene): LossConfig | undefined => recipeOf(run)?.algorithm.loss;

function readingOf(scene: Scene): LossReading | null {
  const [leaf, config] = [rowLeaf(scene), lossConfigOf(scene)];
  const { update, state } = scene;
  return update && state && config && leaf !== null ? readLoss(update, state, leaf, config) : null;
}

function balance(scene: Scene): LossBalance | null {
  const [reading, config] = [readingOf(scene), lossConfigOf(scene)];
  return reading && config && scene.update ? lossBalance(scene.update, reading.minibatch, config) : null;
}

/** Under the band that is asked about, or the run's own. */
function clipAnswer(scene: Scene): ClipAnswer | null {
  const [reading, config] = [readingOf(scene), lossConfigOf(scene)];
  if (!reading || config?.surrogate !== 'clip') return null;
  const { low, high } = scene.selection.clip ?? { low: config.clipLow, high: config.clipHigh };
  const asked = { ...config, ratioLevel: scene.ratioLevel ?? config.ratioLevel };
  return askClip(reading.minibatch, asked, { clipLow: low, clipHigh: high });
}

const ofBalance = (kind: QuantityKind, key: Exclude<keyof LossBalance, 'skipped'>): Reader => ({
  kind,
  read: (scene) => balance(scene)?.[key],
});

export const OF_MINIBATCH: Readers = {
  rows: { kind: 'count', read: (scene) => readingOf(scene)?.minibatch.rows.length },
  tokens: ofBalance('count', 'tokens'),
  loss: ofBalance('signed', 'loss'),
  'exact loss': ofBalance('fine', 'loss'),
  gain: ofBalance('signed', 'gain'),
  cost: ofBalance('signed', 'cost'),
  'signed advantage': ofBalance('fine', 'signedAdvantage'),
  'gradient norm': ofBalance('plain', 'gradientNorm'),
  'tokens pushed up': ofBalance('count', 'pushedUp'),
  'tokens pushed down': ofBalance('count', 'pushedDown'),
  prompts: ofBalance('count', 'prompts'),
  'dead prompts': ofBalance('count', 'deadPrompts'),
  'clipped tokens': { kind: 'count', read: (scene) => clipAnswer(scene)?.clippedTokens },
  'flipped turns': { kind: 'count', read: (scene) => clipAnswer(scene)?.flippedGroups },
};

// Of a token of the row on screen, by its place in the row.

function tokenAt(scene: Scene, position: number): LossToken | undefined {
  const tokens = readingOf(scene)?.turns.flatMap((turn) => turn.tokens);
  return tokens?.find((token) => token.position === position);
}

function netAt(scene: Scene, position: number): NetWeight | null {
  const [reading, config, leaf] = [readingOf(scene), lossConfigOf(scene), rowLeaf(scene)];
  if (!reading || !config || !scene.state || leaf === null) return null;
  return netWeight(reading.minibatch, scene.state, leaf, position, config);
}

const ofToken = (kind: QuantityKind, read: (token: LossToken) => number): Reader<[position: number]> => ({
  kind,
  read: (scene, position) => {
    const token = tokenAt(scene, position);
    return token && read(token);
  },
});
const ofNet = (kind: QuantityKind, read: (net: NetWeight) => number): Reader<[position: number]> => ({
  kind,
  read: (scene, position) => {
    const net = netAt(scene, position);
    return net && read(net);
  },
});

export const OF_TOKEN: Readers<[position: number]> = {
  'own ratio': ofToken('ratio', ({ logRatio }) => Math.exp(logRatio)),
  ratio: ofToken('ratio', ({ ratio }) => ratio),
  'lower edge': ofToken('ratio', ({ band }) => band[0]),
  'upper edge': ofToken('ratio', ({ band }) => band[1]),
  advantage: ofToken('signed', ({ advantage }) => advantage),
  weight: ofToken('weight', ({ weight }) => weight),
  loss: ofToken('signed', ({ tokenLoss }) => tokenLoss),
  push: ofToken('fine', ({ dlogProb }) => dlogProb),
  probability: ofToken('share', ({ logProb }) => Math.exp(logProb)),
  rows: ofNet('count', ({ rows }) => rows.length),
  'net weight': ofNet('weight', ({ weight }) => weight),
  'net push': ofNet('fine', ({ dlogProb }) => dlogProb),
};
