/** The first number in which what a run says when it is trained again is not what its log says. Pure. */
import type { RunEvent } from '../../protocol/protocol.ts';
import type { NodeId } from '../../units.ts';
import type { Phase } from './run_state.ts';

type Value = number | string | boolean | null | undefined;

export interface EventDifference {
  readonly update: number;
  readonly phase: Phase | null; // null: outside the phases, as in an evaluation
  readonly kind: RunEvent['kind']; // of the event
  readonly prompt: number | null;
  readonly node: NodeId | null; // of a loss row its leaf
  readonly token: number | null; // among the node's tokens, or the scored ones of the row
  readonly field: string; // e.g. 'logProb'; 'event' where there is another event, or none
  readonly logged: Value; // undefined: nothing
  readonly replayed: Value;
}

/** They tell of a session, of a file, or of the run as a whole. */
const ASIDE: ReadonlySet<RunEvent['kind']> = new Set(['status', 'run-started', 'texts', 'failed']);

const LOGGED_DIGITS = 6; // what files keep of a number that is not whole

/** A log holds every digit, or a file's; the run says every digit. */
const isSameNumber = (logged: number, replayed: number): boolean =>
  logged === replayed ||
  (Number.isNaN(logged) && Number.isNaN(replayed)) ||
  logged === Number(replayed.toPrecision(LOGGED_DIGITS));

type Path = readonly (string | number)[];

/** Fields that an older log does not have: null or empty there. */
const isUnknown = (key: string | number, logged: unknown): boolean =>
  ((key === 'unknown' || key === 'reliability') && logged === null) ||
  (key === 'headNorms' && Array.isArray(logged) && logged.length === 0);

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Where two values differ first, and what stands there; null where they do not. */
function firstIn(
  logged: unknown,
  replayed: unknown,
  path: Path = [],
): { path: Path; a: Value; b: Value } | null {
  if (typeof logged === 'number' && typeof replayed === 'number')
    return isSameNumber(logged, replayed) ? null : { path, a: logged, b: replayed };
  if (!isGroup(logged) || !isGroup(replayed)) {
    const brief = (value: unknown): Value => (isGroup(value) ? 'a group of values' : (value as Value));
    return logged === replayed ? null : { path, a: brief(logged), b: brief(replayed) };
  }
  const keys = new Set([...Object.keys(logged), ...Object.keys(replayed)]);
  for (const name of keys) {
    const key = Array.isArray(logged) ? Number(name) : name;
    if (name.endsWith('Ms') || isUnknown(key, logged[name])) continue; // no two runs take the same time
    const found = firstIn(logged[name], replayed[name], [...path, key]);
    if (found) return found;
  }
  return null;
}

/** What of an event a path leads to. */
function placeOf(event: RunEvent, path: Path): Pick<EventDifference, 'prompt' | 'node' | 'token' | 'field'> {
  const names = path.filter((key) => typeof key === 'string');
  const field = names[names.length - 1] ?? 'event';
  const last = path[path.length - 1];
  const at = typeof last === 'number' ? last : null;
  const nowhere = { prompt: null, node: null, token: null, field };
  const { kind } = event;
  if (kind === 'node') return { prompt: event.prompt, node: event.node.id, token: at, field };
  if (kind === 'expansion' || kind === 'leaves') return { ...nowhere, prompt: event.prompt };
  if (kind === 'rewards' || kind === 'credit')
    return { ...nowhere, prompt: event.trees[Number(path[1])]?.prompt ?? null, node: at as NodeId | null };
  const row = kind === 'loss' && path[0] === 'rows' ? event.rows.at(Number(path[1])) : undefined;
  return row ? { prompt: row.prompt, node: row.leaf, token: at, field } : nowhere;
}

const updateOf = (event: RunEvent | undefined): number | null =>
  event && 'update' in event ? event.update : null;

/**
 * Compares event by event, times left out.
 * @param logged what the log says, of some updates in order
 * @param replayed what was said when they were trained again
 * @returns the first that differs; null where none does
 */
export function firstDifference(
  logged: readonly RunEvent[],
  replayed: readonly RunEvent[],
): EventDifference | null {
  const [left, right] = [logged, replayed].map((events) => events.filter(({ kind }) => !ASIDE.has(kind)));
  let phase: Phase | null = null;
  for (let place = 0; place < Math.max(left.length, right.length); place += 1) {
    const [a, b] = [left[place] as RunEvent | undefined, right[place] as RunEvent | undefined];
    const event = a ?? b;
    if (!event) return null;
    if (event.kind === 'phase') ({ phase } = event);
    if (event.kind === 'evaluation' || event.kind === 'metrics' || event.kind === 'remembered') phase = null;
    const here = { update: updateOf(event) ?? 0, phase, kind: event.kind };
    if (a?.kind !== b?.kind)
      return {
        ...{ ...here, prompt: null, node: null, token: null, field: 'event' },
        ...{ logged: a?.kind, replayed: b?.kind },
      };
    const found = firstIn(a, b);
    if (found) return { ...here, ...placeOf(event, found.path), logged: found.a, replayed: found.b };
  }
  return null;
}
