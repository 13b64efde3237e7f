/** Cases of a run's own sizes, with made-up values: what a log cannot give of a kernel's inputs. */
import type { KernelCase } from '../src/gpu/kernel.ts';
import { attentionCases } from './attention/attention.kernel.ts';
import { row } from './case_data.ts';
import { matmulCaseOf, type Layout } from './matmul/matmul.kernel.ts';
import * as rmsnorm from './rmsnorm/rmsnorm.kernel.ts';
import * as swiglu from './swiglu/swiglu.kernel.ts';
import * as tokenStats from './token_stats/token_stats.kernel.ts';

/** Sizes of a model and of rows that it was trained on. */
export interface RunSizes {
  readonly channels: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly rowLengths: readonly number[]; // tokens of each row taken
  readonly inverseTemperature: number;
}

const tokensOf = ({ rowLengths }: RunSizes): number => rowLengths.reduce((sum, length) => sum + length, 0);

/** Every linear layer: outputs n and inputs k of its forward product. */
function linearLayers({ channels, heads, kvHeads, headSize, hidden, vocabulary }: RunSizes) {
  return [
    { n: (heads + 2 * kvHeads) * headSize, k: channels },
    { n: channels, k: heads * headSize },
    { n: 2 * hidden, k: channels },
    { n: channels, k: hidden },
    { n: vocabulary, k: channels },
  ];
}

/** The products of the linear layers: forward, gradient of the input, gradient of the weight. */
function products(layout: Layout, sizes: RunSizes): readonly KernelCase[] {
  const m = tokensOf(sizes);
  return linearLayers(sizes).map(({ n, k }) => {
    if (layout === 'nt') return matmulCaseOf(layout, { m, n, k });
    return matmulCaseOf(layout, layout === 'nn' ? { m, n: k, k: n } : { m: n, n: k, k: m, accumulate: 1 });
  });
}

function attention(kernel: keyof typeof attentionCases, sizes: RunSizes): readonly KernelCase[] {
  const { rowLengths, heads, kvHeads, headSize } = sizes;
  const words = `rows of ${rowLengths.join(', ')} tokens`;
  return [attentionCases[kernel]({ words, trees: rowLengths.map(row), heads, kvHeads, headSize })];
}

const logits = (sizes: RunSizes) => ({
  rows: tokensOf(sizes),
  vocab: sizes.vocabulary,
  inverseTemperature: sizes.inverseTemperature,
  spread: 4,
});

const MAKERS: Readonly<Record<string, (sizes: RunSizes) => readonly KernelCase[]>> = {
  matmul_nt: (sizes) => products('nt', sizes),
  matmul_nn: (sizes) => products('nn', sizes),
  matmul_tn: (sizes) => products('tn', sizes),
  rmsnorm_forward: (sizes) => [rmsnorm.forwardCase(tokensOf(sizes), sizes.channels)],
  rmsnorm_backward: (sizes) => [rmsnorm.backwardCase(tokensOf(sizes), sizes.channels)],
  swiglu_forward: (sizes) => [swiglu.forwardCase([tokensOf(sizes), sizes.hidden, 3, {}])],
  swiglu_backward: (sizes) => [swiglu.backwardCase([tokensOf(sizes), sizes.hidden, 3, {}])],
  attention_forward: (sizes) => attention('attention_forward', sizes),
  attention_backward_query: (sizes) => attention('attention_backward_query', sizes),
  attention_backward_key_value: (sizes) => attention('attention_backward_key_value', sizes),
  token_stats_forward: (sizes) => [tokenStats.forwardCase(logits(sizes))],
  token_stats_backward: (sizes) => [tokenStats.backwardCase(logits(sizes), 0)],
};

/** @returns none for a kernel whose cases do not follow from these sizes */
export function sizedCases(kernel: string, sizes: RunSizes): readonly KernelCase[] {
  const name = kernel.replace(/_quads$/, '');
  return Object.hasOwn(MAKERS, name) ? MAKERS[name](sizes) : [];
}
