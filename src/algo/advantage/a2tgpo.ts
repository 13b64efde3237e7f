/** A²TGPO: gains of belief compared at the same turn, accumulated at even variance, beside the outcome. */
import type { AdvantageRule } from '../../units.ts';
import { smoothedStatistics } from '../normalise.ts';
import { creditStep } from '../trace.ts';
import type { CreditStep, CreditTerm, Statistics, Sum } from '../trace.ts';
import { beliefAfter } from './belief.ts';
import { eachTree } from './method.ts';
import type { AdvantageMethod, AssignAdvantages, ValuedTree } from './method.ts';
import { explainedTurns, rowsOf, spreadOverTurns } from './rows.ts';
import type { Row } from './rows.ts';

/** ℓ_t − ℓ_{t−1} of the turns between the first, which gives the baseline, and the last, which answers. */
function gainTerms(valued: ValuedTree, { turns }: Row): readonly (readonly CreditTerm[])[] {
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
function gainSteps(valued: ValuedTree, rows: readonly Row[]): readonly (readonly CreditStep[])[] {
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

const gainsAndOutcome: AssignAdvantages = eachTree((valued, config) => {
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

export const A2TGPO_RULES = {
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
    readsValues: false,
    needs: ['belief'],
    assign: gainsAndOutcome,
  },
} satisfies Partial<Record<AdvantageRule, AdvantageMethod>>;
