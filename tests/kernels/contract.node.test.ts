import { describe, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { lossParams } from '../../shaders/policy_loss/packing.ts';
import { dispatch } from '../../src/gpu/steps.ts';
import { paramsOf } from '../../src/gpu/kernel.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';
import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { checkContract } from '../support/kernel_contract.ts';

describe.each(Object.entries(kernels))('%s', (name, kernel) => {
  test('stands in the catalogue under its own name', () => {
    expect(kernel.name).toBe(name);
  });

  test('has bindings, params, overrides and constants as its WGSL text says', () => {
    expect(checkContract(kernel)).toEqual([]);
  });
});

test('a card twin suits from a size on: what it suits is suited however much larger', () => {
  const SIZES = [0, 1, 8, 33, 128, 1000, 4096, 70_000];
  let turned = 0;
  for (const { name, onCards = [], params } of Object.values<AnyKernel>(kernels))
    for (const { suits } of onCards)
      for (const field of suits ? Object.keys(params) : [])
        for (const others of SIZES) {
          const fields = Object.fromEntries(Object.keys(params).map((each) => [each, others]));
          const answers = SIZES.map((size) => suits!({ ...fields, [field]: size } as never)); // by the kernel's own names
          const words = `${name}, ${field} beside ${others}`;
          expect(answers, words).toEqual(answers.toSorted((a, b) => Number(a) - Number(b)));
          if (new Set(answers).size > 1) turned += 1;
        }
  expect(turned).toBeGreaterThan(0);
});

describe('the contract check', () => {
  const kernel = kernels.gather_rows_forward;
  const broken = (change: Partial<typeof kernel>): string[] => checkContract({ ...kernel, ...change });

  test.each([
    [
      'a renamed binding',
      { bindings: kernel.bindings.map((entry) => ({ ...entry, name: 'other' })) },
      /^bindings/,
    ],
    [
      'a write that is called a read',
      { bindings: kernel.bindings.map((entry) => ({ ...entry, access: 'read' as const })) },
      /^bindings/,
    ],
    [
      'another element type',
      { source: kernel.source.replace('ids: array<u32>', 'ids: array<i32>') },
      /^bindings/,
    ],
    [
      'another field order',
      { source: kernel.source.replace('rows: u32, channels: u32', 'channels: u32, rows: u32') },
      /^Params/,
    ],
    ['another default', { overrides: { WORKGROUP: 32 } }, /^overrides/],
    ['a constant that is not there', { constants: { HEAD_SIZE: 16 } }, /^constants/],
    ['another name', { name: 'gather' }, /^the first line/],
  ])('sees %s', (_, change, message) => {
    expect(broken(change)).toEqual([expect.stringMatching(message)]);
  });
});

describe('params by name', () => {
  const sizes = { ...lossParams(TURN_LOSS, 4), scored: 4, rows: 2 };

  test('a kernel takes its own out of numbers that hold more, and none else', () => {
    const taken = paramsOf(kernels.policy_loss, sizes);
    expect(Object.keys(taken)).toEqual(Object.keys(kernels.policy_loss.params));
    expect(taken).toMatchObject({ scored: 4, clipLow: TURN_LOSS.clipLow, surrogate: 1, capBelow: 0 });
  });

  test('a misspelt or a missing one does not compile', () => {
    const { kl_penalty: kernel } = kernels;
    const { clipLow, ...withoutBand } = sizes;
    expect(clipLow).toBe(TURN_LOSS.clipLow);
    // @ts-expect-error the band's lower edge is missing
    expect(paramsOf(kernels.policy_loss, withoutBand).clipLow).toBeUndefined();
    // @ts-expect-error coefficient is misspelt
    const misspelt = () => dispatch(kernel, {}, () => ({ scored: 4, kind: 0, coeficient: 1 }));
    expect(misspelt).toThrow('no buffer for logProb');
  });
});
