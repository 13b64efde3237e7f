/** Alarms: a run that is dying says so while it can still be saved. Pure functions of what the run has said so far. */
import { exampleOf } from './alarm_examples.ts';
import { ALARM_KINDS, SIGNS, type AlarmKind, type AlarmNumber, type ClosedUpdate, type Sign } from './alarm_signs.ts'; // prettier-ignore
import type { RunState } from './run_state.ts';
import type { Selection } from './selection.ts';

export interface Alarm {
  readonly kind: AlarmKind;
  readonly id: string; // of its kind and beginning: the same as long as the trouble lasts
  readonly since: number; // update at which it began
  readonly title: string; // without a full stop
  readonly sentence: string; // what it means
  readonly next: string; // what may save the run
  readonly numbers: readonly AlarmNumber[]; // of the newest update that shows it
  readonly example: Partial<Selection>;
}

const WORDS: Readonly<Record<AlarmKind, Pick<Alarm, 'title' | 'sentence' | 'next'>>> = {
  'not-finite': {
    title: 'Numbers are not finite',
    sentence: 'A gradient or a metric overflowed; such steps are skipped, so the policy stands still.',
    next: 'Lower the learning rate or the gradient clip and start again from the last saved weights.',
  },
  'gradient-spike': {
    title: 'The gradient spiked',
    sentence: 'One update pulled many times harder than those before it; it can undo what was learnt.',
    next: 'Lower the learning rate, or clip gradients and ratios more tightly.',
  },
  'lazy-collapse': {
    title: 'Lazy collapse',
    sentence:
      'Paths get short and answers no better: with no right leaf to learn from, a guess at once costs least.',
    next: 'Grow trees instead of chains, clip more tightly, or begin with easier questions.',
  },
  'dead-trees': {
    title: 'Most trees are dead',
    sentence: 'All leaves of a dead tree earned the same, so it gives no gradient.',
    next: 'Sample more leaves per prompt, choose easier questions, or filter out groups of equal rewards.',
  },
  'entropy-collapse': {
    title: 'Entropy collapse',
    sentence: 'The policy is sure of every token before it is right: nothing new is tried any more.',
    next: 'Raise the entropy coefficient or the temperature, or lower the learning rate.',
  },
  'repeated-text': {
    title: 'Repeated text',
    sentence: 'Turns say the same words twice: the policy falls into a loop.',
    next: 'Lower the learning rate, add a KL penalty, or go back to weights saved before.',
  },
  clipped: {
    title: 'Almost everything is clipped',
    sentence: 'Most tokens left the clip band, so that they push no more: the steps outrun the data.',
    next: 'Lower the learning rate, use fewer mini-batches per update, or widen the clip band.',
  },
};

/** Indices of the occurrences that make up the trouble now: newest first, none further apart than it is remembered. */
function occurrences({ holds, memory }: Sign, history: readonly ClosedUpdate[]): readonly number[] {
  const found: number[] = [];
  let edge = history.length;
  for (let at = history.length - 1; at >= 0 && edge - at <= memory; at -= 1)
    if (holds(history, at)) {
      found.push(at);
      edge = at;
    }
  return found;
}

/** What is wrong with the run as of its newest complete update; empty where nothing is. */
export function alarmsOf(run: RunState): readonly Alarm[] {
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
      since,
      ...WORDS[kind],
      numbers: sign.numbers(history, newest),
      example: exampleOf(kind, [history[first], history[newest]]),
    };
  });
}

/** The alarms that the person has not put away. */
export const standingAlarms = (run: RunState): readonly Alarm[] =>
  alarmsOf(run).filter(({ id }) => !run.dismissedAlarms.includes(id));
