import { expect, test } from 'vitest';
import { TURN_TREE } from '../../../src/algo/catalogue/defaults.ts';
import {
  branches,
  branchProbability,
  planBranches,
  type BranchConfig,
} from '../../../src/algo/rollouts/branch_rule.ts';
import { branching } from '../../../src/algo/rollouts/branching.ts';
import type { RolloutConfig } from '../../../src/units.ts';
import { conformArpoAepo, type ArpoAepoFile } from '../../conform/arpo_aepo.ts';
import arpoAepo from '../../fixtures/arpo_aepo.json';
import { RandomPolicy, SEEDS, toyPrompts, toyWorld } from '../toy_world.ts';

test('entropies, decisions and whole traces of the released code are reproduced', async () => {
  const reports = await conformArpoAepo(arpoAepo as unknown as ArpoAepoFile);
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
  expect(reports.map(({ cases }) => cases)).toEqual([5, 6, 2, 3]);
});

const verdicts = async (change: (file: typeof arpoAepo) => void) => {
  const copy = structuredClone(arpoAepo);
  change(copy);
  const reports = await conformArpoAepo(copy as unknown as ArpoAepoFile);
  return reports.map(({ passed }) => passed);
};

test('a trace changed in one token, draw or decision is a miss', async () => {
  expect(await verdicts(() => undefined)).toEqual([true, true, true, true]);
  expect(await verdicts((file) => (file.entropy[0].sum_entropy += 1e-9))).toEqual([false, true, true, true]);
  expect(await verdicts((file) => (file.branching[0].rounds[0].random_draws_used[0] = 0.1))).toEqual([true, false, true, true]); // prettier-ignore
  expect(await verdicts((file) => (file.dynamic_initial_rollouts[0].initial_rollouts[0] += 1))).toEqual([true, true, false, true]); // prettier-ignore
  expect(await verdicts((file) => (file.rollouts[0].loss_mask[0][0] = 0))).toEqual([true, true, true, false]);
  expect(await verdicts((file) => (file.rollouts[1].random_draws[0] = 0.01))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

const rule = (branchRule: 'arpo' | 'aepo', change: Partial<BranchConfig> = {}): BranchConfig => ({
  branchRule,
  branchBase: 0.5,
  branchWeight: 0.2,
  beam: 2,
  paths: 16,
  othersBranch: false,
  ...change,
});

test('the probability that is shown is that of the decision', () => {
  const DRAWS = 2000;
  for (const name of ['arpo', 'aepo'] as const) {
    for (const entropyChange of [-4, -1, 0, 0.5, 2, 9]) {
      for (const consecutive of [0, 1, 5, 20]) {
        const draws = Array.from({ length: DRAWS }, (_, index) => (index + 0.5) / DRAWS);
        const share =
          draws.filter((draw) => branches(rule(name), draw, entropyChange, consecutive)).length / DRAWS;
        expect(Math.abs(branchProbability(rule(name), entropyChange, consecutive) - share)).toBeLessThan(
          1e-3,
        );
      }
    }
  }
  expect(branchProbability(rule('aepo'), 0, 1)).toBeCloseTo(0.474, 3); // the spec's example
});

test('a prompt with its n paths makes no more, and one without active paths starts again', () => {
  const counts = { paths: [16, 3, 2], consecutive: [0, 4, 4] };
  const active = [
    { prompt: 0, entropyChange: 9 },
    { prompt: 2, entropyChange: 9 },
  ];
  const { created, counts: after } = planBranches(active, counts, rule('aepo'), () => 0.999);
  expect(created).toEqual([
    { prompt: 2, source: 1 },
    { prompt: 1, source: null },
  ]);
  expect(after).toEqual({ paths: [16, 4, 3], consecutive: [0, 5, 5] });
});

test('in a round without a new path the count stays, or starts again when other prompts branch', () => {
  const counts = { paths: [3], consecutive: [4] };
  const active = [{ prompt: 0, entropyChange: -9 }];
  for (const [othersBranch, left] of [
    [false, 4],
    [true, 0],
  ] as const) {
    const plan = planBranches(active, counts, rule('aepo', { othersBranch }), () => 0.5);
    expect(plan).toEqual({ created: [], counts: { paths: [3], consecutive: [left] } });
  }
});

const grown = async (seed: number, change: Partial<RolloutConfig> = {}) => {
  const key = { seed, update: 1 };
  const small = { leavesPerTree: 8, initialBranches: 3, branchBase: 0.9 };
  const config: RolloutConfig = { ...TURN_TREE, shape: 'branching', ...small, ...change };
  return branching.grow(new RandomPolicy(key), toyWorld, toyPrompts(2), config, key);
};

test('a branch stands beside the path it copies and starts with the same result', async () => {
  let copies = 0;
  for (const tree of (await Promise.all(SEEDS.map((seed) => grown(seed)))).flat()) {
    for (const node of tree.nodes) {
      if (node.origin.kind !== 'branch') continue;
      copies += 1;
      const parent = tree.nodes[node.parent ?? 0];
      expect(tree.expansions[node.origin.iteration].picks).toContain(parent.id);
      for (const sibling of parent.children.map((id) => tree.nodes[id])) {
        expect(sibling.tokens.slice(0, 3)).toEqual(node.tokens.slice(0, 3));
        expect(sibling.mask.slice(0, 3)).toEqual([0, 0, 0]);
      }
    }
  }
  expect(copies).toBeGreaterThan(20);
});

test('scouts decide the number of first paths and leave no row', async () => {
  for (const tree of await grown(3, { dynamicInitial: true, branchRule: 'aepo' })) {
    const scouts = tree.nodes.filter(({ origin }) => origin.kind === 'scout');
    expect(scouts).toHaveLength(2); // a probe, and the first turn of a path
    expect(scouts.every(({ pruned, parent }) => pruned && parent === 0)).toBe(true);
    expect(tree.leaves).toHaveLength(8);
    expect(tree.nodes[0].children.every((id) => tree.nodes[id].origin.kind === 'initial')).toBe(true);
  }
});
