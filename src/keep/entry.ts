/** What the shelf says of a kept run without opening it. */
import type { AdapterDescription, RunEvent, WrittenUpdate } from '../protocol/protocol.ts';
import { LabError, type ErrorReport, type RunConfig } from '../units.ts';

/** A run that is kept elsewhere, or cannot be kept. */
export class KeepError extends LabError {
  constructor(report: ErrorReport, cause?: unknown) {
    super('KeepError', report, cause);
  }
}

export interface KeptEntry {
  readonly id: string;
  readonly created: string; // when it started, as its log says; ISO 8601
  readonly changed: string;
  readonly config: RunConfig;
  readonly adapter: AdapterDescription | null;
  readonly update: number; // the last that is kept
  readonly finished: boolean;
  readonly curve: readonly number[]; // exact match of the initial rollouts, by update from 1
  readonly score: number | null; // best held-out exact match, greedy, mean over data sets; null where nothing was evaluated
  readonly bytes: number; // on disk
  readonly name: string | null; // a person's own
  readonly note: string;
  readonly pinned: boolean;
  readonly removed: string | null; // when a person deleted it; it can be taken back until the page is opened again
}

/** What the page hears without asking. */
export type KeeperNews =
  | { readonly kind: 'kept'; readonly entry: KeptEntry }
  | { readonly kind: 'trouble'; readonly id: string; readonly report: ErrorReport };

export interface StorageState {
  readonly usage: number; // bytes of this site, as the browser estimates them
  readonly quota: number;
  readonly persisted: boolean; // the browser does not remove it by itself
}

/** What a person changes. */
export type EntryChange = Partial<Pick<KeptEntry, 'name' | 'note' | 'pinned' | 'removed'>>;

function scoreOf(events: readonly RunEvent[]): number | null {
  const scores = events.flatMap((event) =>
    event.kind === 'evaluation' && event.greedy ? [event.exactMatch] : [],
  );
  return scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

const best = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

/**
 * The entry after one more update.
 * @param before null for the first
 * @returns null where nothing tells which run it is
 */
export function entryAfter(
  before: KeptEntry | null,
  id: string,
  { update, headlines: events }: Pick<WrittenUpdate, 'update' | 'headlines'>,
  bytes: number,
  date: string,
): KeptEntry | null {
  const started = events.find((event) => event.kind === 'run-started');
  const config = before?.config ?? started?.config;
  if (!config) return null;
  const entry: KeptEntry = before ?? {
    ...{
      id,
      created: started?.date ?? date,
      config,
      adapter: started?.adapter ?? null,
      curve: [],
      score: null,
    },
    ...{
      name: null,
      note: '',
      pinned: false,
      removed: null,
      finished: false,
      update: 0,
      bytes: 0,
      changed: date,
    },
  };
  const matches = events.flatMap((event) => (event.kind === 'metrics' ? [event.metrics.exactMatch] : []));
  return {
    ...entry,
    ...{ update, bytes, changed: date, finished: update >= config.updates },
    curve: [...entry.curve.slice(0, Math.max(update - matches.length, 0)), ...matches],
    score: best(entry.score, scoreOf(events)),
  };
}
