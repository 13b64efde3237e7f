/** Trees in the verl folder: every shape grows the lab's trees, and the agent loop makes rows of them. */
import { describe, expect, test } from 'vitest';
import { TREE_CREDIT, TURN_TREE } from '../../src/algo/catalogue/defaults.ts';
import { rollouts } from '../../src/algo/rollouts/index.ts';
import { TREE_SHAPES } from '../../src/outgrow/parts.ts';
import type { RolloutConfig, SampledNode } from '../../src/units.ts';
import { CALL, RandomPolicy, toyPrompts, toyWorld } from '../algo/toy_world.ts';
import { ask, isWanted, nothing } from './ask.ts';

/** Small trees of every shape that the folder grows, with the settings that make it choose. */
const SMALL: RolloutConfig = { ...TURN_TREE, leavesPerTree: 9, initialBranches: 3, picks: 2, segmentTokens: 3, levels: 4, similarity: 0.8 }; // prettier-ignore
const GROWTHS: readonly Partial<RolloutConfig>[] = [
  { expansion: 'entropy', siblingPenalty: 0.2 },
  { expansion: 'random' },
  { expansion: 'random', initialBranches: 1, picks: 7 }, // more picks than turns
  { leavesPerTree: 5 }, // more leaves than rows
  { shape: 'continuation_tree', leavesPerTree: 8 },
  { shape: 'branching', beam: 3, branchWeight: 2 },
  { shape: 'branching', branchRule: 'aepo', branchBase: 0.3 },
  { shape: 'branching', branchRule: 'aepo', dynamicInitial: true, beam: 3 },
  { shape: 'segment_tree' },
  { shape: 'segment_tree', width: 3, leavesPerTree: 14 },
  { shape: 'level_tree' },
  { shape: 'level_tree', similarity: 1 }, // off
  { shape: 'level_tree', width: 3, similarity: 0.3, leavesPerTree: 14 },
];

/** What a node of the toy world turned out to be, as the folder's loop would write it down. */
function outcomeOf(node: SampledNode) {
  const places = node.mask.flatMap((bit, place) => (bit === 1 ? [place] : []));
  const tokens = places.map((place) => node.tokens[place]);
  const state = node.ending !== null ? 'ended' : tokens.at(-1) === CALL ? 'opened' : 'cut';
  return { state, tokens: tokens.length, surprisal: node.turnSurprisal, entropies: places.map((place) => node.entropy[place]), result: tokens.slice(0, 2) }; // prettier-ignore
}

describe.runIf(isWanted)('trees of the Python files', () => {
  test('rollouts: on the lab’s outcomes and random numbers, each shape grows the lab’s tree node by node', async () => {
    const world = { ...toyWorld, contextLength: 400 }; // a path that fills its context ends otherwise in verl
    const grown = await Promise.all(GROWTHS.flatMap((change) => [1, 2, 3].map(async (seed) => {
      const [rollout, key] = [{ ...SMALL, ...change }, { seed, update: 1 }];
      const trees = await rollouts[rollout.shape].grow(new RandomPolicy(key), world, toyPrompts(2), rollout, key);
      return trees.map((tree) => ({ rollout, key: [seed, 1], prompt: tree.prompt.index, tree }));
    }))).then((all) => all.flat()); // prettier-ignore
    const own = grown.map(({ tree }) => tree.nodes.filter(({ origin }) => origin.kind !== 'duplicate')); // the folder copies no leaf
    const said = await ask({ ...nothing, grown: grown.map(({ rollout, key, prompt }, at) => ({ rollout, key, prompt, vocabulary: world.vocabulary.length, nodes: own[at].map(outcomeOf) })) }); // prettier-ignore
    const chosen = new Map<string, number>();
    grown.forEach(({ tree, rollout }, at) => {
      const where = `${rollout.shape}, ${JSON.stringify(GROWTHS[Math.floor(at / 6)])}, case ${at}`;
      const { parent, root_of, rows } = said.grown[at];
      expect(parent, where).toEqual(own[at].map((node) => node.parent));
      expect(root_of, where).toEqual(own[at].map((node) => node.tree));
      expect(rows, where).toEqual(tree.leaves.filter((leaf) => leaf < own[at].length));
      const choices = tree.expansions.flatMap(({ picks }) => picks).length + tree.nodes.filter(({ pruned }) => pruned).length; // prettier-ignore
      chosen.set(rollout.shape, (chosen.get(rollout.shape) ?? 0) + choices);
    });
    for (const shape of Object.keys(chosen)) expect(chosen.get(shape), shape).toBeGreaterThan(20);
    expect([...chosen.keys()].toSorted()).toEqual(TREE_SHAPES.toSorted());
  });

  test('entropy of a token’s entries is −Σ p ln p; of a generation over its first 20 tokens, read as part of a prompt', async () => {
    const shares = [[0.5, 0.25, 0.25], [1], [0.4, 0.3, 0.1]]; // the last: the likeliest ones alone
    const { entropies, heard } = await ask({ ...nothing, entropies: shares.map((row) => row.map(Math.log)) });
    const wanted = shares.map((row) => -row.reduce((sum, p) => sum + p * Math.log(p), 0));
    entropies.forEach((entropy, at) => expect(entropy).toBeCloseTo(wanted[at], 12));
    const measured = Array.from({ length: 20 }, (_, place) => (place + 4) / 4); // the server says ten times −token / 4
    const sum = measured.reduce((total, x) => total + 10 * x * Math.exp(-x), 0);
    expect(heard).toBeCloseTo(sum / Math.log(12), 12);
  });

  test('DialTree’s mask: advantages below 0 of tokens that the grammar touches become 0, others stay', async () => {
    const pieces = ['I', ' ask <tool', '_call', '>\n', '{"', 'name', '": "', 'search', '"}', '</tool_call>', ' so', ' <answer>', 'Ana']; // prettier-ignore
    const grammar = [1, 2, 3, 4, 5, 6, 9, 11];
    const advantages = (sign: number) => pieces.map((_, place) => sign * (place + 1));
    const { spared } = await ask({ ...nothing, spared: [-1, 1].map((sign) => [advantages(sign), pieces]) });
    expect(spared[0]).toEqual(advantages(-1).map((value, place) => (grammar.includes(place) ? 0 : value)));
    expect(spared[1]).toEqual(advantages(1));
  });

  test('the agent loop as shipped: rows of every shape share what their paths share, and every token has its node’s advantage', async () => {
    const asked = GROWTHS.map((change) => ({ rollout: { ...SMALL, ...change }, credit: { ...TREE_CREDIT, advantageRule: 'treepo_segment' } })); // prettier-ignore
    const { loops } = await ask({ ...nothing, loops: asked });
    loops.forEach((rows, at) => {
      const where = JSON.stringify(GROWTHS[at]);
      const { leavesPerTree, shape } = asked[at].rollout;
      for (const uid of ['q1', 'q2']) {
        const own = rows.filter((row) => row.uid === uid);
        expect(own.length, where).toBeGreaterThan(1);
        expect(own.length, where).toBeLessThanOrEqual(leavesPerTree);
        if (shape !== 'turn_tree' && shape !== 'continuation_tree') expect(own.length, where).toBe(leavesPerTree); // prettier-ignore
        const trees = [...new Set(own.map((row) => row.root_of))].toSorted();
        expect(trees, where).toEqual(shape === 'continuation_tree' ? [0, 1, 2] : [0]);
        expect(new Set(own.map(({ path }) => path.at(-1))).size, where).toBe(own.length);
      }
      for (const row of rows) {
        const { response, mask, logProbs, path, tokens, turns, advantages } = row;
        expect([mask.length, logProbs.length, advantages.length], where).toEqual([response.length, response.length, response.length]); // prettier-ignore
        const sampled = mask.flatMap((bit, place) => (bit === 1 ? [place] : []));
        expect(sampled.length, where).toBe(tokens.reduce((sum, count) => sum + count, 0));
        const ends = sampled.filter((place) => mask[place + 1] !== 1);
        expect(
          sampled.filter((place) => response[place] <= 2),
          where,
        ).toEqual(ends); // turns end where the policy stops
        const nodes = tokens.flatMap((count, place) => Array.from({ length: count }, () => place));
        expect(sampled.map((place) => advantages[place]), where).toEqual(nodes.map((node) => turns[node])); // prettier-ignore
        expect(
          advantages.every((value, place) => mask[place] === 1 || value === 0),
          where,
        ).toBe(true);
        path.forEach((_, node) => {
          const of = sampled.filter((_, place) => nodes[place] === node).map((place) => logProbs[place]);
          expect(row.surprisal[node], where).toBeCloseTo(-of.reduce((a, b) => a + b, 0) / of.length, 12);
        });
        for (const other of rows.filter(({ uid }) => uid === row.uid)) {
          const shared = path.findIndex((node, place) => node !== other.path[place]);
          const count = tokens.slice(0, shared < 0 ? tokens.length : shared).reduce((a, b) => a + b, 0);
          const until = count === 0 ? 0 : sampled[count - 1] + 1;
          expect(other.response.slice(0, until), where).toEqual(response.slice(0, until));
        }
        expect(row.score, where).toBe(row.reward);
      }
    });
    expect(loops.every((rows) => new Set(rows.flatMap(({ turns }) => turns)).size > 3)).toBe(true); // turns differ
    const segments = loops[GROWTHS.findIndex(({ shape }) => shape === 'segment_tree')];
    expect(
      segments.some(
        ({ tokens, mask }) =>
          tokens.length > mask.filter((bit, place) => bit === 1 && mask[place - 1] !== 1).length,
      ),
    ).toBe(true); // turns in several nodes
  });
});
