/** The trees that lessons speak of, read for their oracle: a small one from its text, those of a run from its log; and their credit. */
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { parseExample, type ExampleTurn } from '../../src/store/lesson/example.ts';
import type { RunConfig } from '../../src/units.ts';

export type EventOf<Kind extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: Kind }>;

export interface Turn {
  readonly id: number;
  readonly parent: number; // −1: the question
  readonly surprisal: number;
  readonly reward: number | null; // of a leaf
  readonly words: readonly number[];
  readonly sampled: readonly boolean[]; // by word
  readonly first: boolean; // sampled before the tree was expanded
  readonly calls: number; // on the way to its end
  readonly below: readonly Turn[];
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
export const mean = (values: readonly number[]): number => sum(values) / values.length;
export const all = (turn: Turn): Turn[] => [turn, ...turn.below.flatMap(all)];
export const leavesOf = (turn: Turn): Turn[] => all(turn).filter(({ reward }) => reward !== null);

export function exampleTree(text: string): Turn {
  let next = 0;
  const number = ({ surprisal, reward, children }: ExampleTurn, parent: number): Turn => {
    const id = next++;
    const below = children.map((child) => number(child, id));
    return { id, parent, surprisal, reward, words: [0], sampled: [true], first: true, calls: 0, below };
  };
  return number({ surprisal: 0, reward: null, children: parseExample(text) }, -1);
}

/** The log by update. */
export interface Log {
  readonly config: RunConfig;
  readonly of: ReadonlyMap<number, readonly RunEvent[]>;
  readonly trees: Map<string, Turn>;
}
const logs = new WeakMap<readonly RunEvent[], Log>();

export function logOf(events: readonly RunEvent[]): Log {
  const known = logs.get(events);
  if (known) return known;
  const of = new Map<number, RunEvent[]>();
  for (const event of events) {
    if (!('update' in event)) continue;
    const known = of.get(event.update);
    if (known) known.push(event);
    else of.set(event.update, [event]);
  }
  const start = events.find((event) => event.kind === 'run-started') as EventOf<'run-started'>;
  const log = { config: start.config!, of, trees: new Map<string, Turn>() };
  logs.set(events, log);
  return log;
}

export const ofKind = <Kind extends RunEvent['kind']>(
  log: Log,
  update: number,
  kind: Kind,
): EventOf<Kind>[] =>
  (log.of.get(update) ?? []).filter((event): event is EventOf<Kind> => event.kind === kind);

export function recordedTree(log: Log, update: number, prompt: number): Turn {
  const key = `${update} ${prompt}`;
  const known = log.trees.get(key);
  if (known) return known;
  const nodes = ofKind(log, update, 'node').filter((event) => event.prompt === prompt);
  const cut = ofKind(log, update, 'leaves').find((event) => event.prompt === prompt)!;
  const rewards = ofKind(log, update, 'rewards')[0].trees.find((tree) => tree.prompt === prompt)!.byNode;
  const question = ofKind(log, update, 'update-started')[0].prompts.find(({ index }) => index === prompt)!;
  const grown = (id: number, first: boolean): Turn[] =>
    nodes
      .filter(({ node }) => node.parent === id && !cut.pruned.includes(node.id))
      .map(({ node }): Turn => {
        const { tokens, mask, logProb, origin } = node;
        const sampled = mask.map((bit) => bit === 1);
        const isFirst = first && (origin.kind === 'initial' || origin.kind === 'continuation');
        const isLeaf = cut.leaves.includes(node.id);
        return {
          ...{ id: node.id, parent: id, words: tokens, sampled, first: isFirst },
          surprisal: -mean(logProb!.filter((_, at) => sampled[at])),
          reward: isLeaf ? rewards[node.id] : null,
          calls: node.callCount,
          below: grown(node.id, isFirst),
        };
      });
  const root: Turn = {
    ...{ id: 0, parent: -1, surprisal: 0, reward: null, words: question.tokens, calls: 0, first: true },
    sampled: question.tokens.map(() => false),
    below: grown(0, true),
  };
  log.trees.set(key, root);
  return root;
}

export const isDead = (root: Turn): boolean => new Set(leavesOf(root).map(({ reward }) => reward)).size === 1;

export interface Rules {
  readonly value: string;
  readonly advantage: string;
  readonly normalise: boolean;
}

/** Values and advantages of a tree under rules, by their definitions. */
export class Credit {
  readonly turns: ReadonlyMap<number, Turn>;
  readonly leaves: readonly Turn[];
  private readonly rewards: readonly number[];
  constructor(
    readonly root: Turn,
    readonly rules: Rules,
  ) {
    this.turns = new Map(all(root).map((turn) => [turn.id, turn]));
    this.leaves = leavesOf(root);
    this.rewards = this.leaves.map(({ reward }) => reward!);
  }
  mean = (): number => mean(this.rewards);
  deviation = (ddof = 0): number =>
    Math.sqrt(sum(this.rewards.map((reward) => (reward - this.mean()) ** 2)) / (this.rewards.length - ddof));
  normalised = (reward: number, ddof = 0): number =>
    this.rules.normalise || ddof === 1 ? (reward - this.mean()) / (this.deviation(ddof) + 1e-6) : reward;
  weights({ below }: Turn): readonly number[] {
    if (this.rules.value === 'child_mean') return below.map(() => 1 / below.length);
    const raw = below.map(({ surprisal }) =>
      this.rules.value === 'child_softmax' ? Math.exp(surprisal) : surprisal,
    );
    return raw.map((weight) => weight / sum(raw));
  }
  private readonly known = new Map<Turn, number>();
  value(turn: Turn): number {
    const value = this.known.get(turn) ?? this.valueOf(turn);
    this.known.set(turn, value);
    return value;
  }
  private valueOf(turn: Turn): number {
    if (turn.reward !== null) return this.normalised(turn.reward);
    if (this.rules.value === 'leaf_mean') return mean(leavesOf(turn).map((leaf) => this.value(leaf)));
    const weights = this.weights(turn);
    return sum(turn.below.map((child, at) => weights[at] * this.value(child)));
  }
  /** @param leaf of the row: GRPO's number is the row's */
  advantage(turn: Turn, leaf: Turn, rule = this.rules.advantage): number | undefined {
    const [own, above, top] = [turn, this.turns.get(turn.parent) ?? turn, this.root].map((at) => this.value(at)); // prettier-ignore
    switch (rule) {
      case 'vanilla':
        return this.normalised(leaf.reward!, 1);
      case 'node_value':
        return own;
      case 'diff_parent':
        return own - above;
      case 'diff_global':
        return own - top;
      case 'diff_localglobal':
        return own - top + (own - above);
      case 'tree_rl':
        return (own - top + (own - above)) / Math.sqrt(leavesOf(turn).length);
      default:
        return undefined;
    }
  }
  path(leaf: Turn): readonly Turn[] {
    const above = this.turns.get(leaf.parent);
    return above ? [...this.path(above), leaf] : [leaf];
  }
}
