import { foldGrid } from '../../src/gpu/grid.ts';
import { defineKernel, read, write } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave } from '../case_data.ts';
import * as oracle from './decode_attention.oracle.ts';
import type { Shape } from './decode_attention.oracle.ts';
import source from './decode_attention.wgsl?raw';

type Place = readonly [slot: number, position: number];

/** @param places slot and position of each row; what lies past a slot's last row is NaN, and must not be read */
function decodeCase(
  [heads, kvHeads, headSize]: readonly [number, number, number],
  [slotCount, slotLength]: readonly [number, number],
  places: readonly Place[],
  overrides: Record<string, number> = {},
) {
  const shape: Shape = {
    rows: places.length,
    heads,
    kvHeads,
    headSize,
    slotLength,
    scale: Math.fround(headSize ** -0.5),
  };
  const width = kvHeads * headSize;
  const lengths = Array.from({ length: slotCount }, (_, slot) =>
    Math.max(0, ...places.filter(([other]) => other === slot).map(([, position]) => position + 1)),
  );
  const isFilled = (index: number): boolean =>
    Math.floor(index / width) % slotLength < lengths[Math.floor(index / width / slotLength)];
  const cache = (phase: number) =>
    wave(slotCount * slotLength * width, phase).map((value, index) => (isFilled(index) ? value : NaN));
  const inputs = {
    qk: wave(shape.rows * (heads + kvHeads) * headSize, 0.3, 2),
    keyCache: cache(0.1),
    valueCache: cache(0.2),
    slots: Uint32Array.from(places, ([slot]) => slot),
    positions: Uint32Array.from(places, ([, position]) => position),
  };
  const sizes = `${heads} query and ${kvHeads} key heads of ${headSize}, ${slotCount} slots of ${slotLength}`;
  return {
    title: `${shape.rows} rows, ${sizes}${shapingWords(overrides)}`,
    params: { rows: shape.rows, heads, kvHeads, slotLength, scale: shape.scale },
    overrides,
    constants: { HEAD_SIZE: headSize },
    buffers: { ...inputs, out: poison(shape.rows * heads * headSize) },
    expected: () => ({ out: oracle.decodeAttention(shape, inputs) }),
  };
}

export const decodeAttention = defineKernel({
  name: 'decode_attention',
  source,
  params: { rows: 'u32', heads: 'u32', kvHeads: 'u32', slotLength: 'u32', scale: 'f32' },
  bindings: [
    read('qk'),
    read('keyCache'),
    read('valueCache'),
    read('slots', 'u32'),
    read('positions', 'u32'),
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
      [6, 2, 8],
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
      [2, 1, 64],
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
    // More groups than one grid dimension holds.
    decodeCase(
      [1000, 10, 4],
      [70, 2],
      Array.from({ length: 70 }, (_, r) => [r, r % 2] as const),
      { WORKGROUP: 1 },
    ),
  ],
});
