import {
  defineKernel,
  read,
  write,
  type CardTwin,
  type Kernel,
  type KernelCase,
  type ParamValues,
  type Shaping,
} from '../../src/gpu/kernel.ts';
import { readsBfloat16 } from '../bfloat16.ts';
import * as oracle from './matmul.oracle.ts';
import nnSource from './matmul_nn.wgsl?raw';
import nnQuadsSource from './matmul_nn_quads.wgsl?raw';
import ntSource from './matmul_nt.wgsl?raw';
import nnTilesSource from './matmul_nn_tiles.wgsl?raw';
import ntQuadsSource from './matmul_nt_quads.wgsl?raw';
import ntRowsSource from './matmul_nt_rows.wgsl?raw';
import ntTilesSource from './matmul_nt_tiles.wgsl?raw';
import tnSource from './matmul_tn.wgsl?raw';
import tnQuadsSource from './matmul_tn_quads.wgsl?raw';
import tnSmallTilesSource from './matmul_tn_small_tiles.wgsl?raw';
import tnTilesSource from './matmul_tn_tiles.wgsl?raw';

const params = {
  m: 'u32',
  n: 'u32',
  k: 'u32',
  aStride: 'u32',
  bStride: 'u32',
  cStride: 'u32',
  scale: 'f32',
} as const;
type Params = typeof params;
type Reference = typeof oracle.matmulNt;

const TILE = 8; // rows and columns of c per invocation
const QUAD_TILE = 2 * TILE; // per quad
const TOLERANCE = { absolute: 1e-4, relative: 1e-5, reason: 'f32 sums of up to 300 terms of size 1' };
const PADDING = -777; // what c's padding columns hold and keep

/** Row counts of a and b as stored, from m, n, k; 'nt' means a [m,k], b [n,k]. */
export type Layout = 'nt' | 'nn' | 'tn';

export interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly pad?: number; // extra columns of every matrix
  readonly accumulate?: number;
  readonly scale?: number;
  readonly group?: readonly [x: number, y: number]; // the kernel's own otherwise
}

const roundUp4 = (value: number): number => Math.ceil(value / 4) * 4;

/** Values of size 1; NaN in the padding, which must not leak. Row r, column c depend on r and c alone. */
function matrix(rows: number, columns: number, stride: number, phase: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows * stride).fill(NaN);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) values[r * stride + c] = Math.sin(12.9898 * r + 78.233 * c + phase);
  }
  return values;
}

function result(m: number, n: number, stride: number): Float32Array<ArrayBuffer> {
  const values = matrix(m, n, stride, 2.5);
  return values.map((value) => (Number.isNaN(value) ? PADDING : value));
}

function matmulCase(
  layout: Layout,
  reference: Reference,
  groupNames: readonly [string, string],
  shape: Shape,
): KernelCase<Params> {
  const { m, n, k, pad = 0, accumulate = 0, scale = 1, group } = shape;
  const overrides: Shaping = group ? { [groupNames[0]]: group[0], [groupNames[1]]: group[1] } : {};
  const [aRows, aColumns] = layout === 'tn' ? [k, m] : [m, k];
  const [bRows, bColumns] = layout === 'nt' ? [n, k] : [k, n];
  const [aStride, bStride, cStride] = [aColumns, bColumns, n].map((columns) => roundUp4(columns) + pad);
  const values: ParamValues<Params> = { m, n, k, aStride, bStride, cStride, scale };
  const a = matrix(aRows, aColumns, aStride, 0.5);
  const b = matrix(bRows, bColumns, bStride, 1.5);
  const c = result(m, n, cStride);
  return {
    title: `${m}×${n}, k ${k}, padding ${pad}, accumulate ${accumulate}, scale ${scale} ${JSON.stringify(overrides)}`,
    params: values,
    overrides,
    constants: { ACCUMULATE: accumulate, RAGGED: n % 4 === 0 ? 0 : 1 },
    buffers: { a, b, c },
    expected: () => ({ c: reference({ ...values, accumulate }, a, b, c) }),
  };
}

/** A product of one size on a kernel's own groups. */
export const matmulCaseOf = (layout: Layout, shape: Shape): KernelCase<Params> =>
  matmulCase(layout, REFERENCES[layout], ['', ''], shape);

const REFERENCES = { nt: oracle.matmulNt, nn: oracle.matmulNn, tn: oracle.matmulTn } as const;

const SHAPES: readonly Shape[] = [
  { m: 1, n: 1, k: 1 },
  { m: 5, n: 7, k: 3, accumulate: 1, scale: -0.5 },
  { m: 8, n: 8, k: 4 },
  { m: 17, n: 34, k: 67, pad: 4, scale: 0.125 },
  { m: 17, n: 34, k: 67, pad: 4, accumulate: 1, group: [1, 3] },
  { m: 40, n: 51, k: 64, group: [8, 8] },
  { m: 64, n: 192, k: 300 },
];

interface Variant {
  readonly name: string;
  readonly source: string;
  readonly group: readonly [string, string]; // the overrides that shape a group
  readonly defaults: readonly [number, number];
  readonly candidates: readonly (readonly [number, number])[]; // other groups that a device may prefer
  readonly tile: number; // rows and columns of c per unit of the group
}

/** A linear layer on 512 tokens, every stride that of the widest matrix; its weight's gradient on 1,024. */
const TIMED_LAYER = {
  params: { m: 512, n: 128, k: 64, aStride: 512, bStride: 128, cStride: 128, scale: 1 },
  contents: { a: 512 * 512, b: 128 * 128, c: 512 * 128 },
};
const TIMED_WEIGHT = {
  params: { m: 128, n: 64, k: 1024, aStride: 128, bStride: 64, cStride: 64, scale: 1 },
  contents: { a: 1024 * 128, b: 1024 * 64, c: 128 * 64 },
};

const kernelOf = (
  layout: Layout,
  reference: Reference,
  { name, source, group, defaults, candidates, tile }: Variant,
  more: Pick<Kernel<Params>, 'feature' | 'faster' | 'onCpu'>,
): Kernel<Params> =>
  defineKernel({
    name,
    source,
    params,
    bindings: [read('a'), read('b'), write('c')],
    overrides: { [group[0]]: defaults[0], [group[1]]: defaults[1] },
    constants: { ACCUMULATE: 0, RAGGED: 1 },
    grid: ({ m, n }, shaping) => [
      Math.ceil(n / (tile * shaping[group[0]])),
      Math.ceil(m / (tile * shaping[group[1]])),
      1,
    ],
    tunable: {
      candidates: candidates.map(([x, y]) => ({ [group[0]]: x, [group[1]]: y })),
      ...(layout === 'tn' ? TIMED_WEIGHT : TIMED_LAYER),
    },
    ...more,
    tolerance: TOLERANCE,
    cases: () => SHAPES.map((shape) => matmulCase(layout, reference, group, shape)),
  });

const quads = (
  layout: Layout,
  source: string,
  reference: Reference,
  onCpu?: Kernel<Params>['onCpu'],
): Kernel<Params> =>
  kernelOf(
    layout,
    reference,
    {
      name: `matmul_${layout}_quads`,
      source,
      group: ['QUADS_X', 'QUADS_Y'],
      defaults: [4, 1],
      candidates: [
        [2, 2],
        [4, 2],
        [4, 4],
        [8, 4],
      ],
      tile: QUAD_TILE,
    },
    { feature: 'subgroups', onCpu },
  );

const plain = (
  layout: Layout,
  source: string,
  reference: Reference,
  more: Pick<Kernel<Params>, 'faster' | 'onCards'>,
): Kernel<Params> =>
  kernelOf(
    layout,
    reference,
    {
      name: `matmul_${layout}`,
      source,
      group: ['GROUP_X', 'GROUP_Y'],
      defaults: [8, 2],
      candidates: [
        [4, 4],
        [8, 4],
        [8, 8],
        [16, 4],
      ],
      tile: TILE,
    },
    more,
  );

/** Tiles of c for graphics cards, measured on one (README.md). */
const TILE_SHAPES = {
  large: { SIDE: 128, DEPTH: 16, BLOCKS: 2 },
  middle: { SIDE: 64, DEPTH: 32, BLOCKS: 1 },
  small: { SIDE: 32, DEPTH: 32, BLOCKS: 1 },
} as const;

/** A product's own matrices, and those of one of its cases where the constants are to be the kernel's. */
const tileCase = (
  layout: Layout,
  reference: Reference,
  shape: Shape,
  constants: Shaping,
): KernelCase<Params> => {
  const one = matmulCase(layout, reference, ['', ''], { ...shape, group: undefined });
  const words = Object.keys(constants).length > 0 ? ` ${JSON.stringify(constants)}` : '';
  return { ...one, title: `${one.title}${words}`, constants: { ...one.constants, ...constants } };
};

/**
 * Two sets of constants are enough for twins, dear to compile: ragged columns that add, whole ones that do not. The store is one text
 * for all (`matmul/store`), and the plain kernels' cases have the third.
 */
const TWIN_SHAPES = SHAPES.map((shape) => ({ ...shape, accumulate: shape.n % 4 === 0 ? 0 : 1 }));

/** More than one tile of any side each way, the last ones not full. */
export const SEVERAL_TILES: Shape = { m: 134, n: 67, k: 41, accumulate: 1 };

/** Kernels without groups to shape: one grid, from the side of the tile of c that a group computes. */
const tiled = (
  name: string,
  source: string,
  constants: Shaping,
  side: (shaping: Shaping) => number,
  cases: Kernel<Params>['cases'],
): Kernel<Params> =>
  defineKernel({
    name,
    source,
    params,
    bindings: [read('a'), read('b'), write('c')],
    overrides: {},
    constants: { ACCUMULATE: 0, RAGGED: 1, ...constants },
    grid: ({ m, n }, shaping) => [Math.ceil(n / side(shaping)), Math.ceil(m / side(shaping)), 1],
    tolerance: TOLERANCE,
    cases,
  });

const tiles = (layout: Layout, source: string, reference: Reference): Kernel<Params> =>
  tiled(
    `matmul_${layout}_tiles`,
    source,
    TILE_SHAPES.small,
    ({ SIDE }) => SIDE,
    () => [
      ...TWIN_SHAPES.map((shape) => tileCase(layout, reference, shape, {})),
      tileCase(layout, reference, SEVERAL_TILES, TILE_SHAPES.large), // `middle` is the same text: card_twins.test.ts
    ],
  );

const small = (name: string, layout: Layout, source: string, reference: Reference, side: number) =>
  tiled(
    name,
    source,
    {},
    () => side,
    () => TWIN_SHAPES.map((shape) => tileCase(layout, reference, shape, {})),
  );

/** More than this many groups, and a card of 132 multiprocessors is better used by tiles than by more of them. */
const MANY_GROUPS = 192;

const ifGroups = (kernel: Kernel<Params>, constants: { readonly SIDE: number }): CardTwin<Params> => ({
  kernel,
  constants,
  suits: ({ m, n }) => Math.ceil(m / constants.SIDE) * Math.ceil(n / constants.SIDE) > MANY_GROUPS,
});

const largeTiles = (kernel: Kernel<Params>): CardTwin<Params>[] =>
  [TILE_SHAPES.large, TILE_SHAPES.middle].map((constants) => ifGroups(kernel, constants));

export const matmulNtQuads = quads('nt', ntQuadsSource, oracle.matmulNt, { QUADS_X: 2, QUADS_Y: 1 });
export const matmulNnQuads = quads('nn', nnQuadsSource, oracle.matmulNn);
export const matmulTnQuads = quads('tn', tnQuadsSource, oracle.matmulTn);

export const matmulNtTiles = tiles('nt', ntTilesSource, oracle.matmulNt);
export const matmulNnTiles = tiles('nn', nnTilesSource, oracle.matmulNn);
export const matmulTnTiles = tiles('tn', tnTilesSource, oracle.matmulTn);
export const matmulNtRows = small('matmul_nt_rows', 'nt', ntRowsSource, oracle.matmulNt, 8);
export const matmulTnSmallTiles = small(
  'matmul_tn_small_tiles',
  'tn',
  tnSmallTilesSource,
  oracle.matmulTn,
  16,
);

export const matmulNt = plain('nt', ntSource, oracle.matmulNt, {
  faster: matmulNtQuads,
  onCards: [
    ...largeTiles(matmulNtTiles),
    ifGroups(matmulNtTiles, TILE_SHAPES.small),
    { kernel: matmulNtRows },
  ],
});
export const matmulNn = plain('nn', nnSource, oracle.matmulNn, {
  faster: matmulNnQuads,
  onCards: [...largeTiles(matmulNnTiles), { kernel: matmulNnTiles, constants: TILE_SHAPES.small }],
});
export const matmulTn = plain('tn', tnSource, oracle.matmulTn, {
  faster: matmulTnQuads,
  onCards: [
    ...largeTiles(matmulTnTiles),
    ifGroups(matmulTnTiles, TILE_SHAPES.small),
    { kernel: matmulTnSmallTiles },
  ],
});

export const matmulNtQuadsBf16 = readsBfloat16(matmulNtQuads, 'b');
export const matmulNnQuadsBf16 = readsBfloat16(matmulNnQuads, 'b');
export const matmulNtBf16 = readsBfloat16(matmulNt, 'b', matmulNtQuadsBf16);
export const matmulNnBf16 = readsBfloat16(matmulNn, 'b', matmulNnQuadsBf16);
