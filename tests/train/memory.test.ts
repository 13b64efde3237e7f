import { describe, expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { afterValidation, BOUNDARY_START, type BoundaryState } from '../../src/algo/reward/boundary.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { LogOrder } from '../../src/protocol/log_order.ts';
import { isLogged, type EngineEvent, type RunEvent } from '../../src/protocol/protocol.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { emptyMemory, memoryChange, questionName, remember } from '../../src/train/run/memory.ts';
import { LabError, type Prompt } from '../../src/units.ts';
import { playedRun, smallConfig } from '../support/scripted_run.ts';

type Of<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;
const only = <K extends EngineEvent['kind']>(events: readonly EngineEvent[], kind: K): Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);

const evaluation = { every: 1, questions: 4, datasets: ['hotpot', 'nq'] };
const play = (name: keyof typeof algorithms, updates = 3) =>
  playedRun(
    withAlgorithm(
      smallConfig({ updates, promptsPerUpdate: 4, promptsPerMinibatch: 4, evaluation }),
      algorithms[name].config,
    ),
    { skill: (update) => 0.9 - 0.1 * update },
  );

/** What the run remembers at the end of its log. */
const remembered = (events: readonly EngineEvent[]) =>
  only(events, 'remembered').reduce(remember, emptyMemory());

describe('a log says what its run remembers', () => {
  test('BAPO: the phase and the validations that decide on it, after each', async () => {
    const { events } = await play('bapo');
    const expected: BoundaryState[] = [];
    for (let update = 0; update <= 3; update += 1) {
      const greedy = only(events, 'evaluation').filter((event) => event.greedy && event.update === update);
      const score = greedy.reduce((sum, { exactMatch }) => sum + exactMatch / greedy.length, 0);
      expected.push(afterValidation(expected.at(-1) ?? BOUNDARY_START, score));
    }
    const told = only(events, 'remembered');
    expect(told.map(({ update }) => update)).toContain(0);
    for (let update = 0; update <= 3; update += 1)
      expect(remembered(told.filter((event) => event.update <= update)).boundary).toEqual(expected[update]);
    expect(told.every((event) => event.optimalValues === undefined && event.rewardModelSteps === undefined)).toBe(true); // prettier-ignore
  });

  test('A*-PO: V* of every question, once, as credit reads it', async () => {
    const { events } = await play('a_star_po');
    const told = only(events, 'remembered').flatMap(({ optimalValues }) => optimalValues ?? []);
    expect(new Set(told.map(questionName)).size).toBe(told.length);
    const { optimalValues } = remembered(events);
    const baselines = only(events, 'update-started').flatMap(({ update, prompts }) => {
      const { trees } = only(events, 'rewards').find((event) => event.update === update)!;
      return trees.map(
        ({ prompt, signals }) => [questionName(prompts[prompt] as Prompt), signals?.baseline] as const,
      );
    });
    expect(baselines).toHaveLength(12);
    expect(baselines).toEqual(baselines.map(([name]) => [name, optimalValues.get(name)?.value]));
  });

  test('iStar: how often its second network has stepped', async () => {
    const { events, policies } = await play('istar');
    const steps = policies[1].calls.filter((call) => call === 'step').length;
    expect(steps).toBeGreaterThan(1);
    expect(remembered(events).rewardModelSteps).toBe(steps);
  });

  test('nothing where nothing is remembered', async () => {
    for (const name of ['at2po', 'dapo', 'grpo'] as const)
      expect(only((await play(name)).events, 'remembered')).toEqual([]);
  });
});

test('a change holds what is new alone, and adding it up gives the memory again', () => {
  const before = remember(emptyMemory(), { optimalValues: [{ dataset: 'nq', seed: 1, value: 0.5 }] });
  expect(memoryChange(before, { ...before })).toBeNull();
  const found = { dataset: 'nq', seed: 2, value: 0 };
  const boundary: BoundaryState = { phase: 'exploration', best: 0.5, below: 1 };
  const after = remember(before, { boundary, optimalValues: [found], rewardModelSteps: 2 });
  expect(memoryChange(before, after)).toEqual({ boundary, optimalValues: [found], rewardModelSteps: 2 });
  expect(before.optimalValues.size).toBe(1);
  expect(remember(before, memoryChange(before, after)!)).toEqual(after);
});

test('a file keeps every digit of it, and reads it back', async () => {
  const { events } = await play('bapo');
  const told = only(events, 'remembered').map((event, third) =>
    third === 0 ? { ...event, boundary: { ...event.boundary!, best: 1 / 3 }, optimalValues: [] } : event,
  );
  const log = events.filter(isLogged).filter(({ kind }) => kind !== 'remembered');
  const first = log.findIndex(({ kind }) => kind === 'update-started');
  const file = new Blob([await writeRecording(log.toSpliced(first, 0, told[0]))]);
  const read: RunEvent[] = [];
  for await (const event of readRecording(file)) read.push(event);
  expect(only(read, 'remembered')).toEqual([told[0]]);
});

test('it is the last event of its update, once, with no more questions than were asked', async () => {
  const log = (await play('a_star_po')).events.filter(isLogged);
  const refusal = (events: readonly RunEvent[]): string | null => {
    try {
      const order = new LogOrder();
      events.forEach((event, place) => order.check(event, `event ${place}`));
      return null;
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      return error.report.wanted;
    }
  };
  expect(refusal(log)).toBeNull();
  const at = log.findIndex(({ kind }) => kind === 'remembered');
  const event = log[at] as Of<'remembered'>;
  expect(refusal(log.toSpliced(at, 0, event))).toContain('once');
  expect(refusal(log.toSpliced(at, 1).toSpliced(at - 8, 0, event))).toContain('is complete');
  const evaluated = log.findLastIndex((each, place) => place < at && each.kind === 'evaluation');
  expect(refusal(log.toSpliced(at, 1).toSpliced(evaluated, 0, event))).toContain('no evaluation after');
  const many = { ...event, optimalValues: Array.from({ length: 5 }, () => event.optimalValues![0]) };
  expect(refusal(log.with(at, many))).toContain('at most 4');
});
