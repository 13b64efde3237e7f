/** The algorithms, by name. To add one: write its file, add its line. */
import type { Algorithm } from './algorithm.ts';
import { at2po, at2poRandom } from './atpo.ts';

export const algorithms = {
  at2po,
  at2po_random: at2poRandom,
} satisfies Record<string, Algorithm>;

export type AlgorithmName = keyof typeof algorithms;
