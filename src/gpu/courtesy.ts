/**
 * Gives way to a person: for a moment after each sign of one, results of the device are held back, and with them the
 * work that would follow. A page is drawn by the same device as its engine trains on, with a software adapter by the
 * same processors. Nothing is computed otherwise, only later.
 */

/** What a page says to the engine's worker. No command: it asks nothing of the run, and must not wait behind one. */
export const GIVE_WAY = 'give-way';

export interface CourtesyOptions {
  readonly holdMs?: number; // after a sign of a person
  readonly longestMs?: number; // that one result is held: a long drag slows a run and does not stop it
  readonly now?: () => number; // ms
}

export class Courtesy {
  readonly #holdMs: number;
  readonly #longestMs: number;
  readonly #now: () => number;
  #until = -Infinity;

  constructor({ holdMs = 150, longestMs = 450, now = () => performance.now() }: CourtesyOptions = {}) {
    this.#holdMs = holdMs;
    this.#longestMs = longestMs;
    this.#now = now;
  }

  /** A person does something now. */
  ask(): void {
    this.#until = this.#now() + this.#holdMs;
  }

  /** Whether `pass` would wait. */
  get asked(): boolean {
    return this.#now() < this.#until;
  }

  /** Waits until nobody has asked for a while. */
  async pass(): Promise<void> {
    const latest = this.#now() + this.#longestMs;
    for (let now = this.#now(); now < Math.min(this.#until, latest); now = this.#now())
      await new Promise((resolve) => setTimeout(resolve, Math.min(this.#until, latest) - now));
  }
}
