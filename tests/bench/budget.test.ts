import { expect, test } from 'vitest';
import { GROUP_LIMITS, budgetTable, kernelBudget, shapingsOf, textBudget } from '../../bench/budget.ts';
import { kernels } from '../../shaders/index.ts';
import type { AnyKernel } from '../../src/gpu/pipelines.ts';

const catalogue = Object.values<AnyKernel>(kernels);

test('every kernel in each of its shapes keeps to the workgroup memory and the lanes that every device grants', () => {
  const beyond = catalogue.flatMap((kernel) =>
    shapingsOf(kernel, catalogue).flatMap((shaping) => {
      const { workgroupBytes, lanes, liveWords } = kernelBudget(kernel, shaping);
      expect(liveWords, kernel.name).toBeGreaterThan(0);
      const fits = workgroupBytes <= GROUP_LIMITS.workgroupBytes && lanes <= GROUP_LIMITS.lanes;
      return fits ? [] : [[kernel.name, shaping, workgroupBytes, lanes]];
    }),
  );
  expect(beyond).toEqual([]);
});

test('tiles of 128 take what their shapes say: two stretches of 16 × 128 numbers, 16 × 16 lanes', () => {
  const large = kernelBudget(kernels.matmul_nt_tiles, { constants: { SIDE: 128, DEPTH: 16, BLOCKS: 2 } });
  expect([large.workgroupBytes, large.lanes]).toEqual([2 * 16 * 128 * 4, 256]);
  const shapes = shapingsOf(kernels.matmul_nt_tiles, catalogue).map(({ constants }) => constants?.SIDE);
  expect(shapes).toEqual([undefined, 128, 64, 32]);
});

const TEXT = `// a kernel — for this test
struct Pair { near: vec2f, far: f32 }
override WORKGROUP: u32 = 64;
const HALF = (WORKGROUP + 4u) / 2u; // 34
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
var<workgroup> pairs: array<Pair, HALF>;
fn helper(a: vec4f) -> f32 {
  let twice = a + a; // a, twice: 8
  return dot(twice, twice);
}
@compute @workgroup_size(WORKGROUP, 2)
fn main(@builtin(local_invocation_index) lane: u32) {
  let first = x[lane]; // lane, first: 5
  var sums: array<vec4f, 3>; // 12 more, to the end of the loop
  for (var i = 0u; i < 3u; i++) { // 1 more; lane is named no more, first is
    let part = first.xy * 2.0; // 2 more: 4 + 12 + 1 + 2 = 19
    sums[i] = vec4f(helper(first), part, 0.0); // and 8 of helper: 27
  }
  let n = i32(sums[0].x);
}`;

test('a lane holds what is declared and named again, to the end of a loop, and what a called function holds', () => {
  expect(textBudget(TEXT)).toEqual({ workgroupBytes: 34 * 16, lanes: 128, liveWords: 27, liveLine: 17 });
  expect(textBudget(TEXT, { WORKGROUP: 8 })).toMatchObject({ workgroupBytes: 6 * 16, lanes: 16 });
  const line = '    sums[i] = vec4f(helper(first), part, 0.0); // and 8 of helper: 27\n';
  expect(textBudget(TEXT.replace(line, ''))).toMatchObject({ liveWords: 19, liveLine: 16 });
});

test('what is read in a loop that it is declared outside of is held to the end of the loop; workgroup memory is in 16 bytes', () => {
  const loop = `var<workgroup> three: array<f32, 3>;
var<workgroup> one: f32;
@compute @workgroup_size(1)
fn main() {
  let first = vec4f(1.0);
  for (var i = 0u; i < 3u; i++) {
    let part = first.x;
    let next = vec4f(part); // first 4, i, part, next 4
  }
}`;
  expect(textBudget(loop)).toEqual({ workgroupBytes: 16 + 16, lanes: 1, liveWords: 10, liveLine: 8 });
});

test('a text that cannot be read is an error, and the table has every kernel', () => {
  expect(() => textBudget(TEXT.replace('HALF =', 'QUARTER ='))).toThrow('HALF is no whole number');
  expect(() => textBudget('const A = 1;')).toThrow('no function main');
  const table = budgetTable(catalogue);
  for (const { name } of catalogue) expect(table).toContain(`| ${name} |  | `);
});
