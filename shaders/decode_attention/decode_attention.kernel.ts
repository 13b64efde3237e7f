import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave, scatteredPlaces } from '../case_data.ts';
import * as oracle from './decode_attention.oracle.ts';
import type { Shape } from './decode_attention.oracle.ts';
import lanesSource from './decode_attention_lanes.wgsl?raw';
import source from './decode_attention.wgsl?raw';

type NewToken = readonly [slot: number, position: number];

/**
 * @param tokens slot and position of each row; a place that none of them reads is NaN
 * @param shared first positions that lie at the same places for all slots
 */
function decodeCase(
  [heads, kvHeads, headSize]: readonly [number, number, number],
  [slotCount, slotLength]: readonly [number, number],
  tokens: readonly NewToken[],
  overrides: Record<string, number> = {},
  shared = 0,
) {
  const shape: Shape = {
    rows: tokens.length,
    heads,
    kvHeads,
    headSize,
    slotLength,
    scale: Math.fround(headSize ** -0.5),
  };
  const width = kvHeads * headSize;
  const { places, pool } = scatteredPlaces(slotCount, slotLength, shared);
  const readPlaces = new Set(
    tokens.flatMap(([slot, position]) => [
      ...places.subarray(slot * slotLength, slot * slotLength + position + 1),
    ]),
  );
  const cache = (phase: number) =>
    wave(pool * width, phase).map((value, index) =>
      readPlaces.has(Math.floor(index / width)) ? value : NaN,
    );
  const inputs = {
    qk: wave(shape.rows * (heads + kvHeads) * headSize, 0.3, 2),
    keyCache: cache(0.1),
    valueCache: cache(0.2),
    slots: Uint32Array.from(tokens, ([slot]) => slot),
    positions: Uint32Array.from(tokens, ([, position]) => position),
    places,
  };
  const sizes = `${heads} query and ${kvHeads} key heads of ${headSize}, ${slotCount} slots of ${slotLength}, ${shared} shared`;
  return {
    title: `${shape.rows} rows, ${sizes}${shapingWords(overrides)}`,
    params: { rows: shape.rows, heads, kvHeads, slotLength, scale: shape.scale },
    overrides,
    constants: { HEAD_SIZE: headSize },
    buffers: { ...inputs, out: poison(shape.rows * heads * headSize) },
    expected: () => ({ out: oracle.decodeAttention(shape, inputs) }),
  };
}

const plain = defineKernel({
  name: 'decode_attention',
  source,
  params: { rows: 'u32', heads: 'u32', kvHeads: 'u32', slotLength: 'u32', scale: 'f32' },
  bindings: [
    read('qk'),
    read('keyCache'),
    read('valueCache'),
    read('slots', 'u32'),
    read('positions', 'u32'),
    read('places', 'u32'),
    write('out'),
  ],
  overrides: { WORKGROUP: 64 },
  onCpu: { WORKGROUP: 16 },
  constants: { HEAD_SIZE: 16 },
  grid: ({ rows, heads }, { WORKGROUP }) => foldGrid(Math.ceil((rows * heads) / WORKGROUP)),
  tolerance: {
    absolute: 1e-5,
    relative: 1e-5,
    reason:
      'scores are f32 sums of up to 128 products of size 1; WGSL allows exp(−x) an error of (3 + 2x) ulp',
  },
  cases: () => [
    decodeCase([1, 1, 4], [1, 1], [[0, 0]]),
    decodeCase(
      [4, 2, 16],
      [5, 33],
      [
        [4, 0],
        [0, 32],
        [2, 7],
        [1, 1],
      ],
    ),
    decodeCase(
      [4, 2, 16],
      [2, 9],
      [
        [1, 6],
        [1, 7],
        [1, 8],
        [0, 2],
      ],
    ), // a prefill: one slot, several rows
    decodeCase(
      [6, 2, 16],
      [3, 11],
      [
        [0, 10],
        [2, 3],
      ],
      { WORKGROUP: 3 },
    ),
    decodeCase(
      [3, 3, 20],
      [2, 6],
      [
        [1, 5],
        [0, 0],
        [1, 2],
      ],
      { WORKGROUP: 4 },
    ),
    decodeCase(
      [2, 1, 128],
      [2, 21],
      [
        [1, 20],
        [0, 4],
      ],
    ),
    decodeCase(
      [4, 1, 128],
      [2, 7],
      [
        [1, 3],
        [0, 6],
      ],
    ),
    decodeCase(
      [4, 2, 16],
      [3, 12],
      [
        [0, 11],
        [1, 8],
        [2, 5],
      ],
      {},
      7,
    ), // two branches of a common prefix, and a row within it
    // More groups than one grid dimension holds.
    decodeCase(
      [1000, 10, 4],
      [70, 2],
      Array.from({ length: 70 }, (_, r) => [r, r % 2] as const),
      { WORKGROUP: 1 },
    ),
  ],
});

export const decodeAttentionLanes = defineKernel<typeof plain.params>({
  ...plain,
  name: 'decode_attention_lanes',
  source: lanesSource,
  overrides: {},
  constants: { ...plain.constants, LANES: 64 },
  onCpu: undefined,
  grid: ({ rows, heads }) => foldGrid(rows * heads),
  cases: () => [
    ...plain
      .cases()
      .map(({ overrides, ...each }) =>
        overrides?.WORKGROUP === 1 ? { ...each, constants: { ...each.constants, LANES: 2 } } : each,
      ),
    decodeCase([2, 1, 64], [1, 70], [[0, 69]]), // more keys than workgroup memory holds at a time; a lane an element
  ],
});

export const decodeAttention = { ...plain, onCards: [{ kernel: decodeAttentionLanes }] };
