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

function chosenCases(kernel: AnyKernel, cases: readonly KernelCase[]): readonly KernelCase[] {
  const bySize = cases.toSorted((a, b) => elements(a) - elements(b));
  const small = BRANCHING.includes(kernel.name) ? bySize.filter((each) => elements(each) <= SMALL) : [];
  return [...new Set([bySize[Math.min(1, bySize.length - 1)], ...small])];
}

/** Where the NaN stands: one number in the middle shows what it reaches, all at once every branch of every rule. */
const PLACES = {
  'in the middle': (values: Float32Array) => values.fill(NaN, values.length >> 1, (values.length >> 1) + 1),
  everywhere: (values: Float32Array) => values.fill(NaN),
} as const;

/**
 * For each float buffer and place. What the kernel overwrites is filled too: its old contents must reach nothing.
 * A case's buffer holds the NaN only until the next one is asked for: then it is as it was.
 * @param cases the kernel's own; to make them is dearer than to run them
 */
export function* nanCases(kernel: AnyKernel, cases: readonly KernelCase[]): Generator<NanCase> {
  const isBranching = BRANCHING.includes(kernel.name);
  for (const testCase of chosenCases(kernel, cases))
    for (const [name, values] of Object.entries(testCase.buffers)) {
      if (!(values instanceof Float32Array)) continue;
      const isSaved = SAVED[kernel.name]?.includes(name) ?? false;
      const before = values.slice();
      for (const [place, spoil] of Object.entries(PLACES)) {
        if (!isBranching && (place === 'everywhere') !== isSaved) continue; // one place is enough for plain arithmetic
        spoil(values);
        yield { testCase: { ...testCase, title: `${testCase.title}, NaN ${place} of ${name}` }, isSaved };
        values.set(before);
      }
    }
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
