import { expect, test } from 'vitest';
import { packBfloat16, readsBfloat16, widenBfloat16 } from '../../shaders/bfloat16.ts';
import { kernels } from '../../shaders/index.ts';

const rounded = (...values: number[]): number[] => [
  ...widenBfloat16(packBfloat16(Float32Array.from(values))),
];

test('a number becomes the nearest bfloat16, ties going to the even one', () => {
  const step = 2 ** -7; // between bfloat16 numbers from 1 to 2
  expect(rounded(1, -2.5)).toEqual([1, -2.5]);
  expect(rounded(1 + 0.4 * step, 1 + 0.6 * step)).toEqual([1, 1 + step]);
  expect(rounded(1 + 0.5 * step, 1 + 1.5 * step)).toEqual([1, 1 + 2 * step]);
  expect(rounded(2 - 0.4 * step, -0)).toEqual([2, -0]);
  expect(rounded(Infinity, -Infinity)).toEqual([Infinity, -Infinity]);
  expect(rounded(NaN, 3)).toEqual([NaN, 3]);
});

test('two numbers share a word, the first in its lower half', () => {
  expect([...packBfloat16(Float32Array.of(1, -2, 0.5))]).toEqual([0xc0003f80, 0x00003f00]);
});

test('every bfloat16 comes back as its own bits', () => {
  const words = Uint32Array.from({ length: 2 ** 15 }, (_, n) => 2 * n + ((2 * n + 1) << 16));
  const isNaN = (half: number): boolean => (half & 0x7fff) > 0x7f80;
  const back = new Uint16Array(packBfloat16(widenBfloat16(words)).buffer);
  new Uint16Array(words.buffer).forEach((half, n) => {
    if (!isNaN(half)) expect(back[n]).toBe(half);
  });
});

test('the oracle of a twin’s cases is asked about the rounded weights', () => {
  const [first] = kernels.gather_rows_forward_bf16.cases();
  const table = widenBfloat16(first.buffers.table as Uint32Array);
  expect(Array.from(first.expected().y)).toEqual([...table.subarray(16, 20)]); // row 4 of 4 channels
});

test('the text of a twin is the kernel’s own but for the loads of one binding', () => {
  const plain = kernels.matmul_nt_quads.source.split('\n');
  const twin = kernels.matmul_nt_quads_bf16.source.split('\n');
  const changed = twin.flatMap((line, index) => (line === plain[index] ? [] : [line.trim()]));
  expect(changed[0]).toMatch(/^\/\/ matmul_nt_quads_bf16 — /);
  expect(changed[1]).toBe('@group(0) @binding(2) var<storage, read> b: array<vec2u>;');
  expect(changed.slice(2, 6)).toEqual([0, 1, 2, 3].map((n) => `let b${n} = bAt(s${n} + k);`));
  expect(changed.slice(-2)[0]).toMatch(/^fn bAt\(i: u32\) -> vec4f/);
});

test('a text that reads the binding in an unknown way has no twin', () => {
  const kernel = kernels.gather_rows_forward;
  const nested = {
    ...kernel,
    source: kernel.source.replace('y[index] = table[id', 'y[index] = table[ids[0] + id'),
  };
  expect(() => readsBfloat16(nested, 'table')).toThrow(/gather_rows_forward\.wgsl reads/);
  expect(() => readsBfloat16(kernel, 'ids')).toThrow(/does not read ids/);
});
