import { expect, test } from 'vitest';
import { growChains, growTrees, RolloutError } from '../../src/algo/rollouts/turn_tree.ts';
import { breadthFirst, isLeaf, leavesBelow, responseTokens } from '../../src/algo/tree/tree.ts';
import { tokenId, type Environment, type NodeId, type TurnSampler } from '../../src/units.ts';
import { conformRollout, type RolloutFile } from '../conform/rollout.ts';
import rollout from '../fixtures/rollout.json';
import { deepFreeze, RandomPolicy, SEEDS, TOY_ROLLOUT, toyPrompts, toyTrees, toyWorld } from './toy_world.ts';

test('a replay of the reference rollout reproduces every node, pick and row', async () => {
  const report = await conformRollout(rollout as unknown as RolloutFile);
  expect(report.failures).toEqual([]);
  expect(report.cases).toBe(6);
});

test('one key gives one tree, another seed another', async () => {
  expect(await toyTrees(3)).toEqual(await toyTrees(3));
  expect(await toyTrees(3)).not.toEqual(await toyTrees(4));
});

test('every tree has M + L·K leaves and each is a row', async () => {
  for (const seed of SEEDS) {
    for (const tree of await toyTrees(seed)) {
      expect(tree.leaves).toHaveLength(10);
      expect(tree.leaves).toEqual(breadthFirst(tree).filter((id) => isLeaf(tree.nodes[id])));
      expect(tree.expansions.map(({ picks }) => picks.length)).toEqual([3, 3]);
    }
  }
});

test('a re-sampled turn stands beside the picked one and keeps the tokens that opened it', async () => {
  for (const seed of SEEDS) {
    for (const tree of await toyTrees(seed)) {
      for (const node of tree.nodes) {
        if (node.origin.kind !== 'expansion') continue;
        const source = tree.nodes[node.origin.resampled];
        if (source.parent === null) {
          expect(node.parent).toBe(source.id);
          continue;
        }
        expect(node.parent).toBe(source.parent);
        expect(node.depth).toBe(source.depth);
        const kept = source.tokens.length - source.lastGenerationLength;
        expect(node.tokens.slice(0, kept)).toEqual(source.tokens.slice(0, kept));
        expect(node.mask.slice(0, kept)).toEqual(new Array(kept).fill(0));
      }
    }
  }
});

test('H is the mean surprisal of the last generation', async () => {
  const [tree] = await toyTrees(5);
  for (const node of tree.nodes.slice(1)) {
    if (node.lastGenerationLength === 0) continue;
    const last = node.logProb.slice(-node.lastGenerationLength);
    const mean = -last.reduce((sum, logProb) => sum + logProb, 0) / last.length;
    expect(node.turnSurprisal).toBeCloseTo(mean, 12);
  }
});

test('surplus leaves are pruned at random, with every ancestor left without children', async () => {
  const full = await toyTrees(2);
  const pruned = await toyTrees(2, 2, { leavesPerTree: 5 });
  pruned.forEach((tree, index) => {
    expect(tree.leaves).toHaveLength(5);
    expect(tree.nodes).toHaveLength(full[index].nodes.length);
    const reached = new Set<NodeId>(breadthFirst(tree));
    for (const node of tree.nodes) {
      expect(node.pruned).toBe(!reached.has(node.id));
      if (!node.pruned && !isLeaf(node)) expect(node.children.length).toBeGreaterThan(0);
    }
  });
  expect(await toyTrees(2, 2, { leavesPerTree: 5 })).toEqual(pruned);
});

test('every leaf is as likely to be pruned as any other', async () => {
  const kept = new Array<number>(10).fill(0);
  const seeds = Array.from({ length: 100 }, (_, seed) => seed);
  for (const seed of seeds) {
    const [[full], [pruned]] = [await toyTrees(seed, 1), await toyTrees(seed, 1, { leavesPerTree: 5 })];
    full.leaves.forEach((leaf, place) => {
      if (pruned.leaves.includes(leaf)) kept[place] += 1;
    });
  }
  expect(kept.reduce((sum, times) => sum + times, 0)).toBe(500);
  for (const times of kept) expect(Math.abs(times - 50)).toBeLessThan(25); // five deviations
});

test('missing leaves are copies of the last one, beside it', async () => {
  const [tree] = await toyTrees(2, 1, { leavesPerTree: 13 });
  expect(tree.leaves).toHaveLength(13);
  const copies = tree.nodes.filter(({ origin }) => origin.kind === 'duplicate');
  expect(copies).toHaveLength(3);
  const original = tree.nodes[tree.leaves[9]];
  for (const copy of copies) {
    expect(copy.origin).toEqual({ kind: 'duplicate', of: original.id });
    expect(responseTokens(tree, copy.id)).toEqual(responseTokens(tree, original.id));
    expect([copy.turnSurprisal, copy.ending, copy.parent]).toEqual([
      original.turnSurprisal,
      original.ending,
      original.parent,
    ]);
  }
});

test('one generate call serves all trees, with one budget: the room of the shortest path, capped by the turn', async () => {
  const policy = new RandomPolicy({ seed: 1, update: 1 });
  await growTrees(policy, toyWorld, toyPrompts(3), TOY_ROLLOUT, { seed: 1, update: 1 });
  expect(policy.asked[0]).toHaveLength(12);
  for (const requests of policy.asked) {
    const room = Math.max(
      ...requests.map(({ context }) => Math.max(1, toyWorld.contextLength - context.length)),
    );
    expect(new Set(requests.map(({ maxTokens }) => maxTokens))).toEqual(new Set([Math.min(room, 5)]));
  }
});

test('no context outgrows the policy’s cache of contextLength + turnTokenLimit', async () => {
  for (const seed of SEEDS) {
    const policy = new RandomPolicy({ seed, update: 1 });
    await growTrees(policy, toyWorld, toyPrompts(2), TOY_ROLLOUT, { seed, update: 1 });
    for (const request of policy.asked.flat()) {
      expect(request.context.length).toBeLessThan(toyWorld.contextLength);
      expect(request.context.length + request.maxTokens).toBeLessThan(
        toyWorld.contextLength + toyWorld.turnTokenLimit,
      );
    }
  }
});

const always = (words: readonly number[], finish: 'stop' | 'length'): TurnSampler => ({
  generate: (requests) =>
    Promise.resolve(
      requests.map(({ maxTokens }) => ({
        tokens: words.slice(0, maxTokens).map(tokenId),
        logProb: words.slice(0, maxTokens).map(() => -1),
        entropy: words.slice(0, maxTokens).map(() => 1),
        finish,
      })),
    ),
});

test('a turn that reaches its own limit is the environment’s to judge; one that fills the response ends by length', async () => {
  const key = { seed: 1, update: 0 };
  const rambling = always([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], 'length');
  const [capped] = await growChains(rambling, toyWorld, toyPrompts(1), key);
  expect(capped.nodes[1].tokens).toHaveLength(5);
  expect(capped.nodes[1].ending).toBe('malformed');
  const [free] = await growChains(rambling, { ...toyWorld, turnTokenLimit: 1000 }, toyPrompts(1), key);
  expect(free.nodes[1].tokens).toHaveLength(22);
  expect(free.nodes[1].ending).toBe('length');
});

test('a result that fills the response makes a leaf that was never sampled and inherits H', async () => {
  const wordy: Environment<number> = {
    ...toyWorld,
    step: () => ({ kind: 'observe', tokens: new Array(40).fill(tokenId(3)), state: 0 }),
  };
  const [tree] = await growChains(always([4, 1], 'stop'), wordy, toyPrompts(1), { seed: 1, update: 0 });
  const leaf = tree.nodes[tree.leaves[0]];
  expect([leaf.id, leaf.ending, leaf.lastGenerationLength, leaf.turnSurprisal]).toEqual([2, 'length', 0, 1]);
});

test('after a notice the same node goes on, and its re-sampled sibling starts after the notice', async () => {
  const chatty: Environment<number> = {
    ...toyWorld,
    step: (_prompt, state) =>
      state % 2 === 0
        ? { kind: 'notice', tokens: [tokenId(3)], state: state + 1 }
        : state < 3
          ? { kind: 'observe', tokens: [tokenId(3), tokenId(3)], state: state + 1 }
          : { kind: 'end', ending: 'answer', appended: [tokenId(2)] },
  };
  const config = { ...TOY_ROLLOUT, initialBranches: 1, iterations: 1, picks: 1, leavesPerTree: 2 };
  const [tree] = await growTrees(always([4, 1], 'stop'), chatty, toyPrompts(1), config, {
    seed: 1,
    update: 0,
  });
  expect(tree.nodes[1].mask).toEqual([1, 1, 0, 1, 1]);
  expect(tree.nodes[2].mask).toEqual([0, 0, 1, 1, 0, 1, 1, 1]);
  const sibling = tree.nodes[3];
  expect(sibling.origin).toMatchObject({ resampled: 1 });
  expect(sibling.mask).toEqual([1, 1, 0, 1, 1]);
  expect(leavesBelow(tree)).toHaveLength(2);
});

test('a chain has one path and numbers its nodes along it', async () => {
  const key = { seed: 9, update: 0 };
  for (const tree of await growChains(new RandomPolicy(key), toyWorld, toyPrompts(4), key)) {
    expect(tree.leaves).toEqual([tree.nodes.length - 1]);
    expect(breadthFirst(tree)).toEqual(tree.nodes.map(({ id }) => id));
  }
});

test('frozen prompts and configs grow trees: inputs are only read', async () => {
  const key = deepFreeze({ seed: 1, update: 1 });
  const prompts = deepFreeze(toyPrompts(2));
  const trees = await growTrees(
    new RandomPolicy(key),
    toyWorld,
    prompts,
    deepFreeze({ ...TOY_ROLLOUT }),
    key,
  );
  expect(trees).toEqual(await toyTrees(1));
});

test('a run can wait before each round and stop between two', async () => {
  const stop = new AbortController();
  let rounds = 0;
  const onRound = async () => {
    await Promise.resolve();
    rounds += 1;
    if (rounds === 3) stop.abort(new Error('enough'));
  };
  await expect(toyTrees(1, 2, {}, { onRound, signal: stop.signal })).rejects.toThrow('enough');
  expect(rounds).toBe(3);
});

test('a policy that loses a turn, an environment that throws and impossible sizes are named', async () => {
  const key = { seed: 1, update: 0 };
  const lossy: TurnSampler = { generate: () => Promise.resolve([]) };
  await expect(growTrees(lossy, toyWorld, toyPrompts(1), TOY_ROLLOUT, key)).rejects.toThrow(
    '0 turns, wanted 4',
  );
  const broken = {
    ...toyWorld,
    step: () => {
      throw new Error('out of cheese');
    },
  };
  const failing = growTrees(new RandomPolicy(key), broken, toyPrompts(1), TOY_ROLLOUT, key);
  await expect(failing).rejects.toThrow(RolloutError);
  await expect(failing).rejects.toThrow(/prompt 0, node 1.*out of cheese/);
  await expect(toyTrees(1, 1, { initialBranches: 0 })).rejects.toThrow('M and S at least 1');
});
