/** Alarms: a run that is dying says so while it can still be saved. Pure functions of what the run has said so far. */
import { adviceOn } from './alarm_advice.ts';
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
      ...adviceOn(kind, { history, at: newest, header: run.header }),
      numbers: sign.numbers(history, newest),
      example: exampleOf(kind, [history[first], history[newest]]),
    };
  });
}

/** The alarms that the person has not put away. */
export const standingAlarms = (run: RunState): readonly Alarm[] =>
  alarmsOf(run).filter(({ id }) => !run.dismissedAlarms.includes(id));
