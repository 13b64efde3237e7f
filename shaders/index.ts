/** The catalogue: every kernel of the lab, one line each. The kernel suite runs them all. */
import type { AnyKernel } from '../src/gpu/pipelines.ts';
import {
  attentionBackwardKeyValue,
  attentionBackwardKeyValueQuads,
  attentionBackwardKeyValueTiles,
  attentionBackwardQuery,
  attentionBackwardQueryQuads,
  attentionBackwardQueryTiles,
  attentionForward,
  attentionForwardQuads,
  attentionForwardTiles,
} from './attention/attention.kernel.ts';
import { columnSum, dotProduct } from './sums/sums.kernel.ts';
import { decodeAttention, decodeAttentionLanes } from './decode_attention/decode_attention.kernel.ts';
import {
  gatherRowsBackward,
  gatherRowsForward,
  gatherRowsForwardBf16,
  gatherValuesBackward,
  gatherValuesForward,
} from './gather/gather.kernel.ts';
import { kvAppend } from './kv_cache/kv_cache.kernel.ts';
import {
  matmulNn,
  matmulNnBf16,
  matmulNnQuads,
  matmulNnQuadsBf16,
  matmulNnTiles,
  matmulNt,
  matmulNtBf16,
  matmulNtQuads,
  matmulNtQuadsBf16,
  matmulNtRows,
  matmulNtTiles,
  matmulTn,
  matmulTnQuads,
  matmulTnSmallTiles,
  matmulTnTiles,
} from './matmul/matmul.kernel.ts';
import {
  matmulSwiglu,
  matmulSwigluBf16,
  matmulSwigluQuads,
  matmulSwigluQuadsBf16,
  matmulSwigluRows,
} from './swiglu/matmul_swiglu.kernel.ts';
import { probeCopy, probeFma } from './probe/probe.kernel.ts';
import {
  qkNormRotaryBackward,
  qkNormRotaryBackwardWeight,
  qkNormRotaryForward,
} from './qk_norm_rotary/qk_norm_rotary.kernel.ts';
import {
  rmsnormBackward,
  rmsnormBackwardLanes,
  rmsnormBackwardWeight,
  rmsnormForward,
  rmsnormForwardLanes,
} from './rmsnorm/rmsnorm.kernel.ts';
import { swigluBackward, swigluForward } from './swiglu/swiglu.kernel.ts';
import { adamw, clipScale, squareSum } from './adamw/adamw.kernel.ts';
import {
  entropyBalance,
  entropyMoments,
  klPenalty,
  policyLoss,
  segmentLogRatio,
  rowLoss,
} from './policy_loss/policy_loss.kernel.ts';
import { sampleToken } from './sample_token/sample_token.kernel.ts';
import { tokenStatsBackward, tokenStatsForward } from './token_stats/token_stats.kernel.ts';

export const kernels = {
  matmul_nt: matmulNt,
  matmul_nn: matmulNn,
  matmul_tn: matmulTn,
  matmul_nt_quads: matmulNtQuads,
  matmul_nn_quads: matmulNnQuads,
  matmul_tn_quads: matmulTnQuads,
  matmul_nt_tiles: matmulNtTiles,
  matmul_nn_tiles: matmulNnTiles,
  matmul_tn_tiles: matmulTnTiles,
  matmul_nt_rows: matmulNtRows,
  matmul_tn_small_tiles: matmulTnSmallTiles,
  matmul_swiglu: matmulSwiglu,
  matmul_swiglu_quads: matmulSwigluQuads,
  matmul_swiglu_rows: matmulSwigluRows,
  gather_rows_forward: gatherRowsForward,
  matmul_nt_bf16: matmulNtBf16,
  matmul_nn_bf16: matmulNnBf16,
  matmul_nt_quads_bf16: matmulNtQuadsBf16,
  matmul_nn_quads_bf16: matmulNnQuadsBf16,
  matmul_swiglu_bf16: matmulSwigluBf16,
  matmul_swiglu_quads_bf16: matmulSwigluQuadsBf16,
  gather_rows_forward_bf16: gatherRowsForwardBf16,
  gather_rows_backward: gatherRowsBackward,
  gather_values_forward: gatherValuesForward,
  gather_values_backward: gatherValuesBackward,
  rmsnorm_forward: rmsnormForward,
  rmsnorm_forward_lanes: rmsnormForwardLanes,
  rmsnorm_backward: rmsnormBackward,
  rmsnorm_backward_lanes: rmsnormBackwardLanes,
  rmsnorm_backward_weight: rmsnormBackwardWeight,
  column_sum: columnSum,
  qk_norm_rotary_forward: qkNormRotaryForward,
  qk_norm_rotary_backward: qkNormRotaryBackward,
  qk_norm_rotary_backward_weight: qkNormRotaryBackwardWeight,
  attention_forward: attentionForward,
  attention_backward_query: attentionBackwardQuery,
  attention_backward_key_value: attentionBackwardKeyValue,
  attention_forward_quads: attentionForwardQuads,
  attention_backward_query_quads: attentionBackwardQueryQuads,
  attention_backward_key_value_quads: attentionBackwardKeyValueQuads,
  attention_forward_tiles: attentionForwardTiles,
  attention_backward_query_tiles: attentionBackwardQueryTiles,
  attention_backward_key_value_tiles: attentionBackwardKeyValueTiles,
  swiglu_forward: swigluForward,
  swiglu_backward: swigluBackward,
  kv_append: kvAppend,
  decode_attention: decodeAttention,
  decode_attention_lanes: decodeAttentionLanes,
  token_stats_forward: tokenStatsForward,
  token_stats_backward: tokenStatsBackward,
  segment_log_ratio: segmentLogRatio,
  entropy_moments: entropyMoments,
  entropy_balance: entropyBalance,
  policy_loss: policyLoss,
  row_loss: rowLoss,
  kl_penalty: klPenalty,
  dot_product: dotProduct,
  square_sum: squareSum,
  clip_scale: clipScale,
  adamw,
  sample_token: sampleToken,
  probe_fma: probeFma,
  probe_copy: probeCopy,
} satisfies Record<string, AnyKernel>;

export type KernelName = keyof typeof kernels;
