import { expect, test } from 'vitest';
import reward from '../fixtures/reward.json';
import { conformReward } from '../conform/reward.ts';
import { scoreLeaves, trajectoryOf } from '../../src/algo/reward/reward.ts';
import { boxedAnswer, computeScore } from '../support/text_reward.ts';
import { responseTokens } from '../../src/algo/tree/tree.ts';
import { SEEDS, deepFreeze, toyTrees, toyWorld } from './toy_world.ts';

test('text answers score as in the released code', () => {
  const report = conformReward(reward);
  expect(report.failures).toEqual([]);
  expect(report.cases).toBe(50);
});

test('the last box counts, braces inside it are kept, and an open one is no answer', () => {
  expect(boxedAnswer('<answer>\\boxed{a} or \\boxed{b{c}d} end</answer>')).toBe('b{c}d');
  expect(boxedAnswer('<answer>\\boxed{a</answer>')).toBeNull();
  expect(boxedAnswer('\\boxed{a}')).toBeNull();
});

test('articles and punctuation do not count in an answer', () => {
  const answer = (text: string) => `<think>x</think><answer>\\boxed{${text}}</answer>`;
  expect(computeScore(answer('The  Old-Mill, a'), ['an oldmill'], false)).toMatchObject({
    reward: 1,
    exactMatch: 1,
  });
  expect(computeScore(answer('anthem'), ['them'], false)).toMatchObject({ reward: 0, f1: 0 });
});

test('a trajectory has the path’s tokens, turns and observations apart', async () => {
  for (const seed of SEEDS) {
    for (const tree of await toyTrees(seed)) {
      for (const leaf of tree.leaves) {
        const { turns, observations, ending } = trajectoryOf(tree, leaf, 1000);
        const merged = observations.flatMap((observation, index) => [...turns[index], ...observation]);
        const rest = turns.slice(observations.length).flat();
        expect([...merged, ...rest]).toEqual(responseTokens(tree, leaf));
        expect(ending).toBe(tree.nodes[leaf].ending);
      }
    }
  }
});

test('a path that loses its end to the response limit ended by length', async () => {
  const [tree] = await toyTrees(1, 1);
  const answered = tree.leaves.find((leaf) => tree.nodes[leaf].ending === 'answer') ?? tree.leaves[0];
  const length = responseTokens(tree, answered).length;
  const cut = trajectoryOf(tree, answered, length - 1);
  expect(cut.ending).toBe('length');
  expect([...cut.turns, ...cut.observations].flat()).toHaveLength(length - 1);
  expect(trajectoryOf(tree, answered, length).ending).toBe('answer');
});

test('every row is scored once by the environment, and nothing else is', async () => {
  for (const tree of await toyTrees(4)) {
    const { byNode, trace } = scoreLeaves(deepFreeze(tree), toyWorld);
    expect(trace.map(({ node }) => node)).toEqual(tree.leaves);
    byNode.forEach((value, id) => {
      const isRow = tree.leaves.some((leaf) => leaf === id);
      expect(value === null).toBe(!isRow);
      if (value !== null) expect([-1, 0, 1]).toContain(value);
    });
  }
});
