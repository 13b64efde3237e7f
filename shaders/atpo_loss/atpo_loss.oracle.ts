/** Float64 references of the loss kernels: src/algo/loss.ts itself, on the kernels' inputs. */
import { clippedTerm, meanLogRatios, type ClipConfig } from '../../src/algo/loss.ts';
import { klTerm } from '../../src/algo/penalties.ts';

export const turnRatio = meanLogRatios;

export interface AtpoLossInput {
  readonly turnIndex: ArrayLike<number>; // [S]
  readonly turnLogRatio: ArrayLike<number>; // [K] nats
  readonly logProb: ArrayLike<number>; // [S] nats
  readonly refLogProb: ArrayLike<number>; // [S] nats
  readonly advantage: ArrayLike<number>; // [S]
  readonly weight: ArrayLike<number>; // [S]
}

export function atpoLoss(
  input: AtpoLossInput,
  config: ClipConfig & { readonly klCoefficient: number; readonly tokenMeanWeight: number },
) {
  const scored = input.turnIndex.length;
  const tokenLoss = new Float64Array(scored);
  const dlogProb = new Float64Array(scored);
  for (let s = 0; s < scored; s++) {
    const term = clippedTerm(input.turnLogRatio[input.turnIndex[s]], input.advantage[s], config);
    tokenLoss[s] = term.tokenLoss;
    dlogProb[s] = input.weight[s] * term.dlogProb;
    if (config.klCoefficient === 0) continue;
    const kl = klTerm('k3', input.logProb[s], input.refLogProb[s]);
    dlogProb[s] += config.klCoefficient * config.tokenMeanWeight * kl.dlogProb;
  }
  return { tokenLoss, dlogProb };
}
