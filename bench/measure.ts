/**
 * The driver: every suite goes round the contenders repetition by repetition (a, b, c, a, b, c, …), so that noise
 * of the machine falls on all of them alike. Ratios within one run are the numbers to quote.
 */
import type { Checks, ContenderResult, Samples } from './report.ts';
import type { SeatFunction, SeatFunctions, Capability } from './seat.ts';
import { median } from './statistics.ts';
import { matmulName, trainFlops, type MatmulShape, type WorkShape } from './work.ts';

/** A page or process with one contender in it. */
export interface Seat {
  readonly id: string;
  call<F extends SeatFunction>(
    name: F,
    ...args: Parameters<SeatFunctions[F]>
  ): Promise<Awaited<ReturnType<SeatFunctions[F]>>>;
  close(): Promise<void>;
}

export type SuiteName = 'matmul' | 'train' | 'decode';

export interface MeasureOptions {
  readonly suites: readonly SuiteName[];
  readonly shape: WorkShape;
  readonly matmulShapes: readonly MatmulShape[];
  readonly repetitions: number;
  readonly budgetMs: number; // a contender that took longer in a suite is measured once
  readonly limitMs: number; // of one call; a contender that does not answer leaves the run
  readonly log: (line: string) => void;
}

const LOSS_TOLERANCE = 1e-4; // nats; float32 in another order of addition gives about 1e-5
const PARAMETER_TOLERANCE = 2e-5; // decay on the gains as well would be 2e-4 of them
const TOKEN_SHARE = 0.99; // a near-tie of two logits may fall either way
const MATMUL_TOLERANCE = 1e-4;

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

interface Entry {
  readonly seat: Seat;
  readonly result: Writable<ContenderResult>;
  readonly checks: Writable<Checks>;
  readonly samples: Writable<Samples>;
  readonly errors: Record<string, string>;
  can: readonly Capability[];
  sums: Readonly<Record<string, number>> | null;
  tokens: readonly number[] | null;
}

class NoAnswerError extends Error {}

function withLimit<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswerError(`no answer in ${limitMs / 1000} s`)), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const shortMessage = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/^page\.evaluate: (Error: )?/, '')
    .split('\n')[0]
    .slice(0, 300);

/** @returns one result per seat, in their order */
export async function measure(
  seats: readonly Seat[],
  options: MeasureOptions,
): Promise<Record<string, ContenderResult>> {
  const run = new Run(seats, options);
  await run.open();
  if (options.suites.includes('matmul')) for (const shape of options.matmulShapes) await run.matmul(shape);
  if (options.suites.includes('train')) await run.train();
  if (options.suites.includes('decode')) await run.decode();
  return run.results();
}

class Run {
  readonly #entries: readonly Entry[];
  readonly #options: MeasureOptions;
  #gone = new Set<Entry>();

  constructor(seats: readonly Seat[], options: MeasureOptions) {
    this.#options = options;
    this.#entries = seats.map((seat) => {
      const [checks, samples, errors] = [{}, {}, {}];
      const result = { label: seat.id, checks, samples, errors };
      return { seat, result, checks, samples, errors, can: [], sums: null, tokens: null };
    });
  }

  results(): Record<string, ContenderResult> {
    return Object.fromEntries(this.#entries.map(({ seat, result }) => [seat.id, result]));
  }

  async open(): Promise<void> {
    await this.#each(this.#entries, 'setup', async (entry) => {
      const { label, can } = await this.#call(entry, 'open', entry.seat.id);
      entry.result.label = label;
      entry.can = can;
    });
  }

  async matmul(shape: MatmulShape): Promise<void> {
    const name = matmulName(shape);
    const rates = new Map<Entry, number[]>();
    let entries = await this.#each(this.#able('matmul'), 'matmul', async (entry) => {
      const { error } = await this.#call(entry, 'matmulOpen', shape);
      entry.checks.matmulError = Math.max(entry.checks.matmulError ?? 0, error);
      if (!(error < MATMUL_TOLERANCE)) throw new Error(`${name} is wrong by ${error} of √k`);
      rates.set(entry, []);
    });
    entries = await this.#interleave(entries, 'matmul', async (entry) => {
      rates.get(entry)!.push(await this.#call(entry, 'matmulRun')); // set above for every entry that opened
    });
    await this.#each(entries, 'matmul', async (entry) => {
      const samples = rates.get(entry)!;
      entry.samples.matmulGflops = { ...entry.samples.matmulGflops, [name]: samples };
      entry.result.matmulGflops = { ...entry.result.matmulGflops, [name]: median(samples) };
      await this.#call(entry, 'matmulClose');
    });
    this.#say(name, entries, ({ result }) => `${result.matmulGflops?.[name].toFixed(2)} GFLOP/s`);
  }

  async train(): Promise<void> {
    const { shape } = this.#options;
    const losses = new Map<Entry, number[]>();
    const times = new Map<Entry, number[]>();
    let entries = await this.#each(this.#able('trainer'), 'train', async (entry) => {
      const first = await this.#call(entry, 'trainOpen', shape);
      entry.result.firstStepMs = first.ms;
      const second = await this.#call(entry, 'trainStep'); // warm-up
      entry.sums = await this.#call(entry, 'trainSums');
      losses.set(entry, [first.loss, second.loss]);
      times.set(entry, []);
    });
    entries = await this.#interleave(entries, 'train', async (entry) => {
      const { ms, loss } = await this.#call(entry, 'trainStep');
      losses.get(entry)!.push(loss); // set above for every entry that opened, like times
      times.get(entry)!.push(ms);
    });
    for (const entry of entries) {
      entry.samples.losses = losses.get(entry)!;
      entry.samples.trainStepMs = times.get(entry)!;
    }
    entries = await this.#each(entries, 'train', async (entry) => {
      const peak = await this.#call(entry, 'trainClose');
      checkTraining(entry, entries[0]);
      entry.result.trainStepMs = median(entry.samples.trainStepMs!); // set above
      entry.result.trainGflops = trainFlops(shape) / entry.result.trainStepMs / 1e6;
      if (peak > 0) entry.result.memoryBytes = peak;
    });
    this.#say('training step', entries, ({ result }) => `${result.trainStepMs?.toFixed(0)} ms`);
  }

  async decode(): Promise<void> {
    const { shape } = this.#options;
    const times = new Map<Entry, number[]>();
    let entries = await this.#each(this.#able('decoder'), 'decode', async (entry) => {
      await this.#call(entry, 'decodeOpen', shape);
      entry.tokens = (await this.#call(entry, 'decodeRun')).tokens; // warm-up
      times.set(entry, []);
    });
    entries = await this.#interleave(entries, 'decode', async (entry) => {
      times.get(entry)!.push((await this.#call(entry, 'decodeRun')).ms); // set above
    });
    entries = await this.#each(entries, 'decode', async (entry) => {
      await this.#call(entry, 'decodeClose');
      checkDecoding(entry, entries[0]);
      entry.samples.decodeMs = times.get(entry)!;
      const seconds = median(entry.samples.decodeMs) / 1000;
      entry.result.decodeTokensPerSecond = (shape.rows * shape.newTokens) / seconds;
    });
    this.#say('decode', entries, ({ result }) => `${result.decodeTokensPerSecond?.toFixed(0)} tok/s`);
  }

  #able(capability: Capability): readonly Entry[] {
    return this.#entries.filter((entry) => !this.#gone.has(entry) && entry.can.includes(capability));
  }

  #call<F extends SeatFunction>({ seat }: Entry, name: F, ...args: Parameters<SeatFunctions[F]>) {
    return withLimit(seat.call(name, ...args), this.#options.limitMs);
  }

  /** @returns the entries for which the work succeeded; the others keep the reason */
  async #each(
    entries: readonly Entry[],
    suite: string,
    work: (entry: Entry) => Promise<void>,
  ): Promise<readonly Entry[]> {
    const left: Entry[] = [];
    for (const entry of entries) {
      try {
        await work(entry);
        left.push(entry);
      } catch (error) {
        entry.errors[suite] = shortMessage(error);
        this.#options.log(`${entry.seat.id}, ${suite}: ${entry.errors[suite]}`);
        if (suite !== 'setup' && !(error instanceof NoAnswerError)) continue;
        this.#gone.add(entry); // still busy: it would disturb the others
        await entry.seat.close();
      }
    }
    return left;
  }

  async #interleave(
    entries: readonly Entry[],
    suite: string,
    work: (entry: Entry) => Promise<void>,
  ): Promise<readonly Entry[]> {
    const spentMs = new Map<Entry, number>();
    let left = entries;
    for (let repetition = 0; repetition < this.#options.repetitions; repetition++) {
      const due = left.filter((entry) => (spentMs.get(entry) ?? 0) < this.#options.budgetMs);
      const done = await this.#each(due, suite, async (entry) => {
        const start = performance.now();
        await work(entry);
        spentMs.set(entry, (spentMs.get(entry) ?? 0) + performance.now() - start);
      });
      left = left.filter((entry) => !due.includes(entry) || done.includes(entry));
    }
    return left;
  }

  #say(what: string, entries: readonly Entry[], number: (entry: Entry) => string): void {
    const said = entries.map((entry) => `${entry.seat.id} ${number(entry)}`);
    this.#options.log(`${what}: ${said.join(', ')}`);
  }
}

/** @throws when the numbers are not those of the reference */
function checkTraining({ checks, samples, sums }: Entry, reference: Entry): void {
  const [own = [], theirs = []] = [samples.losses, reference.samples.losses];
  const common = Math.min(own.length, theirs.length);
  const differences = own.slice(0, common).map((loss, step) => Math.abs(loss - theirs[step]));
  checks.lossDifference = Math.max(...differences);
  const relative = Object.entries(reference.sums ?? {}).map(
    ([name, sum]) => Math.abs((sums?.[name] ?? NaN) - sum) / sum,
  );
  checks.parameterDifference = Math.max(...relative);
  if (!(checks.lossDifference < LOSS_TOLERANCE))
    throw new Error(
      `losses differ from ${reference.seat.id}'s by ${checks.lossDifference}: not the same work`,
    );
  if (!(checks.parameterDifference < PARAMETER_TOLERANCE))
    throw new Error(`parameters differ from ${reference.seat.id}'s by ${checks.parameterDifference} of Σ|p|`);
}

/** @throws when the tokens are not those of the reference */
function checkDecoding({ checks, tokens }: Entry, reference: Entry): void {
  const [own, theirs] = [tokens ?? [], reference.tokens ?? []];
  checks.sameTokens = theirs.filter((token, at) => token === own[at]).length / theirs.length;
  if (!(checks.sameTokens >= TOKEN_SHARE))
    throw new Error(`only ${checks.sameTokens} of the tokens are ${reference.seat.id}'s`);
}
