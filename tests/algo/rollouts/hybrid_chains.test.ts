import { expect, test } from 'vitest';
import { CHAINS } from '../../../src/algo/catalogue/defaults.ts';
import { hybridChains, StepBuffer } from '../../../src/algo/rollouts/hybrid_chains.ts';
import { pathTo, responseTokens } from '../../../src/algo/tree/tree.ts';
import { tokenId, type Environment, type RolloutConfig, type RolloutTree } from '../../../src/units.ts';
import { RandomPolicy, SEEDS, toyPrompts, toyWorld } from '../toy_world.ts';

const CONFIG: RolloutConfig = { ...CHAINS, shape: 'hybrid_chains', leavesPerTree: 6, hybridRows: 3 };
const [CALL, ANSWER] = [tokenId(1), tokenId(2)];

/** The toy world with an expert that calls twice, with a word of its question, before it answers. */
const expertWorld: Environment<number> = {
  ...toyWorld,
  solve: ({ tokens }) => [[tokens[0], CALL], [tokens[1], CALL], [ANSWER]],
};

const grown = (
  seed: number,
  change: Partial<RolloutConfig> = {},
  bufferPrompts = toyPrompts(4),
  env = expertWorld,
): Promise<readonly RolloutTree[]> => {
  const key = { seed, update: 1 };
  const policy = new RandomPolicy(key);
  const extras = { bufferPrompts };
  return hybridChains.grow(policy, env, toyPrompts(3), { ...CONFIG, ...change }, key, {}, extras);
};

test('only hybrid rows borrow, never their first turn, and never twice in a row', async () => {
  let borrowed = 0;
  for (const seed of SEEDS) {
    for (const tree of await grown(seed)) {
      tree.nodes[0].children.forEach((first, branch) => {
        const leaf = tree.leaves.find((id) => pathTo(tree, id).includes(first)) ?? first;
        const path = pathTo(tree, leaf).map((id) => tree.nodes[id]);
        const marks = path.map(({ retrieved }) => retrieved === true);
        borrowed += marks.filter(Boolean).length;
        if (branch < 3) expect(marks).not.toContain(true);
        expect(marks.slice(0, 2)).toEqual([false, false]);
        marks.forEach((mark, place) => expect(mark && marks[place + 1]).not.toBe(true));
      });
    }
  }
  expect(borrowed).toBeGreaterThan(20);
});

test('a borrowed step is masked, counted and played: the world answers its call', async () => {
  for (const tree of await grown(2, { retrieveProbability: 1 })) {
    for (const node of tree.nodes.filter(({ retrieved }) => retrieved)) {
      expect(node.mask.every((bit) => bit === 0)).toBe(true);
      expect(node.logProb.every((value) => value === 0)).toBe(true);
      const step = node.tokens.slice(node.tokens.length - node.lastGenerationLength);
      expect(step).toHaveLength(2);
      expect(step[1]).toBe(CALL);
      const [child] = node.children.map((id) => tree.nodes[id]);
      if (child)
        expect(child.tokens.slice(0, 3)).toEqual([tokenId(3), ...step]); // the toy result echoes the call
      else expect(node.ending).toBe('call-limit');
    }
  }
});

test('with probability 0, or without other questions, hybrid rows are plain chains', async () => {
  const plain = await grown(3, { hybridRows: 0 });
  expect(await grown(3, { retrieveProbability: 0 })).toEqual(plain);
  expect(await grown(3, {}, [])).toEqual(plain);
  expect(await grown(3)).not.toEqual(plain);
});

test('a notice after a borrowed step opens a node of the policy’s own', async () => {
  const chatty = {
    ...expertWorld,
    step: (...args: Parameters<typeof toyWorld.step>) =>
      args[1] === 1 ? { kind: 'notice' as const, tokens: [tokenId(3)], state: 2 } : toyWorld.step(...args),
  };
  const trees = await grown(1, { retrieveProbability: 1 }, toyPrompts(4), chatty);
  const borrowed = trees.flatMap(({ nodes }) => nodes.filter(({ retrieved }) => retrieved));
  expect(borrowed.length).toBeGreaterThan(0);
  for (const { mask } of borrowed) expect(mask).not.toContain(1);
});

test('the buffer holds the calls of solutions and gives the step of the likeliest history', async () => {
  const prompts = [toyWorld.prompt('toy', 0, 1), toyWorld.prompt('toy', 2, 3)]; // 'a b' and 'c d'
  const buffer = await StepBuffer.fill(expertWorld, prompts);
  const asking = toyWorld.prompt('toy', 99, 0);
  const [, likest] = prompts;
  expect(buffer.nearest(likest.tokens, asking)).toEqual([likest.tokens[0], CALL]);
  const afterFirst = [...likest.tokens, likest.tokens[0], CALL, tokenId(3)];
  expect(buffer.nearest(afterFirst, asking)).toEqual([likest.tokens[1], CALL]);
  expect(buffer.nearest(likest.tokens, likest)).toEqual([prompts[0].tokens[0], CALL]); // its own is not given away
  expect((await StepBuffer.fill(toyWorld, prompts)).nearest(likest.tokens, asking)).toBeNull(); // answers only
});

test('a borrowed step that does not fit is not taken', async () => {
  const long = {
    ...expertWorld,
    solve: () => [[...Array.from({ length: 30 }, () => tokenId(4)), CALL], [ANSWER]],
  };
  const trees = await grown(4, { retrieveProbability: 1 }, toyPrompts(4), long);
  for (const tree of trees) {
    expect(tree.nodes.some(({ retrieved }) => retrieved)).toBe(false);
    for (const leaf of tree.leaves) expect(responseTokens(tree, leaf).length).toBeLessThan(24 + 5);
  }
});
