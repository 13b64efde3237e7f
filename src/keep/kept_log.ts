/** One kept run on disk: its log, an update a member, and its checkpoints. What is torn is cut off; the rest stands. */
import type {
  BundledCheckpoint,
  CheckpointChoice,
  OpenedBundle,
  RunEvent,
  SettledUpdate,
  WrittenUpdate,
} from '../protocol/protocol.ts';
import { LineReader, READ_BOUNDS } from '../files/byte_lines.ts';
import { wholeMembers, writeMember, type Bytes, type Member } from '../files/members.ts';
import { endLine, readRecording } from '../files/recording.ts';
import { RecordingCutOffError, RecordingError } from '../protocol/errors.ts';
import { sourceOf, type Disk } from './disk.ts';

/** The newest two are kept, and of older ones every tenth: from there any update is at most nine away. */
const NEWEST_CHECKPOINTS = 2;
const EVERY = 10;

const RUNS = 'runs';
const LOG = 'log.ndjson.gz';
const CHECKPOINTS = 'checkpoints';
const fileName = (update: number): string => `${String(update).padStart(6, '0')}.safetensors`;
const updateIn = (name: string): number => Number.parseInt(name, 10);

const END_LABEL = 2 ** 32 - 1; // of the member with the end line, which is of no update

/** The last of an update: an import has no metrics. */
const ENDS: ReadonlySet<RunEvent['kind']> = new Set(['metrics', 'update-ended']);

async function linesIn(log: Blob): Promise<number> {
  const refuse = (where: string, got: string, wanted: string): RecordingError =>
    new RecordingError({
      ...{ what: 'The run is too long for one file', where, got, wanted },
      next: 'It stays kept in this browser.',
    });
  let count = 0;
  for await (const lines of new LineReader(READ_BOUNDS, refuse).read(log)) count += lines.length;
  return count;
}

/** Of a file's run, update by update, as the engine told it; what follows the last whole update is left out. */
export async function* settledUpdates({
  log,
  checkpoints,
}: Pick<OpenedBundle, 'log' | 'checkpoints'>): AsyncGenerator<SettledUpdate, void> {
  const files = new Map(checkpoints.map(({ update, file }) => [update, file]));
  let update = 0;
  let events: RunEvent[] = [];
  const settled = async (): Promise<SettledUpdate> => {
    const file = files.get(update);
    return { update, events, checkpoint: file ? new Uint8Array(await file.arrayBuffer()) : null };
  };
  try {
    for await (const event of readRecording(log)) {
      if (event.kind === 'update-started') {
        yield await settled();
        ({ update } = event);
        events = [];
      }
      if (event.kind !== 'status' && event.kind !== 'failed') events.push(event); // of the engine, not of the training
    }
  } catch (error) {
    if (!(error instanceof RecordingCutOffError)) throw error;
    return; // what came before stands
  }
  if (update > 0 && events.some(({ kind }) => ENDS.has(kind))) yield await settled();
}

/** Files of one run. Calls are made one after the other. */
export class KeptLog {
  readonly #disk: Disk;
  readonly #folder: string;
  #sizes: Map<number, number> | null = null; // bytes of each checkpoint by update; null until the disk was asked

  constructor(disk: Disk, id: string) {
    this.#disk = disk;
    this.#folder = `${RUNS}/${id}`;
  }

  get #log(): string {
    return `${this.#folder}/${LOG}`;
  }

  /** The checkpoint first: a log never tells more than a run that goes on from it can follow. @returns bytes of the log */
  async append({ update, text, checkpoint }: WrittenUpdate): Promise<number> {
    if (checkpoint) {
      const sizes = await this.#checkpointSizes();
      await this.#disk.write(this.#fileOf(update), checkpoint);
      sizes.set(update, checkpoint.length);
    }
    const size = await this.#disk.append(this.#log, await writeMember(text, update));
    if (checkpoint) await this.#thin();
    return size;
  }

  /** The log's whole members; a torn end is cut off on disk. */
  async recover(): Promise<readonly Member[]> {
    const source = await sourceOf(this.#disk, this.#log);
    const { members, bytes } = await wholeMembers(source);
    if (bytes < source.size) await this.#disk.truncate(this.#log, bytes);
    return members;
  }

  /** Takes the log back to the end of an update, and forgets checkpoints of later ones. */
  async cutAfter(update: number): Promise<void> {
    const members = await this.recover();
    const kept = members.findLast(({ label }) => label <= update);
    await this.#disk.truncate(this.#log, kept ? kept.start + kept.bytes : 0);
    for (const later of await this.checkpoints()) if (later > update) await this.#forget(later);
  }

  /** The log as a file that grows no more; no end line stands in it. */
  async file(): Promise<Blob> {
    await this.recover();
    return (await this.#disk.read(this.#log)) ?? new Blob([]);
  }

  /** The log with its end line: a recording like any other. */
  async wholeFile(): Promise<Blob> {
    const log = await this.file();
    const events = (await linesIn(log)) - 1; // beside the header
    return new Blob([log, await writeMember(new TextEncoder().encode(endLine(events)), END_LABEL)]);
  }

  /** Checkpoints that the log reaches. */
  async chosen(choice: CheckpointChoice): Promise<readonly BundledCheckpoint[]> {
    const last = (await this.recover()).at(-1)?.label ?? -1;
    const reached = (await this.checkpoints()).filter((update) => update <= last);
    const chosen = { newest: reached.slice(-1), all: reached, none: [] }[choice];
    const files = await Promise.all(
      chosen.map(async (update) => ({ update, file: await this.#disk.read(this.#fileOf(update)) })),
    );
    return files.flatMap(({ update, file }) => (file ? [{ update, file }] : []));
  }

  /** Updates after which there is a checkpoint, in order. */
  async checkpoints(): Promise<readonly number[]> {
    const names = await this.#disk.list(`${this.#folder}/${CHECKPOINTS}`);
    return names.map(updateIn).sort((a, b) => a - b);
  }

  /** The newest checkpoint after `update` or before; null where there is none. */
  async checkpoint(update: number): Promise<{ readonly update: number; readonly bytes: Bytes } | null> {
    const newest = (await this.checkpoints()).findLast((candidate) => candidate <= update);
    if (newest === undefined) return null;
    const file = await this.#disk.read(this.#fileOf(newest));
    return file && { update: newest, bytes: new Uint8Array(await file.arrayBuffer()) };
  }

  async #thin(): Promise<void> {
    const all = await this.checkpoints();
    for (const update of all.slice(0, -NEWEST_CHECKPOINTS))
      if (update % EVERY !== 0) await this.#forget(update);
  }

  async #forget(update: number): Promise<void> {
    await this.#disk.remove(this.#fileOf(update));
    (await this.#checkpointSizes()).delete(update);
  }

  #fileOf(update: number): string {
    return `${this.#folder}/${CHECKPOINTS}/${fileName(update)}`;
  }

  /** Measured once: only who holds the run's lock writes them, and asks for its size. */
  async #checkpointSizes(): Promise<Map<number, number>> {
    if (this.#sizes) return this.#sizes;
    const sizes = new Map<number, number>();
    for (const update of await this.checkpoints())
      sizes.set(update, (await this.#disk.read(this.#fileOf(update)))?.size ?? 0);
    return (this.#sizes = sizes);
  }

  /** Bytes on disk, checkpoints included. */
  async bytes(): Promise<number> {
    const log = (await this.#disk.read(this.#log))?.size ?? 0;
    return [...(await this.#checkpointSizes()).values()].reduce((sum, size) => sum + size, log);
  }

  remove(): Promise<void> {
    this.#sizes = null;
    return this.#disk.remove(this.#folder);
  }
}
