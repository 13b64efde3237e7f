import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { shapingWords, wave, scatteredPlaces } from '../case_data.ts';
import appendSource from './kv_append.wgsl?raw';
import * as oracle from './kv_cache.oracle.ts';
import type { AppendShape } from './kv_cache.oracle.ts';

const TOLERANCE = { absolute: 0, relative: 0, reason: 'values are copied' };
type Overrides = Record<string, number>;

/** @param rows slot and position of each */
function appendCase(
  [heads, kvHeads, headSize]: readonly [number, number, number],
  [slotCount, slotLength]: readonly [number, number],
  rows: readonly (readonly [slot: number, position: number])[],
  overrides: Overrides = {},
) {
  const shape: AppendShape = { rows: rows.length, heads, kvHeads, headSize, slotLength };
  const { places, pool } = scatteredPlaces(slotCount, slotLength);
  const size = pool * kvHeads * headSize;
  const caches = { keyCache: wave(size, 0.1), valueCache: wave(size, 0.2) };
  const inputs = {
    qk: wave(shape.rows * (heads + kvHeads) * headSize, 1.3),
    qkv: wave(shape.rows * (heads + 2 * kvHeads) * headSize, 2.3),
    slots: Uint32Array.from(rows, ([slot]) => slot),
    positions: Uint32Array.from(rows, ([, position]) => position),
    places,
  };
  const sizes = `${heads} query and ${kvHeads} key heads of ${headSize}, ${slotCount} slots of ${slotLength}`;
  return {
    title: `${shape.rows} rows, ${sizes}${shapingWords(overrides)}`,
    params: { ...shape },
    overrides,
    buffers: { ...inputs, ...caches },
    expected: () => oracle.kvAppend(shape, inputs, caches),
  };
}

export const kvAppend = defineKernel({
  name: 'kv_append',
  source: appendSource,
  params: { rows: 'u32', heads: 'u32', kvHeads: 'u32', headSize: 'u32', slotLength: 'u32' },
  bindings: [
    read('qk'),
    read('qkv'),
    read('slots', 'u32'),
    read('positions', 'u32'),
    read('places', 'u32'),
    write('keyCache'),
    write('valueCache'),
  ],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ rows, kvHeads, headSize }, { WORKGROUP }) =>
    foldGrid(Math.ceil((rows * kvHeads * (headSize / 4)) / WORKGROUP)),
  tolerance: TOLERANCE,
  cases: () => [
    appendCase([1, 1, 4], [1, 1], [[0, 0]]),
    appendCase(
      [4, 2, 16],
      [3, 7],
      [
        [2, 0],
        [2, 1],
        [0, 6],
        [1, 3],
      ],
    ),
    appendCase(
      [6, 2, 8],
      [2, 5],
      [
        [0, 4],
        [1, 5],
        [0, 9],
      ],
      { WORKGROUP: 3 },
    ), // positions 5 and 9 do not exist
    appendCase(
      [3, 3, 20],
      [4, 3],
      [
        [3, 2],
        [1, 0],
      ],
      { WORKGROUP: 4 },
    ),
    appendCase(
      [1, 1, 4],
      [7, 10_000],
      Array.from({ length: 70_000 }, (_, r) => [r % 7, Math.floor(r / 7)] as const),
      { WORKGROUP: 1 },
    ),
  ],
});
