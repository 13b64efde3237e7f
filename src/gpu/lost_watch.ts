import type { LabError } from '../units.ts';

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
