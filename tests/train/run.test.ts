import { expect, test } from 'vitest';
import { environments } from '../../src/env/index.ts';
import { heldOutPrompts, trainingPrompts } from '../../src/train/run/prompts.ts';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import { nodeId } from '../../src/units.ts';
import { scriptedEngine, scriptedRun, smallConfig } from '../support/scripted_run.ts';

type Of<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;
const only = <K extends EngineEvent['kind']>(events: readonly EngineEvent[], kind: K): Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);

const events = await scriptedRun();

/** Kinds with runs of the same kind folded together. */
const outline = (log: readonly EngineEvent[]): string[] =>
  log
    .map((event) => (event.kind === 'phase' ? event.phase : event.kind))
    .filter((kind, i, all) => kind !== all[i - 1]);

test('a run evaluates, then goes through its phases mini-batch by mini-batch, then evaluates again', () => {
  const growth = ['node', 'expansion', 'node', 'expansion', 'node', 'leaves'];
  const update = ['update-started', 'rollout', ...growth, 'reward', 'rewards', 'value', 'advantage', 'credit', 'loss', 'step', 'loss', 'step', 'metrics']; // prettier-ignore
  const evaluated = ['evaluation', 'answers', 'evaluation', 'answers']; // sampled, greedy
  expect(outline(events)).toEqual([
    ...['ready', 'status', 'run-started', 'status', ...evaluated],
    ...update,
    ...update,
    ...[...evaluated, 'status'],
  ]);
});

test('every update grows one tree of eleven leaves per prompt', () => {
  const leaves = only(events, 'leaves').filter((event) => event.update === 1);
  expect(leaves.map((event) => event.prompt)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(leaves.map((event) => event.leaves.length)).toEqual(Array(8).fill(11));
  expect(only(events, 'expansion').filter((event) => event.update === 2)).toHaveLength(16);
});

test('loss rows hold each leaf once, and their weights sum to one per mini-batch', () => {
  for (const { rows, loss } of only(events, 'loss')) {
    expect(rows).toHaveLength(44);
    expect(new Set(rows.map((row) => `${row.prompt}/${row.leaf}`)).size).toBe(44);
    const weights = rows.flatMap((row) => row.weight);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    const total = rows.flatMap((row) => row.tokenLoss.map((term, t) => term * row.weight[t]));
    expect(total.reduce((a, b) => a + b, 0)).toBeCloseTo(loss, 6);
  }
});

test('a token’s advantage in the loss is the credit of its node', () => {
  const [credit] = only(events, 'credit');
  const nodes = only(events, 'node').filter((event) => event.update === 1);
  const [row] = only(events, 'loss')[0].rows;
  const leaf = nodes.find((event) => event.prompt === row.prompt && event.node.id === row.leaf)?.node;
  const tree = credit.trees.find((entry) => entry.prompt === row.prompt);
  expect(leaf?.mask.at(-1)).toBe(1);
  expect(row.advantage.at(-1)).toBe(Math.fround(tree?.advantages[row.leaf] ?? NaN));
});

test('mini-batches after the first have left the sampling policy', () => {
  const [first, second] = only(events, 'loss');
  const moved = (event: Of<'loss'>): number =>
    Math.max(...event.rows.flatMap((row) => row.turnLogRatio.map(Math.abs)));
  expect(moved(first)).toBeLessThan(1e-4);
  expect(moved(second)).toBeGreaterThan(0.01);
});

test('the same seed gives the same log, another seed another', async () => {
  expect(await scriptedRun()).toEqual(events);
  const other = await scriptedRun(smallConfig({ seed: 2 }));
  expect(only(other, 'update-started')[0].prompts).not.toEqual(only(events, 'update-started')[0].prompts);
});

test('no question is both trained on and held out', () => {
  const seeds = only(events, 'update-started').flatMap((event) =>
    event.prompts.map((prompt) => prompt.seed ?? -1),
  );
  expect(seeds).toHaveLength(16);
  expect(new Set(seeds).size).toBe(16);
  expect(seeds.every((seed) => seed >= 0 && seed < 2 ** 31)).toBe(true);
  const heldOut = heldOutPrompts(environments.search, 'hotpot', 500).map((prompt) => prompt.seed);
  expect(new Set(heldOut).size).toBe(500);
  expect(heldOut.every((seed) => seed >= 2 ** 31 && seed < 2 ** 32)).toBe(true);
});

test('data sets take turns, from update to update', () => {
  const sets = (update: number) =>
    trainingPrompts(environments.search, ['nq', 'hotpot', 'popqa'], 4, { seed: 1, update }).map(
      (prompt) => prompt.dataset,
    );
  expect([...sets(1), ...sets(2)]).toEqual([
    'nq',
    'hotpot',
    'popqa',
    'nq',
    'hotpot',
    'popqa',
    'nq',
    'hotpot',
  ]);
});

test('evaluation asks each data set once sampled and once greedily', () => {
  const evaluations = only(events, 'evaluation');
  expect(evaluations.map(({ update, greedy, questions }) => [update, greedy, questions])).toEqual([
    [0, false, 8],
    [0, true, 8],
    [2, false, 8],
    [2, true, 8],
  ]);
  expect(evaluations.every(({ exactMatch }) => exactMatch >= 0 && exactMatch <= 1)).toBe(true);
});

test('old log-probabilities of all mini-batches are scored before the first is trained on', async () => {
  const config = smallConfig({ updates: 1, evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });
  const { engine, send, until, backend } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  const over = until((event) => event.kind === 'status' && event.status === 'finished');
  await send({ kind: 'play' });
  await over;
  const calls = backend.policies[0].calls.filter((call) => call !== 'generate');
  expect(calls).toEqual(['beginRollout', 'score', 'score', 'backward', 'step', 'backward', 'step']);
});

test('with a KL penalty the reference policy scores the rows and is never trained', async () => {
  const small = smallConfig({ updates: 1 });
  const loss = { ...small.algorithm.loss, klCoefficient: 0.01 };
  const config = { ...small, algorithm: { ...small.algorithm, loss } };
  const { engine, send, until, backend } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  const over = until((event) => event.kind === 'status' && event.status === 'finished');
  await send({ kind: 'play' });
  await over;
  expect(backend.policies).toHaveLength(2);
  expect(backend.policies[1].calls).toEqual(['score', 'score']);
});

test('a loss that is not a number stops the run with a report, and what was posted stays', async () => {
  const config = smallConfig();
  const { engine, events: log, send, until, backend } = scriptedEngine(config, { brokenUpdate: 2 });
  await engine.start();
  await send({ kind: 'open', config });
  const failure = until((event) => event.kind === 'failed');
  const stopped = until((event) => event.kind === 'status' && event.status === 'failed');
  await send({ kind: 'play' });
  const { report, update } = (await failure) as Of<'failed'>;
  expect(update).toBe(2);
  expect(report.what).toBe('The loss is not a finite number, so the run stopped');
  expect(report.where).toMatch(/^update 2, mini-batch 0, prompt \d, leaf \d+$/);
  expect(report.got).toBe('NaN');
  await stopped;
  expect(only(log, 'metrics').map((event) => event.update)).toEqual([1]);
  await send({ kind: 'play' }); // refused: the run is over
  expect(only(log, 'failed').at(-1)?.report.where).toBe('command play');
  await send({ kind: 'reset' });
  expect(only(log, 'run-started')).toHaveLength(2);
  expect(backend.policies[0].disposed).toBe(true);
});

test('a pruned or expanded node names its parent before it arrives', () => {
  const seen = new Map<number, Set<number>>();
  for (const { prompt, node, update } of only(events, 'node')) {
    if (update !== 1) continue;
    const known = seen.get(prompt) ?? new Set([nodeId(0)]);
    if (node.parent !== null) expect(known.has(node.parent)).toBe(true);
    seen.set(prompt, known.add(node.id));
  }
  expect(seen.size).toBe(8);
});
