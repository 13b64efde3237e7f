/**
 * Earlier places of a run: its weights after any update, had from the nearest checkpoint and the updates since, trained
 * again by the engine; and whether the run says again what its log says. Events are compared as they come.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { placeKey, type AdapterDescription, type Place, type RunEvent } from '../../protocol/protocol.ts';
import type { Ask, Question } from '../../train/inspect/index.ts';
import { LabError, type ErrorReport, type RunConfig } from '../../units.ts';
import { firstDifference, type EventDifference } from '../record/replay_difference.ts';
import type { RunStore } from '../record/run.ts';
import { failureOf } from './inspection.ts';

export { placeKey } from '../../protocol/protocol.ts';
export type { EventDifference } from '../record/replay_difference.ts';

/** How the weights of a place were come to. */
export interface Reached {
  readonly place: Place;
  readonly checkpoint: number | null; // the update after which it was taken; null: from the run's start
  readonly replayed: number; // updates since
  readonly compared: number; // of them, with a log
  readonly difference: EventDifference | null; // the first from the log
}

/** Updates of a run trained again for what they say. */
export interface ReplayCheck {
  readonly run: string;
  readonly first: number; // update
  readonly last: number; // compared; the one that differs where one does
  readonly difference: EventDifference | null;
  readonly otherAdapter: { readonly log: AdapterDescription; readonly here: AdapterDescription } | null;
}

/** The replay under way. */
export interface ReplayJob {
  readonly kind: 'weights' | 'check';
  readonly run: string;
  readonly update: number; // the last that is wanted
  readonly done: number; // updates
  readonly total: number | null; // null: not known yet
}

export interface ReplaysState {
  readonly exact: boolean; // questions are answered by the weights that grew the update's trees
  readonly job: ReplayJob | null;
  readonly reached: Readonly<Record<string, Reached>>; // by placeKey
  readonly check: ReplayCheck | null; // the last
}

export interface Replays extends StoreApi<ReplaysState> {
  /** As the engine's, with the weights that grew the trees of the question's update where it names one. */
  readonly ask: Ask;
  readonly setExact: (exact: boolean) => void;
  /** Brings the engine to the end of an update of a record. @throws LabError, the signal's reason */
  readonly reach: (record: RunStore, update: number, signal?: AbortSignal) => Promise<Reached>;
  /** Trains the first updates of a record again and compares. @param count null: all that are whole */
  readonly checkReplay: (record: RunStore, count: number | null) => Promise<void>;
  readonly cancel: () => void;
}

export interface ReplaysParts {
  readonly ask: Ask;
  readonly run: RunStore; // on screen
  /** The record on screen itself: it stays the same when another is shown. */
  readonly shown: () => RunStore;
  /** The engine's run stands at the end of `update`, and is the one on screen. */
  readonly standsAt: (update: number) => boolean;
  /** It stands there with nothing under way: its weights are those after `update` and no others. */
  readonly standsAfter?: (update: number) => boolean;
  /** The nearest checkpoint after `update` or before, where the run of this date is kept. */
  readonly checkpointOf: (
    run: string,
    update: number,
  ) => Promise<{ readonly update: number; readonly bytes: Uint8Array<ArrayBuffer> } | null>;
  /** The record of this date, wherever it is here; null where it is nowhere. */
  readonly recordOf?: (run: string) => Promise<RunStore | null>;
  /** Shows a person what went wrong. */
  readonly report: (failure: ErrorReport) => void;
}

/** The update after which a run has the weights that a question is about: its trees were grown by those of the one before. */
function weightsOf(question: Question): number | null {
  const { kind } = question;
  if (kind === 'held-out') return question.update;
  const isOfTrees = kind === 'inspect-token' || kind === 'intervene' || kind === 'compare-gradients';
  return isOfTrees ? question.update - 1 : null;
}

const CANCELLED = new DOMException('cancelled', 'AbortError');

const noRecipe: ErrorReport = {
  what: 'This run cannot be trained again',
  where: 'run on screen',
  got: 'a record without a configuration',
  wanted: 'the configuration that it was trained with',
  next: 'Open a run that this lab trained.',
};

interface Recipe {
  readonly run: string;
  readonly config: RunConfig;
  readonly first: number; // the update that its log begins with
  readonly parent: Place | null; // that a fork began from
}

function replayable(record: RunStore): Recipe {
  const { header } = record.getState();
  if (!header?.config) throw new LabError('NoRecipeError', noRecipe);
  const { config, date, origin } = header;
  const parent = origin.kind === 'forked' ? { run: origin.run, update: origin.update } : null;
  return { run: date, config, first: (parent?.update ?? 0) + 1, parent };
}

/** The last update that is whole in a record; 0: none. */
export const lastWhole = (record: Pick<RunStore, 'getState'>): number =>
  record.getState().updates.findLast(({ ended }) => ended)?.update ?? 0;

async function loggedIn(record: RunStore, events: readonly RunEvent[]): Promise<readonly RunEvent[] | null> {
  const updates = new Set(events.flatMap((event) => ('update' in event ? [event.update] : [])));
  const parts = await Promise.all(
    [...updates].sort((a, b) => a - b).map((update) => record.eventsOf(update)),
  );
  return parts.some((part) => part === null) ? null : parts.flatMap((part) => part ?? []);
}

export function createReplays(parts: ReplaysParts): Replays {
  const store = createStore<ReplaysState>(() => ({ exact: true, job: null, reached: {}, check: null }));
  let end = new AbortController(); // of the job

  /** One update nearer; what it says is compared with the log. */
  const advance = async (
    record: RunStore,
    { run, config }: Recipe,
    to: { readonly update: number; readonly again: boolean },
    given: { readonly update: number; readonly bytes: Uint8Array<ArrayBuffer> } | null,
    signal: AbortSignal,
  ) => {
    const place = { run, update: to.update };
    const checkpoint = given && given.bytes.slice().buffer;
    const question = { kind: 'replay', config, to: place, again: to.again, checkpoint } as const;
    const { from, update, events } = await parts.ask(question, signal);
    const logged = events.length === 0 ? [] : await loggedIn(record, events);
    const found = logged && firstDifference(logged, events);
    const { reached } = store.getState();
    const start: Reached = {
      ...{ place, checkpoint: from, replayed: 0, compared: 0, difference: null },
    };
    const before =
      from === null || from === given?.update ? start : (reached[placeKey({ run, update: from })] ?? start);
    const isMoved = events.length > 0;
    const now: Reached = {
      place: { run, update },
      checkpoint: before.checkpoint,
      replayed: before.replayed + Number(isMoved),
      compared: before.compared + Number(isMoved && logged !== null),
      difference: before.difference ?? found,
    };
    store.setState({ reached: { ...reached, [placeKey(now.place)]: now } });
    return { from, now, found };
  };

  /** Runs one replay at a time: the one before gives way. */
  const asJob = async <T>(
    job: Omit<ReplayJob, 'done' | 'total'>,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    end.abort(CANCELLED);
    const own = (end = new AbortController());
    const both = signal ? AbortSignal.any([signal, own.signal]) : own.signal;
    store.setState({ job: { ...job, done: 0, total: null } });
    try {
      return await work(both);
    } finally {
      if (end === own) store.setState({ job: null });
    }
  };
  const tell = (change: Partial<ReplayJob>): void => {
    const { job } = store.getState();
    if (job) store.setState({ job: { ...job, ...change } });
  };

  /** What a fork began with: its parent is trained again to there. */
  const startOf = async (parent: Place, signal: AbortSignal) => {
    const record = (await parts.recordOf?.(parent.run)) ?? null;
    if (!record) throw new LabError('NoCheckpointError', noStart(parent));
    await comeTo(record, replayable(record), parent.update, signal);
    const { bytes } = await parts.ask({ kind: 'replayed-checkpoint', at: parent }, signal);
    return { update: parent.update, bytes: new Uint8Array(bytes) };
  };

  const comeTo = async (
    record: RunStore,
    recipe: Recipe,
    update: number,
    signal: AbortSignal,
  ): Promise<Reached> => {
    const { run, parent } = recipe;
    let given = await parts.checkpointOf(run, update);
    if (!given && parent) given = await startOf(parent, signal);
    for (let first: number | null = null; ;) {
      const { from, now } = await advance(record, recipe, { update, again: false }, given, signal);
      given = null;
      first ??= from ?? 0;
      tell({ done: now.place.update - first, total: update - first });
      if (now.place.update === update) return now;
    }
  };

  const reach: Replays['reach'] = async (record, update, signal) => {
    const recipe = replayable(record);
    return asJob({ kind: 'weights', run: recipe.run, update }, signal, (both) =>
      comeTo(record, recipe, update, both),
    );
  };

  const check = async (record: RunStore, count: number | null): Promise<void> => {
    const recipe = replayable(record);
    const { run, first } = recipe;
    const last = Math.min(lastWhole(record), count === null ? Infinity : first + count - 1);
    const { header, ready } = record.getState();
    const [log, here] = [header?.adapter, ready?.adapter ?? parts.run.getState().ready?.adapter];
    const otherAdapter = log && here && JSON.stringify(log) !== JSON.stringify(here) ? { log, here } : null;
    await asJob({ kind: 'check', run, update: last }, undefined, async (signal) => {
      if (first > 1) await comeTo(record, recipe, first - 1, signal);
      tell({ done: 0, total: last - first + 1 });
      for (let update = first; update <= last; update += 1) {
        const { found } = await advance(record, recipe, { update, again: true }, null, signal);
        tell({ done: update - first + 1 });
        store.setState({ check: { run, first, last: update, difference: found, otherAdapter } });
        if (found) return;
      }
    });
  };

  const withWeights: Ask = (question, signal) => {
    const isScore = question.kind === 'held-out'; // of these weights and no others, whatever the box says
    const update = isScore || store.getState().exact ? weightsOf(question) : null;
    const record = parts.shown();
    const stands = isScore ? parts.standsAfter : parts.standsAt;
    if (update === null || stands?.(update)) return parts.ask(question, signal);
    const { header } = record.getState();
    if (update === 0 && header)
      return parts.ask({ ...question, at: { run: header.date, update: 0 } }, signal);
    return reach(record, update, signal).then(({ place }) => parts.ask({ ...question, at: place }, signal));
  };

  return {
    ...store,
    ask: withWeights,
    setExact: (exact) => store.setState({ exact }),
    reach,
    async checkReplay(record, count) {
      store.setState({ check: null });
      const { signal } = end;
      try {
        await check(record, count);
      } catch (error) {
        const failure = error === CANCELLED ? null : failureOf(error, signal);
        if (failure) parts.report(failure);
      }
    },
    cancel: () => end.abort(CANCELLED),
  };
}

const noStart = ({ run, update }: Place): ErrorReport => ({
  what: 'This fork cannot be trained again: the state that it began with is not here',
  where: `update ${update} of the run of ${run}`,
  got: 'neither a checkpoint of the fork nor its parent',
  wanted: 'one of them',
  next: 'Open the file of the parent in Runs, and ask again: it is trained again to there.',
});
