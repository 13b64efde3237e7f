/** What the shelf says of a kept run without opening it. */
import type { AdapterDescription, RunEvent, RunOrigin, WrittenUpdate } from '../protocol/protocol.ts';
import { LabError, type ErrorReport, type NodeId, type RunConfig } from '../units.ts';

/** A run that is kept elsewhere, or cannot be kept. */
export class KeepError extends LabError {
  constructor(report: ErrorReport, cause?: unknown) {
    super('KeepError', report, cause);
  }
}

/** Files of another trainer, as the record of them says. */
export type ImportedOrigin = Extract<RunOrigin, { readonly kind: 'imported' }>;

/** What a person changed of an import's trees: a row out of a turn that it shared, or two turns that read alike put together. */
export type TreeEdit = { readonly update: number; readonly prompt: number } & (
  | { readonly kind: 'split'; readonly node: NodeId; readonly leaf: NodeId }
  | { readonly kind: 'merge'; readonly node: NodeId; readonly other: NodeId }
);

export interface KeptEntry {
  readonly id: string;
  readonly created: string; // when it started, as its log says; ISO 8601
  readonly changed: string;
  readonly config: RunConfig | null; // null: it was not trained by the lab, and `origin` says what it is
  readonly origin?: ImportedOrigin; // of an import alone
  readonly edits?: readonly TreeEdit[]; // one after the other, to be made again of the record on disk
  readonly adapter: AdapterDescription | null;
  readonly update: number; // the last that is kept
  readonly finished: boolean;
  readonly curve: readonly number[]; // exact match of the initial rollouts, by update from 1; of an import its mean reward
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
export type EntryChange = Partial<Pick<KeptEntry, 'name' | 'note' | 'pinned' | 'removed' | 'edits'>>;

/** By which an import is kept: what was read twice in the same way has one. */
export async function importId(log: Blob): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await log.arrayBuffer()));
  return `import-${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function scoreOf(events: readonly RunEvent[]): number | null {
  const scores = events.flatMap((event) =>
    event.kind === 'evaluation' && event.greedy ? [event.exactMatch] : [],
  );
  return scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

const best = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

/** Mean reward of the steps that are updates of the record, in their order; steps without a reward are left out. */
export const rewardCurve = ({ summary }: ImportedOrigin): readonly number[] =>
  (summary?.byStep ?? [])
    .filter(({ update }) => update !== null)
    .toSorted((one, other) => (one.update ?? 0) - (other.update ?? 0))
    .flatMap(({ rewardMean }) => (rewardMean === null ? [] : [rewardMean]));

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
  const config = before?.config ?? started?.config ?? null;
  const origin = before?.origin ?? (started?.origin.kind === 'imported' ? started.origin : undefined);
  if (!config && !origin) return null;
  const entry: KeptEntry = before ?? {
    ...{
      id,
      created: started?.date || date, // an import has none
      config,
      ...(origin && { origin }),
      adapter: started?.adapter ?? null,
      curve: origin ? rewardCurve(origin) : [],
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
    ...{ update, bytes, changed: date, finished: config === null || update >= config.updates },
    curve: origin ? entry.curve : [...entry.curve.slice(0, Math.max(update - matches.length, 0)), ...matches],
    score: best(entry.score, scoreOf(events)),
  };
}
