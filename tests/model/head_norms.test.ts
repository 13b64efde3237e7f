import { beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import type { ModelConfig } from '../../src/units.ts';
import { namedParameters, randomBatch, randomPolicy, relativeError, updateInputs, trainOn } from '../support/gpu_policies.ts'; // prettier-ignore
import { sharedGpu } from '../support/shared_gpu.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

const VARIANTS: readonly (readonly [string, ModelConfig])[] = [
  ['two query heads to a key head', SMALL_MODEL],
  ['heads wider than the residual stream', { ...SMALL_MODEL, heads: 3, kvHeads: 1, headSize: 16 }],
];

/** Norm of the entries of a matrix that a predicate of row and column lets through, in float64. */
function normOf(
  matrix: Float64Array,
  columns: number,
  belongs: (row: number, column: number) => boolean,
): number {
  const own = matrix.filter((_, index) => belongs(Math.floor(index / columns), index % columns));
  return Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
}

describe.each(VARIANTS)('%s', (_, config) => {
  async function step() {
    const policy = await randomPolicy(gpu, config);
    const batch = randomBatch(config.vocabularySize, 9, 21);
    const { logProb } = await policy.score(batch, 1);
    const { step: result } = await trainOn(policy, batch, updateInputs(logProb));
    const gradients = namedParameters(config, await policy.gradients());
    policy.dispose();
    return { result, gradients };
  }

  test('norms by head are those of the gradient’s rows and columns', async () => {
    const { heads, kvHeads, headSize: size, channels } = config;
    const { result, gradients } = await step();
    expect(result.headNorms).toHaveLength(config.layers);
    result.headNorms?.forEach((norms, layer) => {
      const byRows = (name: string, count: number): number[] =>
        Array.from(
          { length: count },
          (__, head) =>
          normOf(gradients.get(`layers.${layer}.attn.${name}.weight`)!, channels, (row) => Math.floor(row / size) === head), // prettier-ignore
        );
      const output = Array.from(
        { length: heads },
        (__, head) =>
        normOf(gradients.get(`layers.${layer}.attn.o_proj.weight`)!, heads * size, (___, column) => Math.floor(column / size) === head), // prettier-ignore
      );
      expect(relativeError(norms.query, byRows('q_proj', heads))).toBeLessThan(1e-6);
      expect(relativeError(norms.key, byRows('k_proj', kvHeads))).toBeLessThan(1e-6);
      expect(relativeError(norms.value, byRows('v_proj', kvHeads))).toBeLessThan(1e-6);
      expect(relativeError(norms.output, output)).toBeLessThan(1e-6);
      expect(Math.min(...output)).toBeGreaterThan(0);
    });
  });

  test('their squares add up to the squares of their tensors’ norms', async () => {
    const { headNorms, gradientNorms } = (await step()).result;
    headNorms?.forEach(({ query, key, value, output }, layer) => {
      const qkv = gradientNorms[`layers.${layer}.attn.qkv_proj.weight`];
      expect(Math.abs(Math.hypot(...query, ...key, ...value) / qkv - 1)).toBeLessThan(1e-6);
      const o = gradientNorms[`layers.${layer}.attn.o_proj.weight`];
      expect(Math.abs(Math.hypot(...output) / o - 1)).toBeLessThan(1e-6);
    });
  });
});
