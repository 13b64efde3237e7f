/**
 * What each kernel has to do at least, from the params of a dispatch: floating-point operations (a fused multiply-add
 * is two, an exponential or a root one) and bytes (every element that must be read or written, once). Null where it
 * depends on the data: how long the cached rows are, how many rows name one target.
 */
import type { Shaping } from '../src/gpu/kernel.ts';
import type { Work } from '../src/gpu/profiler.ts';
import type { KernelName, kernels } from './index.ts';

type Params<Name extends string = string> = Readonly<Record<Name, number>>;
/** Reads params of these names, which every kernel that it stands for must have. */
type Rule<Name extends string = never> = (params: Params<Name>, shaping: Shaping, sizes: Params) => Work;
/** What may stand for a kernel: a rule that reads none but its params. */
type RuleOf<Name extends KernelName> = Rule<keyof (typeof kernels)[Name]['params'] & string>;

const elements = (count: number): number => 4 * count; // bytes

/** c [m,n] is written, and read too where it accumulates; b is a weight of some bytes an element. */
const product =
  (weightBytes: number): Rule<'m' | 'n' | 'k'> =>
  ({ m, n, k }, { ACCUMULATE }) => ({
    flops: 2 * m * n * k,
    bytes: elements(m * k + m * n * (ACCUMULATE ? 2 : 1)) + weightBytes * n * k,
  });
const matmul = product(4);
const matmulBf16 = product(2);

/** h [rows,F] is written; per element two products and the gating. */
const gated =
  (weightBytes: number): Rule<'rows' | 'hidden' | 'inputs'> =>
  ({ rows, hidden, inputs }) => ({
    flops: rows * hidden * (4 * inputs + 6),
    bytes: elements(rows * inputs + rows * hidden) + weightBytes * 2 * hidden * inputs,
  });
const matmulSwiglu = gated(4);
const matmulSwigluBf16 = gated(2);

const perElement =
  <Name extends string>(count: Name, flops: number, touched: number): Rule<Name> =>
  (params) => ({ flops: flops * params[count], bytes: elements(touched * params[count]) });

const UNKNOWN_WORK: Work = { flops: null, bytes: null };

/** `flops` per value and `touched` elements per value over rows × columns; plus one or more numbers per row. */
const perRow =
  <Name extends string>(
    columns: Name,
    flops: number,
    touched: number,
    rowNumbers: number,
  ): Rule<Name | 'rows'> =>
  (params) => ({
    flops: flops * params.rows * params[columns],
    bytes: elements(params.rows * (touched * params[columns] + rowNumbers)),
  });

const headRows =
  (flops: number, touched: number): Rule<'rows' | 'heads' | 'kvHeads'> =>
  ({ rows, heads, kvHeads }, { HEAD_SIZE }) => {
    const values = rows * (heads + kvHeads) * HEAD_SIZE;
    return { flops: flops * values, bytes: elements(touched * values) };
  };

/** Per head and pair that sees each other some dot products over the head, and a few operations beside them. */
const attention =
  (dots: number, queryRows: number, keyRows: number): Rule<'tokens' | 'heads' | 'kvHeads'> =>
  ({ tokens, heads, kvHeads }, { HEAD_SIZE }, { visiblePairs }) => ({
    flops: visiblePairs === undefined ? null : heads * visiblePairs * (2 * dots * HEAD_SIZE + 5),
    bytes: elements(tokens * HEAD_SIZE * (queryRows * heads + keyRows * kvHeads)),
  });

const RULES: { readonly [Name in KernelName]?: RuleOf<Name> } = {
  matmul_nt: matmul,
  matmul_nn: matmul,
  matmul_tn: matmul,
  matmul_nt_quads: matmul,
  matmul_nn_quads: matmul,
  matmul_tn_quads: matmul,
  matmul_nt_tiles: matmul,
  matmul_nn_tiles: matmul,
  matmul_tn_tiles: matmul,
  matmul_nt_rows: matmul,
  matmul_tn_small_tiles: matmul,
  matmul_swiglu: matmulSwiglu,
  matmul_swiglu_quads: matmulSwiglu,
  matmul_swiglu_rows: matmulSwiglu,
  matmul_nt_bf16: matmulBf16,
  matmul_nn_bf16: matmulBf16,
  matmul_nt_quads_bf16: matmulBf16,
  matmul_nn_quads_bf16: matmulBf16,
  matmul_swiglu_bf16: matmulSwigluBf16,
  matmul_swiglu_quads_bf16: matmulSwigluBf16,
  gather_rows_forward: perRow('channels', 0, 2, 1),
  gather_rows_forward_bf16: perRow('channels', 0, 1.5, 1), // half a word read, a word written
  gather_rows_backward: () => UNKNOWN_WORK,
  gather_values_forward: perElement('count', 0, 3),
  gather_values_backward: () => UNKNOWN_WORK,
  rmsnorm_forward: perRow('channels', 4, 2, 1),
  rmsnorm_forward_lanes: perRow('channels', 4, 2, 1),
  rmsnorm_backward: perRow('channels', 8, 4, 1),
  rmsnorm_backward_lanes: perRow('channels', 8, 4, 1),
  rmsnorm_backward_weight: perRow('channels', 3, 2, 1),
  column_sum: ({ rows, columns }) => ({ flops: rows * columns, bytes: elements((rows + 2) * columns) }),
  qk_norm_rotary_forward: headRows(7, 2),
  qk_norm_rotary_backward: headRows(13, 3),
  qk_norm_rotary_backward_weight: headRows(7, 2),
  attention_forward: attention(2, 2, 2),
  attention_backward_query: attention(3, 4, 2),
  attention_backward_key_value: attention(4, 2, 4),
  attention_forward_quads: attention(2, 2, 2),
  attention_backward_query_quads: attention(3, 4, 2),
  attention_backward_key_value_quads: attention(4, 2, 4),
  attention_forward_tiles: attention(2, 2, 2),
  attention_backward_query_tiles: attention(3, 4, 2),
  attention_backward_key_value_tiles: attention(4, 2, 4),
  swiglu_forward: perRow('hidden', 5, 3, 0),
  swiglu_backward: perRow('hidden', 11, 5, 0),
  kv_append: ({ rows, kvHeads, headSize }) => ({ flops: 0, bytes: elements(4 * rows * kvHeads * headSize) }),
  decode_attention: () => UNKNOWN_WORK,
  decode_attention_lanes: () => UNKNOWN_WORK,
  token_stats_forward: perRow('vocab', 6, 1, 4),
  token_stats_backward: perRow('vocab', 7, 2, 4),
  segment_log_ratio: () => UNKNOWN_WORK,
  entropy_moments: perElement('scored', 6, 1),
  entropy_balance: perElement('scored', 4, 3),
  policy_loss: perElement('scored', 20, 8),
  row_loss: perElement('scored', 12, 3),
  kl_penalty: perElement('scored', 8, 4),
  dot_product: perElement('length', 2, 2),
  square_sum: perElement('length', 2, 1),
  clip_scale: perElement('blocks', 1, 1),
  adamw: perElement('length', 13, 7),
  sample_token: perRow('vocab', 20, 1, 8), // a block cipher's integers are not counted, the Gumbel noise is
  probe_fma: ({ length, rounds }) => ({ flops: 128 * length * rounds, bytes: elements(length) }),
  probe_copy: ({ length }) => ({ flops: 0, bytes: elements(2 * length) }),
};

const rules = RULES as Readonly<Record<string, Rule<string> | undefined>>; // a dispatch's params are its kernel's

/**
 * Work of one dispatch; unknown for a kernel without a rule.
 * @param sizes of the program's encoding: attention's work follows its visiblePairs
 */
export const workOf = (kernel: string, params: Params, shaping: Shaping, sizes: Params = {}): Work =>
  rules[kernel]?.(params, shaping, sizes) ?? UNKNOWN_WORK;

/** Kernels that a profile can say something of. */
export const KERNELS_WITH_WORK: readonly string[] = Object.keys(RULES);
