/** IGPO: a turn is paid by how much it raised the policy's own probability of the true answer. */
import type { AdvantageRule, NodeId } from '../../units.ts';
import { ROOT } from '../../units.ts';
import { groupStatistics, sharedValue } from '../normalise.ts';
import { creditStep } from '../trace.ts';
import type { CreditStep, CreditTerm, Sum } from '../trace.ts';
import { MissingSignalError, eachTree } from './method.ts';
import type { AdvantageMethod, AssignAdvantages, ValuedTree } from './method.ts';
import { explainedTurns, rowsOf, tokenwise } from './rows.ts';
import type { Row } from './rows.ts';

/**
 * Belief after a node (IGPO: and after the result of its call): ln p of the true answer, mean per answer token, nats.
 * @throws MissingSignalError where it was not measured
 */
export function beliefAfter({ tree, signals }: ValuedTree, rule: AdvantageRule, node: NodeId): number {
  const belief = signals.belief?.[node];
  if (belief === null || belief === undefined)
    throw new MissingSignalError(rule, 'belief', tree.prompt.index, node);
  return belief;
}

/** Rewards of a row's turns: p after the turn minus p before it; the last turn gets the outcome. */
function payTerms(valued: ValuedTree, rule: AdvantageRule, row: Row): readonly (readonly CreditTerm[])[] {
  const probability = (node: NodeId): number => Math.exp(beliefAfter(valued, rule, node));
  return row.turns.map(({ node }, turn) => {
    if (turn === row.turns.length - 1) return [{ node: row.leaf, weight: 1, value: row.reward }];
    const before = turn === 0 ? ROOT : row.turns[turn - 1].node;
    const label = 'p of the true answer';
    return [
      { node, weight: 1, value: probability(node), label },
      { node: before, weight: -1, value: probability(before), label },
    ];
  });
}

const paySteps = (
  valued: ValuedTree,
  rule: AdvantageRule,
  rows: readonly Row[],
  sumOf: (terms: readonly CreditTerm[]) => Sum,
  part: string,
): readonly (readonly CreditStep[])[] =>
  rows.map((row) =>
    payTerms(valued, rule, row).map((terms, turn) =>
      creditStep(valued.tree, rule, row.turns[turn].node, sumOf(terms), { leaf: row.leaf, part }),
    ),
  );

/** All turn rewards of the prompt standardised together, then summed over what follows. */
const standardisedGains: AssignAdvantages = eachTree((valued, { discount }) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const plain = paySteps(valued, 'igpo', rows, (terms) => ({ terms, statistics: null }), '');
  const statistics = groupStatistics(plain.flat().map(({ result }) => result));
  const parts = paySteps(valued, 'igpo', rows, (terms) => ({ terms, statistics }), 'reward of the turn');
  const sums = rows.map(({ turns }, row) =>
    turns.map((_, turn): Sum => {
      const terms = turns.slice(turn).map(({ node }, later) => ({
        node,
        weight: discount ** later,
        value: parts[row][turn + later].result,
        label: 'reward of the turn',
      }));
      return { terms, statistics: null };
    }),
  );
  return explainedTurns(tree, 'igpo', rows, sums, parts.flat());
});

/** Returns of a row's response positions: a turn's reward stands at its last sampled token. */
function positionReturns({ turns, length }: Row, pay: readonly CreditStep[]): readonly number[] {
  const returns = new Array<number>(length).fill(0);
  turns.forEach(({ sampled }, turn) => (returns[sampled[sampled.length - 1]] = pay[turn].result));
  for (let at = length - 2; at >= 0; at -= 1) returns[at] += returns[at + 1];
  return returns;
}

/** Returns minus the group's mean at the same place of the response; rows that have ended count as 0. */
const gainsByPosition: AssignAdvantages = eachTree((valued) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const pay = paySteps(
    valued,
    'igpo_position',
    rows,
    (terms) => ({ terms, statistics: null }),
    'reward of the turn',
  );
  const returns = rows.map((row, index) => positionReturns(row, pay[index]));
  const longest = Math.max(0, ...rows.map(({ length }) => length));
  const means = Array.from({ length: longest }, (_, at) => {
    const column = returns.map((row) => row[at] ?? 0);
    return sharedValue(column) ?? column.reduce((sum, value) => sum + value, 0) / rows.length;
  });
  const tokens = returns.map((row) => row.map((value, at) => value - means[at]));
  const steps = rows.flatMap(({ leaf, turns }, row) =>
    turns.map(({ node, sampled }, turn) => {
      const level = sampled.reduce((sum, at) => sum + means[at], 0) / sampled.length;
      const own = turns.slice(turn).map((each, later) => ({
        node: each.node,
        weight: 1,
        value: pay[row][turn + later].result,
        label: 'reward of the turn',
      }));
      const terms = [
        ...own,
        { node: ROOT, weight: -1, value: level, label: 'mean of the group at these places' },
      ];
      return creditStep(tree, 'igpo_position', node, { terms, statistics: null }, { leaf });
    }),
  );
  return tokenwise(tree, rows, tokens, [...pay.flat(), ...steps]);
});

const NEEDS = { readsValues: false, needs: ['belief'] } as const;
const REWARD = 'r_t = p_t − p_{t−1} of the true answer, last turn: the outcome';

export const BELIEF_RULES = {
  igpo: {
    ...NEEDS,
    option: {
      value: 'igpo',
      title: 'Information gain',
      formula: `A_t = Σ_{k≥t} γ^(k−t)·z(r_k); ${REWARD}`,
      description:
        'Every turn is paid for what it told the policy about the answer; gains and outcomes share one scale.',
      source: 'arXiv:2510.14967 (IGPO)',
      evidence: 'code',
      difference: 'The released code subtracts the group’s mean at the same token place: igpo_position.',
    },
    assign: standardisedGains,
  },
  igpo_position: {
    ...NEEDS,
    option: {
      value: 'igpo_position',
      title: 'Information gain, by place',
      formula: `A(t) = Σ_{k≥t} r_k − the group’s mean of that at place t; ${REWARD}`,
      description: 'No deviation and no discount: each token against the same place of the other rows.',
      source: 'IGPO’s released code',
      evidence: 'code',
      difference: 'The released return restarts at tokens that were not sampled; here it runs on.',
    },
    assign: gainsByPosition,
  },
} satisfies Partial<Record<AdvantageRule, AdvantageMethod>>;
