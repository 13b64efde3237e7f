/**
 * Colour scales as CSS expressions over theme variables, so that both themes follow without a redraw.
 * Signed credit diverges purple (below zero) to orange (above); entropy is sequential. Colour never
 * stands alone: sign has a glyph (format.ts), entropy a dash pattern, masked text a hatch.
 *
 * Two strengths: a `fill` for marks may be strong; a `shade` lies behind text and stops where body text
 * would fall under a contrast of 4.5 (tests/ui/scales.test.tsx measures both themes).
 */
const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const mix = (colour: string, share: number): string =>
  `color-mix(in oklab, var(${colour}) ${Math.round(clamp(share, 0, 1) * 100)}%, var(--surface))`;

/** Largest share of colour behind text. */
export const SHADE_LIMIT = 0.55;
/** Smallest share of a mark that is not zero: it must still be seen. */
const FILL_START = 0.25;

const creditColour = (value: number): string => (value < 0 ? '--credit-minus' : '--credit-plus');

/** @param extent |value| of full strength; above it the colour saturates */
export function creditFill(value: number, extent: number): string {
  const strength = extent > 0 ? clamp(Math.abs(value) / extent, 0, 1) : 0;
  return strength === 0
    ? 'var(--surface)'
    : mix(creditColour(value), FILL_START + (1 - FILL_START) * strength);
}

export function creditShade(value: number, extent: number): string {
  const strength = extent > 0 ? clamp(Math.abs(value) / extent, 0, 1) : 0;
  return strength === 0 ? 'transparent' : mix(creditColour(value), SHADE_LIMIT * strength);
}

/** @param extent nats of full strength */
export function entropyFill(nats: number, extent: number): string {
  const strength = extent > 0 ? clamp(nats / extent, 0, 1) : 0;
  return mix('--entropy', FILL_START * 0.4 + (1 - FILL_START * 0.4) * strength);
}

export function entropyShade(nats: number, extent: number): string {
  const strength = extent > 0 ? clamp(nats / extent, 0, 1) : 0;
  return strength < 0.02 ? 'transparent' : mix('--entropy', SHADE_LIMIT * strength);
}

/** The surer the policy was of the token, the fainter: shade by surprisal −logProb. */
export const surprisalShade = (logProb: number, extent: number): string => entropyShade(-logProb, extent);

/** Outline dashes that carry entropy without colour: the less certain, the more broken. In px. */
export function entropyDash(nats: number, extent: number): string {
  const strength = extent > 0 ? clamp(nats / extent, 0, 1) : 0;
  if (strength < 0.25) return 'none';
  if (strength < 0.5) return '6 2';
  return strength < 0.75 ? '4 3' : '2 3';
}

/** How a leaf ended, for marks: shape and colour both say it. */
export type RewardClass = 'correct' | 'partial' | 'wrong' | 'malformed' | 'unscored';

/** By the reward alone: −1 and less is malformed; between that and 0 a wrong end with progress, or less a cost. */
export function rewardClass(reward: number | null | undefined): RewardClass {
  if (reward == null) return 'unscored';
  if (reward <= -1) return 'malformed';
  if (reward <= 0) return 'wrong';
  return reward >= 1 ? 'correct' : 'partial';
}

export const REWARD_GLYPHS: Readonly<Record<RewardClass, string>> = {
  correct: '▲',
  partial: '△',
  wrong: '○',
  malformed: '✕',
  unscored: '·',
};

export const REWARD_COLOURS: Readonly<Record<RewardClass, string>> = {
  correct: 'var(--correct)',
  partial: 'var(--correct)',
  wrong: 'var(--wrong)',
  malformed: 'var(--malformed)',
  unscored: 'var(--ink-faint)',
};
