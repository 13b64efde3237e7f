/** How the Loss view says what a LossConfig does to a token: names, states and formulas. */
import type { LossToken, LossTurn } from '../../store/loss_reading.ts';
import type { ClipState, LossConfig, RatioLevel } from '../../units.ts';
import { countWords, formatNumber, formatRatio, formatSigned } from '../format.ts';

export const CLIP_WORDS: Readonly<Record<ClipState, string>> = {
  0: 'not clipped',
  1: 'clipped above: no gradient',
  2: 'clipped below: no gradient',
  3: 'log-ratio beyond its cap: no gradient',
  4: 'loss at its limit (dual clip): no gradient',
  5: 'above the band: the gradient of its upper edge',
  6: 'below the band: the gradient of its lower edge',
};

export const LEVEL_WORDS: Readonly<Record<RatioLevel, string>> = {
  token: 'token',
  turn: 'turn',
  sequence: 'row',
};

/** Whether the loss compares with the sampling policy at all: has ratios, and a band. */
export const hasRatio = ({ surrogate }: LossConfig): boolean => surrogate === 'clip' || surrogate === 'gate';

const UNCLIPPED: Readonly<Record<Exclude<LossConfig['surrogate'], 'clip'>, string>> = {
  gate: 'weighed by the gate',
  regression: 'loss of the whole row',
  preference: 'loss of the whole pair',
  none: 'not trained on',
};

/** The state of a turn in words; where tokens have ratios of their own, how many are clipped. */
export function turnState({ tokens, clipState, clippedCount }: LossTurn, { surrogate }: LossConfig): string {
  if (clippedCount > 0 && clippedCount < tokens.length)
    return `${clippedCount} of ${countWords(tokens.length, 'token')} clipped`;
  return surrogate === 'clip' || clipState !== 0 ? CLIP_WORDS[clipState] : UNCLIPPED[surrogate];
}

export interface Formula {
  readonly symbols: string;
  readonly live: string | null; // the same with the token's numbers; null where they lie in other rows
}

/** Loss of one token before its weight. */
export function lossFormula(token: LossToken, config: LossConfig): Formula {
  const { advantage: A, ratio, band } = token;
  switch (config.surrogate) {
    case 'clip': {
      const clipped = Math.min(Math.max(ratio, band[0]), band[1]);
      const single = `max(${formatSigned(-A * ratio, 4)}, ${formatSigned(-A * clipped, 4)})`;
      if (A >= 0 || config.dualClip === 0) return { symbols: 'ℓ = max(−A·s, −A·clip(s))', live: single };
      const limit = formatSigned(-A * config.dualClip, 4);
      return { symbols: 'ℓ = min(max(−A·s, −A·clip(s)), −A·c)', live: `min(${single}, ${limit})` };
    }
    case 'gate': {
      const tau = A > 0 ? config.gatePositive : config.gateNegative;
      const symbols = 'ℓ = −A·4/τ·σ(τ(s − 1))';
      const inner = `${formatNumber(tau, 2)}·(${formatRatio(ratio)} − 1)`;
      return { symbols, live: `${formatSigned(-A, 3)} · 4/${formatNumber(tau, 2)} · σ(${inner})` };
    }
    case 'regression':
      return { symbols: 'ℓ = (β·Σ ln(π/π_ref) − (r − V*))², Σ over the row', live: null };
    case 'preference':
      return { symbols: 'ℓ = −ln σ(β(Δ_better − Δ_worse)), Δ = Σ ln(π/π_ref) of a side', live: null };
    case 'none':
      return { symbols: 'ℓ = 0', live: null };
  }
  return config.surrogate satisfies never;
}

/** ∂loss/∂log-probability of one token, its weight w included. */
export function gradientFormula(token: LossToken, config: LossConfig): Formula {
  const { surrogate, lowerFactor, upperFactor } = config;
  const { advantage, ratio, band, weight, clipState } = token;
  const product = (factor: string): string =>
    `−${formatNumber(weight, 6)} · (${formatSigned(advantage, 3)}) · ${factor}`;
  const atEdge = (edge: string, symbol: string, factor: number, bound: number): Formula =>
    factor === 1
      ? { symbols: `∂L/∂logπ = −w·A·(${edge})`, live: product(formatRatio(bound)) }
      : {
          symbols: `∂L/∂logπ = −w·A·${symbol}·(${edge})`,
          live: product(`${formatNumber(factor, 2)} · ${formatRatio(bound)}`),
        };
  switch (surrogate) {
    case 'clip':
      if (clipState === 5) return atEdge('upper edge', 'β₂', upperFactor, band[1]);
      if (clipState === 6) return atEdge('lower edge', 'β₁', lowerFactor, band[0]);
      return clipState === 0
        ? { symbols: '∂L/∂logπ = −w·A·s', live: product(formatRatio(ratio)) }
        : { symbols: '∂L/∂logπ = −w·A·s·0', live: `${product(formatRatio(ratio))} · 0` };
    case 'gate':
      return { symbols: `∂L/∂logπ = −w·4A·σ(1 − σ)·s${clipState === 0 ? '' : '·0'}`, live: null };
    case 'regression':
      return { symbols: '∂L/∂logπ = W·2β·(β·Σ ln(π/π_ref) − (r − V*)), W = Σ w of the row', live: null };
    case 'preference':
      return { symbols: '∂L/∂logπ = ∓W·β·σ(−β(Δ_better − Δ_worse)), W = Σ w of both rows', live: null };
    case 'none':
      return { symbols: '∂L/∂logπ = 0', live: null };
  }
  return surrogate satisfies never;
}
