/** Two credit rules on the same rollouts: per token, per turn, and where they first disagree. Pure. */
import { advantageInRow, type Credit } from '../../algo/credit/credit.ts';
import { rowTokens } from '../../algo/tree/tree.ts';
import type { AdvantageRange } from './advantage_range.ts';
import {
  ROOT,
  type AdvantageRule,
  type NodeId,
  type RecordedTree,
  type TokenId,
  type CreditConfig,
} from '../../units.ts';
import { ADVANTAGE_RULE, isAvailable, recredit, type Recredit, type RuleChoice } from './credit.ts';
import { rolloutTree } from '../record/reading.ts';
import type { TreeState, UpdateState } from '../record/run_state.ts';

/** A trained-on token of a row under two rules. */
export interface TokenPair {
  readonly position: number; // in the row, prompt included, from 0
  readonly node: NodeId;
  readonly turn: number; // in the row, from 0
  readonly a: number; // advantage, dimensionless
  readonly b: number;
}

/** Advantages below this are no push: rounding of a sum that is zero. */
export const NO_PUSH = 1e-9;

export const signOf = (value: number): -1 | 0 | 1 => (Math.abs(value) < NO_PUSH ? 0 : value > 0 ? 1 : -1);

/**
 * The trained-on tokens of a leaf's row; a turn is a maximal run of them.
 * @param contextLength tokens of prompt and response together; a row is cut there
 */
export function tokenPairs(
  tree: RecordedTree,
  a: Credit,
  b: Credit,
  leaf: NodeId,
  contextLength: number,
): readonly TokenPair[] {
  const { mask, spans } = rowTokens(tree, leaf, contextLength);
  const first = tree.prompt.tokens.length;
  const pairs: TokenPair[] = [];
  let turn = -1;
  for (const { node, start, end } of spans)
    for (let position = start; position < end; position += 1) {
      if (mask[position] === 0) continue;
      if (mask[position - 1] !== 1) turn += 1;
      const advantageOf = ({ advantages }: Credit): number =>
        advantageInRow(advantages, node, leaf, position - first);
      pairs.push({ position, node, turn, a: advantageOf(a), b: advantageOf(b) });
    }
  return pairs;
}

/** The first token that one rule pushes and the other does not, or pushes the other way; null where there is none. */
export const firstDisagreement = (pairs: readonly TokenPair[]): TokenPair | null =>
  pairs.find(({ a, b }) => signOf(a) !== signOf(b)) ?? null;

/** How far two rules go together over some tokens. */
export interface Agreement {
  readonly tokens: number;
  readonly sameSign: number;
  readonly opposite: number; // one up, one down
  readonly oneSilent: number; // one of them gives no push
  readonly cosine: number | null; // of the two advantage vectors; null where one is zero
}

export function agreementOf(pairs: readonly TokenPair[]): Agreement {
  const count = (test: (pair: TokenPair) => boolean): number => pairs.filter(test).length;
  const sum = (term: (pair: TokenPair) => number): number =>
    pairs.reduce((total, pair) => total + term(pair), 0);
  const norms = Math.sqrt(sum(({ a }) => a * a) * sum(({ b }) => b * b));
  return {
    tokens: pairs.length,
    sameSign: count(({ a, b }) => signOf(a) === signOf(b)),
    opposite: count(({ a, b }) => signOf(a) * signOf(b) === -1),
    oneSilent: count(({ a, b }) => (signOf(a) === 0) !== (signOf(b) === 0)),
    cosine: norms === 0 ? null : sum(({ a, b }) => a * b) / norms,
  };
}

/** One turn of a row under one rule. */
export interface TurnCredit {
  readonly turn: number;
  readonly node: NodeId; // of its first token
  readonly tokens: number;
  readonly range: AdvantageRange; // over its tokens
}

export function turnCredits(pairs: readonly TokenPair[], side: 'a' | 'b'): readonly TurnCredit[] {
  const turns = [...new Set(pairs.map(({ turn }) => turn))];
  return turns.map((turn) => {
    const own = pairs.filter((pair) => pair.turn === turn);
    const values = own.map((pair) => pair[side]);
    const range = [Math.min(...values), Math.max(...values)] as const;
    return { turn, node: own[0].node, tokens: own.length, range };
  });
}

/** A line of the matrix: a rule, and what it gives each turn of one leaf. */
export interface RuleLine {
  readonly rule: AdvantageRule;
  readonly turns: readonly TurnCredit[] | null; // null: the run did not measure what the rule reads
  readonly missing: string | null; // what it would need
}

/** What one rule gives each turn of a leaf's row. */
export const ruleLine = (
  tree: RecordedTree,
  credit: Credit,
  leaf: NodeId,
  contextLength: number,
): readonly TurnCredit[] => turnCredits(tokenPairs(tree, credit, credit, leaf, contextLength), 'a');

/** Where two trees of one prompt begin to differ; null where every shared node is the same. */
export interface TreeDifference {
  readonly node: NodeId;
  readonly token: number; // place among the node's own tokens
  readonly a: number | null; // token ids; null where one ends
  readonly b: number | null;
}

/**
 * In order of creation, the first node whose tokens differ.
 * @param same whether two tokens are one; by id, unless the trees are of records with tables of their own
 */
export function firstTreeDifference(
  a: RecordedTree,
  b: RecordedTree,
  same: (a: TokenId | undefined, b: TokenId | undefined) => boolean = Object.is,
): TreeDifference | null {
  const length = Math.max(a.nodes.length, b.nodes.length);
  for (let id = ROOT as number; id < length; id += 1) {
    const [left, right] = [a.nodes[id]?.tokens ?? [], b.nodes[id]?.tokens ?? []];
    const most = Math.max(left.length, right.length);
    for (let token = 0; token < most; token += 1)
      if (!same(left[token], right[token]))
        return { node: id as NodeId, token, a: left[token] ?? null, b: right[token] ?? null };
  }
  return null;
}

export const underRule = (
  { trees }: UpdateState,
  state: TreeState,
  own: CreditConfig,
  choice: RuleChoice,
): Recredit | null => recredit(state, own, { ...choice, whatIf: [] }, trees);

/** What a rule is compared with when nothing is chosen: GRPO, the rule everyone knows; GRPO itself with the value. */
export const otherRule = (rule: AdvantageRule): AdvantageRule =>
  rule === 'vanilla' ? 'node_value' : 'vanilla';

/** Every rule on the turns of one leaf; one that reads what the run did not measure says so. */
export function ruleLines(
  update: UpdateState,
  state: TreeState,
  own: CreditConfig,
  leaf: NodeId,
  contextLength: number,
): readonly RuleLine[] {
  const tree = rolloutTree(state);
  if (!tree) return [];
  return ADVANTAGE_RULE.options.map(({ value: rule }): RuleLine => {
    if (!isAvailable(rule, own, state))
      return { rule, turns: null, missing: 'reads what this run did not measure' };
    const choice = { valueRule: null, advantageRule: rule, leafNormalisation: null };
    const credit = underRule(update, state, own, choice);
    return { rule, turns: credit && ruleLine(tree, credit, leaf, contextLength), missing: null };
  });
}

/** The configurations whose gradients are compared: A, B, then one for each other rule that the run can answer. */
export function gradientRules(
  state: TreeState,
  own: CreditConfig,
  a: CreditConfig,
  b: CreditConfig,
): readonly CreditConfig[] {
  const others = ADVANTAGE_RULE.options
    .map(({ value }) => value)
    .filter((rule) => rule !== a.advantageRule && rule !== b.advantageRule && isAvailable(rule, own, state));
  return [a, b, ...others.map((advantageRule) => ({ ...own, advantageRule }))];
}
