import { expect, test } from 'vitest';
import advantages from '../fixtures/advantages_grpo.json';
import treeGrpo from '../fixtures/tree_grpo.json';
import { conformAdvantages } from '../conform/group_advantages.ts';
import type { ConformResult } from '../conform/report.ts';
import { conformTreeGrpo } from '../conform/tree_grpo.ts';
import type { TreeGrpoFile } from '../conform/tree_grpo.ts';

const summary = (results: readonly ConformResult[]) =>
  results.map((result) =>
    'passed' in result ? [result.name, result.cases, result.failures] : [result.name, 'missing'],
  );

test('every group estimator, GAE and the KL coefficient equal the released code', () => {
  const names = [
    ...['grpo', 'dr_grpo_no_std', 'rloo', 'opo', 'reinforce_pp_baseline', 'grpo_passk'],
    ...['reinforce_pp_gamma095', 'remax', 'gae_whitened_g099_l095', 'gae_returns', 'kl_controller'],
  ];
  expect(summary(conformAdvantages(advantages))).toEqual(
    names.map((name) => [`advantages_grpo/${name}`, name === 'grpo_passk' ? 5 : 6, []]),
  );
});

test('Tree-GRPO, its variants and its process scores equal the released code', () => {
  expect(summary(conformTreeGrpo(treeGrpo as unknown as TreeGrpoFile))).toEqual([
    ['tree_grpo', treeGrpo.cases.length, []],
    ['tree_grpo/tree_diff', treeGrpo.tree_diff.length, []],
  ]);
});

test('an estimator that we lack is listed by name', () => {
  const [first, ...rest] = advantages.cases;
  const file = {
    cases: [{ ...first, advantages: { ...first.advantages, future: first.gae_returns } }, ...rest],
  };
  expect(summary(conformAdvantages(file))).toContainEqual(['advantages_grpo/future', 'missing']);
});
