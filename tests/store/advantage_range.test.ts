import { beforeAll, expect, test } from 'vitest';
import { advantageRanges, trainedAdvantages } from '../../src/store/credit/advantage_range.ts';
import { tokenPairs } from '../../src/store/credit/compare.ts';
import { OWN_CREDIT, isAvailable, recredit } from '../../src/store/credit/credit.ts';
import { leafInfluence } from '../../src/store/credit/credit_change.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import type { TreeState, UpdateState } from '../../src/store/record/run_state.ts';
import { ADVANTAGE_RULES, ROOT, type CreditConfig, type RecordedTree } from '../../src/units.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let state: TreeState;
let tree: RecordedTree;
let update: UpdateState;
let own: CreditConfig;

beforeAll(async () => {
  const lab = await scriptedLab();
  ({ tree: state, update } = liveTree(lab));
  tree = rolloutTree(state)!;
  own = lab.run.getState().header!.config!.algorithm.credit;
});

test('under every rule a turn has the least and the greatest number of its tokens in all rows, the root none', () => {
  let mixed = 0;
  for (const advantageRule of ADVANTAGE_RULES.filter((rule) => isAvailable(rule, own, state))) {
    const credit = recredit(state, own, { ...OWN_CREDIT, advantageRule }, update.trees)!;
    const ranges = advantageRanges(tree, credit);
    const pairs = tree.leaves.flatMap((leaf) => tokenPairs(tree, credit, credit, leaf, Infinity));
    for (const { id } of tree.nodes) {
      const numbers = pairs.flatMap(({ node, a }) => (node === id ? [a] : []));
      expect(ranges[id]).toEqual(numbers.length === 0 ? null : [Math.min(...numbers), Math.max(...numbers)]);
      if (ranges[id] && ranges[id][0] < 0 && ranges[id][1] > 0) mixed += 1;
    }
    expect(ranges[ROOT]).toBeNull();
  }
  expect(mixed).toBeGreaterThan(0); // turns that a mean would have given one sign
});

test('what trained a tree is read from the log where the rule has a number per turn, and computed where not', () => {
  const logged = trainedAdvantages(state, own, update.trees)!;
  for (const { id, pruned } of tree.nodes)
    if (id !== ROOT && !pruned)
      expect(logged[id]).toEqual([state.credit!.advantages[id], state.credit!.advantages[id]]);
  const vanilla: CreditConfig = { ...own, advantageRule: 'vanilla' };
  const credit = recredit(state, vanilla, OWN_CREDIT, update.trees)!;
  expect(trainedAdvantages(state, vanilla, update.trees)).toEqual(advantageRanges(tree, credit));
  expect(trainedAdvantages({ ...state, credit: null }, own, update.trees)).toBeNull();
  expect(trainedAdvantages(state, { ...own, advantageRule: 'remax' }, update.trees)).toBeNull(); // not measured
});

test('a copy of a tree stands in its own place among the trees of the update', () => {
  const rewards = state.rewards!.map((reward) => reward && reward + 1);
  const copy: TreeState = { ...state, rewards };
  const pass: CreditConfig = { ...own, advantageRule: 'reinforce_pp' }; // reads the whole batch
  const beside = update.trees.map((other) => (other === state ? copy : other));
  const wanted = recredit(copy, pass, OWN_CREDIT, beside)!;
  expect(trainedAdvantages(copy, pass, update.trees)).toEqual(advantageRanges(tree, wanted));
});

test('under a rule of rows a leaf’s influence is on the turn in one row, and that row’s own leaf has none', () => {
  const choice = { ...OWN_CREDIT, advantageRule: 'vanilla' as const };
  const credit = recredit(state, own, choice, update.trees)!;
  const shared = tree.nodes.find(({ id, parent }) => parent === ROOT && !tree.leaves.includes(id))!;
  for (const row of tree.leaves) {
    const answer = leafInfluence(state, own, choice, update.trees, row, row)!;
    expect(answer.row).toBe(row);
    expect(answer.advantage).toBeCloseTo(credit.advantages.byLeaf![row]!, 12);
    expect(answer.leaves.find(({ leaf }) => leaf === row)).toMatchObject({ without: null, influence: null });
  }
  const first = leafInfluence(state, own, choice, update.trees, shared.id)!;
  expect(first.advantage).toBeCloseTo(credit.advantages.byLeaf![first.row!]!, 12);
  expect(leafInfluence(state, own, OWN_CREDIT, update.trees, shared.id)!.row).toBeNull();
});
