/** The page's side of the worker's signs of life. */
import type { SignOfLife } from './protocol.ts';
import { browserLocks, PULSE_MS, type Locks, type Pulse } from './pulse.ts';

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
