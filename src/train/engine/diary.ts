/**
 * What is written down of a run while it happens: after each update its events, and at a rhythm a checkpoint, so that the
 * newest is at most ten updates or half a minute old; the first comes with the first update. A run is written from the
 * end of its first update on: one that was opened and never played leaves nothing.
 */
import type { RunEvent, SettledMessage, SettledUpdate } from '../../protocol/protocol.ts';

const CHECKPOINT_UPDATES = 10;
const CHECKPOINT_MS = 30_000;

export interface DiaryParts {
  readonly id: string; // of the run
  readonly resumedAfter: number | null; // its earlier updates are written down already
  readonly updates: number; // of the whole run
  readonly tell: (message: SettledMessage) => void;
  readonly now: () => number; // ms
}

export class Diary {
  readonly #parts: DiaryParts;
  #events: RunEvent[] = [];
  #held: SettledUpdate[] = []; // before the first update is over
  #checkpointMs: number;
  #isNew = true; // what is written down from now on can go on
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: DiaryParts) {
    this.#parts = parts;
    this.#checkpointMs = parts.now();
  }

  /** Resolves when all that was settled is told. */
  get written(): Promise<void> {
    return this.#writing;
  }

  hear(event: RunEvent): void {
    const isKnown = event.kind === 'run-started' && this.#parts.resumedAfter !== null;
    if (event.kind !== 'status' && !isKnown) this.#events.push(event);
  }

  /** @param take takes a checkpoint of the run as it stands now */
  settle(update: number, take: () => Promise<Uint8Array<ArrayBuffer>>): void {
    const { id, updates, now, tell } = this.#parts;
    const events = this.#events;
    this.#events = [];
    if (update === this.#parts.resumedAfter) return;
    if (update === 0) return void this.#held.push({ update, events, checkpoint: null });
    const isDue =
      this.#isNew ||
      update % CHECKPOINT_UPDATES === 0 ||
      update === updates ||
      now() - this.#checkpointMs >= CHECKPOINT_MS;
    const taking = isDue ? take().catch(() => null) : null; // of a device that is lost meanwhile: the next one will do
    if (isDue) this.#checkpointMs = now();
    this.#isNew = false;
    const held = this.#held;
    this.#held = [];
    this.#writing = this.#writing.then(async () => {
      const checkpoint = await taking;
      for (const settled of [...held, { update, events, checkpoint }]) tell({ id, ...settled });
    });
  }
}
