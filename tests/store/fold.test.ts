import { describe, expect, test } from 'vitest';
import { foldEvents } from '../../src/store/record/fold.ts';
import { createRunStore } from '../../src/store/record/run.ts';
import { bestLeaf, isDead, nodesGrown, pathTokens, rolloutTree } from '../../src/store/record/reading.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { nodeId } from '../../src/units.ts';
import { METRICS, SAMPLE_LOG, START, updateEvents, VOCABULARY } from '../support/sample_log.ts';

const folded = foldEvents(EMPTY_RUN, SAMPLE_LOG);
const tree = folded.updates[0].trees[0];

describe('folding the log', () => {
  test('keeps two updates with their metrics, evaluations and status', () => {
    expect(folded.updates.map(({ update, metrics }) => [update, metrics?.exactMatch])).toEqual([
      [1, 0.5],
      [2, 0.75],
    ]);
    expect(folded.evaluations.map(({ update, exactMatch }) => [update, exactMatch])).toEqual([
      [0, 0.33],
      [2, 0.62],
    ]);
    expect([folded.status, folded.update, folded.phase]).toEqual(['paused', 2, 'step']);
    expect(folded.header?.parameterCount).toBe(94_592);
  });

  test('rebuilds children from parents and remembers the order of arrival', () => {
    expect(tree.nodes.map((node) => node?.children)).toEqual([[1, 2, 4], [3], [], [], [5], []]);
    expect(tree.growth.map((step) => (step.kind === 'node' ? step.node : step.kind))).toEqual([
      1,
      2,
      3,
      'expansion',
      4,
      5,
      'leaves',
    ]);
  });

  test('places rewards, credit, loss rows and steps', () => {
    expect(tree.rewards).toEqual([null, null, -1, 1, null, 0]);
    expect(tree.credit?.values?.[1]).toBe(1.22);
    const [minibatch] = folded.updates[0].minibatches;
    expect([minibatch.loss, minibatch.rows.length, minibatch.step?.gradientNorm]).toEqual([0.0123, 2, 0.75]);
  });

  test('gives the same state event by event as in one batch', () => {
    const single = SAMPLE_LOG.reduce((state, event) => foldEvents(state, [event]), EMPTY_RUN);
    expect(single).toEqual(folded);
  });

  test('accepts a node before the elder ones of its tree', () => {
    const events = updateEvents(1);
    const [first, second] = events.filter((event) => event.kind === 'node' && event.prompt === 0);
    const state = foldEvents(EMPTY_RUN, [START, events[0], second, first]);
    expect(state.updates[0].trees[0].nodes.map((node) => node?.children)).toEqual([[1, 2], [], []]);
  });

  test('keeps what a search remembers of its nodes, and nothing of a tree without search', () => {
    const search = [4, 3, 1].map((visits) => ({ visits, quality: 0.5 }));
    const at = { update: 2, prompt: 0, leaves: [nodeId(1)], pruned: [] };
    const state = foldEvents(folded, [{ kind: 'leaves', ...at, search }]);
    expect(state.updates[1].trees[0].search?.[1]).toEqual({ visits: 3, quality: 0.5 });
    expect(tree.search).toBeUndefined();
  });

  test('marks pruned nodes and takes them from their parent', () => {
    const at = { update: 2, prompt: 0 };
    const pruned = foldEvents(folded, [{ kind: 'leaves', ...at, leaves: [nodeId(3)], pruned: [nodeId(2)] }]);
    const nodes = pruned.updates[1].trees[0].nodes;
    expect([nodes[0]?.children, nodes[2]?.pruned]).toEqual([[1, 4], true]);
  });

  test('shares what an event does not touch', () => {
    const next = foldEvents(folded, updateEvents(3));
    expect(next.updates[0]).toBe(folded.updates[0]);
    const touched = foldEvents(folded, [{ kind: 'rewards', update: 2, trees: [{ prompt: 0, byNode: [0] }] }]);
    expect(touched.updates[1].trees[1]).toBe(folded.updates[1].trees[1]);
    expect(touched.updates[1].trees[0].nodes).not.toBe(undefined);
    expect(folded.updates[1].trees[0].rewards).toHaveLength(6);
  });

  test('starts afresh on run-started and keeps the run on failure', () => {
    expect(foldEvents(folded, [START]).updates).toEqual([]);
    const report = { what: 'device lost', where: 'rollout', got: 'lost', wanted: 'a device', next: 'Reset.' };
    const failed = foldEvents(folded, [{ kind: 'failed', update: 2, report }]);
    expect([failed.status, failed.failure, failed.updates.length]).toEqual(['failed', report, 2]);
  });

  test('an event touches its own update and no other, however long the log is', () => {
    const log = Array.from({ length: 100 }, (_, index) => updateEvents(index + 1)).flat();
    const before = foldEvents(EMPTY_RUN, log);
    const after = foldEvents(before, updateEvents(101));
    expect(after.updates).toHaveLength(101);
    expect(after.updates[100].metrics).toEqual(METRICS);
    before.updates.forEach((update, index) => expect(after.updates[index]).toBe(update));
  });
});

describe('reading the run', () => {
  test('finds the best leaf and the dead tree', () => {
    expect(bestLeaf(tree)).toBe(3);
    expect(folded.updates[0].trees.map(isDead)).toEqual([false, true]);
  });

  test('reads a path as words with their masks and log-probabilities', () => {
    const tokens = pathTokens(tree, nodeId(3), VOCABULARY);
    expect(tokens.map((token) => token.text).join(' ')).toBe(
      '<q> Yara mother ? <think> plan </think> <search> Yara mother </search> ' +
        '<result> Yara Pia </result> <think> Yara Pia </think> <answer> Pia </answer>',
    );
    expect(tokens[11]).toEqual({ position: 11, text: '<result>', node: 3, source: 'environment', logProb: null, entropy: null }); // prettier-ignore
    expect(tokens[5]).toMatchObject({ text: 'plan', node: 1, source: 'policy', logProb: -0.2, entropy: 0.5 });
  });

  test('shows the tree as it was after any growth step', () => {
    const shown = nodesGrown(tree, 2);
    expect(shown.map((node) => node?.children)).toEqual([[1, 2], [], [], undefined, undefined, undefined]);
    expect(nodesGrown(tree, null)).toBe(tree.nodes);
  });

  test('gives algorithms a tree only when it is complete', () => {
    expect(rolloutTree(tree)?.leaves).toEqual([2, 3, 5]);
    expect(rolloutTree({ ...tree, leaves: [] })).toBeNull();
    expect(rolloutTree(tree)).not.toHaveProperty('search');
    const search = tree.nodes.map(() => ({ visits: 3, quality: 0.5 }));
    expect(rolloutTree({ ...tree, search })?.search).toBe(search);
  });
});

describe('the run store', () => {
  test('tells listeners once per batch and keeps the log', async () => {
    const store = createRunStore();
    let calls = 0;
    store.subscribe(() => (calls += 1));
    store.apply(SAMPLE_LOG);
    const log = [];
    for await (const event of store.log()) log.push(event);
    expect([calls, log, store.getState().updates.length]).toEqual([1, SAMPLE_LOG, 2]);
  });

  test('keeps the run when an error is shown and dismissed', () => {
    const store = createRunStore();
    store.apply(SAMPLE_LOG);
    store.report({ what: 'a', where: 'b', got: 'c', wanted: 'd', next: 'e' });
    expect(store.getState().failure?.what).toBe('a');
    store.dismissFailure();
    expect([store.getState().failure, store.getState().updates.length]).toEqual([null, 2]);
  });
});
