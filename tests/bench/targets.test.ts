import { expect, test } from 'vitest';
import { performanceTables, replaceTables } from '../../bench/docs.ts';
import type { GrowthPoint } from '../../bench/growth.ts';
import { drawGrowth, growthFits, type GrowthReport } from '../../bench/growth_report.ts';
import { scaleLog } from '../../bench/chart_scale.ts';
import {
  describe as describeReport,
  describeOwn,
  failures,
  type BenchReport,
  type ContenderResult,
} from '../../bench/report.ts';
import { targets } from '../../bench/targets.ts';
import { presets } from '../../bench/work.ts';

const HEADER = {
  adapter: 'google swiftshader',
  browser: 'Chromium 1',
  date: '2026-11-21T10:00:00.000Z',
  command: 'npm run bench',
  machine: { processor: 'a processor', cores: 2, load: [0, 1] as const },
};

const result = (label: string, change: Partial<ContenderResult>): ContenderResult => ({
  label,
  checks: {},
  samples: {},
  errors: {},
  ...change,
});

const bench = (change: Partial<BenchReport> = {}): BenchReport => ({
  ...HEADER,
  preset: 'small',
  shape: presets.small,
  trainGflop: 1,
  parameterCount: 147776,
  results: {
    turnwise: result('Turnwise', {
      trainStepMs: 400,
      trainGflops: 2.4,
      decodeTokensPerSecond: 3000,
      matmulGflops: { '8x8x8': 4, '9x9x9': 3 },
    }),
    jaxjs: result('jax-js', {
      trainStepMs: 1000,
      decodeTokensPerSecond: 301,
      matmulGflops: { '8x8x8': 2, '9x9x9': 2 },
    }),
    'webgpu-llm': result('webgpu-llm', { errors: { train: 'no answer in 240 s' } }),
  },
  ...change,
});

const point = (value: number, flops: number, ms: number, attention: number): GrowthPoint => ({
  value,
  tokens: 1,
  flops,
  ms,
  samples: [ms],
  terms: {
    products: { ms: flops, work: flops },
    attention: { ms: attention, work: value ** 2 },
    other: { ms: 1, work: 1 },
  },
});

const growth = (attentionMs: (value: number) => number): GrowthReport => ({
  ...HEADER,
  suite: 'scaling',
  axes: { length: [1, 2, 4, 8].map((value) => point(value, 1e9 * value, 100 * value, attentionMs(value))) },
});

const verdicts = (reports: Parameters<typeof targets>[0]) =>
  Object.fromEntries(targets(reports).map(({ what, wanted, met }) => [`${what} ${wanted}`, met]));

test('a target is met by the ratio of one run, and left out where a number is missing', () => {
  expect(verdicts([bench()])).toEqual({
    'small: training step ≥ 2× jax-js WebGPU': true, // 2.5
    'small: decode ≥ 10× jax-js WebGPU': false, // 9.97
    "small: arithmetic rate of a training step ≥ 60 % of our best product's": true, // 2.4 of 4
    'product 8x8x8 ≥ 2× jax-js WebGPU': true,
    'product 9x9x9 ≥ 2× jax-js WebGPU': false, // 1.5
  });
});

test('a graphics card has targets of its own', () => {
  expect(verdicts([bench({ adapter: 'nvidia ampere' })])).toEqual({
    'small: training step ≥ 5× jax-js WebGPU': false,
    'small: decode ≥ 5× jax-js WebGPU': true,
    "small: arithmetic rate of a training step ≥ 60 % of our best product's": true,
  });
});

test('a term that grows faster than its arithmetic misses its target', () => {
  const met = (ms: (value: number) => number) => targets([growth(ms)])[0].met;
  expect(met((value) => value ** 2)).toBe(true);
  expect(met((value) => value ** 1.5)).toBe(true);
  expect(met((value) => value ** 3)).toBe(false);
  expect(met((value) => [1, 100, 1, 100][Math.log2(value)])).toBe(false); // scatter says nothing
});

test('a term whose work hardly changes along an axis has no exponent', () => {
  const [{ total, terms }] = growthFits(growth((value) => value ** 2));
  expect(total.exponent).toBeCloseTo(1, 10);
  expect(terms.attention?.exponent).toBeCloseTo(1, 10);
  expect(terms.other).toBeNull();
});

test('the drawing has a mark per point inside its frame', () => {
  const drawing = drawGrowth(growth((value) => value));
  const marks = [...drawing.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)];
  expect(marks).toHaveLength(4);
  for (const [, x, y] of marks) {
    expect(Number(x)).toBeGreaterThanOrEqual(60);
    expect(Number(x)).toBeLessThanOrEqual(550);
    expect(Number(y)).toBeGreaterThanOrEqual(16);
    expect(Number(y)).toBeLessThanOrEqual(374);
  }
});

test('a logarithmic axis covers its values with ticks of one significant digit', () => {
  const scale = scaleLog([0.3, 7], 100, 200);
  expect(scale.ticks).toEqual([0.2, 0.5, 1, 2, 5, 10]);
  expect(scale.at(0.2)).toBe(100);
  expect(scale.at(10)).toBeCloseTo(200, 10);
  expect(scale.at(Math.sqrt(2))).toBeCloseTo(150, 10);
});

test('what did not run is named with its reason', () => {
  expect(failures(bench())).toEqual(['webgpu-llm, train: no answer in 240 s']);
  expect(describeReport(bench())).toContain('| Turnwise | 400 | 2.40 |');
});

test('a profile names the kernels that matter and sums up the others', () => {
  const kernel = (name: string, ms: number, gflops: number | null) => ({
    kernel: name,
    dispatches: 2,
    ms,
    gflops,
  });
  const kernels = [kernel('matmul_nt', 90, 2.5), kernel('attention', 9.5, null), kernel('a', 0.3, 1), kernel('b', 0.2, 1)]; // prettier-ignore
  const train = { wallMs: 101, busyMs: 100, method: 'timestamps' as const, kernels };
  const decode = { ...train, kernels: kernels.slice(0, 2) };
  const text = describeOwn({ ...HEADER, suite: 'profile', presets: { small: { train, decode } } });
  expect(text).toContain('| matmul_nt | 2 | 90.0 | 90 % | 2.50 |');
  expect(text).toContain('| attention | 2 | 9.5 | 10 % | – |');
  expect(text).toContain('| 2 others | 4 | 0.5 | 1 % | – |');
  expect(text.match(/others/g)).toHaveLength(1);
});

test('packing is judged by the time it saves over the tokens it shares', () => {
  const packing = {
    ...HEADER,
    suite: 'packing' as const,
    seed: 1,
    minibatches: 1,
    rows: 11,
    uniqueTokens: 100,
    rowTokens: 300,
    packedMs: 100,
    perLeafMs: 250,
    packedFlops: 1,
    perLeafFlops: 3,
    lossDifference: 0,
    samples: { packedMs: [100], perLeafMs: [250] },
  };
  expect(describeOwn(packing)).toContain('shared 3.00-fold');
  expect(targets([packing])[0]).toMatchObject({ measured: '2.50× faster, 0.83 of it', met: true });
  expect(targets([{ ...packing, perLeafMs: 230 }])[0].met).toBe(false);
});

test('the page keeps its own words and gets new tables between the markers', () => {
  const tables = performanceTables([{ name: 'a-small', report: bench() }], 'docs/performance');
  expect(tables).toContain('| small: decode | ≥ 10× jax-js WebGPU | 9.97× | **missed** |');
  const page = [
    'before',
    '<!-- tables: made by npm run bench -- --write-docs -->',
    'old',
    '<!-- end of tables -->',
    'after',
  ];
  const made = replaceTables(page.join('\n'), tables);
  expect(made.startsWith('before')).toBe(true);
  expect(made.endsWith('after')).toBe(true);
  expect(made).not.toContain('old\n');
  expect(replaceTables(made, tables)).toBe(made);
  expect(() => replaceTables('no markers', tables)).toThrow('the page has no');
});
