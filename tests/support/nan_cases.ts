/**
 * A kernel's cases with NaN in one of its float buffers: what must be lost is lost, and nothing else. WGSL's min, max and
 * clamp may give the number where one side is NaN, a comparison says no, and e^x and ln of NaN are numbers on SwiftShader.
 */
import { describeFailure, runCase, runOnce } from '../../src/gpu/kernel_check.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { KernelCase } from '../../src/gpu/kernel.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';

/** Kernels that bound or compare floats run all their small cases, one for each branch; the others one. */
const BRANCHING = [
  'clip_scale',
  'entropy_balance',
  'kl_penalty',
  'policy_loss',
  'row_loss',
  'sample_token',
  'token_stats_forward',
];
const SMALL = 800; // elements of a case's buffers in all

/**
 * Buffers whose NaN the oracle does not meet, as it computes from the beginning what the kernel reads half-way, or does not
 * meet as a NaN alone (attention's log-sum-exp, which only stands beside an output of NaN). Something must then not be finite.
 */
const SAVED: Readonly<Record<string, readonly string[]>> = {
  adamw: ['state'],
  attention_forward: ['qk'],
  attention_forward_quads: ['qk'],
  attention_backward_query: ['qk', 'qkv', 'dout', 'out', 'lse'],
  attention_backward_query_quads: ['qk', 'qkv', 'dout', 'out', 'lse'],
  attention_backward_key_value: ['qk', 'qkv', 'dout', 'lse', 'delta'],
  attention_backward_key_value_quads: ['qk', 'qkv', 'dout', 'lse', 'delta'],
  attention_forward_tiles: ['qk'],
  attention_backward_query_tiles: ['qk', 'qkv', 'dout', 'out', 'lse'],
  attention_backward_key_value_tiles: ['qk', 'qkv', 'dout', 'lse', 'delta'],
  entropy_moments: ['entropy', 'moments'],
  row_loss: ['weight'],
  token_stats_backward: ['logits', 'lse', 'entropy'],
};

export interface NanCase {
  readonly testCase: KernelCase;
  readonly isSaved: boolean; // judged by what is not finite, not by the oracle
}

const elements = ({ buffers }: KernelCase): number =>
  Object.values(buffers).reduce((sum, { length }) => sum + length, 0);

function chosenCases(kernel: AnyKernel): readonly number[] {
  const bySize = kernel
    .cases()
    .map((each, index) => ({ index, size: elements(each) }))
    .toSorted((a, b) => a.size - b.size);
  const small = BRANCHING.includes(kernel.name) ? bySize.filter(({ size }) => size <= SMALL) : [];
  return [...new Set([bySize[Math.min(1, bySize.length - 1)], ...small])].map(({ index }) => index);
}

/** Where the NaN stands: one number in the middle shows what it reaches, all at once every branch of every rule. */
const PLACES = {
  'in the middle': (values: Float32Array) => values.fill(NaN, values.length >> 1, (values.length >> 1) + 1),
  everywhere: (values: Float32Array) => values.fill(NaN),
} as const;

/** For each float buffer and place. What the kernel overwrites is filled too: its old contents must reach nothing. */
export function nanCases(kernel: AnyKernel): NanCase[] {
  return chosenCases(kernel).flatMap((index) =>
    kernel.bindings.flatMap(({ name }) => {
      const isSaved = SAVED[kernel.name]?.includes(name) ?? false;
      const isBranching = BRANCHING.includes(kernel.name);
      const places = Object.entries(PLACES).filter(
        ([place]) => isBranching || (place === 'everywhere') === isSaved, // one place is enough for plain arithmetic
      );
      return places.flatMap(([place, spoil]): NanCase[] => {
        const testCase = kernel.cases()[index]; // anew: the last one's buffers are spoilt
        const values = testCase.buffers[name];
        if (!(values instanceof Float32Array)) return [];
        spoil(values);
        return [{ testCase: { ...testCase, title: `${testCase.title}, NaN ${place} of ${name}` }, isSaved }];
      });
    }),
  );
}

/** What is wrong with a case, or null. The oracle reads the case's own buffers, so it meets the same NaN. */
export async function nanFailure(
  gpu: Gpu,
  kernel: AnyKernel,
  { testCase, isSaved }: NanCase,
): Promise<string | null> {
  if (!isSaved) {
    const result = await runCase(gpu, kernel, testCase);
    return result.checked > 0 && result.mismatchCount === 0 ? null : describeFailure(result);
  }
  const written = await runOnce(gpu, kernel, testCase);
  const lost = Object.entries(written).some(([name, values]) =>
    values.subarray(0, testCase.buffers[name].length).some((value) => !Number.isFinite(value)),
  );
  return lost ? null : `${kernel.name}, ${testCase.title}: every number written is finite`;
}
