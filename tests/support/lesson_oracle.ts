/** Numbers that lessons state about a small tree, computed in plain recursions that share no code with the lab. */
import { parseExample, type ExampleTurn } from '../../src/store/lesson/example.ts';

export interface OracleRules {
  readonly value: string;
  readonly advantage: string;
  readonly normalise: boolean;
}

interface Numbered extends ExampleTurn {
  readonly id: number;
  readonly parent: number;
  readonly below: readonly Numbered[];
}

function numbered(text: string): Numbered {
  let next = 0;
  const number = (turn: ExampleTurn, parent: number): Numbered => {
    const id = next++;
    return { ...turn, id, parent, below: turn.children.map((child) => number(child, id)) };
  };
  return number({ surprisal: 0, reward: null, children: parseExample(text) }, -1);
}

const all = (turn: Numbered): Numbered[] => [turn, ...turn.below.flatMap(all)];
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** @returns the number, or undefined where this oracle knows none of that kind */
export function oracle(expression: string, text: string, rules: OracleRules): number | undefined {
  const [asked, under] = expression.split(' under ');
  const chosen = { ...rules };
  for (const name of under?.split(' and ') ?? [])
    if (/^(child|leaf)_/.test(name)) chosen.value = name;
    else if (name === 'raw rewards') chosen.normalise = false;
    else if (name === 'normalised rewards') chosen.normalise = true;
    else chosen.advantage = name;
  const root = numbered(text);
  const turns = all(root);
  const rewards = turns.flatMap(({ reward }) => reward ?? []);
  const deviation = Math.sqrt(mean(rewards.map((reward) => (reward - mean(rewards)) ** 2)));
  const leafValue = (reward: number): number =>
    chosen.normalise ? (reward - mean(rewards)) / (deviation + 1e-6) : reward;
  const leaves = (turn: Numbered): readonly Numbered[] => all(turn).filter(({ reward }) => reward !== null);
  const weights = (turn: Numbered): readonly number[] => {
    if (chosen.value === 'child_mean') return turn.below.map(() => 1 / turn.below.length);
    const scale = chosen.value === 'child_softmax' ? Math.exp : (entropy: number) => entropy;
    const raw = turn.below.map(({ surprisal }) => scale(surprisal));
    return raw.map((weight) => weight / raw.reduce((a, b) => a + b, 0));
  };
  const value = (turn: Numbered): number => {
    if (turn.reward !== null) return leafValue(turn.reward);
    if (chosen.value === 'leaf_mean') return mean(leaves(turn).map(value));
    return turn.below.reduce((sum, child, at) => sum + weights(turn)[at] * value(child), 0);
  };
  const advantage = (turn: Numbered): number | undefined => {
    const [own, above, top] = [value(turn), value(turns[Math.max(0, turn.parent)]), value(root)];
    switch (chosen.advantage) {
      case 'node_value':
        return own;
      case 'diff_parent':
        return own - above;
      case 'diff_global':
        return own - top;
      case 'diff_localglobal':
        return own - top + (own - above);
      default:
        return undefined;
    }
  };
  if (asked === 'leaves') return rewards.length;
  if (asked === 'turns') return turns.length - 1;
  if (asked === 'first turns') return root.below.length;
  if (asked === 'right leaves') return rewards.filter((reward) => reward === 1).length;
  if (asked === 'mean of rewards') return mean(rewards);
  if (asked === 'deviation of rewards') return deviation;
  const [, name, where] = /^(.+?)(?: of)? (root|n\d+)$/.exec(asked) ?? [];
  const turn = turns[where === 'root' ? 0 : Number(where?.slice(1))];
  switch (name) {
    case 'reward':
      return turn.reward ?? undefined;
    case 'value':
      return value(turn);
    case 'advantage':
      return advantage(turn);
    case 'surprisal':
      return turn.surprisal;
    case 'weight':
      return weights(turns[turn.parent])[turns[turn.parent].below.findIndex(({ id }) => id === turn.id)];
    case 'leaves below':
      return leaves(turn).length;
    case 'children':
      return turn.below.length;
    default:
      return undefined;
  }
}
