import { describe, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { lossParams } from '../../shaders/policy_loss/packing.ts';
import { dispatch } from '../../src/gpu/steps.ts';
import { paramsOf } from '../../src/gpu/kernel.ts';
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
