import { expect, test } from 'vitest';
import rollout from '../fixtures/rollout.json';
import { conformRollout } from '../conform/rollout.ts';
import type { RolloutFile } from '../conform/rollout.ts';

test('a replay of the reference rollout reproduces every node, pick and row', async () => {
  const report = await conformRollout(rollout as unknown as RolloutFile);
  expect(report.failures).toEqual([]);
  expect(report.cases).toBe(6);
});
