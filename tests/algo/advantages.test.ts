import { expect, test } from 'vitest';
import advantages from '../fixtures/advantages_grpo.json';
import { conformAdvantages } from '../conform/group_advantages.ts';
import { groupAdvantages } from '../../src/algo/advantages.ts';

test('GRPO, with and without the deviation, equals the released code', () => {
  const results = conformAdvantages(advantages);
  const reports = results.filter((result) => 'passed' in result);
  expect(reports.map(({ name, cases }) => [name, cases])).toEqual([
    ['advantages_grpo/grpo', 6],
    ['advantages_grpo/dr_grpo_no_std', 6],
  ]);
  for (const report of reports) expect(report.failures).toEqual([]);
});

test('estimators that we lack are listed by name', () => {
  const results = conformAdvantages(advantages);
  const names = results.flatMap((result) => ('notImplemented' in result ? [result.name] : []));
  expect(names).toContain('advantages_grpo/rloo');
  expect(names).toContain('advantages_grpo/kl_controller');
});

test('groups do not touch each other, whatever their order', () => {
  const mixed = groupAdvantages([1, 5, 0, 7], ['a', 'b', 'a', 'b']);
  expect([mixed[0], mixed[2]]).toEqual(groupAdvantages([1, 0], ['a', 'a']));
  expect([mixed[1], mixed[3]]).toEqual(groupAdvantages([5, 7], ['b', 'b']));
});
