/** Why a token has no loss, or no push, in words. */
import type { MaskReason, Silence } from '../../store/mask_reason.ts';

/** Short, after a token on hover; and a sentence that explains. */
export interface MaskWords {
  readonly short: string;
  readonly sentence: string;
}

export const MASK_WORDS: Readonly<Record<MaskReason, MaskWords>> = {
  prompt: {
    short: 'the question',
    sentence: 'The question: the policy read it and did not write it, so there is nothing to reinforce.',
  },
  environment: {
    short: 'environment text',
    sentence:
      'The environment wrote it (the result of a tool, or a notice). The policy reads it; pushing it up would teach the policy to make results up.',
  },
  retrieved: {
    short: 'copied from a stored step',
    sentence: 'Copied from a stored step of an earlier rollout: the policy of this update did not sample it.',
  },
  cut: {
    short: 'beyond the context, cut off',
    sentence: 'The row is cut at the context’s length; the policy sampled this token beyond it.',
  },
  dropped: {
    short: 'the group was dropped',
    sentence: 'The run’s filter dropped all rollouts of this question: none of their tokens is trained on.',
  },
  unused: {
    short: 'in no mini-batch yet',
    sentence: 'This row is in no mini-batch: the update has not come so far, or the row was not chosen.',
  },
};

export const SILENCE_WORDS: Readonly<Record<Silence, string>> = {
  clip: 'Its ratio is clipped: the gradient stops there.',
  'format-mask':
    'It is a word of the grammar in a row that failed: the format mask sets its advantage to 0, so that the policy does not unlearn how to write a call.',
  dead: 'All leaves of this question earned the same reward: nothing stands out, every advantage is 0.',
  'zero-advantage': 'The advantage of its turn is exactly 0.',
  'no-loss': 'The loss gives this token no gradient.',
};
