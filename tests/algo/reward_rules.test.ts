import { expect, test } from 'vitest';
import { PLAIN_REWARD } from '../../src/algo/catalogue/defaults.ts';
import { BOUNDARY_START, type BoundaryState } from '../../src/algo/reward/boundary.ts';
import { REWARD_RULE, overlongLoss, punishesForm } from '../../src/algo/reward/reward_rules.ts';
import { scoreLeaves, scoreTrees, trajectoryOf } from '../../src/algo/reward/reward.ts';
import { responseTokens } from '../../src/algo/tree/tree.ts';
import { searchEnvironment } from '../../src/env/search/search.ts';
import { REWARD_RULES, nodeId, type RewardConfig, type RolloutTree } from '../../src/units.ts';
import { answersOf, leavesByBranch, say, searchGroup } from '../support/search_trees.ts';
import { SEEDS, toyTrees, toyWorld } from './toy_world.ts';

const prompt = searchEnvironment.prompt('hotpot', 21, 0);
const { right, wrong, other } = answersOf(prompt);
const call = say.search('Genk', 'country');
const compare = say.compare('1961', '1970');

const rewards = (tree: RolloutTree, config: Partial<RewardConfig>, state?: BoundaryState) => {
  const [{ byNode }] = scoreTrees([tree], searchEnvironment, { ...PLAIN_REWARD, ...config }, state);
  return leavesByBranch(tree).map((leaf) => byNode[leaf]);
};

const graded = await searchGroup(prompt, [
  [say.answer(right)],
  [`${say.answer(right)} done`], // right but malformed
  [say.answer(wrong)],
  [`${say.answer(wrong)} done`],
  ['<think> plan </think> <answer>'],
]);

test('F1 and Boundary take off for form, as their words say; exact match and format credit do not', () => {
  for (const rule of REWARD_RULES)
    if (rule !== 'environment') {
      const { formula } = REWARD_RULE.options.find(({ value }) => value === rule)!;
      expect([rule, punishesForm(rule)]).toEqual([rule, formula.includes('−1 malformed')]);
    }
});

test('every rule has its words', () => {
  expect(REWARD_RULE.options.map(({ value }) => value)).toEqual([...REWARD_RULES]);
});

test('the environment’s rule pays what the environment pays, as before', async () => {
  expect(rewards(graded, {})).toEqual([1, -1, 0, -1, -1]);
  for (const tree of await toyTrees(SEEDS[0])) {
    const { byNode, trace } = scoreLeaves(tree, toyWorld);
    for (const [row, leaf] of tree.leaves.entries()) {
      const paid = toyWorld.reward(tree.prompt, trajectoryOf(tree, leaf, 24 - tree.prompt.tokens.length));
      expect(byNode[leaf]).toBe(paid);
      expect(trace[row].terms).toEqual([{ node: leaf, weight: 1, value: paid }]);
    }
  }
});

test('exact match gives malformed rows 0; format credit pays for form', () => {
  expect(rewards(graded, { rule: 'exact_match' })).toEqual([1, 0, 0, 0, 0]);
  expect(rewards(graded, { rule: 'format_credit' })).toEqual([1, 0.8, 0.2, 0.1, 0]);
});

test('F1 pays a tenth for both tools, only where the answer earned something', async () => {
  const tree = await searchGroup(prompt, [
    [call, compare, say.answer(right)],
    [call, call, say.answer(right)],
    [call, compare, say.answer(wrong)],
    [`${say.answer(right)} done`],
  ]);
  expect(rewards(tree, { rule: 'f1' })).toEqual([1.1, 1, 0, -1]);
});

test('admitting pays half where no row of the group knew, and nothing where one did', async () => {
  const lost = await searchGroup(prompt, [[say.answer('none')], [say.answer(wrong)], [say.answer(other)]]);
  const known = await searchGroup(prompt, [[say.answer('none')], [say.answer(right)], ['<think>']]);
  const plateau: BoundaryState = { phase: 'plateau', best: 0.5, below: 6 };
  expect(rewards(lost, { rule: 'boundary' }, plateau)).toEqual([0, 0, 0]); // 2 answers of 3 rows differ
  expect(rewards(known, { rule: 'boundary' }, plateau)).toEqual([0, 1, -1]);
  expect(rewards(lost, { rule: 'boundary' }, BOUNDARY_START)).toEqual([0, 0, 0]); // a third admits
  const many = Array.from({ length: 24 }, () => [say.answer(wrong)]);
  const rare = await searchGroup(prompt, [[say.answer('none')], ...many]);
  expect(rewards(rare, { rule: 'boundary' }, BOUNDARY_START)[0]).toBe(0.5);
  expect(rewards(rare, { rule: 'boundary' }, plateau)[0]).toBe(0.5);
});

test('the share of admissions is that of the whole batch, not of the group', async () => {
  const lost = await searchGroup(prompt, [[say.answer('none')], [say.answer(wrong)]]);
  const others = await searchGroup(
    prompt,
    Array.from({ length: 30 }, () => [say.answer(wrong)]),
  );
  const config = { ...PLAIN_REWARD, rule: 'boundary' } as const;
  const [alone] = scoreTrees([lost], searchEnvironment, config);
  const [together] = scoreTrees([lost, others], searchEnvironment, config);
  expect(alone.byNode[lost.leaves[0]]).toBe(0);
  expect(together.byNode[lost.leaves[0]]).toBe(0.5);
});

test('an unanswerable question pays an admission by the boundary rule, and 1 by the environment’s', async () => {
  const question = searchEnvironment.prompt('unanswerable', 3, 0);
  const rows = [[say.answer('none')], ...Array.from({ length: 24 }, () => [say.answer('Ana')])];
  const tree = await searchGroup(question, rows);
  expect(rewards(tree, {})[0]).toBe(1);
  expect(rewards(tree, { rule: 'boundary' })[0]).toBe(0.5);
});

test('a long row loses linearly from R − buffer to the penalty at R', async () => {
  const shaping = { overlongBuffer: 20, overlongPenalty: 0.5 };
  expect([60, 80, 90, 100].map((length) => overlongLoss(length, 100, shaping))).toEqual([0, 0, 0.25, 0.5]);
  expect(overlongLoss(100, 100, { ...shaping, overlongBuffer: 0 })).toBe(0);
  const tree = await searchGroup(prompt, [[say.answer(right)], [call, call, call, say.answer(right)]]);
  const limit = searchEnvironment.contextLength - prompt.tokens.length;
  const length = responseTokens(tree, tree.leaves[1]).length;
  const buffer = limit - length + 8; // the long row reaches 8 tokens into it
  const [short, long] = rewards(tree, { overlongBuffer: buffer, overlongPenalty: 2 });
  expect(short).toBe(1);
  expect(long).toBeCloseTo(1 - (8 / buffer) * 2, 12);
});

test('each malformed turn and each call that came to nothing costs its penalty', async () => {
  const nothing = say.compare('1961', '1961');
  const tree = await searchGroup(prompt, [
    [nothing, call, nothing, say.answer(right)],
    [call, '<think>'],
  ]);
  expect(rewards(tree, { turnPenalty: 0.1 })[0]).toBeCloseTo(0.8, 12);
  expect(rewards(tree, { turnPenalty: 0.1 })[1]).toBeCloseTo(-1.1, 12);
  const [scored] = scoreTrees([tree], searchEnvironment, { ...PLAIN_REWARD, turnPenalty: 0.1 });
  for (const step of scored.trace) {
    expect(step.terms.reduce((sum, { weight, value }) => sum + weight * value, 0)).toBe(step.result);
  }
});

test('a turn that was cut in two is read as one', async () => {
  const whole = await searchGroup(prompt, [[call, say.answer(right)]]);
  const last = whole.nodes[whole.leaves[0]];
  const cut = last.tokens.length - 2;
  const part = (from: number, to: number) => ({
    tokens: last.tokens.slice(from, to),
    mask: last.mask.slice(from, to),
    logProb: last.logProb.slice(from, to),
    entropy: last.entropy.slice(from, to),
  });
  const child = nodeId(whole.nodes.length);
  const nodes = [
    ...whole.nodes.map((node) =>
      node.id === last.id ? { ...node, ...part(0, cut), ending: null, children: [child] } : node,
    ),
    { ...last, ...part(cut, last.tokens.length), id: child, parent: last.id, children: [] },
  ];
  const tree = { ...whole, nodes, leaves: [child] };
  expect(trajectoryOf(tree, child, 1000)).toEqual(trajectoryOf(whole, last.id, 1000));
});
