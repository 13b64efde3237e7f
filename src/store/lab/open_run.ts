/** The engine's run as the page opened it: ahead of time, its events held until they are shown. */
import type { RunCommand, RunEvent } from '../../protocol/protocol.ts';
import { LOADED_BY_HAND, type RunConfig } from '../../units.ts';
import type { RunStore } from '../record/run.ts';

/** A kept run that is to go on: its log to the end of an update, and the checkpoint that was taken there. */
export interface ContinuedRun {
  readonly id: string;
  readonly config: RunConfig;
  readonly record: RunStore; // the log, folded
  readonly after: number; // the update
  readonly checkpoint: ArrayBuffer; // given away
}

/** A run that begins with the checkpoint of another. */
export interface ForkedRun {
  readonly run: string; // the parent, by date
  readonly config: RunConfig;
  readonly after: number; // the update of the checkpoint
  readonly checkpoint: ArrayBuffer; // given away
}

/** Deep equality: the engine returns configs as its schema orders them. */
export function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return (
    left.length === right.size && left.every(([key, value]) => right.has(key) && same(value, right.get(key)))
  );
}

/** Opens runs of the engine ahead of time and holds what they say until they are shown. */
export class OpenRun {
  config: RunConfig | null = null;
  /** Weights that the person opened, for configurations that start from them. */
  byHand: ArrayBuffer | null = null;
  /** The engine has lost it, with its device or with itself: it has to be opened again before it can be played. */
  gone = false;
  #held: RunEvent[] = [];
  #begun = false;
  #after: number | undefined; // the update that it goes on from, as its start will say
  readonly #send: (command: RunCommand) => void;

  constructor(send: (command: RunCommand) => void) {
    this.#send = send;
  }

  open(config: RunConfig): void {
    this.#begin(config, undefined);
    const bytes = config.weights === LOADED_BY_HAND ? (this.byHand?.slice(0) ?? null) : null; // given away
    this.#send(bytes ? { kind: 'load-weights', config, bytes } : { kind: 'open', config });
  }

  /** Opens the run of a checkpoint, to go on from there. */
  resume({ config, checkpoint, id, after }: ContinuedRun): void {
    this.#begin(config, after);
    this.#send({ kind: 'resume', bytes: checkpoint, keep: id });
  }

  /** Opens a new run from the checkpoint of another. */
  fork({ config, checkpoint, run, after }: ForkedRun): void {
    this.#begin(config, after);
    this.#send({ kind: 'resume', bytes: checkpoint, fork: { run, config } });
  }

  #begin(config: RunConfig, after: number | undefined): void {
    if (this.config && !this.gone) this.#send({ kind: 'close' });
    this.config = config;
    this.#after = after;
    this.gone = false;
    this.#held = [];
    this.#begun = false;
  }

  /** Lets through what belongs to the open run: the one before may still be talking, or only start. */
  admit(events: readonly RunEvent[]): readonly RunEvent[] {
    return events.filter((event) => {
      if (event.kind === 'run-started')
        this.#begun = event.resumedAfter === this.#after && same(event.config, this.config);
      return this.#begun || event.kind === 'failed' || event.kind === 'status';
    });
  }

  hold(events: readonly RunEvent[]): void {
    this.#held.push(...events);
  }

  release(): readonly RunEvent[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
