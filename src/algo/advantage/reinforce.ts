/** REINFORCE++: rewards standardised over all trained tokens of an update, with or without the group's mean. */
import { whiteningStatistics } from '../credit/normalise.ts';
import { creditStep, resultOf, standardise, type CreditStep, type Statistics } from '../credit/trace.ts';
import { centred } from './group.ts';
import { defineRules, type AssignAdvantages, type CreditTree } from './method.ts';
import { discountedReturns } from './returns.ts';
import { explainedRows, rowsOf, tokenwise, type Row } from './rows.ts';

/** Returns of a row's sampled tokens: the reward stands at the last. */
function returnsOf({ reward, sampledCount }: Row, discount: number): readonly number[] {
  const ones = new Array<number>(sampledCount).fill(1);
  return discountedReturns(
    ones.map((_, at) => (at === sampledCount - 1 ? reward : 0)),
    ones,
    discount,
  );
}

function discountedRows(
  { tree }: CreditTree,
  rows: readonly Row[],
  returns: readonly (readonly number[])[],
  statistics: Statistics,
  discount: number,
) {
  const trace: CreditStep[] = [];
  const tokens = rows.map((row, index) => {
    const positions = row.turns.flatMap(({ sampled }) => sampled);
    const numbers = new Array<number>(row.length).fill(0);
    positions.forEach((at, place) => (numbers[at] = standardise(returns[index][place], statistics)));
    let place = 0;
    for (const { node, sampled } of row.turns) {
      // γ to the distance from the last token, mean over the turn's tokens
      const weights = sampled.map((_, token) => discount ** (row.sampledCount - 1 - place - token));
      const weight = weights.reduce((sum, value) => sum + value, 0) / sampled.length;
      const terms = [{ node: row.leaf, weight, value: row.reward }];
      trace.push(creditStep(tree, 'reinforce_pp', node, { terms, statistics }, { leaf: row.leaf }));
      place += sampled.length;
    }
    return numbers;
  });
  return tokenwise(tree, rows, tokens, trace);
}

const reinforce: AssignAdvantages<'discount'> = (trees, { discount }) => {
  const rows = trees.map(rowsOf);
  const returns = rows.map((group) => group.map((row) => returnsOf(row, discount)));
  const statistics = whiteningStatistics(returns.flat(2));
  return trees.map((tree, t) => discountedRows(tree, rows[t], returns[t], statistics, discount));
};

const reinforceOverMean: AssignAdvantages = (trees) => {
  const groups = trees.map(rowsOf);
  const sums = groups.map(centred);
  const tokens = groups.flatMap((rows, t) =>
    rows.flatMap(({ sampledCount }, row) => new Array<number>(sampledCount).fill(resultOf(sums[t][row]))),
  );
  const statistics = whiteningStatistics(tokens);
  return trees.map(({ tree }, t) =>
    explainedRows(
      tree,
      'reinforce_pp_baseline',
      groups[t],
      sums[t].map(({ terms }) => ({ terms, statistics })),
    ),
  );
};

export const REINFORCE_RULES = defineRules({
  reinforce_pp: {
    option: {
      value: 'reinforce_pp',
      title: 'Discounted, whitened',
      formula: 'A = whiten(γ^(tokens to go)·r), over all trained tokens of the update',
      description: 'REINFORCE++: no group; every trained token of the update sets the scale.',
      source: 'arXiv:2501.03262; released code, reinforce_plus_plus',
      evidence: 'reference',
      difference:
        'The released return restarts at every token that was not sampled, so with tools only the last turn hears of the outcome. Here it skips tool tokens.',
    },
    settings: ['discount'],
    signals: {},
    assign: reinforce,
  },
  reinforce_pp_baseline: {
    option: {
      value: 'reinforce_pp_baseline',
      title: 'Over the mean, whitened',
      formula: 'A = whiten(r − mean of the group), over all trained tokens of the update',
      description: 'REINFORCE++ with the group’s mean as a baseline and one scale for all prompts.',
      source: 'arXiv:2501.03262; released code, reinforce_plus_plus_baseline',
      evidence: 'reference',
    },
    settings: [],
    signals: {},
    assign: reinforceOverMean,
  },
});
