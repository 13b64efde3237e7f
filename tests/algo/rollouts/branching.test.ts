import { expect, test } from 'vitest';
import arpoAepo from '../../fixtures/arpo_aepo.json';
import { conformArpoAepo } from '../../conform/arpo_aepo.ts';
import type { ArpoAepoFile } from '../../conform/arpo_aepo.ts';

test('entropies, decisions and whole traces of the released code are reproduced', async () => {
  const reports = await conformArpoAepo(arpoAepo as unknown as ArpoAepoFile);
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
  expect(reports.map(({ cases }) => cases)).toEqual([5, 6, 2, 3]);
});

const verdicts = async (change: (file: typeof arpoAepo) => void) => {
  const copy = structuredClone(arpoAepo);
  change(copy);
  const reports = await conformArpoAepo(copy as unknown as ArpoAepoFile);
  return reports.map(({ passed }) => passed);
};

test('a trace changed in one token, draw or decision is a miss', async () => {
  expect(await verdicts(() => undefined)).toEqual([true, true, true, true]);
  expect(await verdicts((file) => (file.entropy[0].sum_entropy += 1e-9))).toEqual([false, true, true, true]);
  expect(await verdicts((file) => (file.branching[0].rounds[0].random_draws_used[0] = 0.1))).toEqual([true, false, true, true]); // prettier-ignore
  expect(await verdicts((file) => (file.dynamic_initial_rollouts[0].initial_rollouts[0] += 1))).toEqual([true, true, false, true]); // prettier-ignore
  expect(await verdicts((file) => (file.rollouts[0].loss_mask[0][0] = 0))).toEqual([true, true, true, false]);
  expect(await verdicts((file) => (file.rollouts[1].random_draws[0] = 0.01))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});
