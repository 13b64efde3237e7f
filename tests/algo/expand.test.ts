import { expect, test } from 'vitest';
import expansion from '../fixtures/expansion.json';
import { conformExpansion } from '../conform/expansion.ts';
import type { ExpansionFile } from '../conform/expansion.ts';

test('expansion picks, rolls back and attaches every branch as the released code does', () => {
  const report = conformExpansion(expansion as unknown as ExpansionFile);
  expect(report.failures).toEqual([]);
  expect(report.cases).toBe(12);
});
