import { expect, test } from 'vitest';
import expansion from '../fixtures/expansion.json';
import { conformExpansion } from '../conform/expansion.ts';

test('expansion picks, rolls back and attaches every branch as the released code does', () => {
  const report = conformExpansion(expansion);
  expect(report.failures).toEqual([]);
  expect(report.cases).toBe(12);
});
