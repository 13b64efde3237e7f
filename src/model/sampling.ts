import { subview, upload } from '../gpu/buffers.ts';
import { Program } from '../gpu/program.ts';
import { f32, Readback, u32 } from '../gpu/readback.ts';
import type { GenerateRequest, Generation, RandomKey, SamplingConfig } from '../units.ts';
import {
  createDecodeWorkspace,
  decodeSteps,
  MAX_CHUNK,
  prefillSteps,
  ROW_STATE,
  type DecodeSizes,
  type DecodeWorkspace,
  type PrefillSizes,
} from './decode.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import { BatchError } from './errors.ts';
import { createKvCache, placeLimit, type KvCache } from './kv_cache.ts';
import { PrefixCache } from './prefix_cache.ts';
import {
  append,
  computedTokens,
  generationOf,
  lastToken,
  missingTokens,
  newRow,
  remaining,
  rowState,
  SamplingSession,
  type NewToken,
  type Row,
  type RowSampler,
} from './sampling_session.ts';

const LOGIT_BYTES = 64 * 2 ** 20; // of one decode step
// Words of a row's state, see sample_token.wgsl.
const DONE = 4;
const COUNT = 5;

/** Room is made for all of it with the first request. */
export interface SamplingOptions {
  readonly prefillRows: number; // most new tokens of one prefill piece
  readonly sampledRows: number; // most requests sampled together
  /**
   * Decode steps per readback where a token may stop a row, at most MAX_CHUNK; finished rows leave after a chunk. Few
   * by default on an adapter that runs on the CPU, where a wasted row costs more than a readback, MAX_CHUNK elsewhere.
   */
  readonly chunkSteps: number;
  readonly cachePlaces: number; // tokens in the KV cache; prefixes unused for longest make room
}

export interface SamplingCounts {
  readonly prefilledTokens: number; // of contexts, computed since the start
  readonly sampledTokens: number; // since the start
  readonly cachedTokens: number; // whose keys and values the cache holds now
}

/** Of one prefill piece, and of one decode step, unless a policy is told otherwise. */
export const SAMPLING_LIMIT = { prefillRows: 2048, sampledRows: 1024 } as const;

const defaultOptions = (model: DeviceModel): SamplingOptions => ({
  ...SAMPLING_LIMIT,
  chunkSteps: model.gpu.adapter.software ? 4 : MAX_CHUNK,
  cachePlaces: SAMPLING_LIMIT.sampledRows * model.contextLength,
});

interface Compiled {
  readonly workspace: DecodeWorkspace;
  readonly cache: KvCache;
  readonly prefill: Program<PrefillSizes>;
  readonly decode: Program<DecodeSizes>;
}

/** Samples turns with a KV cache, reusing the prefixes of earlier calls. Sessions must not overlap. */
export class Sampling implements RowSampler {
  readonly #model: DeviceModel;
  readonly #options: SamplingOptions;
  readonly #readback: Readback;
  readonly #prefixes: PrefixCache;
  #compiled: Compiled | null = null;
  #key: RandomKey = { seed: 0, update: 0 };
  #sampling: SamplingConfig = { temperature: 1, stopTokens: [] };
  #prefilledTokens = 0;
  #sampledTokens = 0;

  constructor(model: DeviceModel, options: Partial<SamplingOptions> = {}) {
    this.#model = model;
    const given = { ...defaultOptions(model), ...options };
    const { gpu, config, contextLength } = model;
    const logitRows = Math.floor(
      Math.min(LOGIT_BYTES, gpu.limits.maxStorageBufferBindingSize) / (4 * widthsOf(config).logits),
    );
    const mostPlaces = placeLimit(gpu.limits, config, contextLength);
    const cachePlaces = Math.min(Math.max(given.cachePlaces, contextLength), mostPlaces);
    this.#prefixes = new PrefixCache(cachePlaces, config.vocabularySize);
    const contexts = Math.floor(cachePlaces / contextLength); // that fit if they share nothing
    const sampledRows = Math.max(1, Math.min(given.sampledRows, given.prefillRows, logitRows, contexts));
    const chunkSteps = Math.min(MAX_CHUNK, given.chunkSteps);
    this.#options = { ...given, sampledRows, chunkSteps, cachePlaces };
    this.#readback = new Readback(model.gpu, 'sampling readback');
  }

  /** For measurements. */
  get counts(): SamplingCounts {
    const cachedTokens = this.#prefixes.usedCount;
    return { prefilledTokens: this.#prefilledTokens, sampledTokens: this.#sampledTokens, cachedTokens };
  }

  /** Starts a rollout: forgets all prefixes, since the parameters may have changed. */
  begin(key: RandomKey, sampling: SamplingConfig): void {
    this.#key = key;
    this.#sampling = sampling;
    this.#prefixes.clear();
  }

  forget(): void {
    this.#prefixes.clear();
  }

  /** Opens a session that calls may join; run() must be called, and must not overlap with another's. */
  session(): SamplingSession {
    return new SamplingSession(this);
  }

  /** Decode steps of one submission. On a card the host encodes for as long as it computes: so both at once. */
  get #pieceSteps(): number {
    return this.#model.gpu.adapter.software ? MAX_CHUNK + 1 : 2;
  }

  get maxRows(): number {
    return this.#options.sampledRows;
  }

  /** @throws DeviceLostError, OutOfMemoryError */
  admit(requests: readonly GenerateRequest[]): Promise<readonly Row[]> {
    return this.#orForget(async () => {
      const rows = requests.map((request) =>
        newRow(request, this.#prefixes.open(request.context.slice(0, -1))),
      );
      const missing = rows.flatMap(missingTokens);
      const compiled = await this.#compile();
      upload(this.#model.gpu, compiled.workspace.stopMask, this.#stopMask());
      this.#prefill(compiled, rows, missing);
      return rows;
    });
  }

  /** @throws DeviceLostError */
  chunk(rows: readonly Row[]): Promise<readonly boolean[]> {
    return this.#orForget(async () => {
      const steps = this.#chunkSteps(rows.map(remaining));
      for (const row of rows) this.#prefixes.reserve(row.path, Math.min(steps, remaining(row)));
      const compiled = await this.#compile();
      const { workspace } = compiled;
      this.#uploadTokens(workspace, rows.map(lastToken));
      upload(this.#model.gpu, workspace.rowState, Uint32Array.from(rows.flatMap(rowState)));
      const read = await this.#decodeChunk(compiled, rows, steps);
      return rows.map((row, r) => {
        const state = read.rowState.subarray(r * ROW_STATE, (r + 1) * ROW_STATE);
        append(row, r, state[COUNT], read.sampled, read.stats);
        this.#prefixes.advance(row.path, computedTokens(row));
        this.#sampledTokens += state[COUNT];
        return state[DONE] !== 0;
      });
    });
  }

  finish(row: Row): Generation {
    this.#prefixes.close(row.path);
    return generationOf(row, this.#sampling.stopTokens);
  }

  destroy(): void {
    this.#readback.destroy();
    if (!this.#compiled) return;
    const { workspace, cache, prefill, decode } = this.#compiled;
    for (const owned of [prefill, decode, workspace, cache]) owned.destroy();
    this.#compiled = null;
  }

  /** @throws BatchError */
  check({ context, maxTokens }: GenerateRequest, index: number): void {
    const { contextLength, config } = this.#model;
    const longest = contextLength + 1 - maxTokens; // the last sampled token needs no place in the cache
    if (
      context.length >= 1 &&
      maxTokens >= 1 &&
      context.length <= longest &&
      context.every((id) => id < config.vocabularySize)
    ) {
      return;
    }
    throw new BatchError({
      what: 'A turn cannot be sampled',
      where: `request ${index}`,
      got: `${context.length} context tokens up to id ${Math.max(...context)}, maxTokens ${maxTokens}`,
      wanted: `1 to ${longest} context tokens with ids below ${config.vocabularySize}, maxTokens of at least 1`,
      next: "Shorten the context, or raise the policy's context length.",
    });
  }

  async #orForget<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#prefixes.clear(); // what the places hold is not known
      throw error;
    }
  }

  /** Pieces run in order, so what a later request reads of an earlier one's context is there. */
  #prefill({ workspace, prefill }: Compiled, rows: readonly Row[], missing: readonly NewToken[]): void {
    const slotLength = this.#uploadPlaces(workspace, rows);
    const piece = this.#options.prefillRows;
    for (let first = 0; first < missing.length; first += piece) {
      const tokens = missing.slice(first, first + piece);
      this.#uploadTokens(workspace, tokens);
      prefill.run({ rows: tokens.length, slotLength });
    }
    this.#prefilledTokens += missing.length;
  }

  /** @returns places listed per slot */
  #uploadPlaces({ places }: DecodeWorkspace, rows: readonly Row[]): number {
    const slotLength = Math.max(...rows.map(({ path }) => path.places.length));
    const table = new Uint32Array(rows.length * slotLength);
    rows.forEach(({ path }, slot) => table.set(path.places, slot * slotLength));
    upload(this.#model.gpu, places, table);
    return slotLength;
  }

  /** How tokens are drawn, whatever the rows. */
  get #drawing(): Omit<DecodeSizes, 'rows' | 'slotLength'> {
    const { seed, update } = this.#key;
    const { temperature } = this.#sampling;
    const greedy = temperature === 0 ? 1 : 0;
    return { inverseTemperature: greedy ? 1 : 1 / temperature, greedy, seed, update };
  }

  /** Where no token stops a row, its end is known: no readback is needed before the first one's. */
  #chunkSteps(remaining: readonly number[]): number {
    const known = this.#sampling.stopTokens.length === 0 ? Math.min(...remaining) : 0;
    return Math.min(MAX_CHUNK, Math.max(...remaining), Math.max(known, this.#options.chunkSteps));
  }

  #decodeChunk({ workspace, decode }: Compiled, active: readonly Row[], steps: number) {
    const { device } = this.#model.gpu;
    const rows = active.length;
    const sizes = { ...this.#drawing, rows, slotLength: this.#uploadPlaces(workspace, active) };
    let encoder = device.createCommandEncoder({ label: 'decode' });
    for (let step = 0; step < steps; step++) {
      decode.encode(encoder, sizes);
      if ((step + 1) % this.#pieceSteps !== 0) continue;
      device.queue.submit([encoder.finish()]);
      encoder = device.createCommandEncoder({ label: 'decode' });
    }
    const { rowState, sampled, stats } = workspace;
    const fetch = this.#readback.copy(encoder, {
      rowState: u32(subview(rowState, 0, rows * ROW_STATE)),
      sampled: u32(subview(sampled, 0, rows * MAX_CHUNK)),
      stats: f32(subview(stats, 0, rows * MAX_CHUNK * 2)),
    });
    device.queue.submit([encoder.finish()]);
    return fetch();
  }

  #uploadTokens(workspace: DecodeWorkspace, tokens: readonly NewToken[]): void {
    const { gpu } = this.#model;
    const column = (pick: (token: NewToken) => number) => Uint32Array.from(tokens, pick);
    upload(
      gpu,
      workspace.currentToken,
      column(({ token }) => token),
    );
    upload(
      gpu,
      workspace.previousToken,
      column(({ previous }) => previous),
    );
    upload(
      gpu,
      workspace.positions,
      column(({ position }) => position),
    );
    upload(
      gpu,
      workspace.slots,
      column(({ slot }) => slot),
    );
  }

  #stopMask(): Uint32Array<ArrayBuffer> {
    const mask = new Uint32Array(this.#model.config.vocabularySize);
    for (const token of this.#sampling.stopTokens) mask[token] = 1;
    return mask;
  }

  /** With the first request, and whole: later ones allocate nothing. */
  async #compile(): Promise<Compiled> {
    if (this.#compiled) return this.#compiled;
    const model = this.#model;
    const { prefillRows, sampledRows, cachePlaces } = this.#options;
    const cache = await createKvCache(model, cachePlaces);
    const workspace = await createDecodeWorkspace(model, prefillRows, sampledRows);
    const { rowState, sampled, stats } = workspace;
    await this.#readback.reserve(1, rowState.size + sampled.size + stats.size);
    const { gpu, contextLength: slotLength } = model;
    const prefills = { rows: prefillRows, slotLength };
    const decodes = { ...this.#drawing, rows: sampledRows, slotLength };
    const [prefill, decode] = await Promise.all([
      Program.build(gpu, 'prefill', prefillSteps(model, workspace, cache), prefills),
      Program.build(gpu, 'decode', decodeSteps(model, workspace, cache), decodes),
    ]);
    this.#compiled = { workspace, cache, prefill, decode };
    return this.#compiled;
  }
}
