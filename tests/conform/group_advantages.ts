/** advantages_grpo.json: the group estimators that we have; the others are listed. */
import { groupAdvantages } from '../../src/algo/advantages.ts';
import { Checker, FLOAT64_TOLERANCE, unknownFamily } from './report.ts';
import type { ConformResult } from './report.ts';

interface AdvantageCase {
  readonly name: string;
  readonly uid: readonly string[];
  readonly token_level_rewards: readonly (readonly number[])[];
  readonly response_mask: readonly (readonly number[])[];
  readonly advantages: Readonly<Record<string, readonly (readonly number[])[] | undefined>>;
}

export interface AdvantagesFile {
  readonly cases: readonly AdvantageCase[];
  readonly kl_controller?: { readonly updates: readonly unknown[] };
}

/** Estimator name in the file → our rows' advantages. */
const ESTIMATORS: Readonly<
  Record<string, (rewards: readonly number[], uid: readonly string[]) => readonly number[]>
> = {
  grpo: (rewards, uid) => groupAdvantages(rewards, uid),
  dr_grpo_no_std: (rewards, uid) => groupAdvantages(rewards, uid, false),
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export function conformAdvantages(file: AdvantagesFile): readonly ConformResult[] {
  const names = new Set(file.cases.flatMap(({ advantages }) => Object.keys(advantages)));
  const estimators = [...names].map((name): ConformResult => {
    const family = `advantages_grpo/${name}`;
    const cases = file.cases.filter(({ advantages }) => advantages[name] !== undefined);
    if (!Object.hasOwn(ESTIMATORS, name)) return unknownFamily(family, cases.length);
    const check = new Checker(family, FLOAT64_TOLERANCE);
    for (const want of cases) {
      check.case(want.name, () => {
        const byRow = ESTIMATORS[name](want.token_level_rewards.map(sum), want.uid);
        want.advantages[name]?.forEach((expected, row) => {
          const got = want.response_mask[row].map((bit) => bit * byRow[row]);
          check.closeAll(`row ${row}`, got, expected);
        });
      });
    }
    return check.report();
  });
  const controller = file.kl_controller;
  if (!controller) return estimators;
  return [...estimators, unknownFamily('advantages_grpo/kl_controller', controller.updates.length)];
}
