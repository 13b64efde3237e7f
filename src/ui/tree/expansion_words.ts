/** What a record of a choice means under each shape of rollout: the shapes rank different things by different scores. */
import type { RolloutConfig, RolloutShape } from '../../units.ts';
import { countWords, formatNumber, formatSetting } from '../parts/format.ts';

export interface ExpansionWords {
  readonly title: string;
  readonly sentence: string; // what was compared, and what being picked means
  readonly score: string; // heading of the column
  readonly penalty: string | null; // heading; null: the shape has none
  readonly round: string; // what an iteration is called
}

type Words = (rollout: RolloutConfig, candidates: number) => ExpansionWords;

const turnTree: Words = ({ expansion, picks, siblingPenalty }, candidates) =>
  expansion === 'random'
    ? {
        title: 'Expansion: at random',
        sentence: `${picks} of ${countWords(candidates, 'turn')} drawn at random and sampled again; scores are shown for comparison.`,
        score: 'score',
        penalty: 'penalty (sib.)',
        round: 'iteration',
      }
    : {
        title: `Expansion: surprisal − ${formatSetting(siblingPenalty)} · siblings`,
        sentence: `The top ${picks} of ${countWords(candidates, 'non-leaf turn')} ${picks === 1 ? 'is' : 'are'} sampled again as siblings.`,
        score: 'score',
        penalty: 'penalty (sib.)',
        round: 'iteration',
      };

const WORDS = {
  turn_tree: turnTree,
  chains: () => ({
    title: 'No expansion',
    sentence: 'Paths are independent: no turn is chosen to be continued again.',
    score: 'score',
    penalty: null,
    round: 'round',
  }),
  continuation_tree: ({ picks }, candidates) => ({
    title: 'Continuation at random',
    sentence: `In each of the prompt's trees ${picks} of its turns ${picks === 1 ? 'is drawn at random and gone on from once more, after its' : 'are drawn at random and gone on from once more, after their'} own tool result. ${countWords(candidates, 'turn')} could be drawn.`,
    score: 'expected picks',
    penalty: null,
    round: 'iteration',
  }),
  branching: ({ branchRule }, candidates) => ({
    title: `Branching: ${branchRule === 'aepo' ? 'AEPO' : 'ARPO'}’s rule`,
    sentence: `After each of ${countWords(candidates, 'tool call')} a draw decides whether the path is copied; a turn that is picked goes on in one more copy.`,
    score: 'probability to branch',
    penalty: null,
    round: 'round',
  }),
  segment_tree: ({ segmentTokens }, candidates) => ({
    title: `Forks after every ${countWords(segmentTokens, 'token')}`,
    sentence: `${countWords(candidates, 'cut')} of this round may fork where the rows have a place; all count the same.`,
    score: 'score (all equal)',
    penalty: null,
    round: 'round',
  }),
  level_tree: ({ similarity }, candidates) => ({
    title: 'Pruning level by level',
    sentence: `${countWords(candidates, 'turn')} of this level called a tool. Those whose result overlaps a kept sibling’s by more than ${formatSetting(similarity)} are pruned; the picked ones go on.`,
    score: '1 − overlap',
    penalty: 'overlap (sib.)',
    round: 'level',
  }),
  search_tree: ({ explorationWeight }) => ({
    title: `Search: Q + ${formatSetting(explorationWeight)} · p · √N(parent) ∕ (1 + N)`,
    sentence:
      'The children compared on the way down. The one of the highest score is followed at each step; the picked turn is where new ones were tried.',
    score: 'Q + exploration',
    penalty: 'exploration (sib.)',
    round: 'simulation',
  }),
  hybrid_chains: () => ({
    title: 'No expansion',
    sentence: 'Paths are independent; some of them borrow stored steps. No turn is continued again.',
    score: 'score',
    penalty: null,
    round: 'round',
  }),
} satisfies Record<RolloutShape, Words>;

/** @param candidates of the record; 0 before there is one */
export const expansionWords = (rollout: RolloutConfig, candidates: number): ExpansionWords =>
  WORDS[rollout.shape](rollout, candidates);

/**
 * The line below the last pick. Turns of its score on both sides of it are told apart by the rule for ties.
 * @param scores by rank
 * @param picks by rank, fewer than there are scores
 */
export function thresholdWords(scores: readonly number[], picks: number): string {
  const threshold = scores[picks - 1];
  const words = `threshold ${formatNumber(threshold, 3)}`;
  if (scores[picks] !== threshold) return words;
  const tied = scores.filter((score) => score === threshold).length;
  return `${words}; ${countWords(tied, 'turn')} tie here: the first in breadth-first order are picked`;
}

/** What to expect before anything was compared. */
export function awaitingExpansion(rollout: RolloutConfig): string {
  const { shape, initialBranches, iterations, picks } = rollout;
  if (shape !== 'turn_tree') return expansionWords(rollout, 0).sentence;
  return `After the first ${countWords(initialBranches, 'rollout')} the turns are ranked here, ${countWords(iterations, 'time')}, and ${picks} of them ${picks === 1 ? 'is' : 'are'} sampled again each time.`;
}
