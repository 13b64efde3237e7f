/**
 * Continuous batching: calls join while others are sampled. A row that is done leaves after its chunk of decode steps,
 * and whoever waited for it may ask for its next turn before the next chunk, in which that row's place is free.
 * What a row samples depends on its context and key alone, so it does not matter who else is there.
 */
import { tokenId, type GenerateRequest, type Generation, type TokenId } from '../units.ts';
import { MAX_CHUNK } from './decode.ts';
import type { OpenedPath, Path } from './prefix_cache.ts';

// Requests under way, as the host knows them, and what of them the device is told.

/** A request under way. */
export interface Row {
  readonly request: GenerateRequest;
  readonly path: Path; // its entries: all known tokens but the last
  readonly cachedLength: number; // context tokens that were cached when it came
  readonly tokens: TokenId[];
  readonly logProb: number[];
  readonly entropy: number[];
}

/** A token whose key and value the cache does not hold yet. */
export interface NewToken {
  readonly token: number;
  readonly previous: number; // token before it; token 0 before the first
  readonly position: number;
  readonly slot: number; // its request, among those of the same upload
}

const newToken = (path: readonly number[], position: number, slot: number): NewToken => ({
  token: path[position],
  previous: position === 0 ? 0 : path[position - 1],
  position,
  slot,
});

export const newRow = (request: GenerateRequest, opened: OpenedPath): Row => ({
  request,
  ...opened,
  tokens: [],
  logProb: [],
  entropy: [],
});

export const remaining = ({ request, tokens }: Row): number => request.maxTokens - tokens.length;

/** Context tokens to compute before the first decode step, which takes the last one. */
export const missingTokens = (
  { request: { context }, cachedLength }: Row,
  slot: number,
): readonly NewToken[] =>
  Array.from({ length: context.length - 1 - cachedLength }, (_, n) =>
    newToken(context, cachedLength + n, slot),
  );

/** The token that the next decode step reads. */
export const lastToken = ({ request: { context }, tokens }: Row, slot: number): NewToken => {
  const path = tokens.length === 0 ? context : [...context.slice(-1), ...tokens];
  const place = path.length - 1;
  return { ...newToken(path, place, slot), position: context.length - 1 + tokens.length };
};

/** What the last chunk has added to the cache: keys and values of all tokens but the last. */
export const computedTokens = ({ request: { context }, tokens, path }: Row): readonly TokenId[] =>
  [...context.slice(-1), ...tokens].slice(path.entryCount - (context.length - 1), -1);

export const rowState = (row: Row): number[] => {
  const { prompt, node, firstToken } = row.request.key;
  return [prompt, node, firstToken + row.tokens.length, remaining(row), 0, 0, 0, 0];
};

/** Takes over the `count` tokens that row r of the last chunk sampled. */
export function append(row: Row, r: number, count: number, sampled: Uint32Array, stats: Float32Array): void {
  for (let n = r * MAX_CHUNK; n < r * MAX_CHUNK + count; n++) {
    row.tokens.push(tokenId(sampled[n]));
    row.logProb.push(stats[2 * n]);
    row.entropy.push(stats[2 * n + 1]);
  }
}

export const generationOf = (
  { tokens, logProb, entropy }: Row,
  stopTokens: readonly TokenId[],
): Generation => ({
  tokens,
  logProb,
  entropy,
  finish: stopTokens.includes(tokens[tokens.length - 1]) ? 'stop' : 'length',
});

/** What a session needs of the device. */
export interface RowSampler {
  readonly maxRows: number; // most rows sampled together
  /** Gives requests their places in the cache and computes their contexts. */
  admit(requests: readonly GenerateRequest[]): Promise<readonly Row[]>;
  /** One chunk of decode steps; returns whether each row is done. */
  chunk(rows: readonly Row[]): Promise<readonly boolean[]>;
  /** Lets go of a row's cached tokens and gives what it sampled. */
  finish(row: Row): Generation;
}

/** One call's requests; they come back together. */
interface Call {
  readonly generations: Generation[];
  left: number;
  readonly resolve: (generations: readonly Generation[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Waiting {
  readonly request: GenerateRequest;
  readonly call: Call;
  readonly index: number; // in its call
}

interface Active extends Waiting {
  readonly row: Row;
}

/** A turn of the event loop: callers whose rows are done have asked for the next ones when it is over. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel(); // setTimeout waits 4 ms when nested
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });

export class SamplingSession {
  readonly #sampler: RowSampler;
  readonly #waiting: Waiting[] = [];
  #active: Active[] = [];
  #over = false;

  constructor(sampler: RowSampler) {
    this.#sampler = sampler;
  }

  /** Nothing was left to sample, or sampling failed: nobody can join any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Joins. @returns one generation per request, in order, when all are done */
  generate(requests: readonly GenerateRequest[]): Promise<readonly Generation[]> {
    return new Promise((resolve, reject) => {
      const call: Call = { generations: [], left: requests.length, resolve, reject };
      if (requests.length === 0) resolve([]);
      this.#waiting.push(...requests.map((request, index) => ({ request, call, index })));
    });
  }

  /** Samples until nobody waits. Errors go to all callers. */
  async run(): Promise<void> {
    try {
      for (;;) {
        await turn();
        await this.#admit();
        if (this.#active.length === 0) break;
        await this.#sampleChunk();
      }
      this.#over = true;
    } catch (error) {
      this.#over = true;
      for (const { call } of [...this.#active, ...this.#waiting]) call.reject(error);
    }
  }

  async #admit(): Promise<void> {
    const room = this.#sampler.maxRows - this.#active.length;
    const joining = this.#waiting.slice(0, room);
    if (joining.length === 0) return;
    const rows = await this.#sampler.admit(joining.map(({ request }) => request));
    this.#waiting.splice(0, joining.length);
    this.#active.push(...joining.map((waiting, index) => ({ ...waiting, row: rows[index] })));
  }

  async #sampleChunk(): Promise<void> {
    const done = await this.#sampler.chunk(this.#active.map(({ row }) => row));
    const finished = this.#active.filter((_, index) => done[index]);
    this.#active = this.#active.filter((_, index) => !done[index]);
    for (const { call, index, row } of finished) {
      call.generations[index] = this.#sampler.finish(row);
      call.left -= 1;
      if (call.left === 0) call.resolve(call.generations);
    }
  }
}
