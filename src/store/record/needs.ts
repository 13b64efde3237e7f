/** What each view needs of a record, and the sentence that stands in its place where the record lacks it. Pure. */
import { ADVANTAGE_RULE, VALUE_RULE } from '../../algo/catalogue/algorithm.ts';
import { DEFAULT_CREDIT } from '../credit/credit.ts';
import type { View } from '../place/selection.ts';
import type { RunState, TreeState } from './run_state.ts';

/** What is asked of: the record on screen, and the tree of it that is shown. */
export interface Asked {
  readonly run: Pick<RunState, 'header' | 'updates' | 'evaluations'>;
  readonly tree: TreeState | null;
}

interface Need {
  readonly isThere: (asked: Asked) => boolean;
  readonly sentence: string;
}

const titleOf = (
  { options }: { readonly options: readonly { readonly value: string; readonly title: string }[] },
  rule: string,
): string => options.find(({ value }) => value === rule)?.title ?? rule;

const isOurs = ({ run: { header } }: Asked): boolean =>
  header?.origin.kind !== 'imported' && header?.origin.kind !== 'example';
const hasRecipe = ({ run: { header } }: Asked): boolean => header === null || header.config !== null;
const isEnded = ({ run, tree }: Asked): boolean =>
  run.updates.some(({ ended, trees }) => ended && tree !== null && trees.includes(tree));
const hasLogProbs = ({ tree }: Asked): boolean =>
  tree?.nodes.every((node) => !node?.mask.includes(1) || node.logProb !== null) ?? true;
const hasEntropies = ({ tree }: Asked): boolean =>
  tree?.nodes.every((node) => !node?.mask.includes(1) || node.entropy !== null) ?? true;
const hasRewards = (asked: Asked): boolean => asked.tree?.rewards != null || !isEnded(asked);
const hasMetrics = ({ run }: Asked): boolean => run.updates.some(({ metrics }) => metrics !== null);
const hasLoss = ({ run }: Asked): boolean => run.updates.some(({ minibatches }) => minibatches.length > 0);

const NO_LOG_PROBS: Need = {
  isThere: (asked) => hasLogProbs(asked) || hasEntropies(asked),
  sentence:
    'This file holds no log-probabilities: the surprisal of turns and the entropy of tokens are unknown, and nothing is coloured or shaded by them.',
};
const NO_REWARDS: Need = {
  isThere: hasRewards,
  sentence: 'This file holds no rewards for this tree, so no leaf is scored and there is no credit.',
};

const NEEDS: Readonly<Record<View, readonly Need[]>> = {
  train: [
    {
      isThere: hasMetrics,
      sentence:
        'These rollouts were not trained here, and their file holds no metrics of its trainer: curves and alarms are of what the rollouts say, where they have several steps.',
    },
    {
      isThere: hasRecipe,
      sentence: 'The file names no configuration either, so this run cannot be trained again.',
    },
  ],
  tree: [
    NO_LOG_PROBS,
    {
      isThere: hasRecipe,
      sentence:
        'It does not say how the trees were grown: no choice of expansions can be shown, and no turn can be grown by hand.',
    },
    NO_REWARDS,
  ],
  credit: [
    NO_REWARDS,
    {
      isThere: (asked) => hasRecipe(asked) || !hasRewards(asked),
      sentence: `This file names no credit rule: values and advantages are computed on this page from its trees and rewards, by the rules chosen below (at first value “${titleOf(VALUE_RULE, DEFAULT_CREDIT.valueRule)}”, advantage “${titleOf(ADVANTAGE_RULE, DEFAULT_CREDIT.advantageRule)}”).`,
    },
  ],
  loss: [
    {
      isThere: hasLoss,
      sentence:
        'This file holds no losses of its trainer, so no ratio, no clip and no loss of a token is shown. What its rollouts say of them is below; what the turns would be pushed by is in the Credit view.',
    },
  ],
  compare: [
    {
      isThere: hasRecipe,
      sentence:
        'This file names no rules of its own: both rules are computed on this page. Gradients of them need the model that was trained, which is not here.',
    },
  ],
  profile: [
    {
      isThere: isOurs,
      sentence:
        'These rollouts were not trained here: no time on a device was measured for them, no kernel has a mini-batch of theirs to be checked on, and there are no weights to save.',
    },
  ],
  runs: [],
  experiments: [],
};

/** Of a tree that a person made: what it cannot have. */
const OF_EXAMPLES: Readonly<Record<View, readonly string[]>> = {
  train: [
    'This is an example: one tree that somebody made, with no policy behind it. Nothing is trained on it, so there are no curves. It is in Tree, Credit and Compare.',
  ],
  tree: [],
  credit: [],
  loss: [
    'An example has no policy that is trained on it: there is no ratio, no clip and no loss of a token. What its turns would be pushed by is in Credit.',
  ],
  compare: [],
  profile: ['An example is computed on this page alone: no work of a device is measured for it.'],
  runs: [],
  experiments: [],
};

/** In the order in which they are to be read; empty where the view has all that it needs, as of every run of ours. */
export const missingIn = (view: View, asked: Asked): readonly string[] =>
  asked.run.header?.origin.kind === 'example'
    ? OF_EXAMPLES[view]
    : isOurs(asked)
      ? []
      : NEEDS[view].flatMap(({ isThere, sentence }) => (isThere(asked) ? [] : [sentence]));
