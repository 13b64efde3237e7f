/** What trees and updates are found by, against the log and the credit of single tokens. */
import { beforeAll, expect, test } from 'vitest';
import { advantageOfToken, OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { measureTrees, sortTrees, updatesWith } from '../../src/store/loss/finding.ts';
import { clippedTurns } from '../../src/store/loss/loss_places.ts';
import { TREE_ORDERS, UPDATE_SIGNS } from '../../src/store/place/selection.ts';
import { isDead, pathTokens } from '../../src/store/record/reading.ts';
import type { UpdateState } from '../../src/store/record/run_state.ts';
import { scriptedLab } from '../support/scripted_lab.ts';

let lab: Lab;
let update: UpdateState;

beforeAll(async () => {
  lab = await scriptedLab();
  [update] = lab.run.getState().updates;
});

const measured = () => {
  const { algorithm } = lab.run.getState().header!.config!;
  const { contextLength } = lab.run.getState().header!.environment!;
  const against = { valueRule: null, advantageRule: 'diff_parent', leafNormalisation: null } as const;
  return measureTrees(update, { own: algorithm.credit, against, contextLength }, algorithm.loss);
};

test('the spread is the deviation of the rewards, 0 where a tree is dead, and the entropy that of the update’s tokens', () => {
  const measures = measured();
  let [sum, tokens] = [0, 0];
  update.trees.forEach((tree, at) => {
    const rewards = tree.leaves.map((leaf) => tree.rewards![leaf]!);
    const pairs = rewards.flatMap((a) => rewards.map((b) => (a - b) ** 2));
    const spread = Math.sqrt(pairs.reduce((total, square) => total + square, 0) / 2) / rewards.length;
    expect(measures[at].spread).toBeCloseTo(spread, 12);
    expect(measures[at].spread! < 1e-12).toBe(isDead(tree));
    let [own, count] = [0, 0];
    for (const node of tree.nodes)
      if (node && !node.pruned)
        node.mask.forEach((bit, place) => {
          if (bit === 1) [own, count] = [own + node.entropy![place], count + 1];
        });
    expect(measures[at].entropy).toBeCloseTo(own / count, 12);
    [sum, tokens] = [sum + own, tokens + count];
  });
  expect(tokens).toBeGreaterThan(0);
  expect(update.metrics!.deadTrees).toBeCloseTo(measures.filter(({ spread }) => spread! < 1e-12).length / measures.length, 12); // prettier-ignore
  expect(sum / tokens).toBeGreaterThan(0);
});

test('two rules differ in the share of tokens that they push differently, each counted by itself; clipped turns are those of the loss', () => {
  const { credit: own, loss } = lab.run.getState().header!.config!.algorithm;
  const measures = measured();
  update.trees.forEach((tree, at) => {
    const [a, b] = [OWN_CREDIT, { ...OWN_CREDIT, advantageRule: 'diff_parent' as const }].map((choice) => recredit(tree, own, choice, update.trees)!); // prettier-ignore
    const signs = tree.leaves.flatMap((leaf) =>
      pathTokens(tree, leaf, [])
        .filter(({ source }) => source === 'policy')
        .map(({ position }) => [a, b].map((credit) => advantageOfToken(tree, credit, leaf, position)))
        .map((pair) => pair.map((value) => (Math.abs(value) < 1e-9 ? 0 : Math.sign(value)))),
    );
    expect(measures[at].disagreement).toBeCloseTo(signs.filter(([one, other]) => one !== other).length / signs.length, 12); // prettier-ignore
  });
  expect(measures.some(({ disagreement }) => disagreement! > 0)).toBe(true);
  const { places } = clippedTurns(update, loss);
  expect(measures.reduce((sum, { clipped }) => sum + clipped, 0)).toBe(places.length);
});

test('an order goes from the greatest to the least, unknown last, equals as they are asked', () => {
  const measures = measured();
  for (const order of TREE_ORDERS) {
    const sorted = sortTrees(update.trees, measures, order).map(({ prompt }) => prompt.index);
    expect(sorted.toSorted((a, b) => a - b)).toEqual(update.trees.map((_, at) => at));
    const key = (at: number): number => (order === 'prompt' ? -at : measures[at][order]!);
    sorted.slice(1).forEach((at, before) => {
      const other = sorted[before];
      expect(key(other) > key(at) || (key(other) === key(at) && other < at)).toBe(true);
    });
  }
  const unknown = measures.map((measure, at) => (at === 0 ? { ...measure, spread: null } : measure));
  expect(sortTrees(update.trees, unknown, 'spread').at(-1)!.prompt.index).toBe(0);
});

test('an update is found by its metrics, also where its trees are put away', () => {
  const calm = { ...update.metrics!, clipFraction: 0, deadTrees: 0, malformed: 0, exactMatch: 0.5, droppedGroups: 0, skippedSteps: 0 }; // prettier-ignore
  const happened = { clipped: { clipFraction: 0.01 }, dead: { deadTrees: 0.25 }, 'all-dead': { deadTrees: 1 }, malformed: { malformed: 0.1 }, 'none-right': { exactMatch: 0 }, 'all-right': { exactMatch: 1 }, dropped: { droppedGroups: 1 }, skipped: { skippedSteps: 1 } } as const; // prettier-ignore
  for (const sign of UPDATE_SIGNS) {
    const updates = [calm, { ...calm, ...happened[sign] }, calm, null, { ...calm, ...happened[sign] }].map((metrics, at): UpdateState => ({ ...update, update: at + 1, trees: [], detail: 'archived', metrics })); // prettier-ignore
    expect([sign, updatesWith(updates, sign)]).toEqual([sign, [2, 5]]);
  }
});
