import { assembleTree } from '../../support/assemble_tree.ts';
import { expect, test } from 'vitest';
import { CHAINS, TURN_TREE } from '../../../src/algo/catalogue/defaults.ts';
import { trajectoryOf } from '../../../src/algo/reward/reward.ts';
import { NOTHING_SPENT, spend } from '../../../src/experiment/budget.ts';
import type { RolloutObserver } from '../../../src/algo/rollouts/growing.ts';
import { rollouts } from '../../../src/algo/rollouts/index.ts';
import {
  breadthFirst,
  isLeaf,
  maskRuns,
  pathTo,
  responseMask,
  responseTokens,
} from '../../../src/algo/tree/tree.ts';
import {
  ROLLOUT_SHAPES,
  type ExpansionRecord,
  type NodeId,
  type NodeTable,
  type RolloutConfig,
  type RolloutShape,
  type RolloutTree,
  type SearchStatistics,
  type TurnNode,
} from '../../../src/units.ts';
import { deepFreeze, RandomPolicy, SEEDS, toyPrompts, toyWorld } from '../toy_world.ts';

const ROWS = 9;

/** Settings that make every shape do what it is for in the toy world. */
const SMALL: RolloutConfig = {
  ...TURN_TREE,
  leavesPerTree: ROWS,
  initialBranches: 3,
  iterations: 2,
  picks: 2,
  segmentTokens: 3,
  levels: 4,
  similarity: 0.8,
  hybridRows: 5,
};

const OF_SHAPE: Partial<Record<RolloutShape, Partial<RolloutConfig>>> = {
  branching: { beam: 3, dynamicInitial: true, branchRule: 'aepo' },
  search_tree: { iterations: 12 },
};

const configOf = (shape: RolloutShape, change: Partial<RolloutConfig> = {}): RolloutConfig => ({
  ...SMALL,
  ...OF_SHAPE[shape],
  ...change,
  shape,
});

function grow(
  shape: RolloutShape,
  seed: number,
  change: Partial<RolloutConfig> = {},
  observer: RolloutObserver = {},
): Promise<readonly RolloutTree[]> {
  const key = { seed, update: 1 };
  const config = deepFreeze(configOf(shape, change));
  return rollouts[shape].grow(
    new RandomPolicy(key),
    toyWorld,
    deepFreeze(toyPrompts(3)),
    config,
    key,
    observer,
  );
}

test.each(ROLLOUT_SHAPES)(
  '%s: the tool calls that are counted are those that the tool was asked',
  async (shape) => {
    let asked = 0;
    const world: typeof toyWorld = {
      ...toyWorld,
      async step(...args) {
        const transition = await toyWorld.step(...args);
        const isCall = transition.kind === 'observe' || (transition.kind === 'end' && ['tool-failure', 'empty-call'].includes(transition.ending)); // prettier-ignore
        if (isCall) asked += 1;
        return transition;
      },
    };
    let used = NOTHING_SPENT;
    const observer: RolloutObserver = {
      onNode: (prompt, node) => (used = spend(used, { kind: 'node', update: 1, prompt, node })),
    };
    for (const seed of SEEDS.slice(0, 5)) {
      const key = { seed, update: 1 };
      await rollouts[shape].grow(new RandomPolicy(key), world, toyPrompts(3), configOf(shape), key, observer);
    }
    expect(asked).toBeGreaterThan(20);
    expect(used.calls).toBe(asked);
  },
);

/** Reads a response as the toy world would: sampled turns and results take turns, and results echo the call. */
function checkPath(tree: RolloutTree, leaf: NodeId): void {
  const limit = toyWorld.contextLength - tree.prompt.tokens.length;
  const { turns, ending } = trajectoryOf(tree, leaf, limit);
  const [tokens, mask] = [responseTokens(tree, leaf), responseMask(tree, leaf)];
  if (pathTo(tree, leaf).some((id) => tree.nodes[id].retrieved)) return; // borrowed turns read like results
  const cut = mask.slice(0, limit);
  expect(turns).toEqual(maskRuns(cut).map(({ start, end }) => tokens.slice(start, end)));
  for (const turn of turns.slice(0, -1)) expect(turn.at(-1)).toBe(1); // all but the last called the tool
  for (const turn of turns) expect(turn.length).toBeLessThanOrEqual(toyWorld.turnTokenLimit);
  if (ending === 'answer') expect(tokens.at(-1)).toBe(2);
}

test.each(ROLLOUT_SHAPES)(
  '%s: every prompt has exactly its rows, and they read as paths of the world',
  async (shape) => {
    for (const seed of SEEDS) {
      for (const tree of await grow(shape, seed)) {
        expect(tree.leaves).toHaveLength(ROWS);
        expect(tree.leaves).toEqual(breadthFirst(tree).filter((id) => isLeaf(tree.nodes[id])));
        for (const id of breadthFirst(tree)) {
          const node = tree.nodes[id];
          expect(node.children.length > 0).toBe(!isLeaf(node));
          for (const child of node.children) expect(tree.nodes[child].parent).toBe(id);
        }
        tree.leaves.forEach((leaf) => checkPath(tree, leaf));
      }
    }
  },
);

test.each(ROLLOUT_SHAPES)('%s: one key gives one forest, another seed another', async (shape) => {
  expect(await grow(shape, 3)).toEqual(await grow(shape, 3));
  expect(await grow(shape, 3)).not.toEqual(await grow(shape, 4));
});

interface Told {
  readonly nodes: TurnNode[];
  readonly expansions: ExpansionRecord[];
  leaves: readonly NodeId[];
  pruned: readonly NodeId[];
  search?: NodeTable<SearchStatistics>;
}

test.each(ROLLOUT_SHAPES)('%s: what an observer is told makes the same trees again', async (shape) => {
  for (const seed of SEEDS) {
    const told = toyPrompts(3).map((): Told => ({ nodes: [], expansions: [], leaves: [], pruned: [] }));
    const trees = await grow(
      shape,
      seed,
      {},
      {
        onNode: (prompt, node) => {
          const known = told[prompt].nodes;
          expect(known.some(({ id }) => id === node.id)).toBe(false);
          if (node.parent !== null) expect(known.some(({ id }) => id === node.parent)).toBe(true);
          known.push(node);
        },
        onExpansion: (prompt, record) => told[prompt].expansions.push(record),
        onLeaves: (prompt, leaves, pruned, search) => Object.assign(told[prompt], { leaves, pruned, search }),
      },
    );
    trees.forEach((tree, prompt) => {
      const { search, ...parts } = told[prompt];
      const rebuilt = assembleTree({ prompt: tree.prompt, ...parts });
      expect(search ? { ...rebuilt, search } : rebuilt).toEqual(tree);
    });
  }
});

test.each(ROLLOUT_SHAPES)('%s: records name nodes that are known, and their picks', async (shape) => {
  let recorded = 0;
  const known = toyPrompts(3).map(() => new Set<NodeId>());
  await grow(
    shape,
    2,
    {},
    {
      onNode: (prompt, { id }) => known[prompt].add(id),
      onExpansion: (prompt, { candidates, picks }) => {
        recorded += 1;
        for (const { node, pickCount, score } of candidates) {
          expect(known[prompt].has(node)).toBe(true);
          expect(pickCount).toBe(picks.filter((picked) => picked === node).length);
          expect(Number.isFinite(score)).toBe(true);
        }
      },
    },
  );
  expect(recorded > 0).toBe(!['chains', 'hybrid_chains'].includes(shape));
});

test.each(ROLLOUT_SHAPES)('%s: no context outgrows the policy’s cache', async (shape) => {
  for (const seed of SEEDS) {
    const key = { seed, update: 1 };
    const policy = new RandomPolicy(key);
    await rollouts[shape].grow(policy, toyWorld, toyPrompts(2), configOf(shape), key);
    for (const { context, maxTokens } of policy.asked.flat()) {
      expect(maxTokens).toBeGreaterThanOrEqual(1);
      expect(context.length).toBeLessThan(toyWorld.contextLength);
      expect(context.length + maxTokens).toBeLessThan(toyWorld.contextLength + toyWorld.turnTokenLimit);
    }
  }
});

test.each(ROLLOUT_SHAPES)('%s: no two turns of a prompt are sampled under one key', async (shape) => {
  const key = { seed: 6, update: 1 };
  const policy = new RandomPolicy(key);
  await rollouts[shape].grow(policy, toyWorld, toyPrompts(2), configOf(shape), key);
  const words = policy.asked
    .flat()
    .map(({ key: { prompt, node, firstToken } }) => `${prompt} ${node} ${firstToken}`);
  expect(new Set(words).size).toBe(words.length);
});

test.each(ROLLOUT_SHAPES)('%s: a run can stop between two rounds', async (shape) => {
  const stop = new AbortController();
  const onRound = () => stop.abort(new Error('enough'));
  await expect(grow(shape, 1, {}, { onRound, signal: stop.signal })).rejects.toThrow('enough');
});

test.each(ROLLOUT_SHAPES)('%s: a tree without rows is refused', async (shape) => {
  await expect(grow(shape, 1, { leavesPerTree: 0 })).rejects.toThrow('These tree sizes make no tree');
});

test('chains share nothing but the root', async () => {
  for (const tree of await grow('chains', 7, CHAINS)) {
    expect(tree.nodes[0].children).toHaveLength(16);
    for (const { parent, children } of tree.nodes)
      if (parent !== null) expect(children.length).toBeLessThan(2);
  }
});

test('every shape says what it is', () => {
  for (const rule of Object.values(rollouts)) {
    for (const text of [rule.title, rule.description, rule.formula, rule.source, rule.ranking])
      expect(text).not.toBe('');
    for (const path of rule.settings) expect(Object.keys(TURN_TREE)).toContain(path.replace('rollout.', ''));
  }
});
