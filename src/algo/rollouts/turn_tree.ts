/**
 * Growing rollout trees: M first turns, L iterations of picking K turns and sampling them again, then the rows.
 * All trees grow together, one generate call per round.
 * @see arXiv:2601.04767 Algorithm 1; released code vllm_rollout_with_tools_tree_offline
 */
import type { Environment, Prompt, RandomKey, RolloutConfig, RolloutTree, TurnSampler } from '../../units.ts';
import { CHAINS } from '../catalogue/defaults.ts';
import { chooseExpansions } from './expand.ts';
import { chooseRows, complete, RolloutError, startTrees, type RolloutObserver } from './growing.ts';
import type { GrowRollout, RolloutRule } from './shape.ts';

export { RolloutError };
export type { RolloutObserver };

function checkConfig(config: RolloutConfig): void {
  const { initialBranches, iterations, picks, leavesPerTree } = config;
  const whole = [initialBranches, iterations, picks, leavesPerTree].every(
    (count) => Number.isInteger(count) && count >= 0,
  );
  if (!whole || initialBranches < 1 || leavesPerTree < 1) {
    const got = `M ${initialBranches}, L ${iterations}, K ${picks}, S ${leavesPerTree}`;
    throw new RolloutError(
      'These tree sizes make no tree',
      'rollout config',
      got,
      'whole numbers, M and S at least 1',
    );
  }
}

/**
 * Grows one tree per prompt, all together.
 * @param key names the random numbers of random expansion and of pruning; turns are sampled by the policy's own key
 * @throws RolloutError if the policy or the environment breaks its contract; the signal's reason if it aborts
 * @see algorithms' spec 2.2–2.5 (released code)
 */
export async function growTrees<State>(
  policy: TurnSampler,
  env: Environment<State>,
  prompts: readonly Prompt[],
  config: RolloutConfig,
  key: RandomKey,
  observer: RolloutObserver = {},
): Promise<readonly RolloutTree[]> {
  checkConfig(config);
  const forest = { policy, env, observer };
  const trees = startTrees(prompts, forest);
  const branches = Array.from({ length: config.initialBranches }, (_, branch) => branch);
  await complete(
    trees.flatMap((tree) => branches.map((branch) => ({ tree, node: tree.plant(branch) }))),
    forest,
  );
  for (let iteration = 0; iteration < config.iterations; iteration += 1) {
    const fresh = trees.flatMap((tree) => {
      const record = chooseExpansions(tree, config, iteration, key, tree.prompt.index);
      tree.expansions.push(record);
      observer.onExpansion?.(tree.prompt.index, record);
      return record.picks.map((picked, pick) => ({ tree, node: tree.resample(picked, iteration, pick) }));
    });
    await complete(fresh, forest);
  }
  trees.forEach((tree) => chooseRows(tree, config.leavesPerTree, key, forest));
  return trees.map((tree) => tree.build());
}

/** One path per prompt, no expansion: what evaluation samples. Its node ids are 0 (root), 1, 2 … along the path. */
export function growChains<State>(
  policy: TurnSampler,
  env: Environment<State>,
  prompts: readonly Prompt[],
  key: RandomKey,
  observer: RolloutObserver = {},
): Promise<readonly RolloutTree[]> {
  const chain = { initialBranches: 1, iterations: 0, picks: 0, leavesPerTree: 1 };
  return growTrees(policy, env, prompts, { ...CHAINS, ...chain }, key, observer);
}

export const turnTree: RolloutRule = {
  title: 'Tree of turns',
  description:
    'Starts as chains, then samples the most uncertain turns again, in rounds. A turn beside its re-sampled sibling shares all that came before.',
  formula: 'M first turns, then L times the K best of H − α·siblings: M + L·K paths',
  source: 'arXiv:2601.04767, Algorithm 1; released code',
  confidence: 'high',
  ranking: 'Score: surprisal H of the turn less α for each sibling.',
  settings: [
    'rollout.leavesPerTree',
    'rollout.initialBranches',
    'rollout.iterations',
    'rollout.picks',
    'rollout.expansion',
    'rollout.siblingPenalty',
  ],
  grow: growTrees,
};

// Independent paths from the prompt: a tree whose only branching is at its root.

const grow: GrowRollout = (policy, env, prompts, config, key, observer) => {
  const initialBranches = config.leavesPerTree;
  return growTrees(policy, env, prompts, { ...config, initialBranches, iterations: 0 }, key, observer);
};

export const chains: RolloutRule = {
  title: 'Chains',
  description: 'Independent paths for each question, compared with one another. No path shares a turn.',
  formula: 'S paths from the question',
  source: 'GRPO, arXiv:2402.03300',
  confidence: 'high',
  ranking: 'Nothing is chosen.',
  settings: ['rollout.leavesPerTree'],
  grow,
};
