/** Imports in the page's store: trees split and merged as the files' own code does it, and conversations that lose no word. */
import { describe, expect, test } from 'vitest';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { isTurn, type Rollout } from '../../src/files/rollouts/rollout.ts';
import { groupKeyOf } from '../../src/files/rollouts/tally.ts';
import { mergesOf, splitNode, treeOf } from '../../src/files/rollouts/trees.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import {
  conversationOf,
  findPassages,
  type PassageHit,
  type PassageQuery,
} from '../../src/store/record/conversation.ts';
import { joinerOf } from '../../src/store/record/reading.ts';
import { mergeTurns, splitRow } from '../../src/store/record/reshape.ts';
import { nodeId } from '../../src/units.ts';
import { importFixture } from '../support/imports.ts';

const SHARED = ['atpo_dump.jsonl', 'verl_0_6', 'verl_mlflow.jsonl', 'prime_rl'];
const ANY = { file: 'f', format: 'f' };

/** The rollouts of the first group that has a merge, as the only ones. */
async function merged(name: string) {
  const { rollouts: all } = await importFixture(name);
  const groups = new Map<string, Rollout[]>();
  for (const each of all) groups.set(groupKeyOf(each), [...(groups.get(groupKeyOf(each)) ?? []), each]);
  const found = [...groups].find(([, held]) => mergesOf(treeOf(held)).length > 0);
  if (!found) throw new Error(`${name} shares no turn`);
  const [key, held] = found;
  const [{ rows }] = mergesOf(treeOf(held));
  const twin = { ...held[rows[0]], id: 'twin', place: { path: 'twin', line: 1 } }; // a third row of one turn
  const rollouts = [...held, twin];
  return { key, rollouts, tree: treeOf(rollouts) };
}

const update = (events: Iterable<RunEvent>): readonly RunEvent[] =>
  [...events].filter((event) => 'update' in event);

test.for(SHARED)(
  '%s: a row split off in the record is the record of the rollouts with that split',
  async (name) => {
    const { key, rollouts, tree } = await merged(name);
    expect(Math.max(...mergesOf(tree).map(({ rows }) => rows.length))).toBeGreaterThan(2);
    const events = update(toRecord(rollouts, ANY));
    let splits = 0;
    for (const { node, rows } of mergesOf(tree))
      for (const row of rows) {
        const leaf = nodeId(tree.paths[row].at(-1)!);
        const split = splitRow(events, 0, nodeId(node), leaf);
        const wanted = toRecord(rollouts, { ...ANY, trees: new Map([[key, splitNode(tree, node, [row])]]) });
        expect(split.events).toEqual(update(wanted));
        splits += 1;
        const grown = split.events.flatMap((event) => (event.kind === 'node' ? [event.node] : []));
        const before = events.flatMap((event) => (event.kind === 'node' ? [event.node] : []));
        const [own, old] = [grown.find(({ id }) => id === split.leafOf(leaf))!, before.find(({ id }) => id === leaf)!]; // prettier-ignore
        expect(own.tokens).toEqual(old.tokens);
      }
    expect(splits).toBeGreaterThan(1);
  },
);

test('what was split is put together again, and is then as it was', async () => {
  const { rollouts, tree } = await merged('atpo_dump.jsonl');
  const events = update(toRecord(rollouts, ANY));
  const [{ node, rows }] = mergesOf(tree);
  const split = splitRow(events, 0, nodeId(node), nodeId(tree.paths[rows[0]].at(-1)!));
  const tops = split.events.flatMap((event) => (event.kind === 'node' && event.node.parent === 0 ? [event.node] : [])); // prettier-ignore
  const [one, other] = tops.filter(({ tokens }) => tokens.join() === tops[0].tokens.join());
  expect(mergeTurns(split.events, 0, one.id, other.id).events).toEqual(events);
  expect(() => splitRow(events, 0, nodeId(tree.paths[0].at(-1)!), nodeId(tree.paths[0].at(-1)!))).toThrow(/cannot be changed/); // prettier-ignore
  expect(() => mergeTurns(events, 0, nodeId(1), nodeId(1))).toThrow(/read alike/);
});

test('on screen a split and its undo change the tree, its credit and the log', async () => {
  const { rollouts, tree } = await merged('atpo_dump.jsonl');
  const lab = createLab(() => undefined);
  lab.run.apply([...toRecord(rollouts, ANY)]);
  const before = lab.run.getState().updates[0];
  const [{ node, rows }] = mergesOf(tree);
  const leaf = nodeId(tree.paths[rows[0]].at(-1)!);
  lab.selection.select({ update: 1, prompt: 0, node: nodeId(node), leaf });
  await lab.reshaping.split(nodeId(node), leaf);
  const { trees } = lab.run.getState().updates[0];
  expect(trees[0].nodes).toHaveLength(before.trees[0].nodes.length + 1);
  expect(trees[0].leaves).toHaveLength(before.trees[0].leaves.length);
  const logged = await lab.run.eventsOf(1);
  expect(logged!.filter(({ kind }) => kind === 'node')).toHaveLength(trees[0].nodes.length - 1);
  lab.reshaping.undo();
  expect(lab.run.getState().updates[0]).toEqual(before);
  expect(lab.selection.getState()).toMatchObject({ node: nodeId(node), leaf });
  await lab.reshaping.merge(nodeId(1), nodeId(1));
  expect(lab.run.getState().failure?.what).toBe('The tree cannot be changed so');
});

describe('conversations', () => {
  test.for([
    'verl_0_6',
    'chat.jsonl',
    'verifiers_wordle_results.jsonl',
    'nemo_gym_math_with_code.jsonl',
    'tau_bench.json',
  ])('%s: every word of every row is there, by its author, in order', async (name) => {
    const { rollouts } = await importFixture(name);
    const lab = createLab(() => undefined);
    lab.run.apply([...toRecord(rollouts, ANY)]);
    const run = lab.run.getState();
    const words = { texts: run.texts, joiner: joinerOf(run) };
    const told = (list: readonly { readonly author: string; readonly text: string }[]): string =>
      JSON.stringify(list.map(({ author, text }) => [author, text.replace(/\s+/g, ' ').trim()]));
    const written = rollouts.flatMap(({ rows }) =>
      rows.flatMap(({ spans }) =>
        spans.some(isTurn) ? [told(spans.filter((each) => isTurn(each) || each.text.trim() !== ''))] : [],
      ),
    );
    const read = run.updates.flatMap(({ trees }) =>
      trees.flatMap((tree) => tree.leaves.map((leaf) => told(conversationOf(tree, leaf, words)))),
    );
    expect(read.toSorted()).toEqual(written.toSorted());
    expect(read.length).toBeGreaterThan(0);
  });

  test('a search finds each passage once, by author, reward and tree', async () => {
    const { rollouts } = await importFixture('verifiers_wordle_results.jsonl');
    const lab = createLab(() => undefined);
    lab.run.apply([...toRecord(rollouts, ANY)]);
    const run = lab.run.getState();
    const words = { texts: run.texts, joiner: joinerOf(run) };
    const { trees } = run.updates[0];
    const ask = (query: Partial<PassageQuery>): readonly PassageHit[] => [...findPassages(trees, { text: '', author: null, prompt: null, low: null, high: null, ...query }, words)].flat(); // prettier-ignore
    const guesses = rollouts.flatMap(({ rows }) => rows.flatMap(({ spans }) => spans.filter((span) => isTurn(span) && span.text.includes('<guess>')))); // prettier-ignore
    expect(ask({ text: '<GUESS>', author: 'policy' })).toHaveLength(guesses.length); // no two rollouts share a turn here
    expect(ask({ text: '<guess>', author: 'tool' })).toEqual([]);
    const best = Math.max(...rollouts.map(({ reward }) => reward!));
    const [winner] = rollouts.filter(({ reward }) => reward === best);
    const turns = winner.rows[0].spans.filter(isTurn).length;
    const hits = ask({ author: 'policy', low: best });
    expect(hits).toHaveLength(turns);
    expect(new Set(hits.map(({ prompt }) => prompt)).size).toBe(1);
    expect(ask({ author: 'policy', low: best, prompt: (hits[0].prompt + 1) % trees.length })).toEqual([]);
    for (const { prompt, node, found } of ask({ text: 'guess' })) {
      expect(trees[prompt].nodes[node]).toBeDefined();
      expect(found.toLowerCase()).toBe('guess');
    }
  });
});
