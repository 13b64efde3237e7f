/** What a mini-batch says as a whole: how its ratios and advantages spread, and why its loss is what it is. Pure. */
import type { LossConfig } from '../../units.ts';
import { isDead } from '../record/reading.ts';
import { lossTokens, type LossToken } from './loss_reading.ts';
import type { MinibatchState, UpdateState } from '../record/run_state.ts';

export interface Bin {
  readonly from: number;
  readonly to: number; // exclusive, except of the last
  readonly count: number;
}

/** Counts values in equal bins over [low, high]; what lies outside counts in the first or the last. */
export function histogram(
  values: readonly number[],
  low: number,
  high: number,
  binCount: number,
): readonly Bin[] {
  const width = (high - low) / binCount;
  const counts = new Array<number>(binCount).fill(0);
  for (const value of values) {
    const at = Math.floor((value - low) / width);
    counts[Math.min(binCount - 1, Math.max(0, at))] += 1;
  }
  return counts.map((count, at) => ({ from: low + at * width, to: low + (at + 1) * width, count }));
}

/** A mini-batch's ratios and advantages as the loss sees them. */
export interface BatchSpread {
  readonly ratios: readonly number[]; // one per group that shares a ratio: token, turn or row
  readonly outside: number; // of them, beyond the band, whether or not the advantage makes that matter
  readonly advantages: readonly number[]; // one per trained-on token
}

/** First token of every group that shares a ratio. */
function ratioHeads(tokens: readonly LossToken[], { ratioLevel }: LossConfig): readonly LossToken[] {
  if (ratioLevel === 'token') return tokens;
  if (ratioLevel === 'sequence') return tokens.slice(0, 1);
  return tokens.filter(({ turn }, at) => tokens[at - 1]?.turn !== turn);
}

export function batchSpread(minibatch: MinibatchState, config: LossConfig): BatchSpread {
  const rows = minibatch.rows.map((row) => lossTokens(row, minibatch, config));
  const heads = rows.flatMap((tokens) => ratioHeads(tokens, config));
  return {
    ratios: heads.map(({ ratio }) => ratio),
    outside: heads.filter(({ ratio, band }) => ratio < band[0] || ratio > band[1]).length,
    advantages: rows.flatMap((tokens) => tokens.map(({ advantage }) => advantage)),
  };
}

/** Why a loss near zero can teach: what cancels in it, and what does not cancel in the gradient. */
export interface LossBalance {
  readonly loss: number; // Σ w·ℓ
  readonly gain: number; // Σ w·ℓ of the tokens with ℓ < 0
  readonly cost: number; // Σ w·ℓ of the tokens with ℓ > 0
  readonly signedAdvantage: number; // Σ w·A
  readonly tokens: number;
  readonly pushedUp: number; // tokens with ∂loss/∂logProb < 0
  readonly pushedDown: number;
  readonly silent: number; // without a gradient
  readonly clipped: number; // of the silent, by a clip
  readonly push: number; // Σ |∂loss/∂logProb|
  readonly gradientNorm: number | null; // before clipping; null before the step
  readonly skipped: boolean; // the step
  readonly prompts: number; // in this mini-batch
  readonly deadPrompts: number; // all leaves earned the same
}

export function lossBalance(
  { trees }: Pick<UpdateState, 'trees'>,
  minibatch: MinibatchState,
  config: LossConfig,
): LossBalance {
  const tokens = minibatch.rows.flatMap((row) => lossTokens(row, minibatch, config));
  const sum = (term: (token: LossToken) => number): number =>
    tokens.reduce((total, token) => total + term(token), 0);
  const count = (test: (token: LossToken) => boolean): number => tokens.filter(test).length;
  const prompts = new Set(minibatch.rows.map(({ prompt }) => prompt));
  const gain = sum(({ weight, tokenLoss }) => weight * Math.min(0, tokenLoss));
  const cost = sum(({ weight, tokenLoss }) => weight * Math.max(0, tokenLoss));
  return {
    loss: minibatch.loss ?? gain + cost,
    gain,
    cost,
    signedAdvantage: sum(({ weight, advantage }) => weight * advantage),
    tokens: tokens.length,
    pushedUp: count(({ dlogProb }) => dlogProb < 0),
    pushedDown: count(({ dlogProb }) => dlogProb > 0),
    silent: count(({ dlogProb }) => dlogProb === 0),
    clipped: count(({ dlogProb, clipState }) => dlogProb === 0 && clipState !== 0),
    push: sum(({ dlogProb }) => Math.abs(dlogProb)),
    gradientNorm: minibatch.step?.gradientNorm ?? null,
    skipped: minibatch.step?.skipped ?? false,
    prompts: prompts.size,
    deadPrompts: [...prompts].filter((prompt) => trees[prompt] && isDead(trees[prompt])).length,
  };
}
