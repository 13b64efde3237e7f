import { expect, test } from 'vitest';
import credit from '../fixtures/credit.json';
import { conformCredit } from '../conform/credit.ts';
import type { CreditFile } from '../conform/credit.ts';

test('values and advantages of every rule equal those of the released code', () => {
  const report = conformCredit(credit as unknown as CreditFile);
  expect(report.failures).toEqual([]);
  expect(report.cases).toBe(12);
});
