/**
 * What one token makes of a log-ratio and its advantage: PPO's clip with hard or soft edges and dual clip, or SAPO's
 * gate. The ratio is written as π/sg[π]·sg[e^logRatio], so ∂ratio/∂logProb is the ratio for the token itself and 0 for
 * the others of its segment; at the token level that is the plain derivative.
 * @see algorithms' spec at2po 6, baselines 3, 5, 6.3, 8; A²TGPO (band scale), RAPO (ratio factor), CE-GPPO (factors of soft edges)
 */
import type { ClipState, LossConfig, TermNumber } from '../../units.ts';

export type TermConfig = Pick<
  LossConfig,
  'surrogate' | 'ratioLevel' | 'lowerEdge' | 'upperEdge' | TermNumber
>;

/** What a token brings along beside its log-ratio. */
export interface TermInputs {
  readonly advantage: number; // dimensionless
  readonly clipScale: number; // factor of the band, 1 unless A²TGPO
  readonly ratioFactor: number; // factor of the ratio before the clip, 1 unless RAPO
}

/** What one token contributes, before its weight. */
export interface TokenTerm {
  readonly ratio: number; // ratioFactor·e^logRatio, the log-ratio cut at its cap
  readonly tokenLoss: number;
  readonly dlogProb: number; // ∂tokenLoss/∂logProb of the token itself
  readonly clipState: ClipState;
}

/** Lower and upper bound of the ratio. */
export const clipBand = (
  { clipLow, clipHigh }: Pick<TermConfig, 'clipLow' | 'clipHigh'>,
  clipScale = 1,
): readonly [number, number] => [1 - clipLow * clipScale, 1 + clipHigh * clipScale];

/**
 * Whether the cap cuts the log-ratio and ends its gradient; at exactly the cap it still flows. Means over turns and
 * sequences are cut above only, token ratios on both sides, as in the released code.
 */
export const isCapped = (
  logRatio: number,
  { logRatioCap, ratioLevel }: Pick<TermConfig, 'logRatioCap' | 'ratioLevel'>,
): boolean => logRatio > logRatioCap || (ratioLevel === 'token' && logRatio < -logRatioCap);

/** The log-ratio cut at its cap, nats. */
export const cappedLogRatio = (
  logRatio: number,
  { logRatioCap, ratioLevel }: Pick<TermConfig, 'logRatioCap' | 'ratioLevel'>,
): number => Math.max(ratioLevel === 'token' ? -logRatioCap : -Infinity, Math.min(logRatio, logRatioCap));

/** ratioFactor·e^logRatio, the log-ratio cut at its cap. */
export const cappedRatio = (
  logRatio: number,
  config: Pick<TermConfig, 'logRatioCap' | 'ratioLevel'>,
  ratioFactor = 1,
): number => ratioFactor * Math.exp(cappedLogRatio(logRatio, config));

/** The gradient of a finite loss; NaN where the loss is not finite, so that no step is taken on what is left of it. */
export const gradientOf = (loss: number, gradient: number): number =>
  Number.isFinite(loss) ? gradient : NaN;

/** Which rule of the clip holds. Where several do, a hard edge comes before dual clip, cap and soft edge. */
function clipRule(logRatio: number, inputs: TermInputs, config: TermConfig): ClipState {
  const { advantage, clipScale, ratioFactor } = inputs;
  const ratio = cappedRatio(logRatio, config, ratioFactor);
  const [low, high] = clipBand(config, clipScale);
  const above = advantage > 0 && ratio > high;
  const below = advantage < 0 && ratio < low;
  if (above && config.upperEdge === 'hard') return 1;
  if (below && config.lowerEdge === 'hard') return 2;
  if (advantage < 0 && config.dualClip > 0 && ratio > config.dualClip) return 4;
  if (isCapped(logRatio, config)) return 3;
  if (above) return 5;
  return below ? 6 : 0;
}

/** The rule in force for a token: see ClipState. Losses without a ratio are never clipped. */
export function clipStateOf(logRatio: number, inputs: TermInputs, config: TermConfig): ClipState {
  if (config.surrogate === 'clip') return clipRule(logRatio, inputs, config);
  return config.surrogate === 'gate' && isCapped(logRatio, config) ? 3 : 0;
}

/**
 * max(−A·r, −A·clip(r)), for A < 0 at most −A·dualClip; gradient −A·r inside, −A·factor·bound at a soft edge, else 0.
 * Factors other than 1 are CE-GPPO's (arXiv:2509.20712); the loss's value does not depend on them.
 */
export function clipTerm(logRatio: number, inputs: TermInputs, config: TermConfig): TokenTerm {
  const { advantage, clipScale, ratioFactor } = inputs;
  const ratio = cappedRatio(logRatio, config, ratioFactor);
  const [low, high] = clipBand(config, clipScale);
  const clipped = Math.min(Math.max(ratio, low), high);
  const clipState = clipRule(logRatio, inputs, config);
  const flowing = {
    0: ratio,
    1: 0,
    2: 0,
    3: 0,
    4: 0,
    5: config.upperFactor * high,
    6: config.lowerFactor * low,
  }[clipState];
  const single = Math.max(-advantage * ratio, -advantage * clipped);
  const isDual = advantage < 0 && config.dualClip > 0;
  const tokenLoss = isDual ? Math.min(single, -advantage * config.dualClip) : single;
  return {
    ratio,
    tokenLoss,
    dlogProb: gradientOf(tokenLoss, flowing === 0 ? 0 : -advantage * flowing),
    clipState,
  };
}

/** SAPO: −A·(4/τ)·σ(τ(r − 1)), τ by the sign of A; gradient −4A·σ(1 − σ)·r, 0 where the log-ratio is cut. */
export function gateTerm(logRatio: number, inputs: TermInputs, config: TermConfig): TokenTerm {
  const { advantage, ratioFactor } = inputs;
  const ratio = cappedRatio(logRatio, config, ratioFactor);
  const tau = advantage > 0 ? config.gatePositive : config.gateNegative;
  const x = tau * (ratio - 1);
  const tail = Math.exp(-Math.abs(x)); // of the sigmoid: no overflow on either side
  const gate = (x >= 0 ? 1 : tail) / (1 + tail);
  const slope = tail / (1 + tail) ** 2; // σ(1 − σ)
  const clipState = clipStateOf(logRatio, inputs, config);
  const tokenLoss = (-advantage * 4 * gate) / tau;
  return {
    ratio,
    tokenLoss,
    dlogProb: gradientOf(tokenLoss, clipState === 0 ? -4 * advantage * slope * ratio : 0),
    clipState,
  };
}
