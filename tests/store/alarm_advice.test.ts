/** The advice of an alarm follows from its cause: each cause of each alarm, on a run that has it. */
import { describe, expect, test } from 'vitest';
import type { RunEvent, UpdateMetrics } from '../../src/protocol/protocol.ts';
import { ALARM_KINDS, type AlarmKind } from '../../src/store/alarms/alarm_signs.ts';
import { ADVICE, alarmsOf, type Advice, type Alarm } from '../../src/store/alarms/alarms.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import type { RunConfig } from '../../src/units.ts';
import { METRICS, START, updateEvents } from '../support/sample_log.ts';

type Change = (event: RunEvent) => RunEvent;

/** Ten healthy updates, then five of these metrics, their events changed, under a changed configuration. */
function alarmOf(
  kind: AlarmKind,
  metrics: Partial<UpdateMetrics>,
  change: Change = (event) => event,
  config: (config: RunConfig) => RunConfig = (same) => same,
): Alarm {
  const healthy = { ...METRICS, deadTrees: 0.1, depth: 3.5 };
  const updates = Array.from({ length: 15 }, (_, index) =>
    updateEvents(index + 1, index < 10 ? healthy : { ...healthy, ...metrics }).map(
      index < 10 ? (e) => e : change,
    ),
  );
  const run = foldEvents(EMPTY_RUN, [{ ...START, config: config(START.config) }, ...updates.flat()]);
  return alarmsOf(run).find((alarm) => alarm.kind === kind)!;
}

/** Every leaf of prompt 0 earns the first, every leaf of prompt 1 the second reward. */
const rewarded =
  (...rewards: readonly number[]): Change =>
  (event) =>
    event.kind !== 'rewards'
      ? event
      : {
          ...event,
          trees: event.trees.map((entry, at) => ({
            ...entry,
            byNode: entry.byNode.map((reward) => (reward === null ? null : rewards[at])),
          })),
        };

const chains = (config: RunConfig): RunConfig => {
  const { algorithm } = config;
  return { ...config, algorithm: { ...algorithm, rollout: { ...algorithm.rollout, shape: 'chains' } } };
};
/** A malformed row earns what a wrong one does. */
const exactMatch = (config: RunConfig): RunConfig => {
  const { algorithm } = config;
  return { ...config, algorithm: { ...algorithm, reward: { ...algorithm.reward, rule: 'exact_match' } } };
};
const exactChains = (config: RunConfig): RunConfig => chains(exactMatch(config));
const withKl = (config: RunConfig): RunConfig => {
  const { algorithm } = config;
  return { ...config, algorithm: { ...algorithm, loss: { ...algorithm.loss, klCoefficient: 0.1 } } };
};
const looping: Change = (event) =>
  event.kind === 'node' && event.node.id === 2
    ? {
        ...event,
        node: {
          ...event.node,
          ...{ tokens: Array(6).fill(event.node.tokens[0]), mask: Array(6).fill(1) },
        },
      }
    : event;

const dead = { deadTrees: 1 };
const lazy = { depth: 1.2 };
const CASES: Readonly<Record<AlarmKind, Readonly<Record<string, () => Alarm>>>> = {
  'not-finite': {
    skipped: () => alarmOf('not-finite', { skippedSteps: 1 }),
    taken: () => alarmOf('not-finite', { loss: NaN }),
  },
  'gradient-spike': { any: () => alarmOf('gradient-spike', { gradientNorm: 9 }) },
  'lazy-collapse': {
    'malformed costs': () => alarmOf('lazy-collapse', lazy),
    'none right, chains': () =>
      alarmOf('lazy-collapse', { ...lazy, exactMatch: 0.01 }, undefined, exactChains),
    'none right, trees': () => alarmOf('lazy-collapse', { ...lazy, exactMatch: 0.01 }, undefined, exactMatch),
    'some right, chains': () => alarmOf('lazy-collapse', lazy, undefined, exactChains),
    'some right, trees': () => alarmOf('lazy-collapse', lazy, undefined, exactMatch),
  },
  'dead-trees': {
    right: () => alarmOf('dead-trees', dead, rewarded(1, 0.9)),
    wrong: () => alarmOf('dead-trees', dead, rewarded(0, -1)),
    both: () => alarmOf('dead-trees', dead, rewarded(1, 0)),
    unknown: () =>
      alarmOf('dead-trees', dead, (event) => (event.kind === 'rewards' ? { ...event, trees: [] } : event)),
  },
  'entropy-collapse': { any: () => alarmOf('entropy-collapse', { entropy: 0.01 }) },
  'repeated-text': {
    free: () => alarmOf('repeated-text', {}, looping),
    held: () => alarmOf('repeated-text', {}, looping, withKl),
  },
  clipped: {
    late: () => alarmOf('clipped', { clipFraction: 0.7, clipFractionLast: 0.9 }),
    throughout: () => alarmOf('clipped', { clipFraction: 0.7, clipFractionLast: 0.6 }),
  },
};

describe.each(ALARM_KINDS)('%s', (kind) => {
  test('has a case here for each of its causes', () => {
    expect(Object.keys(CASES[kind]).toSorted()).toEqual(Object.keys(ADVICE[kind].causes).toSorted());
  });

  test.each(Object.entries(CASES[kind]))('of the cause “%s” is told what cures it', (cause, alarm) => {
    const { title, causes } = ADVICE[kind];
    expect(alarm()).toMatchObject({ title, ...(causes as Readonly<Record<string, Advice>>)[cause] });
  });
});

test('easier questions are never advised where dead trees are all right, nor harder ones where none is', () => {
  const { right, wrong } = CASES['dead-trees'];
  expect(right().next).toContain('harder');
  expect(right().next).not.toContain('easier');
  expect(wrong().next).toContain('easier');
  expect(wrong().next).not.toContain('harder');
  expect(right().numbers).toContainEqual({ name: 'all right', value: 1, unit: 'share' });
});
