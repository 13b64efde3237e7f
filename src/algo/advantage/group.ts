/** Rules of a whole row: its reward against the rewards of its group. Every token of the row gets the same number. */
import { ROOT, type AdvantageRule } from '../../units.ts';
import { groupStatistics, sharedValue, statisticsOf } from '../credit/normalise.ts';
import type { CreditTerm, Sum } from '../credit/trace.ts';
import { defineRules, eachTree, MissingSignalError, type AssignAdvantages } from './method.ts';
import { explainedRows, rowsOf, type Row } from './rows.ts';

/** What the estimators read of a row. */
export type GroupRow = Pick<Row, 'leaf' | 'reward' | 'sampledCount'>;

const own = ({ leaf, reward }: GroupRow, weight = 1): CreditTerm => ({ node: leaf, weight, value: reward });
const baseline = (value: number, label: string, weight = -1): CreditTerm => ({
  node: ROOT,
  weight,
  value,
  label,
});
const rewardsOf = (rows: readonly GroupRow[]): readonly number[] => rows.map(({ reward }) => reward);

/** From the rows of one group, what each row's advantage adds up. */
type Estimator = (rows: readonly GroupRow[]) => readonly Sum[];

/** (r − mean) / (deviation + 1e-6) with the sample deviation. */
export const grpo: Estimator = (rows) => {
  const statistics = groupStatistics(rewardsOf(rows));
  return rows.map((row) => ({ terms: [own(row)], statistics }));
};

/** r − mean; a group of one keeps its reward. */
export const centred: Estimator = (rows) => {
  const { mean } = groupStatistics(rewardsOf(rows));
  return rows.map((row) => ({ terms: [own(row), baseline(mean, 'mean of the group')], statistics: null }));
};

/** r − mean of the others = n/(n − 1)·(r − mean); a group of one keeps its reward. */
export const leaveOneOut: Estimator = (rows) => {
  const { mean, count } = groupStatistics(rewardsOf(rows));
  const factor = count > 1 ? count / (count - 1) : 1;
  return rows.map((row) => ({
    terms: [own(row, factor), baseline(mean, 'mean of the group', -factor)],
    statistics: null,
  }));
};

/** r − Σ n_i·r_i / Σ n_i, the rewards weighted by sampled tokens; a group of one keeps its reward. */
export const lengthWeighted: Estimator = (rows) => {
  const tokens = rows.reduce((sum, { sampledCount }) => sum + sampledCount, 0);
  const paid = rows.reduce((sum, { reward, sampledCount }) => sum + reward * sampledCount, 0);
  const level = rows.length === 1 || tokens === 0 ? 0 : (sharedValue(rewardsOf(rows)) ?? paid / tokens);
  return rows.map((row) => ({
    terms: [own(row), baseline(level, 'mean by length')],
    statistics: null,
  }));
};

/** The best row gets (best − second) / (deviation + 1e-6), every other 0. Alone, a row has beaten nobody: 0. */
export const bestOfGroup: Estimator = (rows) => {
  const rewards = rewardsOf(rows);
  const best = rewards.indexOf(Math.max(...rewards));
  const second = Math.max(...rewards.filter((_, row) => row !== best));
  const statistics = rows.length === 1 ? null : { ...statisticsOf(rewards, 1), mean: 0 };
  return rows.map((row, index) =>
    index === best && statistics
      ? { terms: [own(row), baseline(second, 'second best')], statistics }
      : { terms: [own(row, 0)], statistics: null },
  );
};

const estimated = (rule: AdvantageRule, estimate: Estimator): AssignAdvantages =>
  eachTree((valued) => {
    const rows = rowsOf(valued);
    return explainedRows(valued.tree, rule, rows, estimate(rows));
  });

/** r − b, with the baseline that the run measured for the prompt. */
const overMeasured = (rule: AdvantageRule, label: string): AssignAdvantages =>
  eachTree((valued) => {
    const { tree, signals } = valued;
    const level = signals.baseline;
    if (level === null) throw new MissingSignalError(rule, 'baseline', tree.prompt.index, null);
    const rows = rowsOf(valued);
    const sums = rows.map((row) => ({ terms: [own(row), baseline(level, label)], statistics: null }));
    return explainedRows(tree, rule, rows, sums);
  });

const ofRewards = { settings: [], signals: {} } as const;

export const GROUP_RULES = defineRules({
  vanilla: {
    ...ofRewards,
    option: {
      value: 'vanilla',
      title: 'GRPO (no tree credit)',
      formula: 'A = (r − mean) / (deviation + 1e-6), sample deviation',
      description:
        'GRPO over the leaves: every token of a row shares one number, so a shared turn has one per row.',
      source: 'arXiv:2402.03300; released code, vanilla',
      evidence: 'reference',
    },
    assign: estimated('vanilla', grpo),
  },
  dr_grpo: {
    ...ofRewards,
    option: {
      value: 'dr_grpo',
      title: 'Reward over the mean',
      formula: 'A = r − mean',
      description: 'GRPO without dividing by the deviation, so that easy and hard prompts keep their scale.',
      source: 'arXiv:2503.20783 (Dr. GRPO); released code without std',
      evidence: 'reference',
    },
    assign: estimated('dr_grpo', centred),
  },
  rloo: {
    ...ofRewards,
    option: {
      value: 'rloo',
      title: 'Leave one out',
      formula: 'A = n/(n − 1)·(r − mean) = r − mean of the others',
      description: 'The baseline does not know the row’s own reward, which makes it unbiased.',
      source: 'arXiv:2402.14740; released code, rloo',
      evidence: 'reference',
    },
    assign: estimated('rloo', leaveOneOut),
  },
  opo: {
    ...ofRewards,
    option: {
      value: 'opo',
      title: 'Length-weighted baseline',
      formula: 'A = r − Σ n·r / Σ n, n = sampled tokens of a row',
      description: 'The baseline of least variance when a row’s gradient grows with its length.',
      source: 'arXiv:2505.23585; released code, opo',
      evidence: 'reference',
    },
    assign: estimated('opo', lengthWeighted),
  },
  pass_k: {
    ...ofRewards,
    option: {
      value: 'pass_k',
      title: 'Best of the group',
      formula: 'A(best) = (best − second) / (deviation + 1e-6), else 0',
      description: 'Only the best row is trained on, by how far it leads.',
      source: 'released code, grpo_passk',
      evidence: 'reference',
      difference: 'The released code refuses a group of one; here its advantage is 0.',
    },
    assign: estimated('pass_k', bestOfGroup),
  },
  remax: {
    option: {
      value: 'remax',
      title: 'Over the greedy path',
      formula: 'A = r − r(greedy path)',
      description: 'The policy’s own greedy answer is the baseline: one more path per prompt, no group.',
      source: 'arXiv:2310.10505 (ReMax); released code, remax',
      evidence: 'reference',
    },
    settings: [],
    signals: { baseline: 'greedy' },
    assign: overMeasured('remax', 'reward of the greedy path'),
  },
  optimal_value: {
    option: {
      value: 'optimal_value',
      title: 'Over the optimal value',
      formula: 'A = r − V*, V* = β·ln mean e^(r/β) of reference samples',
      description: 'What A*-PO regresses the log-ratio onto. V* is measured before training.',
      source: 'arXiv:2505.20686 (A*-PO)',
      evidence: 'code',
      difference:
        'The paper fits A by a squared loss (surrogate regression) and never uses it as an advantage.',
    },
    settings: [],
    signals: { baseline: 'optimal' },
    assign: overMeasured('optimal_value', 'V*'),
  },
});
