import { beforeAll, expect, test } from 'vitest';
import { leafInfluence, withoutLeaf } from '../../src/store/credit/credit_change.ts';
import { OWN_CREDIT, recredit, type CreditChoice } from '../../src/store/credit/credit.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import type { TreeState, UpdateState } from '../../src/store/record/run_state.ts';
import { nodeId, type CreditConfig } from '../../src/units.ts';
import { SAMPLE_LOG } from '../support/sample_log.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let update: UpdateState;
let tree: TreeState;
let own: CreditConfig;

beforeAll(async () => {
  const lab = await scriptedLab();
  ({ update, tree } = liveTree(lab));
  own = lab.run.getState().header!.config!.algorithm.credit;
});

const raw: CreditChoice = { ...OWN_CREDIT, valueRule: 'child_mean', leafNormalisation: false };

test('without a leaf, the turns that led only to it are gone and every other turn keeps its id', () => {
  for (const leaf of tree.leaves) {
    const whole = rolloutTree(tree)!;
    const rest = withoutLeaf(whole, leaf);
    expect(rest.leaves).toEqual(whole.leaves.filter((id) => id !== leaf));
    expect(rest.nodes[leaf].pruned).toBe(true);
    for (const node of rest.nodes) {
      expect(node.id).toBe(whole.nodes[node.id].id);
      if (node.pruned || node.ending !== null) continue;
      expect(node.children.length).toBeGreaterThan(0);
      for (const child of node.children) expect(rest.nodes[child].pruned).toBe(false);
    }
    expect(whole.nodes[leaf].pruned).toBe(false); // the tree that was given is untouched
  }
});

test('a leaf’s influence is the advantage with it less the advantage without it, by hand', () => {
  const lab = createLab(() => undefined, '');
  lab.run.apply(SAMPLE_LOG);
  const [sample] = lab.run.getState().updates;
  const credit = lab.run.getState().header!.config!.algorithm.credit;
  // Turn 1 leads to leaf 3 (reward 1) alone, turn 4 to leaf 5 (0); leaf 2 (−1) is a first turn itself.
  // Raw rewards, child means, advantage = value: A(1) = 1 whatever the others are; the root is the mean of three.
  const ofTurn = leafInfluence(sample.trees[0], credit, raw, sample.trees, nodeId(1))!;
  expect(ofTurn.advantage).toBe(1);
  expect(ofTurn.leaves).toEqual([
    { leaf: 2, reward: -1, without: 1, influence: 0 },
    { leaf: 5, reward: 0, without: 1, influence: 0 },
    { leaf: 3, reward: 1, without: null, influence: null },
  ]);
  const ofRoot = leafInfluence(sample.trees[0], credit, raw, sample.trees, nodeId(0))!;
  expect(ofRoot.advantage).toBe(0);
  expect(ofRoot.leaves.map(({ leaf, influence }) => [leaf, influence])).toEqual([
    [2, -0.5],
    [3, 0.5],
    [5, 0],
  ]);
});

test('under every leaf-normalised rule the effect includes what the leaf does to mean and deviation', () => {
  const first = tree.nodes[0]!.children[0];
  const answer = leafInfluence(tree, own, OWN_CREDIT, update.trees, first)!;
  expect(answer.advantage).toBeCloseTo(
    recredit(tree, own, OWN_CREDIT, update.trees)!.advantages.byNode[first],
    12,
  );
  expect(answer.leaves.map(({ leaf }) => leaf).toSorted((a, b) => a - b)).toEqual(
    [...tree.leaves].toSorted((a, b) => a - b),
  );
  const effects = answer.leaves.flatMap(({ influence }) => (influence === null ? [] : [Math.abs(influence)]));
  expect(effects).toEqual(effects.toSorted((a, b) => b - a));
  expect(effects[0]).toBeGreaterThan(0);
});

test('a turn that was pruned, and a tree that still grows, have no influence to tell', () => {
  const growing = { ...tree, leaves: [], rewards: null };
  expect(leafInfluence(growing, own, OWN_CREDIT, [growing], nodeId(1))).toBeNull();
});
