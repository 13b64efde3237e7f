/** How alike two texts are. */
import type { TokenId } from '../../units.ts';

/** Jaccard index of two token sets, |A ∩ B| / |A ∪ B|, in [0, 1]; 1 for two empty ones. */
export function overlap(a: ReadonlySet<TokenId>, b: ReadonlySet<TokenId>): number {
  const shared = [...a].filter((token) => b.has(token)).length;
  const either = a.size + b.size - shared;
  return either === 0 ? 1 : shared / either;
}
