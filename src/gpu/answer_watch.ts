/**
 * Knows whether a device owes an answer. Silence is counted in calls of `countSilence` at a steady beat, not in time: a
 * machine that slept, or a page that was frozen, has had no beats.
 */
import type { LabError } from '../units.ts';

export class AnswerWatch {
  #owed = 0;
  #answers = 0;
  #seen = 0; // answers when silence was last counted
  #silent = 0;

  /** Waits for an answer of the device. */
  async of<T>(answer: Promise<T>): Promise<T> {
    this.#owed += 1;
    try {
      return await answer;
    } finally {
      this.#owed -= 1;
      this.#answers += 1;
    }
  }

  /** @returns calls in a row, this one included, in which an answer was owed and none came */
  countSilence(): number {
    const isSilent = this.#owed > 0 && this.#answers === this.#seen;
    this.#seen = this.#answers;
    return (this.#silent = isSilent ? this.#silent + 1 : 0);
  }
}

/**
 * Lets work fail when the device goes. Not a Promise.race with the device's promise: that one lives as long as the
 * device and would hold every result it was ever raced against.
 */
export class LostWatch {
  readonly #waiting = new Set<(error: LabError) => void>();
  #error: LabError | null = null;

  constructor(lost: Promise<LabError>) {
    void lost.then((error) => {
      this.#error = error;
      for (const reject of this.#waiting) reject(error);
      this.#waiting.clear();
    });
  }

  /** What `work` gives. @throws what `lost` gives (DeviceLostError) as soon as the device is gone, and at once when it is gone already */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#error) throw this.#error;
    let fail: (error: LabError) => void = () => undefined;
    const lost = new Promise<never>((_, reject) => (fail = reject));
    this.#waiting.add(fail);
    try {
      return await Promise.race([lost, work()]);
    } finally {
      this.#waiting.delete(fail);
    }
  }
}
