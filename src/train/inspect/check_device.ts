/** The device that kernels are checked on: one of its own, so that a text that never ends leaves the run alone. */
import type { Gpu } from '../../gpu/device.ts';
import { CheckCancelledError, KernelStallError } from '../../gpu/errors.ts';
import { LostWatch } from '../../gpu/answer_watch.ts';
import type { LabError } from '../../units.ts';

const BEAT_MS = 1000;
/** Beats without any answer of the device; a check is many short dispatches, of which each gives one. */
const MOST_SILENT = 30;

export class CheckDevice {
  readonly #openGpu: (onError: (error: LabError) => void) => Promise<Gpu>;
  #gpu: Promise<Gpu> | null = null; // opened with the first check
  #running = 0;
  #cancels = 0;
  #endAll: (error: LabError) => void = () => undefined;

  /** @param openGpu opens a device; `onError` is told of what it refuses outside error scopes */
  constructor(openGpu: (onError: (error: LabError) => void) => Promise<Gpu>) {
    this.#openGpu = openGpu;
  }

  /**
   * @throws KernelStallError when the device has given no answer for 30 s; CheckCancelledError after `cancel`; what `work` and
   * opening a device throw. After the first two the device is given up, and the next check opens another.
   */
  async run<T>(work: (gpu: Gpu) => Promise<T>): Promise<T> {
    const asked = this.#cancels;
    const gpu = await (this.#gpu ??= this.#open());
    if (this.#cancels !== asked) throw new CheckCancelledError(); // while the device was opened
    const watch = new LostWatch(gpu.lost);
    this.#running += 1;
    const beat = setInterval(() => {
      if (gpu.answers.countSilence() >= MOST_SILENT * this.#running)
        this.#endAll(new KernelStallError(MOST_SILENT));
    }, BEAT_MS);
    try {
      return await watch.guard(() => work(gpu));
    } finally {
      clearInterval(beat);
      this.#running -= 1;
    }
  }

  /** Ends the checks under way, those too that wait for the device to open. */
  cancel(): void {
    this.#cancels += 1;
    if (this.#running > 0) this.#endAll(new CheckCancelledError());
  }

  close(): void {
    void this.#gpu?.then(
      (gpu) => gpu.close(),
      () => undefined,
    );
  }

  async #open(): Promise<Gpu> {
    const forget = (): void => void (this.#gpu = null);
    try {
      const gpu = await this.#openGpu((error) => this.#endAll(error));
      this.#endAll = (error) => {
        forget();
        gpu.giveUp(error);
      };
      void gpu.lost.then(forget);
      return gpu;
    } catch (error) {
      forget();
      throw error;
    }
  }
}
