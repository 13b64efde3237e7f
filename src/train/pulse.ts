/**
 * Signs of life of the worker, beside its events. The worker holds a lock for as long as it lives, which the browser
 * gives on at once when it ends, however it ends; and it sends a pulse at a steady beat, which stays away while it is
 * blocked. So an end is told from a long computation for certain.
 */
export const PULSE_MS = 1000;

export interface Pulse {
  readonly kind: 'pulse';
  readonly lock: string | null; // that the worker holds; null where the browser has no locks
  readonly isOpening: boolean; // the engine waits for a device
  readonly silentBeats: number; // of the device, Engine.countSilence
}

export const isPulse = (message: unknown): message is Pulse =>
  (message as { kind?: unknown } | null)?.kind === 'pulse';

/** The part of LockManager that both sides use; tests pass their own. */
export interface Locks {
  request(name: string, hold: () => Promise<void>): Promise<void>;
}

export const browserLocks = (): Locks | null => globalThis.navigator?.locks ?? null; // absent in older browsers

/**
 * The worker's side: takes its lock, then beats until the worker ends.
 * @param feel asked at every beat
 */
export function startPulse(
  post: (pulse: Pulse) => void,
  feel: () => Pick<Pulse, 'isOpening' | 'silentBeats'>,
  locks = browserLocks(),
): void {
  const name = `turnwise-engine-${Math.random().toString(36).slice(2)}`;
  let lock: string | null = null;
  const beat = (): void => post({ kind: 'pulse', lock, ...feel() });
  const hold = (): Promise<void> => {
    lock = name;
    beat();
    return new Promise(() => undefined);
  };
  locks?.request(name, hold).catch(() => undefined); // without a lock the pulse has to do
  setInterval(beat, PULSE_MS);
}
