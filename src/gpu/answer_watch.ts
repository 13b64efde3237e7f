/**
 * Knows whether a device owes an answer. Silence is counted in calls of `countSilence` at a steady beat, not in time: a
 * machine that slept, or a page that was frozen, has had no beats.
 */
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
