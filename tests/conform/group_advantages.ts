/** advantages_grpo.json: estimators of whole groups and of tokens, GAE's returns, and the adaptive KL coefficient. */
import * as group from '../../src/algo/advantage/group.ts';
import type { GroupRow } from '../../src/algo/advantage/group.ts';
import { discountedReturns, generalisedAdvantages } from '../../src/algo/advantage/returns.ts';
import { whiteningStatistics } from '../../src/algo/credit/normalise.ts';
import { resultOf, standardise } from '../../src/algo/credit/trace.ts';
import { nodeId } from '../../src/units.ts';
import { adaptedKlCoefficient } from '../support/kl_controller.ts';
import { Checker, FLOAT64_TOLERANCE, unknownFamily, type ConformResult } from './report.ts';

type Table = readonly (readonly number[])[]; // [B][T]

interface AdvantageCase {
  readonly name: string;
  readonly uid: readonly string[];
  readonly token_level_rewards: Table;
  readonly response_mask: Table;
  readonly reward_baselines: readonly number[];
  readonly critic_values: Table;
  readonly advantages: Readonly<Record<string, Table | undefined>>;
  readonly gae_returns?: Table;
}

interface KlController {
  readonly init: number;
  readonly target: number;
  readonly horizon: number;
  readonly updates: readonly {
    readonly current_kl: number;
    readonly n_steps: number;
    readonly value_after: number;
  }[];
}

export interface AdvantagesFile {
  readonly cases: readonly AdvantageCase[];
  readonly kl_controller?: KlController;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** An estimator of groups on a batch whose rows stand in any order, by row. */
function byRow(want: AdvantageCase, estimate: typeof group.grpo): readonly number[] {
  const rows = want.uid.map((_, row): GroupRow => ({
    leaf: nodeId(row),
    reward: sum(want.token_level_rewards[row]),
    sampledCount: sum(want.response_mask[row]),
  }));
  const results = rows.map(() => NaN);
  for (const uid of new Set(want.uid)) {
    const members = rows.filter((_, row) => want.uid[row] === uid);
    estimate(members).forEach((each, at) => (results[members[at].leaf] = resultOf(each)));
  }
  return results;
}

const ofRows =
  (estimate: typeof group.grpo) =>
  (want: AdvantageCase): Table => {
    const numbers = byRow(want, estimate);
    return want.response_mask.map((mask, row) => mask.map((bit) => bit * numbers[row]));
  };

/** Standardises over the tokens of the mask; what stands elsewhere is shifted and scaled with them. */
function whitened(table: Table, mask: Table): Table {
  const statistics = whiteningStatistics(table.flatMap((row, i) => row.filter((_, t) => mask[i][t] !== 0)));
  return table.map((row) => row.map((value) => standardise(value, statistics)));
}

const masked = (table: Table, mask: Table): Table =>
  table.map((row, i) => row.map((value, t) => value * mask[i][t]));

function remax({ token_level_rewards, response_mask, reward_baselines }: AdvantageCase): Table {
  return masked(token_level_rewards, response_mask).map((row, i) => {
    const returns = discountedReturns(
      row,
      row.map(() => 1),
      1,
    );
    return returns.map((value, t) => value - reward_baselines[i] * response_mask[i][t]);
  });
}

const gae = ({ token_level_rewards, critic_values }: AdvantageCase): Table =>
  token_level_rewards.map((row, i) => generalisedAdvantages(row, critic_values[i], 0.99, 0.95).advantages);

/** Estimator name in the file → our token advantages. */
const ESTIMATORS: Readonly<Record<string, (want: AdvantageCase) => Table>> = {
  grpo: ofRows(group.grpo),
  dr_grpo_no_std: ofRows(group.centred),
  rloo: ofRows(group.leaveOneOut),
  opo: ofRows(group.lengthWeighted),
  grpo_passk: ofRows(group.bestOfGroup),
  reinforce_pp_baseline: (want) => {
    const { response_mask } = want;
    return masked(whitened(ofRows(group.centred)(want), response_mask), response_mask);
  },
  reinforce_pp_gamma095: ({ token_level_rewards, response_mask }) => {
    const returns = token_level_rewards.map((row, i) => discountedReturns(row, response_mask[i], 0.95));
    return masked(whitened(returns, response_mask), response_mask);
  },
  remax,
  gae_whitened_g099_l095: (want) => whitened(gae(want), want.response_mask),
};

const returnsOf = (want: AdvantageCase): Table =>
  gae(want).map((row, i) => row.map((value, t) => value + want.critic_values[i][t]));

function compare(
  family: string,
  cases: readonly AdvantageCase[],
  got: (want: AdvantageCase) => Table,
  expected: (want: AdvantageCase) => Table | undefined,
): ConformResult {
  const check = new Checker(family, FLOAT64_TOLERANCE);
  for (const want of cases)
    check.case(want.name, () => {
      const table = got(want);
      expected(want)?.forEach((row, index) => check.closeAll(`row ${index}`, table[index], row));
    });
  return check.report();
}

function conformController({ init, target, horizon, updates }: KlController): ConformResult {
  const check = new Checker('advantages_grpo/kl_controller', FLOAT64_TOLERANCE);
  let coefficient = init;
  updates.forEach(({ current_kl, n_steps, value_after }, at) =>
    check.case(`update ${at}`, () => {
      coefficient = adaptedKlCoefficient(coefficient, current_kl, n_steps, { target, horizon });
      check.close('coefficient', coefficient, value_after);
    }),
  );
  return check.report();
}

export function conformAdvantages({ cases, kl_controller }: AdvantagesFile): readonly ConformResult[] {
  const names = new Set(cases.flatMap(({ advantages }) => Object.keys(advantages)));
  const estimators = [...names].map((name): ConformResult => {
    const family = `advantages_grpo/${name}`;
    const having = cases.filter(({ advantages }) => advantages[name] !== undefined);
    if (!Object.hasOwn(ESTIMATORS, name)) return unknownFamily(family, having.length);
    return compare(family, having, ESTIMATORS[name], ({ advantages }) => advantages[name]);
  });
  const withReturns = cases.filter(({ gae_returns }) => gae_returns !== undefined);
  return [
    ...estimators,
    ...(withReturns.length > 0
      ? [compare('advantages_grpo/gae_returns', withReturns, returnsOf, ({ gae_returns }) => gae_returns)]
      : []),
    ...(kl_controller ? [conformController(kl_controller)] : []),
  ];
}
