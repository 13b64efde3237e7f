/**
 * DialTree's adaptive mask: rows that fail do not push the words of the grammar down, so that a policy does not unlearn
 * how to write a call while it learns which call to make.
 * @see arXiv:2510.02286; M_t = 1 − 1[token in V_fmt and A < 0]
 */
import type { TokenBatch, TokenId } from '../units.ts';

/**
 * The batch with advantage 0 for scored tokens of the grammar whose advantage is negative. They keep their weight:
 * n_i counts them.
 */
export function maskFormatTokens(batch: TokenBatch, formatTokens: readonly TokenId[]): TokenBatch {
  const grammar = new Set<number>(formatTokens);
  const { tokens, predicted, scored } = batch;
  const isKept = (advantage: number, s: number): boolean =>
    advantage >= 0 || !grammar.has(tokens[predicted[scored[s]]]);
  return { ...batch, advantage: batch.advantage.map((A, s) => (isKept(A, s) ? A : 0)) };
}
