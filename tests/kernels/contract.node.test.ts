import { describe, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { checkContract } from '../support/kernel_contract.ts';

describe.each(Object.entries(kernels))('%s', (name, kernel) => {
  test('stands in the catalogue under its own name', () => {
    expect(kernel.name).toBe(name);
  });

  test('has bindings, params, overrides and constants as its WGSL text says', () => {
    expect(checkContract(kernel)).toEqual([]);
  });

  test('has cases with different titles and a reason for its tolerance', () => {
    const titles = kernel.cases().map(({ title }) => title);
    expect(titles.length).toBeGreaterThan(0);
    expect(new Set(titles).size).toBe(titles.length);
    expect(kernel.tolerance.reason).not.toBe('');
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
