/** Trees of an update by what they are worth a look for, and the updates in which something happened. Pure. */
import type { CreditConfig, LossConfig } from '../../units.ts';
import { agreementOf, otherRule, tokenPairs, underRule } from '../credit/compare.ts';
import { isAvailable, type RuleChoice } from '../credit/credit.ts';
import type { TreeOrder, UpdateSign } from '../place/selection.ts';
import { leavesOf, rewardOf, rolloutTree } from '../record/reading.ts';
import type { TreeState, UpdateState } from '../record/run_state.ts';
import { clippedTurns } from './loss_places.ts';

/** What a tree can be found by; null is not known, or not yet. */
export interface TreeMeasures {
  readonly spread: number | null; // standard deviation of the leaves' rewards, over their number; dimensionless
  readonly entropy: number | null; // mean over sampled tokens of the whole distribution, nats
  readonly disagreement: number | null; // share of tokens in rows that the two rules push differently, [0, 1]
  readonly clipped: number; // turns in rows
}

function spreadOf(tree: TreeState): number | null {
  const rewards = leavesOf(tree).flatMap((leaf) => rewardOf(tree, leaf) ?? []);
  if (!tree.rewards || rewards.length === 0) return null;
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  return Math.sqrt(rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / rewards.length);
}

function entropyOf({ nodes }: TreeState): number | null {
  const sampled = nodes.flatMap((node) => {
    const entropies = node?.pruned ? null : node?.entropy;
    return entropies ? node!.mask.flatMap((bit, at) => (bit === 1 ? [entropies[at]] : [])) : [];
  });
  return sampled.length === 0 ? null : sampled.reduce((sum, entropy) => sum + entropy, 0) / sampled.length;
}

/** The rules that are compared: those that trained the run, and another. */
export interface ComparedRules {
  readonly own: CreditConfig;
  readonly against: RuleChoice; // null there: what Compare takes
  readonly contextLength: number; // tokens at which a row is cut
}

function disagreementOf(
  update: UpdateState,
  state: TreeState,
  { own, against, contextLength }: ComparedRules,
) {
  const tree = rolloutTree(state);
  const second = { ...against, advantageRule: against.advantageRule ?? otherRule(own.advantageRule) };
  if (!tree || !state.rewards || state.dropped) return null;
  if (!isAvailable(second.advantageRule, own, state) || !isAvailable(own.advantageRule, own, state))
    return null;
  const none: RuleChoice = { valueRule: null, advantageRule: null, leafNormalisation: null };
  const [a, b] = [none, second].map((choice) => underRule(update, state, own, choice));
  if (!a || !b) return null;
  const pairs = tree.leaves.flatMap((leaf) => tokenPairs(tree, a, b, leaf, contextLength));
  const { tokens, sameSign } = agreementOf(pairs);
  return tokens === 0 ? null : (tokens - sameSign) / tokens;
}

/**
 * By Prompt.index.
 * @param rules null before a run
 * @param loss null where the record has no recipe
 */
export function measureTrees(
  update: UpdateState,
  rules: ComparedRules | null,
  loss: LossConfig | null,
): readonly TreeMeasures[] {
  const clipped = loss ? clippedTurns(update, loss).places : [];
  return update.trees.map((tree, at) => ({
    spread: spreadOf(tree),
    entropy: entropyOf(tree),
    disagreement: rules && disagreementOf(update, tree, rules),
    clipped: clipped.filter(({ prompt }) => prompt === at).length,
  }));
}

/** By a measure, greatest first; what is not known comes last, equals stay in the order of prompts. */
export function sortTrees(
  trees: readonly TreeState[],
  measures: readonly TreeMeasures[],
  order: TreeOrder,
): readonly TreeState[] {
  if (order === 'prompt') return trees;
  const of = ({ prompt }: TreeState): number => measures[prompt.index]?.[order] ?? -Infinity;
  return trees.toSorted((a, b) => of(b) - of(a) || a.prompt.index - b.prompt.index);
}

type Metrics = NonNullable<UpdateState['metrics']>;

/** Told by the update's metrics, which stay when its trees are put away. */
const SIGNS: Readonly<Record<UpdateSign, (metrics: Metrics) => boolean>> = {
  clipped: ({ clipFraction }) => clipFraction > 0,
  dead: ({ deadTrees }) => deadTrees > 0,
  'all-dead': ({ deadTrees }) => deadTrees === 1,
  malformed: ({ malformed }) => malformed > 0,
  'none-right': ({ exactMatch }) => exactMatch === 0,
  'all-right': ({ exactMatch }) => exactMatch === 1,
  dropped: ({ droppedGroups }) => droppedGroups > 0,
  skipped: ({ skippedSteps }) => skippedSteps > 0,
};

/** Numbers of the updates in which it happened, ascending. */
export const updatesWith = (updates: readonly UpdateState[], sign: UpdateSign): readonly number[] =>
  updates.flatMap(({ update, metrics }) => (metrics && SIGNS[sign](metrics) ? [update] : []));
