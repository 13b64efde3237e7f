/** A new run that goes on from an update of the one on screen, with other settings; its parent stays on the shelf. */
import { fixedAtFork, type FixedSetting } from '../../protocol/protocol.ts';
import type { Ask } from '../../train/inspect/index.ts';
import type { ErrorReport, RunConfig } from '../../units.ts';
import { failureOf } from '../ask/inspection.ts';
import type { Replays } from '../ask/replays.ts';
import type { Screen } from '../record/run.ts';
import type { RunState } from '../record/run_state.ts';
import type { Shelf } from '../record/shelf.ts';
import type { Transport } from './transport.ts';

export interface ForkParts {
  readonly run: Screen;
  readonly transport: Transport;
  readonly shelf: Shelf;
  readonly replays: Replays;
  readonly ask: Ask;
  /** Shows a person what went wrong. */
  readonly report: (failure: ErrorReport) => void;
}

export interface ForkOffer {
  readonly update: number; // the fork begins after it
  readonly fixed: readonly FixedSetting[]; // what stands against it
}

/** @param selected update under the cursor; null: the newest that is whole. @returns null where there is nothing to fork */
export function forkOffer(run: RunState, selected: number | null, draft: RunConfig): ForkOffer | null {
  const parent = run.header?.config;
  const update = selected ?? run.updates.findLast(({ ended }) => ended)?.update ?? 0;
  if (!parent || !run.updates[update - 1]?.ended) return null;
  return { update, fixed: fixedAtFork(parent, draft, update) };
}

/** @returns forks the run on screen after an update, and plays; says whether it did */
export function createFork({ run, transport, shelf, replays, ask, report }: ForkParts) {
  /** The run's own state where it stands there now, else what a replay comes to. */
  const checkpointAfter = async (update: number): Promise<ArrayBuffer> => {
    const record = run.shown();
    const isLive = transport.getState().source === 'live';
    const { status, update: newest, updates } = record.getState();
    if (isLive && status !== 'failed' && newest === update && updates[update - 1]?.ended) {
      const saved = await ask({ kind: 'save-checkpoint' });
      if (saved.update === update) return saved.bytes;
    }
    const { place } = await replays.reach(record, update);
    return (await ask({ kind: 'replayed-checkpoint', at: place })).bytes;
  };
  return async (config: RunConfig, update: number): Promise<boolean> => {
    const record = run.shown();
    const { header } = record.getState();
    if (!header) return false;
    transport.pause();
    try {
      const checkpoint = await checkpointAfter(update);
      if (!shelf.getState().runs.some((kept) => kept.record === record)) shelf.keep(record);
      transport.fork({ run: header.date, config, after: update, checkpoint });
      return true;
    } catch (error) {
      const failure = failureOf(error, new AbortController().signal);
      if (failure) report(failure);
      return false;
    }
  };
}
