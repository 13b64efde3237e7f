/** Fixture files by name → their check in float64, which runs anywhere. To add a family: write its file, add its line. */
import { conformAdvantages } from './group_advantages.ts';
import type { AdvantagesFile } from './group_advantages.ts';
import { conformArpoAepo } from './arpo_aepo.ts';
import type { ArpoAepoFile } from './arpo_aepo.ts';
import { conformCredit } from './credit.ts';
import type { CreditFile } from './credit.ts';
import { conformExpansion } from './expansion.ts';
import type { ExpansionFile } from './expansion.ts';
import { conformLosses } from './losses.ts';
import type { LossesFile } from './losses.ts';
import { unknownFamily } from './report.ts';
import type { ConformResult } from './report.ts';
import { conformReward } from './reward.ts';
import type { RewardFile } from './reward.ts';
import { conformRollout } from './rollout.ts';
import type { RolloutFile } from './rollout.ts';
import { conformTreeGrpo } from './tree_grpo.ts';
import type { TreeGrpoFile } from './tree_grpo.ts';

type Check = (file: unknown) => readonly ConformResult[] | Promise<readonly ConformResult[]>;

/** The casts are the boundary: these files come from outside, and a misfit shows as a miss of its case. */
const CHECKS: Readonly<Record<string, Check>> = {
  credit: (file) => [conformCredit(file as CreditFile)],
  expansion: (file) => [conformExpansion(file as ExpansionFile)],
  arpo_aepo: (file) => conformArpoAepo(file as ArpoAepoFile),
  rollout: async (file) => [await conformRollout(file as RolloutFile)],
  reward: (file) => [conformReward(file as RewardFile)],
  losses: (file) => conformLosses(file as LossesFile),
  advantages_grpo: (file) => conformAdvantages(file as AdvantagesFile),
  tree_grpo: (file) => conformTreeGrpo(file as TreeGrpoFile),
};

/** Files with checks that need a WebGPU device; gpu.ts has them. */
export const GPU_FILES: readonly string[] = ['losses', 'model'];

/** Families of a file that we do not know: its named lists of cases, or the file itself. */
function listUnknown(name: string, file: unknown): readonly ConformResult[] {
  const lists = Object.entries(file !== null && typeof file === 'object' ? file : {}).filter(([, value]) =>
    Array.isArray(value),
  ) as [string, readonly unknown[]][];
  if (lists.length === 0) return [unknownFamily(name, 0)];
  return lists.map(([list, cases]) =>
    unknownFamily(list === 'cases' ? name : `${name}/${list}`, cases.length),
  );
}

/** What can be checked without a GPU; a file of an unknown name is listed, never passed over. */
export async function conformFile(name: string, file: unknown): Promise<readonly ConformResult[]> {
  if (Object.hasOwn(CHECKS, name)) return CHECKS[name](file);
  return GPU_FILES.includes(name) ? [] : listUnknown(name, file);
}
