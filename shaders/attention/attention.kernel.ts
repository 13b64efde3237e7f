import { defineKernel, foldGrid, read, write, type Kernel, type KernelCase } from '../../src/gpu/kernel.ts';
import { poison, shapingWords, wave, packVisible, row, type Turn } from '../case_data.ts';
import backwardKeyValueQuadsSource from './attention_backward_key_value_quads.wgsl?raw';
import backwardKeyValueTilesSource from './attention_backward_key_value_tiles.wgsl?raw';
import backwardKeyValueSource from './attention_backward_key_value.wgsl?raw';
import backwardQueryQuadsSource from './attention_backward_query_quads.wgsl?raw';
import backwardQueryTilesSource from './attention_backward_query_tiles.wgsl?raw';
import backwardQuerySource from './attention_backward_query.wgsl?raw';
import forwardQuadsSource from './attention_forward_quads.wgsl?raw';
import forwardTilesSource from './attention_forward_tiles.wgsl?raw';
import forwardSource from './attention_forward.wgsl?raw';
import * as oracle from './attention.oracle.ts';
import type { Inputs, Shape } from './attention.oracle.ts';

const PARAMS = { tokens: 'u32', heads: 'u32', kvHeads: 'u32', scale: 'f32' } as const;
const TOLERANCE = {
  absolute: 1e-5,
  relative: 1e-5,
  reason: 'scores are f32 sums of up to 128 products of size 1; WGSL allows exp(−x) an error of (3 + 2x) ulp',
};

type Overrides = Record<string, number>;
export interface CaseShape {
  readonly words: string; // how the tokens are packed
  readonly trees: readonly Turn[];
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly overrides?: Overrides;
  readonly whole?: boolean; // integers of both signs: scores up to ±100, exact in f32
}

const ROWS = [row(1), row(5), row(1), row(17)];
const TREE: Turn = {
  length: 6,
  children: [
    { length: 3, children: [row(4), { length: 2, children: [row(1), row(3)] }] },
    row(5),
    { length: 1, children: [row(2), row(1)] },
  ],
};

/** Few head sizes, each compiled for its own: the least, the lab's, one that fills no block of vectors, the most. */
const SHAPES: readonly CaseShape[] = [
  { words: 'one token', trees: [row(1)], heads: 1, kvHeads: 1, headSize: 4 },
  { words: 'rows', trees: ROWS, heads: 4, kvHeads: 2, headSize: 16 },
  { words: 'rows with scores of ±100', trees: ROWS, heads: 4, kvHeads: 2, headSize: 16, whole: true },
  {
    words: 'a tree between rows',
    trees: [row(3), TREE, row(2)],
    heads: 6,
    kvHeads: 2,
    headSize: 16,
    overrides: { WORKGROUP: 3 },
  },
  {
    words: 'two trees',
    trees: [TREE, TREE],
    heads: 3,
    kvHeads: 3,
    headSize: 20,
    overrides: { WORKGROUP: 4 },
  },
  { words: 'a tree', trees: [TREE], heads: 2, kvHeads: 1, headSize: 128 },
  { words: 'rows', trees: ROWS, heads: 4, kvHeads: 1, headSize: 128 },
  {
    words: 'more groups than one grid dimension holds', // few tokens: on lavapipe, idle lanes walk up to token n
    trees: Array.from({ length: 10 }, () => row(7)),
    heads: 1000,
    kvHeads: 1000,
    headSize: 4,
    overrides: { WORKGROUP: 1 },
  },
];

const signedIntegers = (values: Float32Array<ArrayBuffer>) => values.map((value) => Math.round(5 * value));

function inputsOf({ trees, heads, kvHeads, headSize, whole }: CaseShape) {
  const visible = packVisible(trees);
  const tokens = visible.length / 2;
  const qk = wave(tokens * (heads + kvHeads) * headSize, 0.3);
  const shape: Shape = { tokens, heads, kvHeads, headSize, scale: whole ? 1 : Math.fround(headSize ** -0.5) };
  const inputs = {
    qk: whole ? signedIntegers(qk) : qk,
    qkv: wave(tokens * (heads + 2 * kvHeads) * headSize, 1.3),
    visible,
  } satisfies Inputs;
  return { shape, inputs };
}

/** What the backward kernels read besides: the forward's results as it stores them, in f32. */
function backwardInputsOf(caseShape: CaseShape) {
  const { shape, inputs } = inputsOf(caseShape);
  const { out, lse } = oracle.attentionForward(shape, inputs);
  const dout = wave(out.length, 0.9);
  return { shape, inputs, dout, out: Float32Array.from(out), lse: Float32Array.from(lse) };
}

function caseOf({ words, heads, kvHeads, headSize, overrides = {} }: CaseShape, { tokens, scale }: Shape) {
  return {
    title: `${words}, ${heads} query and ${kvHeads} key heads of ${headSize}${shapingWords(overrides)}`,
    params: { tokens, heads, kvHeads, scale },
    overrides,
    constants: { HEAD_SIZE: headSize },
  };
}

const forwardOf = (caseShape: CaseShape): KernelCase<typeof PARAMS> => {
  const { shape, inputs } = inputsOf(caseShape);
  const { tokens, heads, headSize } = shape;
  return {
    ...caseOf(caseShape, shape),
    buffers: { ...inputs, out: poison(tokens * heads * headSize), lse: poison(tokens * heads) },
    expected: () => oracle.attentionForward(shape, inputs),
  };
};

/** What the kernels are timed on: 512 tokens in rows of 64, 4 heads of 32. */
const timedOn = (contents: Readonly<Record<string, number>>) => ({
  candidates: [],
  params: { tokens: 512, heads: 4, kvHeads: 4, scale: 0.2 },
  constants: { HEAD_SIZE: 32 },
  contents: {
    ...{ qk: 512 * 256, qkv: 512 * 384, lse: 512 * 4, ...contents },
    visible: packVisible(Array.from({ length: 8 }, () => row(64))),
  },
});

const plainForward = defineKernel({
  name: 'attention_forward',
  source: forwardSource,
  params: PARAMS,
  bindings: [read('qk'), read('qkv'), read('visible', 'u32'), write('out'), write('lse')],
  overrides: { WORKGROUP: 64 },
  constants: { HEAD_SIZE: 16 },
  grid: ({ tokens, heads }, { WORKGROUP }) => foldGrid(Math.ceil((tokens * heads) / WORKGROUP)),
  tolerance: TOLERANCE,
  tunable: timedOn({ out: 512 * 128 }),
  cases: () => SHAPES.map(forwardOf),
});

const backwardQueryOf = (caseShape: CaseShape): KernelCase<typeof PARAMS> => {
  const { shape, inputs, dout, out, lse } = backwardInputsOf(caseShape);
  const before = poison(inputs.qk.length);
  const isQuery = columnTest(shape.heads + shape.kvHeads, 0, shape.heads, shape.headSize);
  return {
    ...caseOf(caseShape, shape),
    buffers: { ...inputs, out, lse, dout, dqk: before, delta: poison(lse.length) },
    expected: () => {
      const { dqk, delta } = oracle.attentionBackward(shape, inputs, dout);
      return { dqk: dqk.map((gradient, index) => (isQuery(index) ? gradient : before[index])), delta };
    },
  };
};

const plainBackwardQuery = defineKernel({
  name: 'attention_backward_query',
  source: backwardQuerySource,
  params: PARAMS,
  bindings: [
    read('qk'),
    read('qkv'),
    read('visible', 'u32'),
    read('out'),
    read('lse'),
    read('dout'),
    write('dqk'),
    write('delta'),
  ],
  overrides: { WORKGROUP: 64 },
  constants: { HEAD_SIZE: 16 },
  grid: ({ tokens, heads }, { WORKGROUP }) => foldGrid(Math.ceil((tokens * heads) / WORKGROUP)),
  tolerance: TOLERANCE,
  tunable: timedOn({ out: 512 * 128, dout: 512 * 128, dqk: 512 * 256, delta: 512 * 4 }),
  cases: () => SHAPES.map(backwardQueryOf),
});

/** Whether an element lies in heads [first, end) of a matrix with `heads` heads per row. */
const columnTest = (heads: number, first: number, end: number, headSize: number) => (index: number) => {
  const head = Math.floor(index / headSize) % heads;
  return head >= first && head < end;
};

const backwardKeyValueOf = (caseShape: CaseShape): KernelCase<typeof PARAMS> => {
  const { shape, inputs, dout, lse } = backwardInputsOf(caseShape);
  const { heads, kvHeads, headSize } = shape;
  const gradients = oracle.attentionBackward(shape, inputs, dout);
  const [dqk, dqkv] = [poison(inputs.qk.length), poison(inputs.qkv.length)];
  const isKey = columnTest(heads + kvHeads, heads, heads + kvHeads, headSize);
  const isValue = columnTest(heads + 2 * kvHeads, heads + kvHeads, heads + 2 * kvHeads, headSize);
  return {
    ...caseOf(caseShape, shape),
    buffers: { ...inputs, lse, delta: Float32Array.from(gradients.delta), dout, dqk, dqkv },
    expected: () => ({
      dqk: gradients.dqk.map((gradient, index) => (isKey(index) ? gradient : dqk[index])),
      dqkv: gradients.dqkv.map((gradient, index) => (isValue(index) ? gradient : dqkv[index])),
    }),
  };
};

const plainBackwardKeyValue = defineKernel({
  name: 'attention_backward_key_value',
  source: backwardKeyValueSource,
  params: PARAMS,
  bindings: [
    read('qk'),
    read('qkv'),
    read('visible', 'u32'),
    read('lse'),
    read('delta'),
    read('dout'),
    write('dqk'),
    write('dqkv'),
  ],
  overrides: { WORKGROUP: 64 },
  constants: { HEAD_SIZE: 16 },
  grid: ({ tokens, kvHeads }, { WORKGROUP }) => foldGrid(Math.ceil((tokens * kvHeads) / WORKGROUP)),
  tolerance: TOLERANCE,
  tunable: timedOn({ delta: 512 * 4, dout: 512 * 128, dqk: 512 * 256, dqkv: 512 * 384 }),
  cases: () => SHAPES.map(backwardKeyValueOf),
});

const QUAD = 4; // tokens that share loads

/** The same kernel by quads: their cases are those of the plain one, a group of as many quads as it has lanes. */
function byQuads(plain: Kernel<typeof PARAMS>, source: string, headsOf: 'heads' | 'kvHeads') {
  const inQuads = ({ overrides, title, ...rest }: KernelCase<typeof PARAMS>): KernelCase<typeof PARAMS> => {
    const quads = overrides?.WORKGROUP;
    return { ...rest, title: title.replace('WORKGROUP', 'QUADS'), overrides: quads ? { QUADS: quads } : {} };
  };
  return defineKernel<typeof PARAMS>({
    ...plain,
    name: `${plain.name}_quads`,
    source,
    feature: 'subgroups',
    overrides: { QUADS: 16 },
    grid: (params, { QUADS }) =>
      foldGrid(Math.ceil((Math.ceil(params.tokens / QUAD) * params[headsOf]) / QUADS)),
    cases: () => plain.cases().map(inQuads),
  });
}

export const attentionForwardQuads = byQuads(plainForward, forwardQuadsSource, 'heads');
export const attentionBackwardQueryQuads = byQuads(plainBackwardQuery, backwardQueryQuadsSource, 'heads');
export const attentionBackwardKeyValueQuads = byQuads(
  plainBackwardKeyValue,
  backwardKeyValueQuadsSource,
  'kvHeads',
);
const TILE = 16; // tokens of a group

/** The same kernel for graphics cards: no group to shape. */
function byTiles(plain: Kernel<typeof PARAMS>, source: string, headsOf: 'heads' | 'kvHeads') {
  return defineKernel<typeof PARAMS>({
    ...plain,
    name: `${plain.name}_tiles`,
    source,
    feature: 'subgroups',
    tunable: undefined,
    overrides: {},
    grid: (params) => foldGrid(Math.ceil(params.tokens / TILE) * params[headsOf]),
    cases: () =>
      plain
        .cases()
        .filter(({ overrides }) => overrides?.WORKGROUP !== 1) // one more than a row of groups is a million tokens here
        .map((each) => ({ ...each, overrides: {} })),
  });
}

export const attentionForwardTiles = byTiles(plainForward, forwardTilesSource, 'heads');
export const attentionBackwardQueryTiles = byTiles(plainBackwardQuery, backwardQueryTilesSource, 'heads');
export const attentionBackwardKeyValueTiles = byTiles(
  plainBackwardKeyValue,
  backwardKeyValueTilesSource,
  'kvHeads',
);

export const attentionForward = {
  ...plainForward,
  faster: attentionForwardQuads,
  onCards: [{ kernel: attentionForwardTiles }],
};
export const attentionBackwardQuery = {
  ...plainBackwardQuery,
  faster: attentionBackwardQueryQuads,
  onCards: [{ kernel: attentionBackwardQueryTiles }],
};
export const attentionBackwardKeyValue = {
  ...plainBackwardKeyValue,
  faster: attentionBackwardKeyValueQuads,
  onCards: [{ kernel: attentionBackwardKeyValueTiles }],
};

/** A case of each kernel by its own name, of any size; the quads take it too. */
export const attentionCases = {
  attention_forward: forwardOf,
  attention_backward_query: backwardQueryOf,
  attention_backward_key_value: backwardKeyValueOf,
} as const;
