/** Alarms: a run that is dying says so while it can still be saved. Pure functions of what the run has said so far. */
import type { RunHeader, RunState } from '../record/run_state.ts';
import { punishesForm } from '../../algo/reward/reward_rules.ts';
import { recent } from '../../experiment/windows.ts';
import { stepAlarmsOf, type StepAlarmKind } from './step_alarms.ts';
import { exampleOf, type AlarmOf } from './alarm_examples.ts';
import {
  ALARM_KINDS,
  clippedWhen,
  DEATH_SHARE,
  deathsOf,
  occurrences,
  SIGNS,
  type AlarmKind,
  type ClosedUpdate,
  type Sign,
} from './alarm_signs.ts';

// What an alarm means and what may save the run: by its cause, since the same sign has causes with opposite cures. Pure.

export interface Advice {
  readonly sentence: string; // what it means
  readonly next: string; // what may save the run
}

/** What a cause is found from: updates up to `history[at]`, and what the run was told. */
interface Case {
  readonly history: readonly ClosedUpdate[];
  readonly at: number;
  readonly header: RunHeader | null;
}

interface AdviceByCause {
  readonly title: string; // without a full stop
  readonly causeOf: (found: Case) => string; // a key of `causes`
  readonly causes: Readonly<Record<string, Advice>>;
}

const always = (title: string, advice: Advice): AdviceByCause => ({
  title,
  causeOf: () => 'any',
  causes: { any: advice },
});

/** Which way most of the dead trees of the window died. */
function deathOf({ history, at }: Case): string {
  const right = recent(history, at, (update) => deathsOf(update).right) ?? NaN;
  const wrong = recent(history, at, (update) => deathsOf(update).wrong) ?? NaN;
  if (Number.isNaN(right + wrong)) return 'unknown';
  const share = right / (right + wrong || 1);
  return share >= DEATH_SHARE ? 'right' : share <= 1 - DEATH_SHARE ? 'wrong' : 'both';
}

/** Below this share of right answers there is next to none to learn from. */
const NONE_RIGHT = 0.05;

/** Whether a malformed row earns less than nothing. Of the environments, `search` has it so; in the corridor a wrong way costs too. */
const malformedCosts = (header: RunHeader | null): boolean => {
  const config = header?.config;
  if (config?.environment !== 'search') return false;
  const { rule } = config.algorithm.reward;
  return rule === 'environment' || punishesForm(rule);
};

function lazinessOf({ history, at, header }: Case): string {
  if (malformedCosts(header)) return 'malformed costs';
  const right = recent(history, at, ({ metrics }) => metrics.exactMatch) ?? 0;
  const grows = header?.config != null && header.config.algorithm.rollout.shape !== 'chains';
  return `${right < NONE_RIGHT ? 'none' : 'some'} right, ${grows ? 'trees' : 'chains'}`;
}

const NOTHING_RIGHT =
  'Paths get short and answers no better: with no right leaf to learn from, a guess at once costs least.';
const GUESSED =
  'Paths get short and answers no better: a guess at once is right about as often as a search, and is learnt first.';
const ALL_EQUAL = 'All leaves of a dead tree earned the same, so it gives no gradient.';

export const ADVICE = {
  'not-finite': {
    title: 'Numbers are not finite',
    causeOf: ({ history, at }) => (history[at].metrics.skippedSteps > 0 ? 'skipped' : 'taken'),
    causes: {
      skipped: {
        sentence: 'A gradient overflowed; such steps are skipped, so the policy stands still.',
        next: 'Lower the learning rate and start again from the last saved weights.',
      },
      taken: {
        sentence: 'A metric overflowed while every step was taken: the policy may have learnt from it.',
        next: 'Start again from weights saved before, with a lower learning rate.',
      },
    },
  },
  'gradient-spike': always('The gradient spiked', {
    sentence: 'One update pulled many times harder than those before it; it can undo what was learnt.',
    next: 'Lower the learning rate, or clip gradients and ratios more tightly.',
  }),
  'lazy-collapse': {
    title: 'Lazy collapse',
    causeOf: lazinessOf,
    causes: {
      'malformed costs': {
        sentence:
          'Paths get short and answers no better: where nobody is right, a wrong row beats a malformed one, and a guess at once is seldom malformed.',
        next: 'Let a malformed row earn 0 (Reward of a row: Exact match): on three-hop questions ten of ten such runs lived, with −1 five of ten.',
      },
      'none right, chains': {
        sentence: NOTHING_RIGHT,
        next: 'Grow trees instead of chains, clip more tightly, or begin with easier questions.',
      },
      'none right, trees': {
        sentence: NOTHING_RIGHT,
        next: 'Sample more leaves per prompt, clip more tightly, or begin with easier questions.',
      },
      'some right, chains': {
        sentence: GUESSED,
        next: 'Grow trees instead of chains, clip more tightly, or ask questions that are hard to guess.',
      },
      'some right, trees': {
        sentence: GUESSED,
        next: 'Sample more leaves per prompt, clip more tightly, or ask questions that are hard to guess.',
      },
    },
  },
  'dead-trees': {
    title: 'Most trees are dead',
    causeOf: deathOf,
    causes: {
      right: {
        sentence: `${ALL_EQUAL} Most of them are all right: these questions have nothing left to teach.`,
        next: 'Choose harder questions, or filter out groups of equal rewards so that others take their place.',
      },
      wrong: {
        sentence: `${ALL_EQUAL} In most of them no leaf is right: these questions are out of reach.`,
        next: 'Choose easier questions, sample more leaves per prompt, or start from weights that know the task.',
      },
      both: {
        sentence: `${ALL_EQUAL} Some are all right, in others no leaf is: questions are too easy or too hard.`,
        next: 'Mix in questions in between, or filter out groups of equal rewards so that others take their place.',
      },
      unknown: {
        sentence: ALL_EQUAL,
        next: 'Look at some: where all leaves are right choose harder questions, where none is easier ones or more leaves.',
      },
    },
  },
  'entropy-collapse': always('Entropy collapse', {
    sentence: 'The policy is sure of every token before it is right: nothing new is tried any more.',
    next: 'Raise the entropy coefficient or the temperature, or lower the learning rate.',
  }),
  'repeated-text': {
    title: 'Repeated text',
    causeOf: ({ header }) => ((header?.config?.algorithm.loss.klCoefficient ?? 0) > 0 ? 'held' : 'free'),
    causes: {
      free: {
        sentence: 'Turns say the same words twice: the policy falls into a loop.',
        next: 'Lower the learning rate, add a KL penalty, or go back to weights saved before.',
      },
      held: {
        sentence: 'Turns say the same words twice: the policy falls into a loop in spite of its KL penalty.',
        next: 'Lower the learning rate, raise the KL penalty, or go back to weights saved before.',
      },
    },
  },
  clipped: {
    title: 'Almost everything is clipped',
    causeOf: ({ history, at }) => clippedWhen(history[at]),
    causes: {
      late: {
        sentence:
          'Most tokens left the clip band, so that they push no more, most of all in the last mini-batch: the steps outrun the data.',
        next: 'Use fewer mini-batches per update, lower the learning rate, or widen the clip band.',
      },
      throughout: {
        sentence:
          'Most tokens left the clip band, so that they push no more: the first steps already go too far.',
        next: 'Lower the learning rate, or widen the clip band.',
      },
    },
  },
} as const satisfies Record<AlarmKind, AdviceByCause>;

/** Title, meaning and advice of an alarm that shows at `history[at]`. */
export function adviceOn(kind: AlarmKind, found: Case): Advice & { readonly title: string } {
  const { title, causeOf, causes }: AdviceByCause = ADVICE[kind];
  return { title, ...causes[causeOf(found)] };
}

export type Alarm = AlarmOf<AlarmKind | StepAlarmKind>;

/** What is wrong with the run as of its newest complete update, or step of an import; empty where nothing is. */
export function alarmsOf(run: RunState): readonly Alarm[] {
  if (run.header?.origin.kind === 'imported') return stepAlarmsOf(run);
  const history = run.updates.filter((update): update is ClosedUpdate => update.metrics !== null);
  return ALARM_KINDS.flatMap((kind) => {
    const sign: Sign = SIGNS[kind];
    const found = occurrences(sign, history);
    if (found.length === 0) return [];
    const [newest, first] = [found[0], found[found.length - 1]];
    const since = history[first].update;
    return {
      kind,
      id: `${kind} ${since}`,
      ...{ since, of: 'update' },
      ...adviceOn(kind, { history, at: newest, header: run.header }),
      numbers: sign.numbers(history, newest),
      example: exampleOf(kind, [history[first], history[newest]]),
    };
  });
}

/** The alarms that the person has not put away. */
export const standingAlarms = (run: RunState): readonly Alarm[] =>
  alarmsOf(run).filter(({ id }) => !run.dismissedAlarms.includes(id));
