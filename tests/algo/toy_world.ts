/** A tiny task and a keyed random policy: trees of every shape, without a model. */
import { TURN_TREE } from '../../src/algo/catalogue/defaults.ts';
import { keyedRandom } from '../../src/algo/random.ts';
import { growTrees, type RolloutObserver } from '../../src/algo/rollouts/turn_tree.ts';
import {
  tokenId,
  type Environment,
  type GenerateRequest,
  type Generation,
  type Prompt,
  type RandomKey,
  type RolloutConfig,
  type RolloutTree,
  type TurnSampler,
} from '../../src/units.ts';

export const CALL = tokenId(1);
const [ANSWER, RESULT] = [tokenId(2), tokenId(3)];
const WORDS = [4, 5, 6, 7].map(tokenId);
const POLICY_STREAM = 4242;

/** Ends a turn by a call (a result follows, three calls at most) or an answer; the last word decides the reward. */
export const toyWorld: Environment<number> = {
  name: 'toy',
  title: 'Toy',
  description: 'For tests.',
  vocabulary: ['pad', 'call', 'answer', 'result', 'a', 'b', 'c', 'd'],
  padToken: tokenId(0),
  stopTokens: [CALL, ANSWER],
  contextLength: 24,
  turnTokenLimit: 5,
  callLimit: 3,
  datasets: ['toy'],
  prompt: (dataset, seed, index) => ({
    index,
    dataset,
    seed,
    tokens: [WORDS[seed % 4], WORDS[index % 4]],
    answer: [],
  }),
  start: () => 0,
  step: (_prompt, calls, turn) => {
    const last = turn[turn.length - 1];
    if (last === ANSWER) return { kind: 'end', ending: 'answer', appended: [] };
    if (last !== CALL) return { kind: 'end', ending: 'malformed', appended: [] };
    if (calls === 3) return { kind: 'end', ending: 'call-limit', appended: [] };
    return { kind: 'observe', tokens: [RESULT, ...turn.slice(0, 2)], state: calls + 1 };
  },
  reward: (_prompt, { turns, ending }) => {
    if (ending !== 'answer') return -1;
    return (turns[turns.length - 1].at(-2) ?? 0) % 2;
  },
  formatTokens: [CALL, ANSWER],
  grade: (_prompt, { turns, ending }) => {
    const right = ending === 'answer' && (turns[turns.length - 1].at(-2) ?? 0) % 2 === 1;
    return {
      exactMatch: right ? 1 : 0,
      f1: right ? 1 : 0,
      formatValid: ending === 'answer',
      answer: ending === 'answer' ? turns[turns.length - 1].slice(-2, -1) : null,
      unknown: false,
      toolsUsed: Math.min(1, turns.length - 1),
    };
  },
  callFailed: (turn) => turn.length === 2,
  answerProbe: () => ({ bridge: [ANSWER], answer: [WORDS[1]] }),
  solve: () => [[WORDS[1], ANSWER]],
};

/** Samples turns from the key alone; remembers what it was asked. */
export class RandomPolicy implements TurnSampler {
  readonly asked: (readonly GenerateRequest[])[] = [];
  private readonly key: RandomKey;

  constructor(key: RandomKey) {
    this.key = key;
  }

  generate(requests: readonly GenerateRequest[]): Promise<readonly Generation[]> {
    this.asked.push(requests);
    return Promise.resolve(requests.map((request) => this.sample(request)));
  }

  private sample({ key, maxTokens }: GenerateRequest): Generation {
    const random = keyedRandom(this.key, POLICY_STREAM, key.prompt, key.node, key.firstToken);
    const words = Array.from({ length: 1 + random.integer(5) }, () => WORDS[random.integer(4)]);
    const tokens = [...words, random.uniform() < 0.7 ? CALL : ANSWER].slice(0, maxTokens);
    const stopped = toyWorld.stopTokens.includes(tokens[tokens.length - 1]);
    const logProb = tokens.map(() => -random.uniform() * 2);
    return {
      tokens,
      logProb,
      entropy: tokens.map(() => random.uniform()),
      finish: stopped ? 'stop' : 'length',
    };
  }
}

export const TOY_ROLLOUT: RolloutConfig = {
  ...TURN_TREE,
  initialBranches: 4,
  iterations: 2,
  picks: 3,
  leavesPerTree: 10,
};

export const toyPrompts = (count: number): readonly Prompt[] =>
  Array.from({ length: count }, (_, index) => toyWorld.prompt('toy', 10 + index, index));

export function toyTrees(
  seed: number,
  count = 2,
  config: Partial<RolloutConfig> = {},
  observer: RolloutObserver = {},
): Promise<readonly RolloutTree[]> {
  const key = { seed, update: 1 };
  return growTrees(
    new RandomPolicy(key),
    toyWorld,
    toyPrompts(count),
    { ...TOY_ROLLOUT, ...config },
    key,
    observer,
  );
}

/** The value with everything in it frozen, so that a write anywhere throws. */
export function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

export const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
