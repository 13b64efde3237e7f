import { createRunStore } from '../../src/store/record/run.ts';
import { describe, expect, test } from 'vitest';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { otherAsking } from '../../src/store/place/missing_place.ts';
import { expansionWords } from '../../src/ui/tree/expansion_words.ts';
import { EMPTY_QUERY, findTurns, nextMatch, tagsOf } from '../../src/ui/tree/TreeTools.tsx';
import { nodeId, ROLLOUT_SHAPES } from '../../src/units.ts';
import { CONFIG, SAMPLE_LOG, VOCABULARY } from '../support/sample_log.ts';

const run = foldEvents(EMPTY_RUN, SAMPLE_LOG);
const tree = run.updates[0].trees[0];
const find = (change: object) => findTurns(tree, tree.nodes, { ...EMPTY_QUERY, ...change }, VOCABULARY);

describe('a search of a tree', () => {
  test('asks for nothing when it is empty', () => {
    expect(findTurns(tree, tree.nodes, null, VOCABULARY)).toBe(null);
    expect(find({})).toBe(null);
  });

  test('finds words across tokens, in any case, tool results included', () => {
    expect(find({ text: 'YARA Pia' })).toEqual([3, 5]);
    expect(find({ text: 'ugo' })).toEqual([5]);
    expect(find({ text: 'nobody' })).toEqual([]);
  });

  test('finds calls by their tag and paths by their ending', () => {
    expect(find({ tag: 'search' })).toEqual([1, 4]);
    expect(find({ tag: 'malformed' })).toEqual([2]);
    expect(find({ tag: 'answer' })).toEqual([2, 3, 5]); // n2 opens an answer without closing it
    expect(tagsOf(tree.nodes, VOCABULARY)).toEqual(expect.arrayContaining(['search', 'answer', 'malformed']));
  });

  test('finds leaves by class of reward and turns by a range of entropy, all conditions together', () => {
    const correct = tree.leaves.filter((leaf) => (tree.rewards?.[leaf] ?? 0) >= 1);
    expect(find({ reward: 'correct' })).toEqual(correct);
    expect(find({ low: 0.35, high: 0.85 })).toEqual([2, 3, 4]); // H = 0.2 · id
    expect(find({ low: 0.35, high: 0.85, tag: 'search' })).toEqual([4]);
  });

  test('goes from match to match and round', () => {
    const found = [1, 4, 5].map(nodeId);
    expect(nextMatch(found, null, 1)).toBe(1);
    expect(nextMatch(found, nodeId(4), 1)).toBe(5);
    expect(nextMatch(found, nodeId(5), 1)).toBe(1);
    expect(nextMatch(found, nodeId(1), -1)).toBe(5);
    expect(nextMatch([], nodeId(1), 1)).toBe(null);
  });
});

describe('the same question at another time', () => {
  const { prompt } = tree;

  test('is the nearest other update of the run', () => {
    expect(otherAsking(run, [], prompt, 1)).toMatchObject({ update: 2, prompt: 0, from: null });
  });

  test('is a kept run’s where the run asks once, and nothing where nobody else asked', () => {
    const once = { ...run, updates: [run.updates[0]] };
    expect(otherAsking(once, [], prompt, 1)).toBe(null);
    const kept = { id: 1, title: 'GRPO', origin: 'kept' as const, file: null, run, record: createRunStore() };
    expect(otherAsking(once, [kept], prompt, 1)).toMatchObject({ update: 1, from: 'GRPO' });
    expect(otherAsking(once, [kept], { ...prompt, seed: 5 }, 1)).toBe(null);
  });
});

test('every shape of rollout says what its choices mean', () => {
  const said = ROLLOUT_SHAPES.map((shape) => expansionWords({ ...CONFIG.algorithm.rollout, shape }, 4));
  for (const words of said) expect(words.sentence.length).toBeGreaterThan(20);
  expect(said[ROLLOUT_SHAPES.indexOf('branching')].score).toContain('probability');
  expect(said[ROLLOUT_SHAPES.indexOf('turn_tree')].penalty).not.toBe(null);
});
