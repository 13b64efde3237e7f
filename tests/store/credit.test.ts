import { describe, expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import {
  NAMED_CREDIT,
  OWN_CREDIT,
  isAvailable,
  recredit,
  sameCredit,
} from '../../src/store/credit/credit.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { NO_SIGNALS, nodeId } from '../../src/units.ts';
import { CONFIG, SAMPLE_LOG } from '../support/sample_log.ts';

const tree = foldEvents(EMPTY_RUN, SAMPLE_LOG).updates[0].trees[0];
const own = CONFIG.algorithm.credit;
/** Rewards −1, 1, 0: mean 0, population deviation √(2/3). */
const UNIT = 1 / (Math.sqrt(2 / 3) + 1e-6);

describe('recredit', () => {
  test('gives the run its own credit, with a step for every number', () => {
    const credit = recredit(tree, own, OWN_CREDIT);
    expect(credit?.hypothetical).toBe(false);
    expect(credit?.rewardSteps.map(({ node, result }) => [node, result])).toEqual([
      [2, -1],
      [3, 1],
      [5, 0],
    ]);
    expect(credit?.normalised.byNode[3]).toBeCloseTo(UNIT, 12);
    expect(credit?.values.byNode[0]).toBeCloseTo(0, 12);
    expect(credit?.values.byNode[1]).toBeCloseTo(UNIT, 12);
    expect(credit?.values.trace.map(({ node }) => node)).toEqual([4, 1, 0]);
    expect(credit?.advantages.byNode[2]).toBeCloseTo(-UNIT, 12);
  });

  test('credits the same rollouts under other rules', () => {
    const choice = { ...OWN_CREDIT, valueRule: 'leaf_mean', advantageRule: 'diff_parent', leafNormalisation: false } as const; // prettier-ignore
    const credit = recredit(tree, own, choice);
    expect(credit?.config).toMatchObject({
      valueRule: 'leaf_mean',
      advantageRule: 'diff_parent',
      leafNormalisation: false,
    });
    expect(credit?.hypothetical).toBe(true);
    expect(credit?.values.byNode).toEqual([0, 1, -1, 1, 0, 0]);
    expect(credit?.advantages.byNode).toEqual([0, 1, -1, 0, 0, 0]);
  });

  test('answers what if a leaf had earned another reward', () => {
    const choice = { ...OWN_CREDIT, leafNormalisation: false, whatIf: [{ leaf: nodeId(5), reward: 1 }] };
    const credit = recredit(tree, own, choice);
    expect([credit?.rewards[5], credit?.values.byNode[4], credit?.hypothetical]).toEqual([1, 1, true]);
    expect(credit?.values.byNode[0]).toBeCloseTo(1 / 3, 12);
    expect(tree.rewards?.[5]).toBe(0);
  });

  test('gives the same object for the same question and none while the tree grows', () => {
    expect(recredit(tree, own, OWN_CREDIT)).toBe(recredit(tree, own, { ...OWN_CREDIT }));
    expect(recredit({ ...tree, leaves: [] }, own, OWN_CREDIT)).toBeNull();
  });

  test('hears of the update’s other trees where the rule does, unless the run dropped them', () => {
    const choice = { ...OWN_CREDIT, advantageRule: 'reinforce_pp_baseline' } as const;
    const other = {
      ...tree,
      rewards: tree.rewards?.map((reward) => (reward === null ? null : 5 * reward)) ?? null,
    };
    const rowOf = (...trees: (typeof tree)[]) => recredit(tree, own, choice, trees)?.advantages.byLeaf?.[3];
    const alone = rowOf(tree);
    expect(rowOf(tree, other)).toBeLessThan((alone ?? NaN) / 2); // the wider rewards of the other set the scale
    expect(rowOf(tree, { ...other, dropped: true })).toBe(alone);
    expect(recredit(tree, own, choice)?.advantages.byLeaf?.[3]).toBe(alone);
  });

  test('a rule that reads what the run did not measure gives way to the run’s own', () => {
    const choice = { ...OWN_CREDIT, advantageRule: 'igpo' } as const;
    expect(isAvailable('igpo', own, tree)).toBe(false);
    const credit = recredit(tree, own, choice);
    expect([credit?.config.advantageRule, credit?.hypothetical]).toEqual([own.advantageRule, false]);
    const measured = { ...tree, signals: { ...NO_SIGNALS, belief: tree.nodes.map(() => -1) } };
    const igpo = { ...own, advantageRule: 'igpo' } as const;
    expect(isAvailable('igpo_position', igpo, measured)).toBe(true);
    expect(isAvailable('remax', igpo, measured)).toBe(false);
    expect(recredit(measured, igpo, OWN_CREDIT)?.advantages.byToken).not.toBeNull();
  });
});

test('the credit that is offered by name is that of the method of the name', () => {
  for (const { method, title, credit } of NAMED_CREDIT) {
    expect([title, credit]).toEqual([algorithms[method].title, algorithms[method].config.credit]);
    expect(sameCredit(credit, credit)).toBe(true);
  }
  const [{ credit: at2po }, { credit: grpo }] = NAMED_CREDIT;
  expect(sameCredit(at2po, grpo)).toBe(false);
  expect(sameCredit(at2po, { ...at2po, valueRule: 'leaf_mean' })).toBe(false);
  expect(sameCredit(grpo, { ...grpo, valueRule: 'leaf_mean' })).toBe(true); // it reads no values
});
