/**
 * Alarms over the steps of somebody else's trainer, from what was counted of all its rollouts. What a file does not say is NaN,
 * of which no sign holds: an alarm whose numbers are unknown says nothing. Pure. Thresholds: README.md.
 */
import type { ImportSummary, StepSummary } from '../../protocol/protocol.ts';
import { isDead, pathTo, rewardOf } from '../record/reading.ts';
import type { RunState } from '../record/run_state.ts';
import { best, inTree, leavesIn, type AlarmOf, type Leaf, type Place } from './alarm_examples.ts';
import { atStart, DEAD_SHARE, FLAT, recent, TURNS_LEFT, WINDOW } from '../../experiment/windows.ts';
import { ENTROPY_LEFT, number, occurrences, SOLVED, type Sign } from './alarm_signs.ts';

export const STEP_ALARM_KINDS = [
  'reward-falling',
  'lazy-collapse',
  'dead-groups',
  'length-runaway',
  'entropy-collapse',
  'cut-short',
] as const;
export type StepAlarmKind = (typeof STEP_ALARM_KINDS)[number];

/** One step of the trainer; NaN: unknown. */
interface Step {
  readonly step: number;
  readonly update: number | null; // of the record
  readonly reward: number; // mean
  readonly level: number; // of that mean: 0 the least reward of the file, 1 the greatest
  readonly dead: number; // share of the groups of two or more
  readonly calls: number; // per rollout
  readonly characters: number; // per rollout
  readonly surprisal: number; // nats per token
  readonly cut: number; // share of rollouts, at least
}

/** Of the range of the file's rewards: a smaller fall is none. */
export const FALL = 0.1;
/** Standard errors of the difference of two windows: a smaller fall may be chance. */
const FALL_ERRORS = 3;
/** Times the length at the start. */
export const LENGTH_GROWTH = 2;
/** Of rollouts. */
export const CUT_SHARE = 0.3;

const share = (part: number, whole: number): number => (whole === 0 ? NaN : part / whole);

function readStep(each: StepSummary, { rewards }: ImportSummary): readonly Step[] {
  const { step, update, rollouts, rewardMean, deadGroups, liveGroups, characters, surprisal, cut } = each;
  if (step === null) return []; // in no order
  const reward = rewardMean ?? NaN;
  const least = rewards.least ?? NaN;
  const range = (rewards.most ?? NaN) - least;
  return [
    {
      ...{ step, update, reward, level: range === 0 ? 0 : (reward - least) / range },
      dead: share(deadGroups, deadGroups + liveGroups),
      calls: share(each.calls, rollouts),
      ...{ characters: rollouts === 0 ? NaN : characters, surprisal: surprisal ?? NaN },
      cut: cut === undefined ? NaN : share(cut, rollouts),
    },
  ];
}

type Steps = readonly Step[];
type Key = Exclude<keyof Step, 'update'>;

const now = (steps: Steps, at: number, of: Key): number => recent(steps, at, (step) => step[of]) ?? NaN;
const start = (steps: Steps, at: number, of: Key): number => atStart(steps, at, (step) => step[of]) ?? NaN;

/** Known to have stayed: unknown rewards are no reason for an alarm. */
const isFlat = (steps: Steps, at: number): boolean =>
  now(steps, at, 'level') - start(steps, at, 'level') < FLAT;

/** Known not to be near the greatest reward, where equal rewards and sure answers are success. */
const isUnsolved = (steps: Steps, at: number): boolean => now(steps, at, 'level') < SOLVED;

/** Index of the last step of the best window that has no step in common with the one at `at`; −1: none is whole. */
function bestBefore(steps: Steps, at: number): number {
  const ends = steps.slice(0, Math.max(0, at + 1 - WINDOW)).map((_, end) => end);
  return best(ends.slice(WINDOW - 1), (end) => now(steps, end, 'level')) ?? -1;
}

/** Of the difference of two windows' means: from how steps differ from those before them, so that a slow change is no noise. */
function errorOf(steps: Steps, at: number): number {
  const moves = steps.slice(1, at + 1).map(({ level }, before) => level - steps[before].level);
  const variance = moves.reduce((sum, move) => sum + move * move, 0) / (2 * moves.length);
  return Math.sqrt((2 * variance) / WINDOW);
}

interface StepAlarm extends Omit<Sign<Step>, 'memory'> {
  readonly title: string;
  readonly sentence: string;
  readonly next: string;
  readonly score: (leaf: Leaf) => number; // the greatest is the example; −Infinity: none
  readonly place?: Place;
}

/** A number now, and what it was at the start. */
const sinceStart = (steps: Steps, at: number, of: Key, unit: Parameters<typeof number>[1], words: string) => [
  number(now(steps, at, of), unit, words),
  number(start(steps, at, of), unit, 'at the start'),
];

const path = ({ tree, leaf }: Leaf) => pathTo(tree, leaf);

const STEP_ALARMS = {
  'reward-falling': {
    holds: (steps, at) => {
      const before = bestBefore(steps, at);
      const fall = now(steps, before, 'level') - now(steps, at, 'level');
      return fall >= FALL && fall > FALL_ERRORS * errorOf(steps, at);
    },
    numbers: (steps, at) => {
      const before = bestBefore(steps, at);
      return [
        number(now(steps, at, 'reward'), 'number', 'mean reward'),
        number(now(steps, before, 'reward'), 'number', `up to step ${steps[before].step}`),
      ];
    },
    title: 'The reward falls',
    sentence: 'The mean reward fell below what it had reached, by more than it varies from step to step.',
    next: 'Go back to the weights of the best steps, with a lower learning rate or a tighter clip.',
    score: ({ tree, leaf }) => -(rewardOf(tree, leaf) ?? Infinity),
    place: { colour: 'reward' },
  },
  'lazy-collapse': {
    holds: (steps, at) =>
      now(steps, at, 'calls') < TURNS_LEFT * start(steps, at, 'calls') && isFlat(steps, at),
    numbers: (steps, at) => [
      ...sinceStart(steps, at, 'calls', 'calls', 'per rollout'),
      ...sinceStart(steps, at, 'reward', 'number', 'mean reward'),
    ],
    title: 'Lazy collapse',
    sentence: 'Rollouts call tools less than half as often as at the start, and earn no more.',
    next: 'Sample more rollouts per prompt, clip more tightly, or ask questions that are hard to guess.',
    score: ({ tree, leaf }) => -(tree.nodes[leaf]?.callCount ?? Infinity),
  },
  'dead-groups': {
    holds: (steps, at) => now(steps, at, 'dead') >= DEAD_SHARE && isUnsolved(steps, at),
    numbers: (steps, at) => [
      number(now(steps, at, 'dead'), 'share', 'of groups are dead'),
      number(now(steps, at, 'reward'), 'number', 'mean reward'),
    ],
    title: 'Most groups are dead',
    sentence: 'All rollouts of a dead group earned the same, so it gives no gradient.',
    next: 'Look at some: where all earn the most choose harder prompts, where none does easier ones or more rollouts.',
    score: ({ tree }) => (isDead(tree) ? 0 : -Infinity),
    place: { colour: 'reward' },
  },
  'length-runaway': {
    holds: (steps, at) =>
      now(steps, at, 'characters') >= LENGTH_GROWTH * start(steps, at, 'characters') && isFlat(steps, at),
    numbers: (steps, at) => [
      ...sinceStart(steps, at, 'characters', 'characters', 'per rollout'),
      ...sinceStart(steps, at, 'reward', 'number', 'mean reward'),
    ],
    title: 'The length runs away',
    sentence: 'Rollouts write twice as much as at the start or more, and earn no more.',
    next: 'Look whether they repeat themselves; take less reward for what runs long, or lower the learning rate.',
    score: (leaf) => path(leaf).reduce((sum, { mask }) => sum + mask.filter((bit) => bit === 1).length, 0),
  },
  'entropy-collapse': {
    holds: (steps, at) =>
      now(steps, at, 'surprisal') < ENTROPY_LEFT * start(steps, at, 'surprisal') && isUnsolved(steps, at),
    numbers: (steps, at) => [...sinceStart(steps, at, 'surprisal', 'nats', 'of surprisal per token')],
    title: 'Entropy collapse',
    sentence: 'The policy is sure of what it samples before it is right: nothing new is tried any more.',
    next: 'Raise the entropy coefficient or the temperature, or lower the learning rate.',
    score: (leaf) => {
      const turns = path(leaf).flatMap(({ turnSurprisal }) => turnSurprisal ?? []);
      return turns.length === 0 ? -Infinity : -turns.reduce((sum, each) => sum + each, 0) / turns.length;
    },
  },
  'cut-short': {
    holds: (steps, at) => now(steps, at, 'cut') >= CUT_SHARE,
    numbers: (steps, at) => [number(now(steps, at, 'cut'), 'share', 'of rollouts, or more, break off')],
    title: 'Rollouts break off',
    sentence:
      'By the file they ran out of length or broke the grammar: they earn what a wrong answer does, whatever they would have said.',
    next: 'Raise the limit of the length, or keep rollouts that were cut out of the loss.',
    score: ({ tree, leaf }) =>
      ['length', 'malformed'].includes(tree.nodes[leaf]?.ending ?? 'unknown') ? 0 : -Infinity,
  },
} as const satisfies Record<StepAlarmKind, StepAlarm>;

/** The first of `steps` that has an example in the record; only Train where none has. */
function exampleOf({ score, place }: StepAlarm, steps: Steps, { updates }: RunState): Place {
  for (const { update } of steps) {
    const trees = updates.find((each) => each.update === update);
    const found = trees && best(leavesIn(trees), score);
    if (found && score(found) > -Infinity) return { ...inTree(found, place), update };
  }
  const held = steps.find(({ update }) => update !== null);
  return { view: 'train', ...(held && { update: held.update }) };
}

/** What is wrong as of the newest step of an import; empty of a file whose steps are unknown. */
export function stepAlarmsOf(run: RunState): readonly AlarmOf<StepAlarmKind>[] {
  const origin = run.header?.origin;
  const summary = origin?.kind === 'imported' ? origin.summary : undefined;
  if (!summary) return [];
  const steps = summary.byStep.flatMap((each) => readStep(each, summary));
  return STEP_ALARM_KINDS.flatMap((kind) => {
    const alarm: StepAlarm = STEP_ALARMS[kind];
    const found = occurrences({ ...alarm, memory: 1 }, steps);
    if (found.length === 0) return [];
    const [newest, first] = [found[0], found[found.length - 1]];
    const { title, sentence, next } = alarm;
    const since = steps[first].step;
    return {
      ...{ kind, id: `${kind} step ${since}`, since, of: 'step', title, sentence, next },
      numbers: alarm.numbers(steps, newest),
      example: exampleOf(alarm, [steps[first], steps[newest]], run),
    };
  });
}
