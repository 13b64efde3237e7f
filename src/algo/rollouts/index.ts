/** How a prompt's paths come to be, by name. To add a shape: its name in units.ts, its file here, its line. */
import type { RolloutShape } from '../../units.ts';
import { branching } from './branching.ts';
import { continuationTree } from './continuation_tree.ts';
import { hybridChains } from './hybrid_chains.ts';
import { levelTree } from './level_tree.ts';
import { searchTree } from './search_tree.ts';
import { segmentTree } from './segment_tree.ts';
import type { RolloutRule } from './shape.ts';
import { chains, turnTree } from './turn_tree.ts';

export type { GrowRollout, RolloutExtras, RolloutRule } from './shape.ts';

export const rollouts = {
  turn_tree: turnTree,
  chains,
  continuation_tree: continuationTree,
  branching,
  segment_tree: segmentTree,
  level_tree: levelTree,
  search_tree: searchTree,
  hybrid_chains: hybridChains,
} satisfies Record<RolloutShape, RolloutRule>;
