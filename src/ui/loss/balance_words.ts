/** The answer to "the loss reads 0.00, is it learning?" in words. Pure. */
import type { LossBalance } from '../../store/batch_reading.ts';
import { formatNumber, formatShare, formatSigned } from '../format.ts';

/** The first words: yes, no, or not yet. */
export function isLearning({ gradientNorm, push, skipped }: LossBalance): string {
  if (skipped) return 'No: the gradient was not a finite number, and the step was skipped.';
  if (push === 0 && (gradientNorm === null || gradientNorm === 0)) return 'No: no token is pushed.';
  if (gradientNorm === null) return 'The step is not done yet.';
  return `Yes: the gradient has norm ${formatNumber(gradientNorm, 4)}.`;
}

/** What of the sum survives, below which the halves are said to cancel. */
const CANCELS = 0.25;

/** Why the loss is near zero, or is not. */
export function whyTheLoss(balance: LossBalance): string {
  const { gain, cost, loss, push, deadPrompts, prompts } = balance;
  if (push === 0)
    return deadPrompts === prompts
      ? 'All leaves of every prompt earned the same: every advantage is 0.'
      : 'Every token is clipped or has an advantage of 0.';
  const halves = `${formatSigned(gain, 4)} from tokens with an advantage above zero and ${formatSigned(cost, 4)} from those below`;
  const share = Math.abs(loss) / Math.max(cost - gain, 1e-12);
  if (share >= CANCELS)
    return `The loss adds up to ${halves}; they do not balance here, since prefixes that rows share count in each of them and rows differ in length.`;
  return (
    `The loss adds up to ${halves}: ${formatShare(1 - share)} of it cancels, since advantages are centred within a prompt and ratios are close to 1. ` +
    'The gradient cancels only where rows share a token, since all other terms push different ones. The number on the curve says little; the gradient’s norm and the reward say more.'
  );
}
