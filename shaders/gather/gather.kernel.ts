import { defineKernel, foldGrid, read, write } from '../../src/gpu/kernel.ts';
import { readsBfloat16 } from '../bfloat16.ts';
import rowsBackwardSource from './gather_rows_backward.wgsl?raw';
import rowsForwardSource from './gather_rows_forward.wgsl?raw';
import * as oracle from './gather.oracle.ts';
import valuesBackwardSource from './gather_values_backward.wgsl?raw';
import valuesForwardSource from './gather_values_forward.wgsl?raw';

const NONE = 0xffffffff;
const POISON = 12345; // what overwritten buffers hold before

const wave = (length: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, index) => Math.sin(1.7 * index + phase));

const rowsForwardCase = (
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
  source: rowsForwardSource,
  params: { rows: 'u32', channels: 'u32' },
  bindings: [read('table'), read('ids', 'u32'), write('y')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ rows, channels }, { WORKGROUP }) => foldGrid(Math.ceil((rows * channels) / 4 / WORKGROUP)),
  tolerance: { absolute: 0, relative: 0, reason: 'values are copied' },
  cases: () => [
    rowsForwardCase(1, 4, [4]),
    rowsForwardCase(7, 20, [3, NONE, 0, 4, 4, NONE, 1]),
    rowsForwardCase(7, 20, [3, NONE, 0, 4, 4, NONE, 1], { WORKGROUP: 4 }),
    rowsForwardCase(70_000, 4, manyRows(), { WORKGROUP: 1 }),
  ],
});

export const gatherRowsForwardBf16 = readsBfloat16(gatherRowsForward, 'table');

const rowsBackwardCase = (
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
  source: rowsBackwardSource,
  params: { rows: 'u32', channels: 'u32', accumulate: 'u32' },
  bindings: [read('dy'), read('offsets', 'u32'), read('sources', 'u32'), write('dtable')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ rows, channels }, { WORKGROUP }) => foldGrid(Math.ceil((rows * channels) / 4 / WORKGROUP)),
  tolerance: { absolute: 1e-6, relative: 1e-6, reason: 'sums of a few terms of size 1 in f32' },
  cases: () => [
    rowsBackwardCase([[0]], 4, 0, 64),
    rowsBackwardCase([[5, 0, 3], [], [1, 1, 1, 1, 2], [4], []], 12, 0, 64),
    rowsBackwardCase([[5, 0, 3], [], [1, 1, 1, 1, 2], [4], []], 12, 1, 4),
  ],
});

const valuesForwardCase = (ids: readonly number[], WORKGROUP: number) => {
  const values = wave(7, 0.3);
  return {
    title: `${ids.length} readers, WORKGROUP ${WORKGROUP}`,
    params: { count: ids.length },
    overrides: { WORKGROUP },
    buffers: { values, ids: Uint32Array.from(ids), y: new Float32Array(ids.length).fill(POISON) },
    expected: () => ({ y: oracle.gatherValuesForward(values, ids) }),
  };
};

/** More groups of one than one dimension holds: they fold over y. */
const manyReaders = (): number[] => Array.from({ length: 70_000 }, (_, n) => (n * 5) % 7);

export const gatherValuesForward = defineKernel({
  name: 'gather_values_forward',
  source: valuesForwardSource,
  params: { count: 'u32' },
  bindings: [read('values'), read('ids', 'u32'), write('y')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ count }, { WORKGROUP }) => foldGrid(Math.ceil(count / WORKGROUP)),
  tolerance: { absolute: 0, relative: 0, reason: 'values are copied' },
  cases: () => [
    valuesForwardCase([6], 64),
    valuesForwardCase([3, 0, 4, 4, 6, 1, 0], 4),
    valuesForwardCase(manyReaders(), 1),
  ],
});

const valuesBackwardCase = (readers: readonly (readonly number[])[], WORKGROUP: number) => {
  const count = readers.length;
  const sources = Uint32Array.from(readers.flat());
  const ends = readers.map((_, u) => readers.slice(0, u + 1).flat().length);
  const offsets = Uint32Array.from([0, ...ends]);
  const dy = wave(9, 0.9);
  return {
    title: `${count} values, WORKGROUP ${WORKGROUP}`,
    params: { count },
    overrides: { WORKGROUP },
    buffers: { dy, offsets, sources, dvalues: new Float32Array(count).fill(POISON) },
    expected: () => ({ dvalues: oracle.gatherValuesBackward(count, dy, offsets, sources) }),
  };
};

const uneven = [[5, 0, 3], [], [1, 6, 8, 2], [4], [], [7]];

export const gatherValuesBackward = defineKernel({
  name: 'gather_values_backward',
  source: valuesBackwardSource,
  params: { count: 'u32' },
  bindings: [read('dy'), read('offsets', 'u32'), read('sources', 'u32'), write('dvalues')],
  overrides: { WORKGROUP: 64 },
  constants: {},
  grid: ({ count }, { WORKGROUP }) => foldGrid(Math.ceil(count / WORKGROUP)),
  tolerance: { absolute: 1e-6, relative: 1e-6, reason: 'sums of a few terms of size 1 in f32' },
  cases: () => [valuesBackwardCase([[0]], 64), valuesBackwardCase(uneven, 64), valuesBackwardCase(uneven, 4)],
});
