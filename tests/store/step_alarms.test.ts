/** Alarms over the steps of an import: files of many steps that have a fault, nearly have it, or do not say. */
import { describe, expect, test } from 'vitest';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { importFiles } from '../../src/files/rollouts/import.ts';
import { alarmsOf, standingAlarms, type Alarm } from '../../src/store/alarms/alarms.ts';
import { pathTo, rewardOf } from '../../src/store/record/reading.ts';
import { createRunStore } from '../../src/store/record/run.ts';
import type { RunState } from '../../src/store/record/run_state.ts';
import { episodes, stepFiles } from '../support/questioned_files.ts';

/** What one step of a made file is like: two groups of two rollouts. */
interface Made {
  readonly calls?: number; // of each rollout
  readonly words?: number; // of each answer
  readonly rewards?: readonly (number | null)[]; // of the four
  readonly cut?: number; // rollouts of the four
}

const CALL = { role: 'assistant', content: '<tool_call>\n{"name": "search", "arguments": {"query": "Ada"}}\n</tool_call>', tool_calls: [{ id: 'c', type: 'function', function: { name: 'search', arguments: '{}' } }] }; // prettier-ignore
const RESULT = { role: 'tool', tool_call_id: 'c', content: 'London' };
const MIXED = [0, 1, 0.5, 1];

/** verifiers results, a file a step; steps count in tens, as trainers dump them. */
const filesOf = (steps: readonly Made[]) =>
  steps.map(({ calls = 2, words = 5, rewards = MIXED, cut = 0 }, at) => ({
    path: `step_${10 * (at + 1)}/results.jsonl`,
    blob: new Blob([
      rewards
        .map((reward, row) =>
          JSON.stringify({
            ...{ example_id: row >> 1, prompt: [{ role: 'user', content: `Question ${row >> 1}?` }], reward },
            completion: [
              ...Array.from({ length: calls }, () => [CALL, RESULT]).flat(),
              { role: 'assistant', content: `answer${row} `.repeat(words).trim() },
            ],
            is_truncated: row < cut,
          }),
        )
        .join('\n'),
    ]),
  }));

type Files = Parameters<typeof importFiles>[0];

async function opened(files: Files): Promise<RunState> {
  const { rollouts, summary } = await importFiles(files);
  const store = createRunStore();
  const choices = { format: null, delimiters: null, reward: null, group: null };
  store.apply([...toRecord(rollouts, { file: 'f', format: 'f', counted: { summary, choices } })]);
  return store.getState();
}

const runOf = (steps: readonly Made[]): Promise<RunState> => opened(filesOf(steps));
const kindsOf = async (steps: readonly Made[]) => alarmsOf(await runOf(steps)).map(({ kind }) => kind);
const times = (count: number, made: Made): readonly Made[] => Array.from({ length: count }, () => made);
const values = ({ numbers }: Alarm): readonly number[] => numbers.map(({ value }) => value);

async function onlyOf(steps: readonly Made[]): Promise<{ readonly run: RunState; readonly alarm: Alarm }> {
  const run = await runOf(steps);
  const alarms = alarmsOf(run);
  expect(alarms.map(({ kind }) => kind)).toHaveLength(1);
  return { run, alarm: alarms[0] };
}

const leafOf = ({ updates }: RunState, { example }: Alarm) => {
  const tree = updates[example.update! - 1].trees[example.prompt!];
  return { tree, leaf: example.leaf! };
};

const DEAD = [0.6, 0.6, 0.65, 0.65]; // as much as mixed ones in the mean
const SOLVED = [1, 1, 1, 1];
const LOW = [0, 0.2, 0, 0.2];

describe('each alarm', () => {
  test('dead groups: from the step where the mean of five reaches 60 %, with the share; not below, and not where nearly all is earned', async () => {
    const { run, alarm } = await onlyOf([...times(10, {}), ...times(6, { rewards: DEAD })]);
    expect(alarm).toMatchObject({
      kind: 'dead-groups',
      of: 'step',
      since: 130,
      title: 'Most groups are dead',
    }); // 3 of 5
    expect(values(alarm)).toEqual([1, expect.closeTo(0.625, 12)]);
    expect(alarm.example).toMatchObject({ view: 'tree', update: 13, prompt: 0, colour: 'reward' });
    const { tree } = leafOf(run, alarm);
    expect(tree.leaves.map((leaf) => rewardOf(tree, leaf))).toEqual([0.6, 0.6]);
    expect(await kindsOf([...times(10, {}), ...times(6, { rewards: [1, 1, 0, 1] })])).toEqual([]); // half of them
    expect(await kindsOf([...times(10, {}), ...times(6, { rewards: SOLVED })])).toEqual([]);
  });

  test('lazy collapse: less than half of the calls and no more reward; a rising reward is none', async () => {
    const { run, alarm } = await onlyOf([...times(10, { calls: 3 }), ...times(5, { calls: 0 })]);
    expect(alarm).toMatchObject({ kind: 'lazy-collapse', since: 130 }); // (2 · 3 + 3 · 0) / 5 is less than 1.5
    expect(values(alarm)).toEqual([0, 3, 0.625, 0.625]);
    const { tree, leaf } = leafOf(run, alarm);
    expect(pathTo(tree, leaf).at(-1)?.callCount).toBe(0);
    expect(await kindsOf([...times(10, { calls: 4 }), ...times(5, { calls: 2 })])).toEqual([]); // half is left
    const better = [...times(10, { calls: 3, rewards: LOW }), ...times(5, { calls: 0 })];
    expect(await kindsOf(better)).toEqual([]);
  });

  test('a falling reward: below the best window by a tenth of the range and by more than its noise', async () => {
    const steps = [...times(5, { rewards: LOW }), ...times(6, {}), ...times(5, { rewards: LOW })];
    const { run, alarm } = await onlyOf(steps);
    // Means 0.625 and 0.1: the window at step 130 has two low steps of five; their three largest moves make the noise.
    expect(alarm).toMatchObject({ kind: 'reward-falling', since: 150 });
    expect(values(alarm)).toEqual([expect.closeTo(0.1, 12), 0.625]);
    expect(alarm.numbers[1].name).toBe('up to step 100');
    const { tree, leaf } = leafOf(run, alarm);
    expect(rewardOf(tree, leaf)).toBe(0);
    const little = { rewards: [0, 0.9, 0.4, 0.9] }; // 0.55
    expect(await kindsOf([...times(10, {}), ...times(5, little)])).toEqual([]);
    const noisy = Array.from({ length: 20 }, (_, at) => ({ rewards: at % 2 === 0 ? LOW : MIXED }));
    expect(await kindsOf([...noisy, ...times(3, { rewards: LOW })])).toEqual([]); // no larger than its noise
  });

  test('length: twice the start and no more reward; the longest path is the example', async () => {
    const { run, alarm } = await onlyOf([...times(10, { calls: 0 }), ...times(5, { calls: 0, words: 11 })]);
    expect(alarm.kind).toBe('length-runaway');
    expect(values(alarm).slice(0, 2)).toEqual([11 * 8 - 1, 5 * 8 - 1]); // "answer0 ", less the last space
    const { tree, leaf } = leafOf(run, alarm);
    expect(pathTo(tree, leaf).at(-1)?.tokens).toHaveLength(11);
    const near = times(5, { calls: 0, words: 9 });
    expect(await kindsOf([...times(10, { calls: 0 }), ...near])).toEqual([]);
    const better = times(10, { calls: 0, rewards: LOW });
    expect(await kindsOf([...better, ...times(5, { calls: 0, words: 20 })])).toEqual([]);
  });

  test('rollouts that break off: 30 % of those of five steps, and one of them as the example', async () => {
    const { run, alarm } = await onlyOf([...times(4, {}), ...times(5, { cut: 2 })]);
    expect(alarm).toMatchObject({ kind: 'cut-short', since: 70 }); // 6 of 20
    expect(values(alarm)).toEqual([0.5]);
    const { tree, leaf } = leafOf(run, alarm);
    expect(tree.nodes[leaf]?.ending).toBe('length');
    expect(await kindsOf([...times(4, {}), ...times(5, { cut: 1 })])).toEqual([]); // a quarter
  });

  test('entropy collapse: by the surprisal of what was sampled, where the file has log-probabilities', async () => {
    const file = (step: number, logProb: number) => {
      const text = episodes([0, 1, 0, 0.5].map((reward, at) => ({ group: `g${at >> 1}`, reward, sampler: times(4, {}).map(() => logProb) }))); // prettier-ignore
      return { path: `${step}.jsonl`, blob: new Blob([text.replaceAll('"step":1', `"step":${step}`).replaceAll(/"id":"([et])(\d)"/g, `"id":"$1$2-${step}"`)]) }; // prettier-ignore
    };
    const run = (late: number) => opened(Array.from({ length: 15 }, (_, at) => file(at + 1, at < 10 ? -1 : late))); // prettier-ignore
    const [alarm, ...others] = alarmsOf(await run(-0.1));
    expect(others).toEqual([]);
    expect(alarm).toMatchObject({ kind: 'entropy-collapse', since: 15 });
    expect(values(alarm)).toEqual([expect.closeTo(0.1, 12), 1]);
    expect(alarmsOf(await run(-0.16))).toEqual([]);
  });
});

test('what a file does not say sets nothing off: no rewards, groups of one, steps without a number', async () => {
  const unknown = { rewards: [null, null, null, null] };
  expect(await kindsOf([...times(10, { ...unknown, calls: 3 }), ...times(6, { ...unknown, calls: 0, words: 40 })])).toEqual([]); // prettier-ignore
  const alone = (steps: readonly Made[]) => filesOf(steps.map((made) => ({ ...made, rewards: [1] })));
  expect(alarmsOf(await opened(alone(times(8, {}))))).toEqual([]);
  const unnumbered = filesOf(times(1, { rewards: DEAD })).map(({ blob }) => ({
    path: 'rollouts.jsonl',
    blob,
  }));
  expect(alarmsOf(await opened(unnumbered))).toEqual([]);
  const once = [...times(5, { rewards: DEAD }), { rewards: [null, null, null, null] }];
  expect(await kindsOf(once)).toEqual([]); // the newest window is not known
});

test('too few steps say nothing, a sound run of many nothing either, and a fault that is over is no alarm', async () => {
  expect(await kindsOf(times(4, { rewards: DEAD, cut: 4 }))).toEqual([]);
  expect(await kindsOf(times(30, {}))).toEqual([]);
  expect(await kindsOf([...times(10, {}), ...times(5, { rewards: DEAD, cut: 4 }), ...times(5, {})])).toEqual([]); // prettier-ignore
  const risen = stepFiles([3, 3, 3, 3, 3, 2, 1, 0, 0, 0]).map(({ path, text }) => ({ path, blob: new Blob([text]) })); // prettier-ignore
  expect(alarmsOf(await opened(risen))).toEqual([]); // calls fall while the reward rises to its greatest
});

test('a dismissed one stays away', async () => {
  const run = await runOf(times(6, { cut: 3 }));
  const [alarm] = standingAlarms(run);
  expect(alarm.id).toBe('cut-short step 50');
  expect(standingAlarms({ ...run, dismissedAlarms: [alarm.id] })).toEqual([]);
});
