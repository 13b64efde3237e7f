import { describe, expect, test } from 'vitest';
import { rewardDeviation } from '../../src/algo/reward/filters.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import type { RunConfig } from '../../src/units.ts';
import { playedRun, smallConfig } from '../support/scripted_run.ts';

type Of<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;
const only = <K extends EngineEvent['kind']>(events: readonly EngineEvent[], kind: K): Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);

const PROMPTS = 8;
const evaluation = { every: 0, questions: 0, datasets: ['hotpot'] };
const configOf = (name: 'dapo' | 'starpo_s' | 'grpo', prompts = PROMPTS): RunConfig =>
  withAlgorithm(
    smallConfig({ updates: 1, promptsPerUpdate: prompts, promptsPerMinibatch: 4, evaluation }),
    algorithms[name].config,
  );

/** Sum of mask 1 over all nodes of the update: what was sampled, whatever became of it. */
const sampled = (events: readonly EngineEvent[]): number =>
  only(events, 'node')
    .filter(({ node }) => node.origin.kind !== 'duplicate')
    .reduce((sum, { node }) => sum + node.mask.filter((bit) => bit === 1).length, 0);

const trainedPrompts = (events: readonly EngineEvent[]): number[] =>
  [...new Set(only(events, 'loss').flatMap(({ rows }) => rows.map(({ prompt }) => prompt)))].toSorted(
    (a, b) => a - b,
  );

const spreads = (events: readonly EngineEvent[]): Map<number, number> =>
  new Map(
    only(events, 'rewards')[0].trees.map(({ prompt, byNode }) => [
      prompt,
      rewardDeviation(byNode.filter((reward) => reward !== null)),
    ]),
  );

describe('dynamic sampling', () => {
  test('where every row is right, it rolls out all its batches and trains on what there is', async () => {
    const { events } = await playedRun(configOf('dapo'), { skill: () => 1 });
    const [{ metrics }] = only(events, 'metrics');
    expect(metrics).toMatchObject({ rolloutBatches: 2, droppedGroups: PROMPTS, deadTrees: 1 });
    expect(trainedPrompts(events)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]); // filled up with the first that do not vary
    expect(metrics.sampledTokens).toBe(sampled(events));
  });

  test('it keeps groups that vary first, and stops once there are enough', async () => {
    const { events } = await playedRun(configOf('dapo'), { skill: () => 0.93 });
    const [{ metrics }] = only(events, 'metrics');
    const spread = spreads(events);
    const kept = trainedPrompts(events);
    expect(kept).toHaveLength(PROMPTS);
    expect(metrics.rolloutBatches).toBe(2); // some of the first eight are alike under this seed
    expect(
      [...spread].filter(([prompt, deviation]) => prompt < PROMPTS && deviation === 0).length,
    ).toBeGreaterThan(0);
    const varied = [...spread].filter(([, deviation]) => deviation > 0).map(([prompt]) => prompt);
    const wanted = varied.length >= PROMPTS ? varied.slice(0, PROMPTS) : varied;
    expect(kept.filter((prompt) => (spread.get(prompt) ?? 0) > 0)).toEqual(wanted);
    const enough = await playedRun(configOf('dapo'), { skill: () => 0.8 });
    expect(only(enough.events, 'metrics')[0].metrics.rolloutBatches).toBe(1);
    expect(only(enough.events, 'prompts-added')).toEqual([]);
    expect(only(enough.events, 'groups-dropped')).toEqual([]);
  });

  test('added prompts are new questions, and dropped ones are on record with rewards and without credit', async () => {
    const { events } = await playedRun(configOf('dapo'), { skill: () => 1 });
    const first = only(events, 'update-started')[0].prompts;
    const added = only(events, 'prompts-added').flatMap(({ prompts }) => prompts);
    expect(added.map(({ index }) => index)).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    expect(new Set([...first, ...added].map(({ seed }) => seed)).size).toBe(2 * PROMPTS);
    const [{ prompts, batches }] = only(events, 'groups-dropped');
    expect(prompts).toEqual(added.map(({ index }) => index));
    expect(batches).toBe(2);
    const { trees } = foldEvents(EMPTY_RUN, events).updates[0];
    expect(trees.map(({ dropped }) => dropped)).toEqual([...Array<boolean>(8).fill(false), ...Array<boolean>(8).fill(true)]); // prettier-ignore
    expect(trees.map(({ credit }) => credit === null)).toEqual(trees.map(({ dropped }) => dropped));
    expect(trees.every(({ rewards }) => rewards !== null)).toBe(true);
  });
});

test('reward spread trains on the quarter of prompts whose rewards differ most', async () => {
  const { events } = await playedRun(configOf('starpo_s'), { skill: () => 0.8 });
  const kept = trainedPrompts(events);
  expect(kept).toHaveLength(PROMPTS / 4);
  const spread = spreads(events);
  const least = Math.min(...kept.map((prompt) => spread.get(prompt) ?? 0));
  const others = [...spread].filter(([prompt]) => !kept.includes(prompt)).map(([, deviation]) => deviation);
  expect(least).toBeGreaterThanOrEqual(Math.max(...others));
  expect(new Set(spread.values()).size).toBeGreaterThan(1);
  expect(only(events, 'metrics')[0].metrics).toMatchObject({ rolloutBatches: 1, droppedGroups: 6 });
});

test('without a filter every prompt is trained on and no event tells of filters', async () => {
  const { events } = await playedRun(configOf('grpo'), { skill: () => 1 });
  expect(trainedPrompts(events)).toHaveLength(PROMPTS);
  expect(only(events, 'metrics')[0].metrics).toMatchObject({ rolloutBatches: 1, droppedGroups: 0 });
  expect(events.filter(({ kind }) => kind === 'prompts-added' || kind === 'groups-dropped')).toEqual([]);
});

describe('BAPO', () => {
  test('is scored with admissions apart, and none is paid where the whole batch admits', async () => {
    const { events } = await playedRun(
      withAlgorithm(
        smallConfig({ updates: 2, datasets: ['unanswerable'], evaluation: { every: 1, questions: 8, datasets: ['unanswerable'] } }), // prettier-ignore
        algorithms.bapo.config,
      ),
      { skill: () => 1 },
    );
    for (const event of only(events, 'evaluation').filter(({ greedy }) => !greedy)) {
      expect(event).toMatchObject({ exactMatch: 1, unknown: 1, reliability: 0 }); // all admit, and rightly
    }
    const [{ metrics }] = only(events, 'metrics');
    expect(metrics).toMatchObject({ exactMatch: 1, unknown: 1, reliability: 0 });
    const rewards = only(events, 'rewards')[0].trees.flatMap(({ byNode }) => byNode.filter((reward) => reward !== null)); // prettier-ignore
    expect(new Set(rewards)).toEqual(new Set([0])); // a batch that admits everywhere is past its 5 %
  });
});
