import { subview, upload } from '../gpu/buffers.ts';
import { Program } from '../gpu/program.ts';
import { f32, Readback, u32 } from '../gpu/readback.ts';
import type { GenerateRequest, Generation, RandomKey, SamplingConfig } from '../units.ts';
import {
  createDecodeWorkspace,
  decodeSteps,
  forkSteps,
  MAX_CHUNK,
  prefillSteps,
  ROW_STATE,
  type DecodeSizes,
  type DecodeWorkspace,
  type ForkSizes,
  type PrefillSizes,
} from './decode.ts';
import { widthsOf, type DeviceModel } from './device_model.ts';
import { BatchError } from './errors.ts';
import { growKvCache, slotLimit, type KvCache } from './kv_cache.ts';
import { PrefixCache } from './prefix_cache.ts';
import {
  append,
  cachedTokens,
  generationOf,
  lastToken,
  missingTokens,
  newRow,
  remaining,
  rowState,
  type NewToken,
  type Row,
} from './sampling_rows.ts';
import { SamplingSession, type RowSampler } from './sampling_session.ts';

const LOGIT_BYTES = 64 * 2 ** 20; // of one decode step
// Words of a row's state, see sample_token.wgsl.
const DONE = 4;
const COUNT = 5;

export interface SamplingOptions {
  readonly prefillRows: number; // most new tokens of one prefill piece
  readonly sampledRows: number; // most requests sampled together
  /**
   * Decode steps per readback where a token may stop a row, at most MAX_CHUNK; finished rows leave after a chunk. Few
   * by default on an adapter that runs on the CPU, where a wasted row costs more than a readback, MAX_CHUNK elsewhere.
   */
  readonly chunkSteps: number;
}

/** Of one prefill piece, and of one decode step, unless a policy is told otherwise. */
export const SAMPLING_LIMIT = { prefillRows: 2048, sampledRows: 1024 } as const;

const defaultOptions = ({ gpu }: DeviceModel): SamplingOptions => ({
  ...SAMPLING_LIMIT,
  chunkSteps: gpu.adapter.software ? 4 : MAX_CHUNK,
});

interface Compiled {
  readonly workspace: DecodeWorkspace;
  readonly cache: KvCache;
  readonly prefill: Program<PrefillSizes>;
  readonly decode: Program<DecodeSizes>;
  readonly fork: Program<ForkSizes>;
}

const powerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(Math.max(64, value)));

/** Samples turns with a KV cache, reusing the prefixes of earlier calls. Sessions must not overlap. */
export class Sampling implements RowSampler {
  readonly #model: DeviceModel;
  readonly #options: SamplingOptions;
  readonly #readback: Readback;
  readonly #slotLimit: number;
  readonly #prefixes: PrefixCache;
  #compiled: Compiled | null = null;
  #key: RandomKey = { seed: 0, update: 0 };
  #sampling: SamplingConfig = { temperature: 1, stopTokens: [] };
  #prefilledTokens = 0;
  #sampledTokens = 0;

  constructor(model: DeviceModel, options: Partial<SamplingOptions> = {}) {
    this.#model = model;
    this.#slotLimit = slotLimit(model);
    this.#prefixes = new PrefixCache(this.#slotLimit);
    const given = { ...defaultOptions(model), ...options };
    const logitRows = Math.floor(
      Math.min(LOGIT_BYTES, model.gpu.limits.maxStorageBufferBindingSize) /
        (4 * widthsOf(model.config).logits),
    );
    const sampledRows = Math.max(
      1,
      Math.min(given.sampledRows, given.prefillRows, logitRows, Math.floor(this.#slotLimit / 2)),
    );
    this.#options = { ...given, sampledRows, chunkSteps: Math.min(MAX_CHUNK, given.chunkSteps) };
    this.#readback = new Readback(model.gpu, 'sampling readback');
  }

  /** Tokens computed since the start, for measurements: those of contexts, and sampled ones. */
  get counts(): { readonly prefilledTokens: number; readonly sampledTokens: number } {
    return { prefilledTokens: this.#prefilledTokens, sampledTokens: this.#sampledTokens };
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

  get maxRows(): number {
    return this.#options.sampledRows;
  }

  /** @throws DeviceLostError, OutOfMemoryError */
  async admit(requests: readonly GenerateRequest[], together: number): Promise<readonly Row[]> {
    const placements = this.#prefixes.place(requests.map(({ context }) => context));
    return this.#orForget(async () => {
      const rows = requests.map((request, index) => newRow(request, placements[index]));
      const compiled = await this.#compile(rows, together);
      upload(this.#model.gpu, compiled.workspace.stopMask, this.#stopMask());
      this.#fill(compiled, rows);
      return rows;
    });
  }

  /** @throws DeviceLostError */
  chunk(rows: readonly Row[]): Promise<readonly boolean[]> {
    return this.#orForget(async () => {
      const compiled = this.#compiled!; // admit() made it
      const { workspace } = compiled;
      const steps = this.#chunkSteps(rows.map(remaining));
      this.#uploadTokens(workspace, rows.map(lastToken));
      upload(this.#model.gpu, workspace.rowState, Uint32Array.from(rows.flatMap(rowState)));
      const read = await this.#decodeChunk(compiled, rows.length, steps);
      return rows.map((row, r) => {
        const state = read.rowState.subarray(r * ROW_STATE, (r + 1) * ROW_STATE);
        append(row, r, state[COUNT], read.sampled, read.stats);
        this.#sampledTokens += state[COUNT];
        return state[DONE] !== 0;
      });
    });
  }

  finish(row: Row): Generation {
    this.#prefixes.commit(row.placement.slot, cachedTokens(row));
    return generationOf(row, this.#sampling.stopTokens);
  }

  destroy(): void {
    this.#readback.destroy();
    this.#compiled?.cache.destroy();
    this.#release();
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
      this.#prefixes.clear(); // what the slots hold is not known
      throw error;
    }
  }

  /** Forks and prefills, wave by wave: a later wave copies what an earlier one computed. */
  #fill(compiled: Compiled, rows: readonly Row[]): void {
    const waves = Math.max(...rows.map(({ placement }) => placement.wave)) + 1;
    for (let wave = 0; wave < waves; wave++) {
      const ready = rows.filter(({ placement }) => placement.wave === wave);
      const forks = ready.flatMap(({ placement: { fork } }) => fork ?? []);
      if (forks.length > 0) {
        const words = forks.flatMap(({ source, destination, length }) => [source, destination, length, 0]);
        upload(this.#model.gpu, compiled.workspace.forks, Uint32Array.from(words));
        const longest = Math.max(...forks.map(({ length }) => length));
        compiled.fork.run({ pairs: forks.length, longest });
      }
      this.#prefill(compiled, ready);
    }
  }

  #prefill({ workspace, prefill }: Compiled, rows: readonly Row[]): void {
    const missing = rows.flatMap(missingTokens);
    const piece = this.#options.prefillRows;
    for (let first = 0; first < missing.length; first += piece) {
      const tokens = missing.slice(first, first + piece);
      this.#uploadTokens(workspace, tokens);
      prefill.run({ rows: tokens.length });
    }
    this.#prefilledTokens += missing.length;
  }

  /** Where no token stops a row, its end is known: no readback is needed before the first one's. */
  #chunkSteps(remaining: readonly number[]): number {
    const known = this.#sampling.stopTokens.length === 0 ? Math.min(...remaining) : 0;
    return Math.min(MAX_CHUNK, Math.max(...remaining), Math.max(known, this.#options.chunkSteps));
  }

  #decodeChunk({ workspace, decode }: Compiled, rows: number, steps: number) {
    const { device } = this.#model.gpu;
    const { temperature } = this.#sampling;
    const greedy = temperature === 0 ? 1 : 0;
    const { seed, update } = this.#key;
    const sizes = { rows, inverseTemperature: greedy ? 1 : 1 / temperature, greedy, seed, update };
    const encoder = device.createCommandEncoder({ label: 'decode' });
    for (let step = 0; step < steps; step++) decode.encode(encoder, sizes);
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

  /** Workspace and cache grow in powers of two, outside the loop over tokens. */
  async #compile(rows: readonly Row[], together: number): Promise<Compiled> {
    const missing = rows.reduce((sum, row) => sum + missingTokens(row).length, 0);
    const { workspace, cache } = this.#compiled ?? { workspace: null, cache: null };
    const tokenRows = Math.min(
      powerOfTwo(Math.max(missing, together, workspace?.rows ?? 0)),
      this.#options.prefillRows,
    );
    const sampledRows = Math.min(
      powerOfTwo(Math.max(together, workspace?.sampledRows ?? 0)),
      this.#options.sampledRows,
    );
    const slots = Math.min(
      powerOfTwo(Math.max(this.#prefixes.slotCount, cache?.slots ?? 0)),
      this.#slotLimit,
    );
    const fits =
      workspace?.rows === tokenRows && workspace.sampledRows === sampledRows && cache?.slots === slots;
    if (this.#compiled && fits) return this.#compiled;
    const model = this.#model;
    const grown = cache?.slots === slots ? cache : await growKvCache(model, slots, cache);
    this.#release();
    const room = await createDecodeWorkspace(model, tokenRows, sampledRows);
    const [prefill, decode, fork] = await Promise.all([
      Program.build(model.gpu, 'prefill', prefillSteps(model, room, grown)),
      Program.build(model.gpu, 'decode', decodeSteps(model, room, grown)),
      Program.build(model.gpu, 'fork', forkSteps(model, room, grown)),
    ]);
    this.#compiled = { workspace: room, cache: grown, prefill, decode, fork };
    return this.#compiled;
  }

  /** Frees all but the cache. */
  #release(): void {
    if (!this.#compiled) return;
    const { workspace, prefill, decode, fork } = this.#compiled;
    for (const owned of [prefill, decode, fork, workspace]) owned.destroy();
    this.#compiled = null;
  }
}
