/** The catalogue: every kernel of the lab, one line each. The kernel suite runs them all. */
import type { AnyKernel } from '../src/gpu/pipelines.ts';
import { gatherRowsBackward, gatherRowsForward } from './gather_rows/gather_rows.kernel.ts';
import { tokenStatsBackward, tokenStatsForward } from './token_stats/token_stats.kernel.ts';

export const kernels = {
  gather_rows_forward: gatherRowsForward,
  gather_rows_backward: gatherRowsBackward,
  token_stats_forward: tokenStatsForward,
  token_stats_backward: tokenStatsBackward,
} satisfies Record<string, AnyKernel>;

export type KernelName = keyof typeof kernels;
