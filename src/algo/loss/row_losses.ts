/**
 * Losses of whole rows against the reference policy: A*-PO's regression and DPO's preference. Every token of a row has
 * the row's loss, and the row's share in the total is the sum of its tokens' weights.
 * @see arXiv:2505.20686 (A*-PO), arXiv:2405.00451 (step-level DPO); algorithms' spec related 8, 10
 */
import type { LossConfig } from '../../units.ts';
import { gradientOf } from './loss_terms.ts';

export interface RowInputs {
  readonly logRatio: ArrayLike<number>; // [B] nats, Σ logProb − refLogProb over the row's scored tokens
  readonly weight: ArrayLike<number>; // [B] Σ of the row's token weights
  readonly target: ArrayLike<number> | null; // [B] r − V*, of 'regression'
  readonly partner: ArrayLike<number> | null; // [B] p: better than row p; −1 − p: worse than it; of 'preference'
}

/** What one row contributes; dlogProb is of each of its tokens, weights included. */
export interface RowTerm {
  readonly loss: number;
  readonly dlogProb: number;
}

/** (β·Σ logRatio − target)²; gradient 2β(β·Σ logRatio − target), the same for all tokens of the row. */
function regressionTerm(row: number, { logRatio, weight, target }: RowInputs, beta: number): RowTerm {
  const residual = beta * logRatio[row] - (target?.[row] ?? 0);
  const loss = residual * residual;
  return { loss, dlogProb: weight[row] * gradientOf(loss, 2 * beta * residual) };
}

/** Row that `row` is compared with, and whether `row` is the better one. A row may name itself: it learns nothing. */
export function comparison(partner: number): { readonly other: number; readonly better: boolean } {
  return partner >= 0 ? { other: partner, better: true } : { other: -1 - partner, better: false };
}

/**
 * −ln σ(β(Δ_better − Δ_worse)), Δ the row's log-ratio; both rows have the loss of their pair, so the pair weighs as much
 * as its two rows together. Gradient ∓β·σ(−β(Δ_better − Δ_worse)).
 */
function preferenceTerm(row: number, { logRatio, weight, partner }: RowInputs, beta: number): RowTerm {
  const { other, better } = comparison(partner?.[row] ?? row);
  if (other === row) return { loss: 0, dlogProb: 0 };
  const margin = beta * (better ? logRatio[row] - logRatio[other] : logRatio[other] - logRatio[row]);
  const tail = Math.exp(-Math.abs(margin));
  const wrong = (margin >= 0 ? tail : 1) / (1 + tail); // σ(−margin)
  const share = weight[row] + weight[other];
  const loss = Math.max(-margin, 0) + Math.log1p(tail);
  return { loss, dlogProb: gradientOf(loss, (better ? -1 : 1) * share * beta * wrong) };
}

/** The term of one row under 'regression' or 'preference'. */
export const rowTerm = (
  row: number,
  inputs: RowInputs,
  { surrogate, beta }: Pick<LossConfig, 'surrogate' | 'beta'>,
): RowTerm =>
  surrogate === 'preference' ? preferenceTerm(row, inputs, beta) : regressionTerm(row, inputs, beta);

/** Whether a surrogate is a loss of whole rows, so that rows need sums over all their tokens. */
export const isRowLoss = (surrogate: LossConfig['surrogate']): boolean =>
  surrogate === 'regression' || surrogate === 'preference';
