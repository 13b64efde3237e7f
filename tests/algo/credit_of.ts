/** Credit of one tree by itself. */
import { assignCredit } from '../../src/algo/credit.ts';
import type { Credit } from '../../src/algo/credit.ts';
import { NO_SIGNALS } from '../../src/units.ts';
import type { CreditConfig, NodeTable, RolloutTree, TreeSignals } from '../../src/units.ts';

export const creditOf = (
  tree: RolloutTree,
  rewards: NodeTable<number | null>,
  config: CreditConfig,
  signals: TreeSignals = NO_SIGNALS,
): Credit => assignCredit([{ tree, rewards, signals }], config)[0];
