import { beforeAll, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { runCase } from '../../src/gpu/kernel_check.ts';
import { tryKernel } from '../../src/train/inspect/kernel_gradient.ts';
import { checkKernel } from '../../src/train/inspect/kernels.ts';
import type { KernelBatch, KernelTrial } from '../../src/protocol/protocol.ts';
import { loggedBatch } from '../support/kernel_batch.ts';
import { sharedGpu } from '../support/shared_gpu.ts';

let gpu: Gpu;
let batch: KernelBatch;
beforeAll(async () => {
  gpu = await sharedGpu();
  batch = await loggedBatch();
});

const tokensIn = ({ rows }: KernelBatch): number => rows.reduce((sum, row) => sum + row.tokenIndex.length, 0);

test('a check runs every case of a kernel and says how far each is from its oracle', async () => {
  const { cases, missing, kernel, ground, gradients } = await checkKernel(gpu, 'policy_loss');
  expect([kernel, missing, ground, gradients]).toEqual(['policy_loss', null, 'none', []]);
  expect(cases.map(({ title }) => title)).toEqual(kernels.policy_loss.cases().map(({ title }) => title));
  for (const { checked, mismatchCount, worst } of cases) {
    expect(checked).toBeGreaterThan(0);
    expect(mismatchCount).toBe(0);
    expect(worst!.error).toBeLessThanOrEqual(worst!.allowed);
  }
});

test('a kernel with a fault in it is found out', async () => {
  const kernel = {
    ...kernels.policy_loss,
    source: kernels.policy_loss.source.replace('most(-A * ratio', 'least(-A * ratio'),
  };
  expect(kernel.source).not.toBe(kernels.policy_loss.source);
  const { mismatchCount } = await runCase(gpu, kernel, kernel.cases()[0]);
  expect(mismatchCount).toBeGreaterThan(0);
});

test('a kernel that this device cannot run is not said to be right', async () => {
  const without = { ...gpu, features: new Set<string>() } as unknown as Gpu; // only the features differ
  expect(await checkKernel(without, 'matmul_nt_quads')).toMatchObject({ cases: [], missing: 'subgroups' });
});

test('the loss kernel is checked on every token of a mini-batch, and so is its gradient', async () => {
  const { ground, batch: place, cases, gradients } = await checkKernel(gpu, 'policy_loss', batch);
  const tokens = tokensIn(batch);
  expect([ground, place]).toEqual(['values', { update: batch.update, minibatch: batch.minibatch }]);
  expect(cases).toHaveLength(1);
  expect(cases[0]).toMatchObject({ checked: 2 * tokens, mismatchCount: 0 });
  expect(gradients.map(({ of }) => of)).toEqual(['formula', 'kernel']);
  for (const { counts, tokens: list } of gradients) {
    expect(list).toHaveLength(tokens);
    expect(counts.differs + counts['not-finite']).toBe(0);
    expect(counts.agrees).toBeGreaterThan(0.9 * tokens);
  }
});

test('the log-ratios of the mini-batch come out as its log has them', async () => {
  const { ground, cases } = await checkKernel(gpu, 'segment_log_ratio', batch);
  expect(ground).toBe('values');
  const turns = batch.rows.reduce((sum, { turnLogRatio }) => sum + turnLogRatio.length, 0);
  expect(cases[0]).toMatchObject({ checked: turns, mismatchCount: 0 });
});

test.each([
  'matmul_nt',
  'matmul_nn',
  'matmul_tn',
  'attention_forward',
  'attention_backward_query',
  'attention_backward_key_value',
  'token_stats_forward',
  'token_stats_backward',
  'rmsnorm_forward',
  'rmsnorm_backward',
  'swiglu_forward',
  'swiglu_backward',
])('%s is checked at the run’s sizes, and says that the values are made up', async (name) => {
  const { ground, why, cases } = await checkKernel(gpu, name, batch);
  expect(ground).toBe('sizes');
  expect(why).toContain('no activations');
  expect(cases.length).toBeGreaterThan(0);
  for (const { mismatchCount } of cases) expect(mismatchCount).toBe(0);
});

test('a kernel whose inputs no log keeps says so and runs the catalogue’s cases', async () => {
  const { ground, why, cases } = await checkKernel(gpu, 'kl_penalty', batch);
  expect([ground, cases.length]).toEqual(['none', kernels.kl_penalty.cases().length]);
  expect(why).toContain('reference');
});

const edited = (from: string, to: string): string => {
  const text = kernels.policy_loss.source.replace(from, to);
  expect(text).not.toBe(kernels.policy_loss.source);
  return text;
};
const tried = (source: string, on: KernelBatch | null = batch): Promise<KernelTrial> =>
  tryKernel(gpu, { name: 'policy_loss', source, batch: on, checkGradient: true });
const WRITE = 'dlogProb[s] = token.y * term.gradient;';

test('an edited text that does not compile names its line', async () => {
  const source = edited('let mean = logRatio[segment[s]];', 'let mean = logRatios[segment[s]];');
  const line = source.split('\n').findIndex((text) => text.includes('logRatios')) + 1;
  const { problems, gradients } = await tried(source);
  expect(problems[0].line).toBe(line);
  expect(problems[0].message).toContain('logRatios');
  expect(gradients).toBeNull();
});

test('an edited text keeps its contract', async () => {
  const first = '  surrogate: u32, // SURROGATE_…\n  clipLow: f32,';
  const { problems } = await tried(edited(first, '  clipLow: f32,\n  surrogate: u32,'));
  expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(/contract.*Params/)]);
});

test('twice the gradient fails the check, with the numbers that show it', async () => {
  const { gradients, loss, problems } = await tried(
    edited(WRITE, 'dlogProb[s] = 2.0 * token.y * term.gradient;'),
  );
  expect(problems).toEqual([]);
  const [{ counts, tokens }] = gradients!;
  expect(counts.differs).toBeGreaterThan(0.5 * tokensIn(batch));
  expect(tokens[0].verdict).toBe('differs');
  expect(tokens[0].stated / tokens[0].numeric).toBeCloseTo(2, 1);
  expect(loss!.edited).toBe(loss!.original);
  expect(loss!.changed).toBe(counts.differs);
});

test('a loss and its gradient edited alike pass, on the mini-batch and on the catalogue’s cases', async () => {
  const both = edited(
    WRITE,
    `tokenLoss[s] = 3.0 * term.loss;\n  dlogProb[s] = 3.0 * token.y * term.gradient;`,
  );
  for (const on of [batch, null]) {
    const { gradients, loss, batch: place } = await tried(both, on);
    expect(place === null).toBe(on === null);
    expect(gradients!).toHaveLength(on ? 1 : kernels.policy_loss.cases().length);
    for (const { counts, title } of gradients!)
      expect([title, counts.differs + counts['not-finite']]).toEqual([title, 0]);
    expect(loss!.edited / loss!.original).toBeCloseTo(3, 4);
  }
});

test('a loss that jumps where a token stands is told apart, and its other tokens still agree', async () => {
  const jumping = edited(
    'tokenLoss[s] = term.loss;',
    'tokenLoss[s] = term.loss + select(0.0, 5.0, mean > 0.0);',
  );
  const { gradients } = await tried(jumping, null);
  const { counts, tokens } = gradients![0];
  expect(counts.jump).toBe(2); // the case's two tokens on policy
  expect(counts.differs).toBe(0);
  expect(counts.agrees).toBeGreaterThan(0.6 * tokens.length);
});
