/** A run trained again: for the weights of the update on screen, and for whether it says what its log says. */
import { useId, useState } from 'react';
import { useStore } from 'zustand';
import {
  placeKey,
  lastWhole,
  type EventDifference,
  type Reached,
  type ReplayCheck as Check,
  type ReplaysState,
} from '../../store/ask/replays.ts';
import type { RunStore } from '../../store/record/run.ts';
import { adapterWords } from '../../store/record/run_name.ts';
import { LabError } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useLab, useRun, useTransport } from './binding.ts';
import { countWords } from './format.ts';

const useReplays = <T,>(selector: (state: ReplaysState) => T): T => useStore(useLab().replays, selector);

const said = (value: EventDifference['logged']): string => (value === undefined ? 'nothing' : String(value));

/** Where a replay and its log part, both numbers whole. */
export function differenceWords(difference: EventDifference): string {
  const { update, phase, kind, prompt, node, token, field, logged, replayed } = difference;
  const place = [
    `update ${update}`,
    phase ?? kind,
    ...(prompt === null ? [] : [`prompt ${prompt + 1}`]),
    ...(node === null ? [] : [nodeName(node)]),
    ...(token === null ? [] : [`token ${token + 1}`]),
  ];
  return `${place.join(', ')}: ${field} is ${said(logged)} in the log and ${said(replayed)} here`;
}

/** Whose weights they are, and how they were come to. */
export function reachedWords({ place, checkpoint, replayed, compared, difference }: Reached): string {
  const base = checkpoint === null ? 'the start' : `checkpoint ${checkpoint}`;
  const weights = `weights after update ${place.update}: ${base}`;
  if (replayed === 0) return weights;
  const steps = `${weights} + ${countWords(replayed, 'update')} replayed`;
  if (difference) return `${steps}; the first event that differs: ${differenceWords(difference)}`;
  if (compared === replayed) return `${steps}, equal to the log`;
  return `${steps}, ${compared} of them compared with the log and equal to it`;
}

/** The replay under way, and the way out of it. */
export function Progress({ kind }: { readonly kind: 'weights' | 'check' }) {
  const { replays } = useLab();
  const job = useReplays((state) => state.job);
  if (job?.kind !== kind) return null;
  const { done } = job;
  const total = job.total === 0 ? null : job.total;
  return (
    <span className="replaying small">
      <span role="status">
        Replaying {total === null ? '…' : `update ${Math.min(done + 1, total)} of ${total} …`}
      </span>{' '}
      <progress
        value={total === null ? undefined : done / total}
        aria-label="Share of the updates replayed"
      />{' '}
      <button type="button" className="small" onClick={replays.cancel}>
        Cancel
      </button>
    </span>
  );
}

/** For questions about an update: whose weights answer them. Nothing where the run itself stands there. */
export function Weights({ update }: { readonly update: number }) {
  const { replays, transport } = useLab();
  const id = useId();
  const exact = useReplays((state) => state.exact);
  const reached = useReplays((state) => state.reached);
  const run = useRun(({ header }) => (header?.config ? header.date : null));
  const newest = useRun((state) => state.update); // what `standsAt` depends on
  const engine = useTransport((state) => state.engine.kind);
  if (run === null || update < 2 || newest === 0 || transport.standsAt(update - 1)) return null;
  const there = (reached as Readonly<Record<string, Reached | undefined>>)[
    placeKey({ run, update: update - 1 })
  ];
  return (
    <p className="small soft weights">
      <input
        id={id}
        type="checkbox"
        checked={exact}
        disabled={engine === 'unavailable'}
        onChange={({ target }) => replays.setExact(target.checked)}
      />{' '}
      <label htmlFor={id}>Answer with the weights that grew the trees of update {update}</label>
      {exact && (
        <>
          {': '}
          {there
            ? reachedWords(there)
            : 'the run is trained again to there, from its nearest checkpoint or its start'}
        </>
      )}
      . <Progress kind="weights" />
    </p>
  );
}

/** What a check found. */
export function checkWords({ first, last, difference, otherAdapter }: Check): string {
  const updates = first === last ? `Update ${first}` : `Updates ${first} to ${last}`;
  const outcome = difference
    ? `Not equal. The first event that differs: ${differenceWords(difference)}.`
    : `Equal: ${updates.toLowerCase()} ${first === last ? 'says' : 'say'} again what the log says, event for event.`;
  if (!otherAdapter) return outcome;
  const { log, here } = otherAdapter;
  return `${outcome} The run was trained on ${adapterWords(log)}, and this is ${adapterWords(here)}: another adapter may differ in the last bits.`;
}

const USUAL = 3; // updates

interface ReplayCheckProps {
  readonly run: string; // by date
  readonly updates: number; // that can be checked
  readonly record: () => Promise<RunStore>;
}

/** Whether the run says again what its log says: a person chooses how far. */
export function ReplayCheck({ run, updates, record }: ReplayCheckProps) {
  const { replays, run: screen } = useLab();
  const id = useId();
  const [wanted, setWanted] = useState(USUAL);
  const count = Math.min(wanted, updates); // of a run that grows
  const [all, setAll] = useState(false);
  const engine = useTransport((state) => state.engine.kind);
  const isAt = useReplays(({ job }) => job?.kind === 'check' && job.run === run);
  const check = useReplays((state) => (state.check?.run === run ? state.check : null));
  if (updates === 0)
    return <p className="small soft">No update of it is whole yet, so there is nothing to replay.</p>;
  const begin = async (): Promise<void> => {
    try {
      await replays.checkReplay(await record(), all ? null : count);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      screen.report(error.report);
    }
  };
  return (
    <div className="replay-check">
      <form
        className="bar"
        onSubmit={(event) => {
          event.preventDefault();
          void begin();
        }}
      >
        <button type="submit" disabled={engine !== 'ready' || isAt}>
          Replay matches?
        </button>
        <label className="small" htmlFor={id}>
          first updates
        </label>
        <input
          id={id}
          type="number"
          min={1}
          max={updates}
          value={all ? updates : count}
          disabled={all}
          onChange={({ target }) =>
            setWanted(Math.max(1, Math.min(updates, Math.round(target.valueAsNumber) || 1)))
          }
        />
        <label className="small">
          <input type="checkbox" checked={all} onChange={({ target }) => setAll(target.checked)} /> all{' '}
          {updates}
        </label>
        {isAt && <Progress kind="check" />}
      </form>
      {engine === 'unavailable' && <p className="small soft">Replaying needs WebGPU.</p>}
      {check && !isAt && (
        <p className="small" role="status">
          {checkWords(check)}
        </p>
      )}
    </div>
  );
}

/** Of the run on screen. */
export function ShownReplayCheck() {
  const { run } = useLab();
  const date = useRun(({ header }) => (header?.config ? header.date : null));
  const whole = useRun(({ updates }) => updates.filter(({ ended }) => ended).length);
  const first = useRun(({ header }) => (header?.origin.kind === 'forked' ? header.origin.update : 0));
  if (date === null) return null;
  return (
    <ReplayCheck
      key={date}
      run={date}
      updates={Math.max(0, Math.min(whole, lastWhole(run)) - first)}
      record={() => Promise.resolve(run.shown())}
    />
  );
}
