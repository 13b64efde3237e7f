/**
 * The run's log within bounded memory: the newest updates as events, older ones as compressed chunks outside the
 * JavaScript heap, read back when they are asked for. Without a codec old updates are let go.
 */
import type { RunEvent } from '../../protocol/protocol.ts';

/** How a stretch of events becomes bytes and comes back; numbers may be rounded as in a saved run. */
export interface EventCodec {
  readonly write: (events: Iterable<RunEvent>) => Promise<Uint8Array<ArrayBuffer>>;
  readonly read: (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => AsyncIterable<RunEvent>;
}

/** What became of events that left memory: compressed, or gone. */
export type Detail = 'archived' | 'lost';

/** From one update's start to the next; the first segment comes before all updates. */
interface Segment {
  readonly update: number; // 0: before the first
  events: readonly RunEvent[] | null; // null once archived or lost
  bytes: number; // of the events, about
  chunk: Blob | null; // compressed events; a browser may keep it on disk
}

const NUMBER_BYTES = 8;
const EVENT_BYTES = 200; // an object and its keys
const NEWEST_KEPT = 2; // segments that stay whatever they take: the one being written and the one before

/** About how much an event holds: its numbers. */
function bytesOf(value: unknown): number {
  if (Array.isArray(value)) {
    if (typeof value[0] === 'number') return NUMBER_BYTES * value.length;
    return value.reduce<number>((sum, item) => sum + bytesOf(item), 0);
  }
  if (typeof value !== 'object' || value === null) return NUMBER_BYTES;
  return Object.values(value).reduce<number>((sum, item) => sum + bytesOf(item), 0);
}

export interface EventLogOptions {
  readonly codec: EventCodec | null;
  readonly keptBytes: number; // of events at hand, about
  /** An update's events have just left memory. */
  readonly onRelease: (update: number, detail: Detail) => void;
}

export class EventLog {
  readonly #options: EventLogOptions;
  #segments: Segment[] = [];
  #bytes = 0;
  #settling: Promise<void> = Promise.resolve();

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  /** The same events from here on by themselves: what is appended to one is not in the other. */
  copy(options: EventLogOptions): EventLog {
    const log = new EventLog(options);
    log.#segments = this.#segments.map((segment) => ({
      ...segment,
      events: segment.events && [...segment.events],
    }));
    log.#bytes = this.#bytes;
    return log;
  }

  /** Bytes of the events at hand (about) and of the compressed ones. */
  get size(): { readonly kept: number; readonly archived: number } {
    const archived = this.#segments.reduce((sum, { chunk }) => sum + (chunk?.size ?? 0), 0);
    return { kept: this.#bytes, archived };
  }

  clear(): void {
    this.#segments = []; // an archiving under way finds its segment gone and says nothing
    this.#bytes = 0;
  }

  append(event: RunEvent): void {
    if (this.#segments.length === 0 || event.kind === 'update-started') {
      const update = event.kind === 'update-started' ? event.update : 0;
      this.#segments.push({ update, events: [], bytes: 0, chunk: null });
    }
    const segment = this.#segments[this.#segments.length - 1];
    const bytes = EVENT_BYTES + bytesOf(event);
    (segment.events as RunEvent[]).push(event); // the last segment is never archived
    segment.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Lets old updates go until the rest fits. One at a time: compressing must not compete with the run. */
  settle(): Promise<void> {
    this.#settling = this.#settling.then(() => this.#releaseOldest());
    return this.#settling;
  }

  /** Puts other events in the place of an update's; one that is not there stays away. */
  rewrite(update: number, events: readonly RunEvent[]): void {
    const segment = this.#segments.find((each) => each.update === update);
    if (!segment) return;
    const bytes = events.reduce((sum, event) => sum + EVENT_BYTES + bytesOf(event), 0);
    this.#bytes += bytes - (segment.events ? segment.bytes : 0);
    Object.assign(segment, { events: [...events], bytes, chunk: null });
  }

  /** The events of one update, wherever they are; null when they are lost or never were. */
  async eventsOf(update: number): Promise<readonly RunEvent[] | null> {
    const segment = this.#segments.find((candidate) => candidate.update === update);
    return segment ? this.#eventsIn(segment) : null;
  }

  /** The whole log in order; lost updates are left out. */
  async *events(): AsyncGenerator<RunEvent, void> {
    for (const segment of this.#segments) yield* (await this.#eventsIn(segment)) ?? [];
  }

  async #eventsIn({ events, chunk }: Segment): Promise<readonly RunEvent[] | null> {
    if (events) return events;
    if (!chunk || !this.#options.codec) return null;
    const read: RunEvent[] = [];
    const stream = chunk.stream();
    for await (const event of this.#options.codec.read(stream)) read.push(event);
    return read;
  }

  async #releaseOldest(): Promise<void> {
    while (this.#bytes > this.#options.keptBytes) {
      const oldest = this.#segments.slice(0, -NEWEST_KEPT).find(({ update, events }) => update > 0 && events);
      if (!oldest?.events) return;
      oldest.chunk = await this.#compress(oldest.events);
      if (!this.#segments.includes(oldest)) continue; // another run began meanwhile
      oldest.events = null;
      this.#bytes -= oldest.bytes;
      this.#options.onRelease(oldest.update, oldest.chunk ? 'archived' : 'lost');
    }
  }

  async #compress(events: readonly RunEvent[]): Promise<Blob | null> {
    if (!this.#options.codec) return null;
    try {
      return new Blob([await this.#options.codec.write(events)]);
    } catch {
      return null; // a browser that cannot compress: the update's words are lost, and the view says so
    }
  }
}
