/** IGPO: a turn is paid by how much it raised the policy's own probability of the true answer. */
import { ROOT, type AdvantageRule, type NodeId } from '../../units.ts';
import { groupStatistics, sharedValue, smoothedStatistics } from '../credit/normalise.ts';
import { creditStep, type CreditStep, type CreditTerm, type Statistics, type Sum } from '../credit/trace.ts';
import {
  defineRules,
  eachTree,
  MissingSignalError,
  type AssignAdvantages,
  type CreditTree,
} from './method.ts';
import { explainedTurns, rowsOf, spreadOverTurns, tokenwise, type Row } from './rows.ts';

/**
 * Belief after a node (IGPO: and after the result of its call): ln p of the true answer, mean per answer token, nats.
 * @throws MissingSignalError where it was not measured
 */
export function beliefAfter({ tree, signals }: CreditTree, rule: AdvantageRule, node: NodeId): number {
  const belief = signals.belief?.[node];
  if (belief === null || belief === undefined)
    throw new MissingSignalError(rule, 'belief', tree.prompt.index, node);
  return belief;
}

/** Rewards of a row's turns: p after the turn minus p before it; the last turn gets the outcome. */
function payTerms(valued: CreditTree, rule: AdvantageRule, row: Row): readonly (readonly CreditTerm[])[] {
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
  valued: CreditTree,
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
const standardisedGains: AssignAdvantages<'discount'> = eachTree((valued, { discount }) => {
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

const REWARD = 'r_t = p_t − p_{t−1} of the true answer, last turn: the outcome';

export const BELIEF_RULES = defineRules({
  igpo: {
    settings: ['discount'],
    signals: { belief: 'after_result' },
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
    settings: [],
    signals: { belief: 'after_result' },
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
});

// A²TGPO: gains of belief compared at the same turn, accumulated at even variance, beside the outcome.

/** ℓ_t − ℓ_{t−1} of the turns between the first, which gives the baseline, and the last, which answers. */
function gainTerms(valued: CreditTree, { turns }: Row): readonly (readonly CreditTerm[])[] {
  return turns.slice(1, -1).map(({ node }, at) => {
    const before = turns[at].node;
    const label = 'ln p of the true answer';
    return [
      { node, weight: 1, value: beliefAfter(valued, 'a2tgpo', node), label },
      { node: before, weight: -1, value: beliefAfter(valued, 'a2tgpo', before), label },
    ];
  });
}

/** Steps of a group's standardised gains, by row; gain t belongs to turn t + 1. */
function gainSteps(valued: CreditTree, rows: readonly Row[]): readonly (readonly CreditStep[])[] {
  const terms = rows.map((row) => gainTerms(valued, row));
  const gains = terms.map((turns) => turns.map((each) => each[0].value - each[1].value));
  const deepest = Math.max(0, ...gains.map((turns) => turns.length));
  const statistics = Array.from({ length: deepest }, (_, turn): Statistics =>
    smoothedStatistics(gains.filter((turns) => turns.length > turn).map((turns) => turns[turn])),
  );
  return rows.map(({ leaf, turns }, row) =>
    terms[row].map((each, turn) =>
      creditStep(
        valued.tree,
        'a2tgpo',
        turns[turn + 1].node,
        { terms: each, statistics: statistics[turn] },
        { leaf, part: 'gain over the prompt’s turns at this place' },
      ),
    ),
  );
}

/** Which gain a turn of the row is credited by: the first turn shares the second's, the last has none (−1). */
const gainOf = (turn: number, gainCount: number, turnCount: number): number =>
  turn === turnCount - 1 || gainCount === 0 ? -1 : Math.max(0, turn - 1);

/** α/√(n − t)·Σ_{j ≥ t} γ^{j−t}·gain_j + outcome. */
function turnSum(
  { leaf, turns }: Row,
  turn: number,
  gains: readonly CreditStep[],
  outcome: number,
  { discount, mixing }: { readonly discount: number; readonly mixing: number },
): Sum {
  const first = gainOf(turn, gains.length, turns.length);
  const ahead = first < 0 ? [] : gains.slice(first);
  const terms: readonly CreditTerm[] = [
    ...ahead.map(({ node, result }, later) => ({
      node,
      weight: (mixing * discount ** later) / Math.sqrt(ahead.length),
      value: result,
      label: 'gain of the turn',
    })),
    { node: leaf, weight: 1, value: outcome, label: 'outcome' },
  ];
  return { terms, statistics: null };
}

const gainsAndOutcome: AssignAdvantages<'discount' | 'mixing'> = eachTree((valued, config) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const gains = gainSteps(valued, rows);
  const statistics = smoothedStatistics(rows.map(({ reward }) => reward));
  const outcomes = rows.map(({ leaf, reward }) => {
    const terms = [{ node: leaf, weight: 1, value: reward }];
    return creditStep(tree, 'a2tgpo', leaf, { terms, statistics }, { leaf, part: 'outcome over the prompt' });
  });
  const sums = rows.map((row, index) =>
    row.turns.map((_, turn) => turnSum(row, turn, gains[index], outcomes[index].result, config)),
  );
  const scales = rows.map(({ turns }, row) =>
    turns.map((_, turn) => gains[row][gainOf(turn, gains[row].length, turns.length)]?.result ?? 0),
  );
  return {
    ...explainedTurns(tree, 'a2tgpo', rows, sums, [...gains.flat(), ...outcomes]),
    gain: spreadOverTurns(tree, rows, scales),
  };
});

export const A2TGPO_RULES = defineRules({
  a2tgpo: {
    option: {
      value: 'a2tgpo',
      title: 'Gain at the same turn, and outcome',
      formula: 'A_t = α/√(n − t)·Σ_{j≥t} γ^(j−t)·z(ℓ_j − ℓ_{j−1}) + z(r over the prompt); answer: z(r)',
      description:
        'Gains of ln p are compared with gains at the same turn; the square root keeps long sums at the scale of short ones.',
      source: 'arXiv:2605.06200 (A²TGPO); released code, turn-group-v1d',
      evidence: 'code',
      difference:
        'The released loss finds turns by changes of the advantage, so equal neighbours merge and a gain of exactly 0 vanishes. Here turns are turns.',
    },
    settings: ['discount', 'mixing'],
    signals: { belief: 'after_call' },
    assign: gainsAndOutcome,
  },
});
