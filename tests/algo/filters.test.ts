import { expect, test } from 'vitest';
import { EVERY_GROUP } from '../../src/algo/catalogue/defaults.ts';
import { keptGroups, rewardDeviation, wantsMore } from '../../src/algo/reward/filters.ts';
import type { FilterConfig } from '../../src/units.ts';

const DAPO: FilterConfig = { rule: 'dynamic_sampling', generationBatches: 2, keptShare: 1 };
const SPREAD: FilterConfig = { rule: 'reward_spread', generationBatches: 1, keptShare: 0.25 };
const [ALIKE, MIXED, WIDE] = [[1, 1, 1], [0, 1, 1], [-1, 1, 1]]; // prettier-ignore

test('the deviation is the population’s, and exactly 0 where rewards are equal', () => {
  expect(rewardDeviation([0, 0, 1, 1])).toBe(0.5);
  expect(rewardDeviation([0.1, 0.1, 0.1])).toBe(0); // their mean is not 0.1 in binary
});

test('dynamic sampling asks for more until enough groups vary or the batches are spent', () => {
  expect(wantsMore(DAPO, [ALIKE, MIXED], 2, 1)).toBe(true);
  expect(wantsMore(DAPO, [ALIKE, MIXED], 2, 2)).toBe(false);
  expect(wantsMore(DAPO, [WIDE, MIXED], 2, 1)).toBe(false);
  expect(wantsMore(EVERY_GROUP, [ALIKE], 2, 1)).toBe(false);
});

test('dynamic sampling keeps what varies, cuts the surplus and fills up with what does not', () => {
  expect(keptGroups(DAPO, [ALIKE, MIXED, ALIKE, WIDE], 2)).toEqual([1, 3]);
  expect(keptGroups(DAPO, [MIXED, MIXED, WIDE], 2)).toEqual([0, 1]);
  expect(keptGroups(DAPO, [ALIKE, ALIKE, MIXED, ALIKE], 3)).toEqual([0, 1, 2]);
  expect(keptGroups(DAPO, [[1], ALIKE], 1)).toEqual([0]); // a group of one is kept
});

test('reward spread keeps the share of widest groups, the earlier one of equals, and at least one', () => {
  const groups = [ALIKE, MIXED, WIDE, MIXED, ALIKE, WIDE, ALIKE, ALIKE];
  expect(keptGroups(SPREAD, groups, 8)).toEqual([2, 5]);
  expect(keptGroups({ ...SPREAD, keptShare: 3 / 8 }, groups, 8)).toEqual([1, 2, 5]);
  expect(keptGroups(SPREAD, [ALIKE], 1)).toEqual([0]);
  expect(keptGroups(EVERY_GROUP, groups, 8)).toHaveLength(8);
});
