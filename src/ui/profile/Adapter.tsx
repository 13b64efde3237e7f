/** The graphics adapter that the page computes on, and the way to the other where the machine has two. */
import { useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { AdapterDescription, AdaptersState, LiveThere } from '../../store/lab/adapters.ts';
import { useLab, useRun, useTransport } from '../parts/binding.ts';

const KINDS: Readonly<Record<GPUPowerPreference, string>> = {
  'high-performance': 'fast',
  'low-power': 'power-saving',
};

/** @returns as its browser calls it; empty where it has no name */
function nameOf({ description, vendor, architecture, software }: AdapterDescription): string {
  const name = description || [vendor, architecture].filter(Boolean).join(' ');
  return software ? `${name || 'CPU'} (software)` : name;
}

const useAdapters = <T,>(selector: (state: AdaptersState) => T): T => useStore(useLab().adapters, selector);

export function useAdapterName(): string {
  return useRun((run) => {
    const adapter = run.ready?.adapter ?? run.header?.adapter;
    return adapter ? nameOf(adapter) || 'GPU' : 'this machine';
  });
}

/** The engine is on the power-saving one of two adapters. */
export const useSavesPower = (): boolean =>
  useAdapters(({ choice }) => choice?.inUse === 'low-power' && choice.other !== null);

const LIVE_WORDS: Readonly<Record<LiveThere, string>> = {
  'goes-on':
    'The live run ends its update and goes on there as a run of its own: adapters round differently, so its last digits are others. The run so far stays in Runs.',
  starts: 'The live run, which has no update yet, starts there anew.',
  'stays-behind':
    'The live run that waits ends here. Runs has it, if this browser keeps runs, up to its newest checkpoint.',
  none: 'The engine starts again there.',
};

/** Whether the live run would go on: it changes as the run does, and none of it is a value of the store. */
function useLiveThere(): LiveThere {
  const { adapters, live } = useLab();
  useTransport((transport) => transport.asked);
  useTransport((transport) => transport.source);
  useStore(live, ({ status, updates }) => `${status} ${updates.length > 0}`);
  return adapters.liveThere();
}

/** Says which adapter is in use. Where there are two, which kind it is, and offers the other. */
export function AdapterPart() {
  const choice = useAdapters((state) => state.choice);
  const moving = useAdapters((state) => state.moving);
  const engine = useTransport((transport) => transport.engine.kind);
  const there = useLiveThere();
  const name = useAdapterName();
  const { adapters } = useLab();
  const part = useRef<HTMLDivElement>(null);
  if (engine !== 'ready' && engine !== 'starting') return null;
  const other = choice?.other ?? null;
  const otherName = other && nameOf(other);
  const wanted = choice?.inUse === 'low-power' ? 'high-performance' : 'low-power';
  const use = (): void => {
    part.current?.focus(); // the button goes
    void adapters.use(wanted);
  };
  return (
    <div className="adapter-part" role="group" aria-label="Graphics adapter" tabIndex={-1} ref={part}>
      {engine === 'starting' ? (
        <p>The engine starts on a graphics adapter.</p>
      ) : (
        <p>
          Graphics adapter: <strong>{name}</strong>
          {choice && other && `, the ${KINDS[choice.inUse]} one of two`}.
        </p>
      )}
      {moving && <p className="small">When this update is over, the run goes on on the other adapter.</p>}
      {other && !moving && (
        <>
          <button type="button" onClick={use}>
            Use the {KINDS[wanted]} adapter{otherName && `: ${otherName}`}
          </button>
          <p className="small soft">{LIVE_WORDS[there]}</p>
        </>
      )}
    </div>
  );
}

/** The adapter that a person chose could not be opened. */
export function AdapterNotice() {
  const choice = useAdapters((state) => state.choice);
  const name = useAdapterName();
  const [dismissed, setDismissed] = useState<AdaptersState['choice']>(null);
  if (!choice?.refused || choice === dismissed) return null;
  const { inUse, refused } = choice;
  const wanted = inUse === 'low-power' ? 'high-performance' : 'low-power';
  return (
    <div className="notice" role="status">
      <p>
        <strong>The {KINDS[wanted]} graphics adapter could not be opened.</strong> The engine is on the{' '}
        {KINDS[inUse]} one, {name}. {refused.next}
      </p>
      <details className="small">
        <summary>Details</summary>
        {refused.where}: got {refused.got}, wanted {refused.wanted}.
      </details>
      <button type="button" className="small" onClick={() => setDismissed(choice)}>
        Dismiss
      </button>
    </div>
  );
}
