/** What the engine is asked when the gradients of several rules are to be compared. Pure. */
import type { GradientQuestion, ScoredRollout } from '../train/protocol.ts';
import { NO_SIGNALS, type CreditConfig, type RunConfig } from '../units.ts';
import { rolloutTree } from './reading.ts';
import type { UpdateState } from './run_state.ts';

/** @returns null while a tree of the update grows or has no rewards */
export function gradientQuestion(
  config: RunConfig,
  { update, trees }: UpdateState,
  rules: readonly CreditConfig[],
): GradientQuestion | null {
  const rollouts = trees.flatMap((state): ScoredRollout[] => {
    const tree = rolloutTree(state);
    if (!tree || !state.rewards) return [];
    return [{ tree, rewards: state.rewards, signals: state.signals ?? NO_SIGNALS }];
  });
  return rollouts.length === 0 || rollouts.length < trees.length ? null : { config, update, rollouts, rules };
}
