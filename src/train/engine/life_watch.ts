/** The page's side of the worker's signs of life. */
import type { SignOfLife } from '../../protocol/protocol.ts';

// Signs of life of the worker, beside its events. The worker holds a lock for as long as it lives, which the browser
// gives on at once when it ends, however it ends; and it sends a pulse at a steady beat, which stays away while it is
// blocked. So an end is told from a long computation for certain.

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
 * @returns ends the beats, where the engine ends and its thread lives on
 */
export function startPulse(
  post: (pulse: Pulse) => void,
  feel: () => Pick<Pulse, 'isOpening' | 'silentBeats'>,
  locks = browserLocks(),
): () => void {
  const name = `turnwise-engine-${Math.random().toString(36).slice(2)}`;
  let lock: string | null = null;
  const beat = (): void => post({ kind: 'pulse', lock, ...feel() });
  const hold = (): Promise<void> => {
    lock = name;
    beat();
    return new Promise(() => undefined);
  };
  locks?.request(name, hold).catch(() => undefined); // without a lock the pulse has to do
  const beats = setInterval(beat, PULSE_MS);
  return () => clearInterval(beats);
}

/**
 * Beats after which silence is said. A worker computes for seconds at a stretch and beats in between; a device works on a
 * mini-batch for seconds on a software adapter; an adapter takes a second where the driver wakes up first.
 */
const MOST_SILENT = { worker: 20, adapter: 20, device: 30 } as const;

export class LifeWatch {
  readonly #say: (sign: SignOfLife) => void;
  readonly #locks: Locks | null;
  readonly #beat: ReturnType<typeof setInterval>;
  #sign: SignOfLife = 'well';
  #missed = 0; // beats without a message
  #opening = 0; // beats in a row in which the engine waited for a device
  #deviceSilent = 0;
  #lock: string | null = null;
  #over = false;

  /** @param say told of each change; 'ended' is the last */
  constructor(say: (sign: SignOfLife) => void, locks = browserLocks()) {
    this.#say = say;
    this.#locks = locks;
    // Beats are counted, not time: a page that was frozen or slept has missed none.
    this.#beat = setInterval(() => {
      this.#missed += 1;
      this.#look();
    }, PULSE_MS);
  }

  /** Any message of the worker. */
  heard(): void {
    this.#missed = 0;
    this.#look();
  }

  felt({ lock, isOpening, silentBeats }: Pulse): void {
    this.#opening = isOpening ? this.#opening + 1 : 0;
    this.#deviceSilent = silentBeats;
    this.heard();
    if (lock === null || this.#lock !== null) return;
    this.#lock = lock;
    const end = (): Promise<void> => Promise.resolve(this.#end());
    this.#locks?.request(lock, end).catch(() => undefined);
  }

  stop(): void {
    this.#over = true;
    clearInterval(this.#beat);
  }

  #end(): void {
    if (this.#over) return;
    this.stop();
    this.#say('ended');
  }

  #look(): void {
    const sign = this.#now();
    if (this.#over || sign === this.#sign) return;
    this.#sign = sign;
    this.#say(sign);
  }

  #now(): SignOfLife {
    if (this.#missed >= MOST_SILENT.worker) return 'worker-silent';
    if (this.#opening >= MOST_SILENT.adapter) return 'adapter-silent';
    return this.#deviceSilent >= MOST_SILENT.device ? 'device-silent' : 'well';
  }
}
