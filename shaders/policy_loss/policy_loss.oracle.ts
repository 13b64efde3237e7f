/** Float64 references of the loss kernels: src/algo itself, on the kernels' inputs. */
import { clipTerm, gateTerm, type TermConfig } from '../../src/algo/loss/loss_terms.ts';
import { meanLogRatios, summedLogRatios } from '../../src/algo/loss/loss.ts';
import { balancedAdvantage, klTerm } from '../../src/algo/loss/penalties.ts';
import { rowTerm, type RowInputs } from '../../src/algo/loss/row_losses.ts';
import type { KlKind, Surrogate } from '../../src/units.ts';

type Values = ArrayLike<number>;

/** Contents of `logRatio` after the kernel wrote from `first` on. */
export function segmentLogRatio(
  before: Values,
  first: number,
  isMean: boolean,
  start: Values,
  logProb: Values,
  otherLogProb: Values,
): Float64Array {
  const after = Float64Array.from(before);
  after.set((isMean ? meanLogRatios : summedLogRatios)(start, logProb, otherLogProb), first);
  return after;
}

/** @param tokens [S,4] advantage, weight, clip scale, ratio factor */
export function policyLoss(segment: Values, logRatio: Values, tokens: Values, config: TermConfig) {
  const tokenLoss = new Float64Array(segment.length);
  const dlogProb = new Float64Array(segment.length);
  for (let s = 0; s < segment.length; s++) {
    if (config.surrogate === 'none') {
      dlogProb[s] = tokens[4 * s + 1] * 0; // a weight that is not a number is none of a loss of nothing either
      continue;
    }
    const inputs = {
      advantage: tokens[4 * s],
      clipScale: tokens[4 * s + 2],
      ratioFactor: tokens[4 * s + 3],
    };
    const term = (config.surrogate === 'gate' ? gateTerm : clipTerm)(logRatio[segment[s]], inputs, config);
    tokenLoss[s] = term.tokenLoss;
    dlogProb[s] = tokens[4 * s + 1] * term.dlogProb;
  }
  return { tokenLoss, dlogProb };
}

/** @param inputs with weights of single rows; the kernel reads those of pairs (packing.ts) */
export function rowLoss(row: Values, inputs: RowInputs, surrogate: Surrogate, beta: number) {
  const terms = Array.from(row, (i) => rowTerm(i, inputs, { surrogate, beta }));
  return {
    tokenLoss: Float64Array.from(terms, ({ loss }) => loss),
    dlogProb: Float64Array.from(terms, ({ dlogProb }) => dlogProb),
  };
}

/** n, μ, M of values in one go, two passes. */
export function entropyMoments(values: Values): Float64Array {
  let sum = 0;
  for (let s = 0; s < values.length; s++) sum += values[s];
  const mean = values.length === 0 ? 0 : sum / values.length;
  let squares = 0;
  for (let s = 0; s < values.length; s++) squares += (values[s] - mean) ** 2;
  return Float64Array.of(values.length, mean, squares);
}

export function entropyBalance(entropy: Values, moments: Values, tokens: Values, coefficient: number) {
  const deviation = Math.sqrt(moments[2] / Math.max(1, moments[0] - 1));
  const statistics = { mean: moments[1], deviation: deviation === 0 ? 1 : deviation };
  return Float64Array.from(tokens, (value, at) =>
    at % 4 === 0 ? balancedAdvantage(value, entropy[at / 4], statistics, coefficient) : value,
  );
}

export function klPenalty(
  logProb: Values,
  refLogProb: Values,
  dlogProb: Values,
  kind: KlKind,
  coefficient: number,
): Float64Array {
  return Float64Array.from(
    dlogProb,
    (before, s) => before + coefficient * klTerm(kind, logProb[s], refLogProb[s]).dlogProb,
  );
}
