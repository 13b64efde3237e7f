import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { readsBfloat16 } from '../bfloat16.ts';
import backwardSource from './gather_rows_backward.wgsl?raw';
import forwardSource from './gather_rows_forward.wgsl?raw';
import * as oracle from './gather_rows.oracle.ts';

const NONE = 0xffffffff;
const POISON = 12345; // what overwritten buffers hold before

const wave = (length: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, index) => Math.sin(1.7 * index + phase));

const forwardCase = (
  rows: number,
  channels: number,
  ids: readonly number[],
  overrides: Record<string, number> = {},
) => {
  const table = wave(5 * channels, 0.3);
  return {
    title: `${rows} rows of ${channels} channels ${JSON.stringify(overrides)}`,
    params: { rows, channels },
    overrides,
    buffers: { table, ids: Uint32Array.from(ids), y: new Float32Array(rows * channels).fill(POISON) },
    expected: () => ({ y: oracle.gatherRowsForward(rows, channels, table, ids) }),
  };
};

/** The groups fold over y: more of them than one dimension holds. */
const manyRows = (): number[] => Array.from({ length: 70_000 }, (_, n) => (n * 7) % 5);

export const gatherRowsForward = defineKernel({
  name: 'gather_rows_forward',
  source: forwardSource,
  params: { rows: 'u32', channels: 'u32' },
  bindings: [read('table'), read('ids', 'u32'), write('y')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ rows, channels }, { WORKGROUP }) => foldGrid(Math.ceil((rows * channels) / 4 / WORKGROUP)),
  tolerance: { absolute: 0, relative: 0, reason: 'values are copied' },
  cases: () => [
    forwardCase(1, 4, [4]),
    forwardCase(7, 20, [3, NONE, 0, 4, 4, NONE, 1]),
    forwardCase(7, 20, [3, NONE, 0, 4, 4, NONE, 1], { WORKGROUP: 4 }),
    forwardCase(70_000, 4, manyRows(), { WORKGROUP: 1 }),
  ],
});

export const gatherRowsForwardBf16 = readsBfloat16(gatherRowsForward, 'table');

const backwardCase = (
  readers: readonly (readonly number[])[],
  channels: number,
  accumulate: number,
  WORKGROUP: number,
) => {
  const rows = readers.length;
  const sources = Uint32Array.from(readers.flat());
  const offsets = Uint32Array.from([...readers, []].map((_, v) => readers.slice(0, v).flat().length));
  const dy = wave(6 * channels, 0.9);
  const dtable = accumulate ? wave(rows * channels, 0.1) : new Float32Array(rows * channels).fill(POISON);
  return {
    title: `${rows} table rows of ${channels} channels, ${accumulate ? 'added' : 'overwritten'}, WORKGROUP ${WORKGROUP}`,
    params: { rows, channels, accumulate },
    overrides: { WORKGROUP },
    buffers: { dy, offsets, sources, dtable },
    expected: () => ({
      dtable: oracle.gatherRowsBackward(rows, channels, dy, offsets, sources, accumulate ? dtable : null),
    }),
  };
};

export const gatherRowsBackward = defineKernel({
  name: 'gather_rows_backward',
  source: backwardSource,
  params: { rows: 'u32', channels: 'u32', accumulate: 'u32' },
  bindings: [read('dy'), read('offsets', 'u32'), read('sources', 'u32'), write('dtable')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ rows, channels }, { WORKGROUP }) => foldGrid(Math.ceil((rows * channels) / 4 / WORKGROUP)),
  tolerance: { absolute: 1e-6, relative: 1e-6, reason: 'sums of a few terms of size 1 in f32' },
  cases: () => [
    backwardCase([[0]], 4, 0, 64),
    backwardCase([[5, 0, 3], [], [1, 1, 1, 1, 2], [4], []], 12, 0, 64),
    backwardCase([[5, 0, 3], [], [1, 1, 1, 1, 2], [4], []], 12, 1, 4),
  ],
});
