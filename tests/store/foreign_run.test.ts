/** Rollouts that somebody else trained: no recipe, no log-probabilities, words in place of our tokens. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { assignCredit, UnknownSurprisalError } from '../../src/algo/credit/credit.ts';
import { readRecording, recordingLines } from '../../src/files/recording.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { worthOf } from '../../src/store/credit/advantage_range.ts';
import {
  creditRulesOf,
  DEFAULT_CREDIT,
  isValueAvailable,
  OWN_CREDIT,
  recredit,
} from '../../src/store/credit/credit.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { VIEWS } from '../../src/store/place/selection.ts';
import { missingIn } from '../../src/store/record/needs.ts';
import { joinerOf, pathTokens, recipeOf, rolloutTree } from '../../src/store/record/reading.ts';
import { whatChangedFirst } from '../../src/store/record/run_difference.ts';
import { runName, runWords } from '../../src/store/record/run_name.ts';
import type { RunState } from '../../src/store/record/run_state.ts';
import { NO_SIGNALS, nodeId } from '../../src/units.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

const text = readFileSync(new URL('../fixtures/foreign_run.ndjson', import.meta.url), 'utf8');
const file = Object.assign(new Blob([text]), { name: 'foreign_run.ndjson' });

const read = async (written: string): Promise<readonly RunEvent[]> => {
  const events: RunEvent[] = [];
  for await (const event of readRecording(new Blob([written]))) events.push(event);
  return events;
};
/** The fixture with some of its lines changed; the count of its last line follows. */
const edited = (change: (line: string) => string | null): string => {
  const lines = text
    .trim()
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => change(line) ?? []);
  return [...lines, JSON.stringify({ kind: 'end', events: lines.length - 1 }), ''].join('\n');
};
const refusal = (change: (line: string) => string | null): Promise<readonly RunEvent[]> =>
  read(edited(change));

let lab: Lab;
let run: RunState;

beforeAll(async () => {
  lab = createLab(() => undefined, '', readRecording);
  await lab.shelf.open(file);
  expect(lab.shelf.getState().failure).toBeNull();
  lab.transport.show(lab.shelf.getState().runs[0].record);
  run = lab.run.getState();
});

test('it opens as any recording does, and reads as it was written', () => {
  expect(lab.shelf.getState().runs[0].title).toBe('rollouts.jsonl (chat rollouts), 2 updates');
  expect(recipeOf(run)).toBeNull();
  expect(run.updates.map(({ ended, metrics, trees }) => [ended, metrics, trees.length])).toEqual([
    [true, null, 2],
    [true, null, 3],
  ]);
  const [tree] = run.updates[0].trees;
  const words = pathTokens(tree, nodeId(2), run.texts);
  expect(words.map((word) => word.text).join(joinerOf(run))).toBe(
    'In which city was Ada Lovelace born?search: Ada Lovelace birthplace\nresult: Ada Lovelace was born in London, England.\nanswer: London',
  );
  expect(new Set(words.map(({ logProb, entropy }) => [logProb, entropy].join()))).toEqual(new Set([','])); // null, never 0
  expect(runWords(runName(run.header!))).toBe('file rollouts.jsonl');
});

test('its log is written back as it was read', async () => {
  const events: RunEvent[] = [];
  for await (const event of lab.run.log()) events.push(event);
  expect(await read([...recordingLines(events)].join(''))).toEqual(await read(text));
});

test('values and advantages are those of src/algo on its trees and rewards', () => {
  let moved = 0;
  for (const { trees } of run.updates) {
    const scored = trees.filter(({ rewards }) => rewards !== null);
    const rules = creditRulesOf(run)!;
    const want = assignCredit(
      scored.map((state) => ({ tree: rolloutTree(state)!, rewards: state.rewards!, signals: NO_SIGNALS })),
      DEFAULT_CREDIT,
    );
    scored.forEach((state, at) => {
      const { values, advantages } = worthOf(state, rules, trees, false);
      expect(values).toEqual(want[at].values.byNode);
      if (state.credit) return; // its trainer’s own are below
      advantages?.forEach((range, id) => {
        if (range) expect(range).toEqual([want[at].advantages.byNode[id], want[at].advantages.byNode[id]]);
        moved += Math.abs(range?.[0] ?? 0);
      });
    });
  }
  expect(moved).toBeGreaterThan(1); // a dead tree alone would say nothing
});

test('advantages that its trainer used are shown as the file says them, and what it does not say is unknown', () => {
  const { trees } = run.updates[0];
  const { values, advantages } = worthOf(trees[1], creditRulesOf(run)!, trees, false);
  expect(advantages).toEqual([null, [-0.1, -0.1], null, [-0.4, -0.4]]);
  expect(values).toEqual([0, 0, 0, 0]); // computed: the tree is dead
});

test('a person chooses its rules; what reads a surprisal that nobody knows is not offered, and refuses', () => {
  const chosen = creditRulesOf(run, { ...OWN_CREDIT, valueRule: 'leaf_mean', advantageRule: 'vanilla' })!;
  expect(chosen).toMatchObject({ valueRule: 'leaf_mean', advantageRule: 'vanilla' });
  const { trees } = run.updates[0];
  expect(recredit(trees[0], chosen, OWN_CREDIT, trees)).toMatchObject({
    hypothetical: false,
    config: chosen,
  });
  for (const rule of ['child_softmax', 'child_entropy'] as const) {
    expect(isValueAvailable(rule, trees[0])).toBe(false);
    const asked = recredit(trees[0], { ...chosen, valueRule: rule }, OWN_CREDIT, trees);
    expect(asked?.config.valueRule).toBe('child_mean');
    const [entry] = [{ tree: rolloutTree(trees[0])!, rewards: trees[0].rewards!, signals: NO_SIGNALS }];
    expect(() => assignCredit([entry], { ...chosen, valueRule: rule })).toThrow(UnknownSurprisalError);
  }
});

test('each view says what it lacks, and no view of a run of ours says anything', async () => {
  const tree = run.updates[0].trees[0];
  for (const view of VIEWS.filter((view) => view !== 'runs' && view !== 'experiments'))
    // which are of no run
    expect(missingIn(view, { run, tree }).length, view).toBeGreaterThan(0);
  expect(missingIn('tree', { run, tree })).toContainEqual(expect.stringContaining('no log-probabilities'));
  expect(missingIn('credit', { run, tree: run.updates[1].trees[2] })).toEqual([
    'This file holds no rewards for this tree, so no leaf is scored and there is no credit.',
  ]);
  const own = createLab(() => undefined);
  own.run.apply(await scriptedLog());
  const ours = own.run.getState();
  for (const view of VIEWS)
    expect(missingIn(view, { run: ours, tree: ours.updates[0].trees[0] })).toEqual([]);
});

test('two records that number their words differently are compared by what is read', async () => {
  const turned = JSON.parse(text.split('\n')[2]) as { texts: string[] }; // the first words, the last first
  const last = turned.texts.length - 1;
  const renumbered = edited((line) => {
    const event = JSON.parse(line) as { kind?: string; texts?: string[] };
    if (event.kind === 'texts' && event.texts?.[0] === turned.texts[0])
      return JSON.stringify({ ...event, texts: event.texts.toReversed() });
    return line.replace(/"(tokens|answer)":\[([\d,]*)\]/g, (_, name: string, ids: string) => {
      const moved = ids.split(',').map((id) => (Number(id) <= last ? last - Number(id) : Number(id)));
      return `"${name}":[${moved.join()}]`;
    });
  });
  const other = createLab(() => undefined);
  other.run.apply(await read(renumbered));
  expect(other.run.getState().texts).not.toEqual(run.texts);
  expect(whatChangedFirst(run, other.run.getState())).toEqual([]);
  const Paris = createLab(() => undefined);
  Paris.run.apply(await read(edited((line) => line.replace('" Paris"', '" Rome"'))));
  expect(whatChangedFirst(run, Paris.run.getState())).toMatchObject([
    { stage: 'rollout', node: 4, token: 1, a: ' Paris', b: ' Rome' },
  ]);
});

describe('the guard', () => {
  const starts = (line: string): boolean => line.includes('"run-started"');
  const put = (from: string | RegExp, to: string) => (line: string) => line.replace(from, to);

  test('wants a recipe of a run that was trained here', async () => {
    const trained = put(/"origin":\{[^}]*\}/, '"origin":{"kind":"trained"}');
    await expect(refusal(trained)).rejects.toMatchObject({ report: { where: 'line 2.config' } });
  });

  test('wants the environment whose vocabulary the tokens are of', async () => {
    const bare = put('"tokens":"words"', '"tokens":"vocabulary"');
    await expect(refusal(bare)).rejects.toMatchObject({ report: { where: 'line 2.environment' } });
  });

  test('knows no token before its text', async () => {
    const early = (line: string) => (line.includes('"kind":"texts"') ? null : line);
    await expect(refusal(early)).rejects.toMatchObject({
      report: { wanted: 'a token of the vocabulary, below 0' },
    });
    const late = (line: string) => (starts(line) ? `${line}\n${line}` : line);
    await expect(refusal(late)).rejects.toMatchObject({ report: { wanted: 'one run in a file' } });
  });

  test('wants the end of an update before the next, and takes no shorter list for unknown numbers', async () => {
    const open = (line: string) => (line.includes('"update-ended","update":1') ? null : line);
    await expect(refusal(open)).rejects.toMatchObject({
      report: { wanted: 'the end of update 1 before it' },
    });
    const short = put('"logProb":null', '"logProb":[]');
    await expect(refusal(short)).rejects.toMatchObject({ report: { where: 'line 6.node.logProb' } });
  });

  test('a run that was trained here knows its credit', async () => {
    const events = (await scriptedLog()).map((event) =>
      event.kind === 'credit'
        ? { ...event, trees: event.trees.map((tree) => ({ ...tree, values: null })) }
        : event,
    );
    await expect(read([...recordingLines(events)].join(''))).rejects.toMatchObject({
      report: { wanted: 'known: the run was trained here' },
    });
  });

  test('a run that was trained here ends its updates with metrics', async () => {
    const events = await scriptedLog();
    const unmeasured = events.map((event) =>
      event.kind === 'metrics' ? ({ kind: 'update-ended', update: event.update } as const) : event,
    );
    const written = [...recordingLines(unmeasured)].join('');
    await expect(read(written)).rejects.toMatchObject({
      report: { wanted: 'metrics: the run was trained here' },
    });
  });
});
