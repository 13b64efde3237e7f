import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { repeatsItself } from '../../src/store/alarms/alarm_signs.ts';
import { alarmsOf, standingAlarms, type Alarm } from '../../src/store/alarms/alarms.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { createRunStore } from '../../src/store/record/run.ts';
import { EMPTY_RUN, type RunState, type UpdateState } from '../../src/store/record/run_state.ts';
import type { RunEvent, UpdateMetrics } from '../../src/protocol/protocol.ts';
import { nodeId, tokenId } from '../../src/units.ts';
import { METRICS, NODES, SAMPLE_LOG, START, updateEvents } from '../support/sample_log.ts';

type Change = Partial<UpdateMetrics>;

const closed = (change: Change, index: number): UpdateState => ({
  ...{
    update: index + 1,
    phase: null,
    trees: [],
    minibatches: [],
    rollouts: null,
    ended: true,
    detail: 'lost',
  },
  metrics: { ...METRICS, deadTrees: 0.1, ...change },
});
const runOf = (changes: readonly Change[]): RunState => ({ ...EMPTY_RUN, updates: changes.map(closed) });
const kinds = (run: RunState): readonly string[] => alarmsOf(run).map(({ kind }) => kind);
const only = (run: RunState): Alarm => {
  const found = alarmsOf(run);
  expect(found).toHaveLength(1);
  return found[0];
};
const times = (count: number, change: Change): readonly Change[] =>
  Array.from({ length: count }, () => change);
const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

type Curves = Readonly<Record<string, Readonly<Record<keyof UpdateMetrics, readonly number[]>>>>;
const { runs: curves } = json('docs/results/prototype/curves.json') as { runs: Curves };
const historyOf = (name: string): readonly Change[] =>
  curves[name].depth.map((_, index) =>
    Object.fromEntries(Object.entries(curves[name]).map(([key, values]) => [key, values[index]])),
  );
/** Every alarm of a history's life, as "kind since first-shown". */
const life = (history: readonly Change[]): readonly string[] => {
  const shown = new Map<string, string>();
  history.forEach((_, index) => {
    for (const { kind, since } of alarmsOf(runOf(history.slice(0, index + 1)))) {
      const key = `${kind} since ${since}`;
      if (!shown.has(key)) shown.set(key, `${key}, said at ${index + 1}`);
    }
  });
  return [...shown.values()];
};

describe('alarms stay silent', () => {
  test('before anything is known, and on the sample log', () => {
    expect(alarmsOf(EMPTY_RUN)).toEqual([]);
    expect(alarmsOf(foldEvents(EMPTY_RUN, SAMPLE_LOG))).toEqual([]);
  });

  test.each([1, 2, 3])('at every update of the published instant run %i', (seed) => {
    const { updates } = json(`docs/results/instant-at2po-${seed}.json`) as { updates: readonly Change[] };
    expect(updates).toHaveLength(40);
    expect(life(updates)).toEqual([]);
  });

  test.each([
    ['at2po_hard_s0'],
    ['at2po_hard_s1'],
    ['gspo_hard_s1'],
    ['treegrpo_hard_s0'],
    ['grpo_m_s1'],
    ['at2po_cont_s5'],
  ])('through a run that learnt: %s', (name) => {
    expect(life(historyOf(name))).toEqual([]);
  });

  test('where a task is solved: sure answers and equal rewards are success', () => {
    const solved = { exactMatch: 0.97, deadTrees: 0.9, entropy: 0.01 };
    expect(kinds(runOf([...times(10, {}), ...times(5, solved)]))).toEqual([]);
    expect(kinds(runOf([...times(10, {}), ...times(5, { ...solved, exactMatch: 0.5 })]))).toEqual([
      'dead-trees',
      'entropy-collapse',
    ]);
  });
});

describe('runs that died were told so in time', () => {
  test.each([
    ['grpo_hard_s1', ['dead-trees since 9, said at 9', 'lazy-collapse since 13, said at 13'], 30],
    ['grpo_hard_s2', ['dead-trees since 13, said at 13', 'lazy-collapse since 19, said at 19'], 30],
  ])('%s', (name, expected, tooLate) => {
    expect(life(historyOf(name)).slice(0, 2)).toEqual(expected);
    const { depth } = curves[name];
    expect(Math.min(...depth.slice(0, 19))).toBeGreaterThan(1.05); // still searching when the alarm comes
    expect(Math.max(...depth.slice(tooLate + 10))).toBeLessThan(1.1);
  });

  test('a learning rate that is too high: the gradient spiked', () => {
    expect(life(historyOf('at2po_lr1_c02_s0'))).toEqual(['gradient-spike since 19, said at 19']);
  });
});

describe('each alarm', () => {
  const healthy = times(10, {});

  test('dead trees: begins where the mean of five updates reaches 60 %, and gives the share', () => {
    const run = runOf([...healthy, ...times(6, { deadTrees: 0.8 })]);
    const alarm = only(run);
    expect(alarm).toMatchObject({ kind: 'dead-trees', since: 14 });
    expect(alarm.numbers[0]).toMatchObject({ unit: 'share' });
    expect(alarm.numbers[0].value).toBeCloseTo(0.8);
    expect(kinds(runOf([...healthy, ...times(6, { deadTrees: 0.59 })]))).toEqual([]);
  });

  test('entropy collapse: below 15 % of the start', () => {
    const alarm = only(runOf([...healthy, ...times(5, { entropy: 0.01 })]));
    expect(alarm.kind).toBe('entropy-collapse');
    expect(alarm.numbers.map(({ value }) => value)).toEqual([expect.closeTo(0.01), expect.closeTo(0.37)]);
    expect(kinds(runOf([...healthy, ...times(5, { entropy: 0.06 })]))).toEqual([]);
  });

  test('lazy collapse: short paths, unless answers get better', () => {
    const deep = times(10, { depth: 3.5, exactMatch: 0.1 });
    expect(only(runOf([...deep, ...times(5, { depth: 1.2, exactMatch: 0.1 })])).kind).toBe('lazy-collapse');
    expect(kinds(runOf([...deep, ...times(5, { depth: 1.2, exactMatch: 0.6 })]))).toEqual([]);
    expect(kinds(runOf([...deep, ...times(5, { depth: 3, exactMatch: 0.1 })]))).toEqual([]);
  });

  test('clip fraction near one', () => {
    expect(only(runOf([...healthy, ...times(5, { clipFraction: 0.95 })])).kind).toBe('clipped');
    expect(kinds(runOf([...healthy, ...times(5, { clipFraction: 0.4 })]))).toEqual([]);
  });

  test('gradient spike: once, remembered for ten updates', () => {
    const spiked = [...healthy, { gradientNorm: 9 }];
    const alarm = only(runOf(spiked));
    expect(alarm).toMatchObject({ kind: 'gradient-spike', since: 11 });
    expect(alarm.numbers.map(({ value }) => value)).toEqual([9, 0.75]);
    expect(only(runOf([...spiked, ...times(9, {})])).since).toBe(11);
    expect(kinds(runOf([...spiked, ...times(10, {})]))).toEqual([]);
    expect(kinds(runOf([...healthy, { gradientNorm: 4 }]))).toEqual([]);
  });

  test('a norm that is not finite is no spike, and says nothing of what is usual', () => {
    for (const gradientNorm of [NaN, Infinity]) {
      const skipped = { gradientNorm, skippedSteps: 1 };
      expect(kinds(runOf([...healthy, skipped]))).toEqual(['not-finite']);
      const late = runOf([...healthy, ...times(12, skipped), ...times(10, {}), { gradientNorm: 9 }]);
      expect(kinds(late)).toContain('gradient-spike');
    }
  });

  test('non-finite: at the first one, and a skipped step is one', () => {
    expect(only(runOf([{ loss: NaN }]))).toMatchObject({ kind: 'not-finite', since: 1 });
    expect(only(runOf([...healthy, { skippedSteps: 1 }, {}]))).toMatchObject({
      kind: 'not-finite',
      since: 11,
    });
  });

  test('repeated text: within a turn of sampled tokens', () => {
    const turn = (words: string, from = 0): boolean =>
      repeatsItself({
        tokens: words.split('').map((word) => tokenId(word.charCodeAt(0))),
        mask: words.split('').map((_, index) => (index < from ? 0 : 1)),
      });
    expect(turn('abcxabc')).toBe(true);
    expect(turn('aaaa')).toBe(true);
    expect(turn('abcab')).toBe(false);
    expect(turn('abcxabc', 1)).toBe(false);
  });
});

/** The sample log's update with one turn changed to say `plan` over and over. */
function looping(update: number): readonly RunEvent[] {
  const tokens = Array.from({ length: 6 }, () => tokenId(14));
  const loop = { ...NODES[1], tokens, mask: tokens.map(() => 1) };
  return updateEvents(update, { ...METRICS, deadTrees: 0.1 }).map((event) =>
    event.kind === 'node' && event.node.id === 2 ? { ...event, node: loop } : event,
  );
}

describe('the example of an alarm', () => {
  const folded = (events: readonly RunEvent[]): RunState => foldEvents(EMPTY_RUN, [START, ...events]);
  const updates = (count: number, change: Change): readonly RunEvent[] =>
    Array.from({ length: count }, (_, index) =>
      updateEvents(index + 1, { ...METRICS, deadTrees: 0.1, ...change }),
    ).flat();

  test('is the turn that repeats itself', () => {
    const alarm = only(folded([1, 2, 3, 4, 5].flatMap(looping)));
    expect(alarm).toMatchObject({ kind: 'repeated-text', since: 5 });
    expect(alarm.numbers[0].value).toBeCloseTo(1 / 3);
    expect(alarm.example).toMatchObject({
      update: 5,
      prompt: 0,
      view: 'tree',
      node: nodeId(2),
      leaf: nodeId(2),
    });
  });

  test('is a dead tree', () => {
    expect(only(folded(updates(5, { deadTrees: 1 }))).example).toMatchObject({
      update: 5,
      prompt: 1,
      view: 'tree',
    });
  });

  test('is a row of the mini-batch whose step was skipped', () => {
    const skipped = updates(1, { skippedSteps: 1 }).map((event) =>
      event.kind === 'step' ? { ...event, skipped: true } : event,
    );
    expect(only(folded(skipped)).example).toMatchObject({ update: 1, prompt: 0, leaf: 2, view: 'loss' });
  });

  test('is the update where its trees are gone', () => {
    expect(only(runOf(times(5, { deadTrees: 1 }))).example).toEqual({ view: 'train', update: 5 });
  });
});

test('a dismissed alarm stays away for its run; another occurrence does not', () => {
  const store = createRunStore();
  const spiking = runOf([...times(10, {}), { gradientNorm: 9 }]);
  store.setState(spiking);
  store.dismissAlarm(only(spiking).id);
  expect(standingAlarms(store.getState())).toEqual([]);
  store.setState(runOf([...times(30, {}), { gradientNorm: 9 }]));
  store.dismissAlarm('gradient-spike 11');
  expect(standingAlarms(store.getState()).map(({ since }) => since)).toEqual([31]);
  store.apply([START]);
  expect(store.getState().dismissedAlarms).toEqual([]);
});
