import { beforeAll, describe, expect, test } from 'vitest';
import { packVisible, row, wave, scatteredPlaces, type Turn } from '../../shaders/case_data.ts';
import { kernels } from '../../shaders/index.ts';
import { BufferOwner } from '../../src/gpu/buffers.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { TypedArray } from '../../src/gpu/kernel.ts';
import { Program } from '../../src/gpu/program.ts';
import { Readback, u32 } from '../../src/gpu/readback.ts';
import { dispatch } from '../../src/gpu/steps.ts';
import { sharedGpu } from '../support/shared_gpu.ts';

const [HEADS, KV_HEADS] = [4, 2];
const SLOT_LENGTH = 40;

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

interface Tokens {
  readonly headSize: number;
  readonly scale: number;
  readonly qk: Float32Array<ArrayBuffer>; // [N,(NH+NKV)·HS]
  readonly qkv: Float32Array<ArrayBuffer>; // [N,(NH+2NKV)·HS]
}

const example = (tokens: number, headSize: number): Tokens => ({
  headSize,
  scale: Math.fround(headSize ** -0.5),
  qk: wave(tokens * (HEADS + KV_HEADS) * headSize, 0.3, 2),
  qkv: wave(tokens * (HEADS + 2 * KV_HEADS) * headSize, 1.3),
});

/** Some of the tokens, in this order. */
function pick({ headSize, scale, qk, qkv }: Tokens, indices: readonly number[]): Tokens {
  const take = (matrix: Float32Array<ArrayBuffer>, heads: number) =>
    Float32Array.from(
      indices.flatMap((n) => [...matrix.subarray(n * heads * headSize, (n + 1) * heads * headSize)]),
    );
  return { headSize, scale, qk: take(qk, HEADS + KV_HEADS), qkv: take(qkv, HEADS + 2 * KV_HEADS) };
}

const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, index) => start + index);

/** Bits of attention_forward's output, one string per token. */
async function attend({ headSize, scale, qk, qkv }: Tokens, trees: readonly Turn[]): Promise<string[]> {
  const visible = packVisible(trees);
  const tokens = visible.length / 2;
  const owner = new BufferOwner(gpu, 'attention test');
  const buffers = ownBuffers(owner, {
    qk,
    qkv,
    visible,
    out: tokens * HEADS * headSize,
    lse: tokens * HEADS,
  });
  const params = { tokens, heads: HEADS, kvHeads: KV_HEADS, scale };
  const step = dispatch(kernels.attention_forward, buffers, () => params, {
    constants: { HEAD_SIZE: headSize },
  });
  return bitsOfRows(owner, await Program.build(gpu, 'attend', [step]), buffers.out, headSize);
}

/**
 * Appends all tokens to the caches, then decodes the rows at these indices.
 * @param shared first positions that lie at the same places for all slots
 */
async function decode(
  all: Tokens,
  tokens: readonly (readonly [slot: number, position: number])[],
  indices: readonly number[],
  shared = 0,
): Promise<string[]> {
  const { headSize, scale, qk, qkv } = all;
  const owner = new BufferOwner(gpu, 'decode test');
  const slots = Uint32Array.from(tokens, ([slot]) => slot);
  const positions = Uint32Array.from(tokens, ([, position]) => position);
  const table = scatteredPlaces(Math.max(...slots) + 1, SLOT_LENGTH, shared);
  const cacheSize = table.pool * KV_HEADS * headSize;
  const cache = ownBuffers(owner, { keyCache: cacheSize, valueCache: cacheSize, places: table.places });
  const sizes = { heads: HEADS, kvHeads: KV_HEADS, slotLength: SLOT_LENGTH };
  const append = dispatch(
    kernels.kv_append,
    { ...ownBuffers(owner, { qk, qkv, slots, positions }), ...cache },
    () => ({ rows: tokens.length, headSize, ...sizes }),
  );
  const picked = ownBuffers(owner, {
    qk: pick(all, indices).qk,
    slots: Uint32Array.from(indices, (n) => slots[n]),
    positions: Uint32Array.from(indices, (n) => positions[n]),
    out: indices.length * HEADS * headSize,
  });
  const params = { rows: indices.length, scale, ...sizes };
  const step = dispatch(kernels.decode_attention, { ...picked, ...cache }, () => params, {
    constants: { HEAD_SIZE: headSize },
  });
  return bitsOfRows(owner, await Program.build(gpu, 'decode', [append, step]), picked.out, headSize);
}

function ownBuffers<Name extends string>(owner: BufferOwner, contents: Record<Name, number | TypedArray>) {
  const entries = Object.entries<number | TypedArray>(contents);
  return Object.fromEntries(entries.map(([name, value]) => [name, owner.storage(name, value)])) as Record<
    Name,
    ReturnType<BufferOwner['storage']>
  >;
}

async function bitsOfRows(
  owner: BufferOwner,
  program: Program,
  out: ReturnType<BufferOwner['storage']>,
  headSize: number,
): Promise<string[]> {
  const readback = new Readback(gpu);
  program.run({});
  const { bits } = await readback.read({ bits: u32(out) });
  program.destroy();
  owner.destroy();
  readback.destroy();
  const width = HEADS * headSize;
  return range(0, bits.length / width).map((n) => bits.subarray(n * width, (n + 1) * width).join());
}

describe.each([4, 16, 20, 64])('heads of %i', (headSize) => {
  test('decode_attention gives the bits of attention_forward for the same context', async () => {
    const tokens = example(38, headSize);
    const places = [...range(0, 37).map((position) => [1, position] as const), [0, 0] as const];
    const decoded = await decode(tokens, places, range(0, 38));
    expect(decoded).toEqual(await attend(tokens, [row(37), row(1)]));
    expect(new Set(decoded).size).toBe(38); // and the rows differ: they are not all zeros
  });
});

test('a row of attention_forward does not depend on the rows packed with it', async () => {
  const tokens = example(60, 16);
  const together = await attend(tokens, [row(21), row(9), row(30)]);
  expect(await attend(pick(tokens, range(21, 30)), [row(9)])).toEqual(together.slice(21, 30));
});

test('a path through a packed tree has the bits of the same path as a row', async () => {
  const tokens = example(20, 16);
  const tree: Turn = { length: 5, children: [row(4), { length: 2, children: [row(3), row(4)] }, row(2)] };
  const packed = await attend(tokens, [tree]);
  const path = [...range(0, 5), ...range(9, 11), ...range(14, 18)];
  expect(await attend(pick(tokens, path), [row(path.length)])).toEqual(path.map((n) => packed[n]));
});

test('a row of decode_attention does not depend on the rows decoded with it', async () => {
  const tokens = example(30, 16);
  const places = range(0, 30).map((n) => [n % 3, Math.floor(n / 3)] as const);
  const together = await decode(tokens, places, range(0, 30));
  expect(await decode(tokens, places, [28])).toEqual([together[28]]);
  expect(await decode(tokens, places, [29, 3, 28])).toEqual([29, 3, 28].map((n) => together[n]));
});

test('branches that point to a common prefix give the bits of a packed tree that holds it once', async () => {
  const tokens = example(20, 16);
  const tree: Turn = { length: 9, children: [row(6), row(5)] };
  const along = (slot: number, first: number, end: number) =>
    range(first, end).map((position) => [slot, position] as const);
  const places = [...along(0, 0, 15), ...along(1, 9, 14)]; // slot 1 appends nothing of the prefix
  expect(await decode(tokens, places, range(0, 20), 9)).toEqual(await attend(tokens, [tree]));
});
