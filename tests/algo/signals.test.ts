import { expect, test } from 'vitest';
import { NODEWISE } from '../../src/algo/advantage/method.ts';
import { packTrees, scoredNodes } from '../../src/algo/batch/batch.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { advantageMethods, signalsNeeded } from '../../src/algo/credit/credit.ts';
import {
  beliefs,
  implicitRewards,
  likeness,
  needsReference,
  needsRewardModel,
  penaltyRewards,
  probeBelief,
  settingsRead,
  signalsRead,
} from '../../src/algo/credit/signals.ts';
import { isLeaf, pathTo, responseTokens } from '../../src/algo/tree/tree.ts';
import { searchEnvironment } from '../../src/env/search/search.ts';
import { ROOT, tokenId } from '../../src/units.ts';
import { answersOf, leavesByBranch, say, searchGroup } from '../support/search_trees.ts';
import { SEEDS, toyTrees, toyWorld } from './toy_world.ts';

const prompt = searchEnvironment.prompt('hotpot', 21, 0);
const { right, wrong } = answersOf(prompt);

test('a run measures what its rule declares, and a setting reaches a rule through what is measured too', () => {
  expect(signalsRead('vanilla')).toEqual({ belief: null, baseline: null, stepReward: null });
  expect(signalsRead('a2tgpo')).toEqual({ belief: 'after_call', baseline: null, stepReward: null });
  expect(signalsNeeded(advantageMethods.istar)).toEqual(['stepReward']);
  expect(signalsNeeded(advantageMethods.gtpo)).toEqual([]); // without penalties it is paid by the outcome alone
  expect(settingsRead('gtpo_by_turn')).toEqual(['discount', 'mixing']); // the weight of alike queries
  expect(settingsRead('vanilla')).toEqual([]);
});

test('a run keeps a reference for KL, regression, preference and V*, and a second network for iStar alone', () => {
  const names = Object.keys(algorithms) as (keyof typeof algorithms)[];
  const withReference = names.filter((name) => needsReference(algorithms[name].config));
  expect(withReference).toEqual(expect.arrayContaining(['a_star_po', 'mcts_dpo', 'bapo', 'igpo']));
  expect(withReference).not.toEqual(expect.arrayContaining(['react']));
  expect(needsReference(algorithms.at2po.config)).toBe(false);
  expect(needsReference(algorithms.react.config)).toBe(false);
  expect(names.filter((name) => needsRewardModel(algorithms[name].config))).toEqual(['istar']);
});

test('a probe scores the answer alone, after every turn that was answered', async () => {
  for (const seed of SEEDS) {
    for (const tree of await toyTrees(seed)) {
      const probe = probeBelief(tree, { ...toyWorld, contextLength: 1000 }, 'after_result');
      const inner = new Set(tree.leaves.flatMap((leaf) => pathTo(tree, leaf).slice(0, -1)));
      expect(new Set(probe.probed)).toEqual(inner);
      expect(probe.probed).toHaveLength(inner.size);
      probe.probed.forEach((node, row) => {
        const leaf = probe.tree.leaves[row];
        const { bridge, answer } = toyWorld.answerProbe(tree.prompt);
        const child = tree.nodes[tree.nodes[node].children[0]];
        const result = child.tokens.filter((_, place) => child.mask[place] === 0);
        expect(responseTokens(probe.tree, leaf)).toEqual([...responseTokens(tree, node), ...result, ...bridge, ...answer]); // prettier-ignore
        const mask = pathTo(probe.tree, leaf).flatMap((id) => probe.tree.nodes[id].mask);
        expect(mask.lastIndexOf(0)).toBe(mask.length - 2); // one answer token, the last
        expect(mask.filter((bit) => bit === 1)).toHaveLength(1);
      });
    }
  }
});

test('where no probe fits the context the belief before stands', async () => {
  const call = say.search('Genk', 'country');
  const tree = await searchGroup(prompt, [[call, call, call, say.answer(right)]]);
  const [, first, second, third] = pathTo(tree, tree.leaves[0]);
  const short = { ...searchEnvironment, contextLength: prompt.tokens.length + 2 * 15 + 5 }; // two turns, two results, probe
  const probe = probeBelief(tree, short, 'after_result');
  expect(probe.probed).toEqual([ROOT, first, second]);
  const byNode = beliefs(tree, probe, [-3, -2, -1]);
  expect([ROOT, first, second, third].map((node) => byNode[node])).toEqual([-3, -2, -1, -1]);
  expect(byNode[tree.leaves[0]]).toBeNull();
});

test('likeness is the cosine of bags of tokens', () => {
  const bag = (...ids: number[]) => ids.map(tokenId);
  expect(likeness(bag(1, 2), bag(2, 1))).toBeCloseTo(1, 12);
  expect(likeness(bag(1, 1, 2), bag(1, 3))).toBeCloseTo(2 / Math.sqrt(5 * 2), 12);
  expect(likeness(bag(1), bag(2))).toBe(0);
  expect(likeness(bag(), bag(2))).toBe(0);
});

test('failed turns cost their penalty, wrong rows earn by their likeness to right ones', async () => {
  const [asked, other, empty] = [
    say.search('Genk', 'country'),
    say.search('Ana', 'mother'),
    say.compare('1961', '1961'),
  ];
  const tree = await searchGroup(prompt, [
    [asked, say.answer(right)],
    [asked, say.answer(wrong)],
    [other, empty, say.answer(wrong)],
  ]);
  const isRight = tree.leaves.map((leaf) => leaf === leavesByBranch(tree)[0]);
  const weights = { penalty: 0.1, similarity: 0.5 };
  const byNode = penaltyRewards(tree, searchEnvironment, isRight, weights);
  const [first, second, third] = leavesByBranch(tree);
  expect(byNode[first]).toBe(0);
  expect(byNode[second]).toBeCloseTo(0.5, 12); // the same query
  // "plan Ana mother plan 1961 1961" beside "plan Genk country": (2·1) / √((4 + 1 + 1 + 4)·3)
  expect(byNode[third]).toBeCloseTo(0.5 * (2 / Math.sqrt(10 * 3)), 12);
  const failing = pathTo(tree, third)[2];
  expect(byNode[failing]).toBe(-0.1);
  expect(byNode.filter((reward) => reward < 0)).toEqual([-0.1]);
  const none = penaltyRewards(tree, searchEnvironment, [false, false, false], weights);
  expect(none.filter((reward) => reward > 0)).toEqual([]);
});

test('implicit rewards sum each turn once, however many rows share it', async () => {
  for (const seed of SEEDS.slice(0, 4)) {
    const trees = await toyTrees(seed);
    const unweighted = trees.map((tree) => ({ ...NODEWISE, byNode: tree.nodes.map(() => 0), trace: [] }));
    const batch = packTrees(trees, unweighted, 1000);
    const perToken = batch.scored.map((index) => batch.tokens[batch.predicted[index]]); // one number per token id
    const model = Float32Array.from(perToken, (token) => -token);
    const old = Float32Array.from(perToken, (token) => -2 * token);
    const rewards = implicitRewards(trees, batch, model, old, 0.05);
    trees.forEach((tree, t) => {
      const trained = new Set(
        batch.rows.flatMap((row, r) => (row.prompt === t ? scoredNodes(batch, r) : [])),
      );
      tree.nodes.forEach((node) => {
        const sum = node.tokens.reduce((total, token, place) => total + token * node.mask[place], 0);
        expect(rewards[t][node.id]).toBeCloseTo(trained.has(node.id) ? 0.05 * sum : 0, 6);
      });
      expect(tree.leaves.every((leaf) => isLeaf(tree.nodes[leaf]))).toBe(true);
    });
  }
});
