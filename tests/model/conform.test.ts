import { beforeAll, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { conformModel, type ModelFile } from '../conform/model.ts';
import type { FamilyReport } from '../conform/report.ts';
import fixture from '../fixtures/model.json';
import { sharedGpu } from '../support/shared_gpu.ts';

let gpu: Gpu;
let reports: readonly FamilyReport[];

beforeAll(async () => {
  gpu = await sharedGpu();
  reports = await conformModel(gpu, fixture as unknown as ModelFile); // JSON types tuples as arrays
  console.info(
    reports
      .map(
        ({ name, cases, worstError, tolerance, passed }) =>
          `\n${name} ${cases} ${worstError.toExponential(2)} ${tolerance} ${passed}`,
      )
      .join(''),
  );
});

test.each([
  'logits',
  'log_prob',
  'entropy',
  'loss',
  'grad_log_prob',
  'gradients',
  'gradients_by_tensor',
  'adamw',
])('the model gives the reference’s %s within the float32 tolerance', (quantity) => {
  const report = reports.find(({ name }) => name === `model/${quantity}`);
  expect(report?.failures).toEqual([]);
  expect(report?.passed).toBe(true);
});

test('every case and every optimiser step was compared', () => {
  const cases = Object.fromEntries(reports.map(({ name, cases: count }) => [name, count]));
  expect(cases).toMatchObject({ 'model/logits': 2, 'model/gradients': 2, 'model/adamw': 3 });
});
