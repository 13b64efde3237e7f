/** Credit of one tree by itself. */
import { assignCredit, type Credit } from '../../src/algo/credit/credit.ts';
import {
  NO_SIGNALS,
  type CreditConfig,
  type NodeTable,
  type RecordedTree,
  type TreeSignals,
} from '../../src/units.ts';

export const creditOf = (
  tree: RecordedTree,
  rewards: NodeTable<number | null>,
  config: CreditConfig,
  signals: TreeSignals = NO_SIGNALS,
): Credit => assignCredit([{ tree, rewards, signals }], config)[0];
