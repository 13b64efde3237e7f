/**
 * Times every dispatch between start() and stop(). With 'timestamp-query' each dispatch gets a compute pass of its own
 * with a timestamp at both ends; without, each submission is timed from the host and counts for all its programs.
 * What the device computes stays the same, bit for bit.
 */
import { BufferOwner } from './buffers.ts';
import type { DispatchObserver, Gpu, Numbers, ObservedDispatch } from './device.ts';
import type { Shaping } from './kernel.ts';
import { LostWatch } from './answer_watch.ts';

/** What a dispatch has to do at least; null where it depends on the data. */
export interface Work {
  readonly flops: number | null; // a fused multiply-add counts as two
  readonly bytes: number | null; // every element that must be read or written, once
}

/** @param sizes what the program was encoded with: params may not say all that work depends on */
export type WorkOf = (kernel: string, params: Numbers, shaping: Shaping, sizes: Numbers) => Work;

/** All dispatches of one step of one program. */
export interface TimedRow {
  readonly program: string; // several joined by ' + ' where only whole submissions could be timed
  readonly kernel: string; // '' there
  readonly label: string; // of the step; '' there
  readonly dispatches: number;
  readonly groups: number; // workgroups of all of them
  readonly ms: number;
  readonly flops: number | null;
  readonly bytes: number | null;
}

export type ProfileMethod = 'timestamps' | 'submissions';

export interface DeviceProfile {
  readonly method: ProfileMethod;
  readonly rows: readonly TimedRow[];
  readonly busyMs: number; // when anything ran: the union of all intervals
  readonly untimed: number; // dispatches beyond the room for timestamps
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Interval = readonly [start: number, end: number]; // ms

const QUERIES = 4096; // per query set: WebGPU's limit
const MOST_SETS = 64; // 131,072 dispatches, 2 MB
const NS_PER_MS = 1e6;

const add = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

/** Length of the union of intervals, ms. */
export function unionMs(intervals: readonly Interval[]): number {
  let total = 0;
  let reached = -Infinity;
  for (const [start, end] of intervals.toSorted((a, b) => a[0] - b[0])) {
    if (end <= reached) continue;
    total += end - Math.max(start, reached);
    reached = end;
  }
  return total;
}

/** Rows by program, kernel and step. */
class Rows {
  readonly #rows = new Map<string, Mutable<TimedRow>>();

  add(program: string, kernel: string, label: string): Mutable<TimedRow> {
    const key = `${program}\n${kernel}\n${label}`;
    const row = this.#rows.get(key) ?? { program, kernel, label, dispatches: 0, groups: 0, ms: 0, flops: 0, bytes: 0 }; // prettier-ignore
    this.#rows.set(key, row);
    return row;
  }

  list(): readonly TimedRow[] {
    return [...this.#rows.values()].filter(({ dispatches }) => dispatches > 0);
  }
}

function count(row: Mutable<TimedRow>, groups: number, { flops, bytes }: Work): void {
  row.dispatches += 1;
  row.groups += groups;
  row.flops = add(row.flops, flops);
  row.bytes = add(row.bytes, bytes);
}

interface Attached extends DispatchObserver {
  finish(): Promise<DeviceProfile>;
  release(): void;
}

/** One profile of one device; one at a time. */
export class Profiler {
  readonly #gpu: Gpu;
  readonly #attached: Attached;

  /** Starts at once. @param workOf what a dispatch has to do, by kernel */
  constructor(gpu: Gpu, workOf: WorkOf) {
    this.#gpu = gpu;
    this.#attached = gpu.features.has('timestamp-query')
      ? new TimestampObserver(gpu, workOf)
      : new SubmissionObserver(gpu, workOf);
    gpu.profiling.observer = this.#attached;
  }

  /** Waits for what was submitted, and detaches. @throws DeviceLostError */
  async stop(): Promise<DeviceProfile> {
    this.#detach();
    try {
      return await new LostWatch(this.#gpu.lost).guard(() => this.#attached.finish());
    } finally {
      this.#attached.release();
    }
  }

  /** Detaches without a result. */
  cancel(): void {
    this.#detach();
    this.#attached.release();
  }

  #detach(): void {
    if (this.#gpu.profiling.observer === this.#attached) this.#gpu.profiling.observer = null;
  }
}

/** A pass and two timestamps per dispatch; all are read once, at the end. */
class TimestampObserver implements Attached {
  readonly separatePasses = true;
  readonly #gpu: Gpu;
  readonly #workOf: WorkOf;
  readonly #owner: BufferOwner;
  readonly #sets: GPUQuerySet[] = [];
  readonly #timed: Mutable<TimedRow>[] = []; // by dispatch
  readonly #rows = new Rows();
  #untimed = 0;

  constructor(gpu: Gpu, workOf: WorkOf) {
    this.#gpu = gpu;
    this.#workOf = workOf;
    this.#owner = new BufferOwner(gpu, 'profiler');
  }

  see({
    program,
    kernel,
    label,
    params,
    shaping,
    sizes,
    groups,
  }: ObservedDispatch): GPUComputePassTimestampWrites | undefined {
    const query = 2 * this.#timed.length;
    const set = Math.floor(query / QUERIES);
    if (set >= MOST_SETS) {
      this.#untimed += 1;
      return undefined;
    }
    this.#sets[set] ??= this.#gpu.device.createQuerySet({
      label: 'profiler',
      type: 'timestamp',
      count: QUERIES,
    });
    const row = this.#rows.add(program, kernel, label);
    count(row, groups, this.#workOf(kernel, params, shaping, sizes));
    this.#timed.push(row);
    const beginningOfPassWriteIndex = query % QUERIES;
    const endOfPassWriteIndex = beginningOfPassWriteIndex + 1;
    return { querySet: this.#sets[set], beginningOfPassWriteIndex, endOfPassWriteIndex };
  }

  async finish(): Promise<DeviceProfile> {
    const stamps = await this.#read();
    const origin = stamps.reduce(
      (least, stamp) => (stamp !== 0n && stamp < least ? stamp : least),
      stamps[0] ?? 0n,
    );
    const at = (query: number): number => Number(stamps[query] - origin) / NS_PER_MS;
    const intervals = this.#timed.map((row, index): Interval => {
      const start = at(2 * index);
      const end = Math.max(start, at(2 * index + 1)); // some drivers let time run backwards between passes
      row.ms += end - start;
      return [start, end];
    });
    return {
      method: 'timestamps',
      rows: this.#rows.list(),
      busyMs: unionMs(intervals),
      untimed: this.#untimed,
    };
  }

  release(): void {
    for (const set of this.#sets.splice(0)) set.destroy();
    this.#owner.destroy();
  }

  async #read(): Promise<BigUint64Array> {
    const bytes = this.#sets.length * QUERIES * 8;
    if (bytes === 0) return new BigUint64Array();
    const { device } = this.#gpu;
    const resolved = this.#owner.create(
      'timestamps',
      bytes,
      GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    );
    const staging = this.#owner.create('staging', bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    await this.#owner.ready();
    const encoder = device.createCommandEncoder({ label: 'profiler' });
    this.#sets.forEach((set, index) => {
      const used = Math.min(QUERIES, 2 * this.#timed.length - index * QUERIES);
      encoder.resolveQuerySet(set, 0, used, resolved, index * QUERIES * 8);
    });
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new BigUint64Array(staging.getMappedRange().slice(0));
  }
}

/** Whole submissions by the host's clock: from the submit, or the end of the one before, to the device's answer. */
class SubmissionObserver implements Attached {
  readonly separatePasses = false;
  readonly #queue: GPUQueue;
  readonly #workOf: WorkOf;
  readonly #rows = new Rows();
  readonly #intervals: Interval[] = [];
  readonly #pending: Promise<void>[] = [];
  #programs = new Map<string, (readonly [groups: number, work: Work])[]>(); // encoded since the last submit
  #lastEnd = 0;

  constructor({ device }: Gpu, workOf: WorkOf) {
    this.#queue = device.queue;
    this.#workOf = workOf;
    const submit = this.#queue.submit.bind(this.#queue);
    // Callers submit by themselves; for the length of a profile the queue tells of it. release() takes this back.
    this.#queue.submit = (commands) => {
      submit(commands);
      this.#submitted();
      return undefined;
    };
  }

  see({ program, kernel, params, shaping, sizes, groups }: ObservedDispatch): undefined {
    const works = this.#programs.get(program) ?? [];
    this.#programs.set(program, works);
    works.push([groups, this.#workOf(kernel, params, shaping, sizes)]);
  }

  async finish(): Promise<DeviceProfile> {
    await Promise.all(this.#pending);
    return { method: 'submissions', rows: this.#rows.list(), busyMs: unionMs(this.#intervals), untimed: 0 };
  }

  release(): void {
    delete (this.#queue as Partial<GPUQueue>).submit; // the prototype's comes back
  }

  #submitted(): void {
    const programs = this.#programs;
    if (programs.size === 0) return;
    this.#programs = new Map();
    const start = performance.now();
    this.#pending.push(
      this.#queue.onSubmittedWorkDone().then(() => {
        const end = performance.now();
        const interval: Interval = [Math.max(start, this.#lastEnd), end];
        this.#lastEnd = end;
        this.#intervals.push(interval);
        const row = this.#rows.add([...programs.keys()].join(' + '), '', '');
        for (const [groups, work] of [...programs.values()].flat()) count(row, groups, work);
        row.ms += interval[1] - interval[0];
      }),
    );
  }
}
