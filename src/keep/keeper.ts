/**
 * Runs that last: every update of a live run is written to this browser's storage when it is over. One writer a run
 * (Web Locks), one write after another; what cannot be written is said once and the run goes on in memory.
 */
import { LabError, shorten, type ErrorReport } from '../units.ts';
import type { Disk } from './disk.ts';
import { entryAfter, importId, KeepError, type EntryChange, type KeptEntry } from './entry.ts';
import { writeBundle } from '../files/bundle.ts';
import { written } from '../files/recording.ts';
import type { CheckpointChoice, OpenedBundle, WrittenUpdate } from '../protocol/protocol.ts';
import { KeptLog, settledUpdates } from './kept_log.ts';
import type { Table } from './table.ts';

/** What is used of the Web Locks API. */
export type LockManagerLike = Pick<LockManager, 'request'>;

export interface KeeperParts {
  readonly disk: Disk;
  readonly table: Table<KeptEntry>;
  readonly locks: LockManagerLike;
  readonly date?: () => string; // ISO 8601
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

/** What went wrong, in five parts. */
export function keepReport(error: unknown, where: string): ErrorReport {
  if (error instanceof LabError) return error.report;
  const got = shorten(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  if (nameOf(error) === 'QuotaExceededError')
    return {
      what: 'The browser’s storage is full, so the run is no longer written down',
      where,
      got,
      wanted: 'room for one more update',
      next: 'The run goes on in this tab. Save it to a file now, or remove old runs and keep it again.',
    };
  return {
    what: 'This browser does not let the lab store runs',
    where,
    got,
    wanted: 'storage for this site',
    next: 'The run goes on in this tab. Save it to a file before you close the tab; a private window or blocked cookies are the usual reasons.',
  };
}

const elsewhere = (id: string): KeepError =>
  new KeepError({
    what: 'This run is open in another tab',
    where: `run ${id}`,
    got: 'a tab that writes it',
    wanted: 'one writer a run',
    next: 'Go on in that tab, or close it first. Here the run can be read, compared and duplicated.',
  });

const notKept = (id: string): ErrorReport => ({
  what: 'This run is no longer kept in this browser',
  where: `run ${id}`,
  got: 'nothing',
  wanted: 'a kept run',
  next: 'Open the page again to see what is kept.',
});

const NOT_TRAINED: ErrorReport = {
  what: 'This run cannot be kept: the lab neither trained nor imported it, or its first update is not whole',
  where: 'log',
  got: 'no configuration, or no update',
  wanted: 'a run that was trained by the lab, or rollouts that it read',
  next: 'It stays open in this tab; keep its file.',
};

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #logs = new Map<string, KeptLog>();
  readonly #held = new Map<string, { writer: number | null; readonly release: () => void }>(); // locks, by run
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** One after the other; a failure is the caller's and stops nobody behind it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  #log(id: string): KeptLog {
    const log = this.#logs.get(id) ?? new KeptLog(this.#parts.disk, id);
    this.#logs.set(id, log);
    return log;
  }

  #date(): string {
    return (this.#parts.date ?? (() => new Date().toISOString()))();
  }

  /**
   * Takes the run's lock, which lasts until its writer claims another run, `release` or the end of this worker.
   * @param writer an engine, which has one run; null: it is not known yet which
   * @throws KeepError where another tab has it
   */
  async #claim(id: string, writer: number | null): Promise<void> {
    if (writer !== null)
      for (const [other, held] of [...this.#held])
        if (other !== id && held.writer === writer) this.release(other); // it was left for this one
    const own = this.#held.get(id);
    if (own) return void (own.writer = writer ?? own.writer); // an engine that took the place of another goes on with its run
    await new Promise<void>((resolve, reject) => {
      const request = this.#parts.locks.request(`turnwise run ${id}`, { ifAvailable: true }, (lock) => {
        if (!lock) return reject(elsewhere(id));
        this.#logs.delete(id); // what was known of it may be older than what another tab wrote
        resolve();
        return new Promise<void>((release) => this.#held.set(id, { writer, release }));
      });
      request.catch(reject);
    });
  }

  /** Gives the run back: another tab may go on with it. */
  release(id: string): void {
    this.#held.get(id)?.release();
    this.#held.delete(id);
  }

  /**
   * Writes an update down.
   * @param writer the engine that it comes from
   * @throws KeepError where another tab writes the run; the platform's errors where storage is full or refused
   */
  record(id: string, settled: WrittenUpdate, writer = 0): Promise<KeptEntry | null> {
    return this.#inTurn(async () => {
      await this.#claim(id, writer);
      const log = this.#log(id);
      await log.append(settled);
      const before = (await this.#parts.table.get(id)) ?? null;
      const entry = entryAfter(before, id, settled, await log.bytes(), this.#date());
      if (entry) await this.#parts.table.put(entry);
      return entry;
    });
  }

  /** Newest first. */
  async list(): Promise<readonly KeptEntry[]> {
    const all = await this.#parts.table.all();
    return all.toSorted((a, b) => (a.changed < b.changed ? 1 : -1));
  }

  /** The log of a run, as a file of its updates so far; without an end line. */
  open(id: string): Promise<Blob> {
    return this.#inTurn(() => this.#log(id).file());
  }

  /** The newest checkpoint after `update` or before; null where there is none. */
  checkpoint(id: string, update: number): ReturnType<KeptLog['checkpoint']> {
    return this.#inTurn(() => this.#log(id).checkpoint(update));
  }

  /**
   * Prepares a run to go on: its log is taken back to a checkpoint, which is returned. What came after it comes again,
   * with the same numbers.
   * @param before only checkpoints of earlier updates, after one that cannot be read
   * @returns null where the run has no checkpoint
   * @throws KeepError where another tab writes the run
   */
  goOn(id: string, before = Infinity): ReturnType<KeptLog['checkpoint']> {
    return this.#inTurn(async () => {
      await this.#claim(id, null);
      const log = this.#log(id);
      const last = (await log.recover()).at(-1)?.label ?? -1;
      const checkpoint = await log.checkpoint(Math.min(last, before - 1));
      if (checkpoint) await log.cutAfter(checkpoint.update);
      return checkpoint;
    });
  }

  /** A kept run as one file. @throws KeepError where there is none; BundleError */
  bundle(id: string, choice: CheckpointChoice): Promise<Blob> {
    return this.#inTurn(async () => {
      const entry = await this.#parts.table.get(id);
      if (!entry) throw new KeepError(notKept(id));
      const { name, note, adapter, config } = entry;
      const log = this.#log(id);
      const checkpoints = await log.chosen(choice);
      return writeBundle({ name, note, adapter, recipe: config, log: await log.wholeFile(), checkpoints });
    });
  }

  /**
   * Keeps a run from a file, as if it had been trained here: its log is read, checked and written anew, with those of its
   * checkpoints that it reaches.
   * @throws RecordingError where the log is wrong; KeepError where it is of no run that was trained or imported by the lab
   */
  take(bundle: OpenedBundle): Promise<KeptEntry> {
    return this.#inTurn(() => this.#write(crypto.randomUUID(), bundle)); // nobody else knows the id, so it needs no lock
  }

  async #write(
    id: string,
    { name, note, ...bundle }: Pick<OpenedBundle, 'log' | 'checkpoints' | 'name' | 'note'>,
  ): Promise<KeptEntry> {
    const log = this.#log(id);
    let entry: KeptEntry | null = null;
    try {
      for await (const settled of settledUpdates(bundle)) {
        const update = written(settled);
        await log.append(update);
        entry = entryAfter(entry, id, update, await log.bytes(), this.#date());
      }
      if (!entry || entry.update === 0) throw new KeepError(NOT_TRAINED);
      const named = { ...entry, name, note };
      await this.#parts.table.put(named);
      return named;
    } catch (error) {
      await log.remove();
      throw error;
    }
  }

  /**
   * Keeps an import. Its id is the digest of its record: what was read twice in the same way is kept once, and one that a
   * person deleted is there again.
   * @param log the whole record
   * @throws as `take`; the platform's errors where storage is full or refused
   */
  async keepImport(log: Blob): Promise<KeptEntry> {
    const id = await importId(log);
    return this.#inTurn(() =>
      this.#alone(id, async () => {
        const known = await this.#parts.table.get(id);
        if (known) {
          const again = { ...known, removed: null, changed: this.#date() };
          await this.#parts.table.put(again);
          return again;
        }
        await this.#log(id).remove(); // half written by a tab that was closed
        return this.#write(id, { log, checkpoints: [], name: null, note: '' });
      }),
    );
  }

  /** Waits for another tab that has this lock; a run that is written here keeps its own. */
  #alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const held = this.#parts.locks.request(`turnwise run ${id}`, {}, () => work().then(resolve, reject));
      held.catch(reject);
    });
  }

  change(id: string, change: EntryChange): Promise<KeptEntry | null> {
    return this.#inTurn(async () => {
      const entry = await this.#parts.table.get(id);
      if (!entry) return null;
      const changed = { ...entry, ...change };
      await this.#parts.table.put(changed);
      return changed;
    });
  }

  /** Deletes for good. @throws KeepError where a tab writes the run */
  remove(id: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#claim(id, null);
      await this.#log(id).remove();
      await this.#parts.table.delete(id);
      this.#logs.delete(id);
      this.release(id);
    });
  }

  /** Deletes for good what a person deleted before; called when the page opens. */
  async sweep(): Promise<void> {
    for (const { id, removed } of await this.list())
      if (removed !== null) await this.remove(id).catch(() => undefined); // open in another tab: next time
  }
}
