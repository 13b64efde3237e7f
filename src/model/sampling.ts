import { subview, upload } from '../gpu/buffers.ts';
import { Program } from '../gpu/program.ts';
import { f32, Readback, u32 } from '../gpu/readback.ts';
import {
  tokenId,
  type GenerateRequest,
  type Generation,
  type RandomKey,
  type SamplingConfig,
  type TokenId,
} from '../units.ts';
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
import { PrefixCache, type Placement } from './prefix_cache.ts';

const LOGIT_BYTES = 64 * 2 ** 20; // of one decode step

export interface SamplingOptions {
  readonly prefillRows: number; // most new tokens of one prefill piece
  readonly sampledRows: number; // most requests sampled together
  /**
   * Decode steps per readback, at most MAX_CHUNK; finished rows leave after a chunk. Few by default on an adapter
   * that runs on the CPU, where a wasted row costs more than a readback, MAX_CHUNK elsewhere.
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

/** A request under way. */
interface Row {
  readonly request: GenerateRequest;
  readonly placement: Placement;
  readonly tokens: TokenId[];
  readonly logProb: number[];
  readonly entropy: number[];
}

const powerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(Math.max(64, value)));

/** Samples turns with a KV cache, reusing the prefixes of earlier calls. Calls must not overlap. */
export class Sampling {
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

  /** @throws BatchError, DeviceLostError, OutOfMemoryError */
  async generate(requests: readonly GenerateRequest[]): Promise<Generation[]> {
    requests.forEach((request, index) => this.#check(request, index));
    const generations: Generation[] = [];
    for (let first = 0; first < requests.length; first += this.#options.sampledRows) {
      generations.push(
        ...(await this.#generateGroup(requests.slice(first, first + this.#options.sampledRows))),
      );
    }
    return generations;
  }

  destroy(): void {
    this.#readback.destroy();
    this.#compiled?.cache.destroy();
    this.#release();
  }

  #check({ context, maxTokens }: GenerateRequest, index: number): void {
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

  async #generateGroup(requests: readonly GenerateRequest[]): Promise<Generation[]> {
    const placements = this.#prefixes.place(requests.map(({ context }) => context));
    try {
      const rows = requests.map((request, index) => newRow(request, placements[index]));
      const compiled = await this.#compile(rows);
      this.#fill(compiled, rows);
      await this.#decode(compiled, rows);
      for (const { request, placement, tokens } of rows) {
        this.#prefixes.commit(placement.slot, [...request.context, ...tokens.slice(0, -1)]);
      }
      return rows.map((row) => this.#finished(row));
    } catch (error) {
      this.#prefixes.clear(); // what the slots hold is not known
      throw error;
    }
  }

  #finished({ tokens, logProb, entropy }: Row): Generation {
    const stopped = this.#sampling.stopTokens.includes(tokens[tokens.length - 1]);
    return { tokens, logProb, entropy, finish: stopped ? 'stop' : 'length' };
  }

  /** Forks and prefills, wave by wave: a later wave copies what an earlier one computed. */
  #fill(compiled: Compiled, rows: readonly Row[]): void {
    const waves = Math.max(...rows.map(({ placement }) => placement.wave)) + 1;
    for (let wave = 0; wave < waves; wave++) {
      const ready = rows.filter(({ placement }) => placement.wave === wave);
      const forks = ready.flatMap(({ placement: { fork } }) =>
        fork ? [fork.source, fork.destination, fork.length, 0] : [],
      );
      if (forks.length > 0) {
        upload(this.#model.gpu, compiled.workspace.forks, Uint32Array.from(forks));
        compiled.fork.run({ pairs: forks.length / 4 });
      }
      this.#prefill(compiled, ready);
    }
  }

  #prefill({ workspace, prefill }: Compiled, rows: readonly Row[]): void {
    const missing = rows.flatMap(({ request: { context }, placement: { slot, cachedLength } }) =>
      Array.from({ length: context.length - 1 - cachedLength }, (_, n) =>
        newToken(context, cachedLength + n, slot),
      ),
    );
    const piece = this.#options.prefillRows;
    for (let first = 0; first < missing.length; first += piece) {
      const tokens = missing.slice(first, first + piece);
      this.#uploadTokens(workspace, tokens);
      prefill.run({ rows: tokens.length });
    }
    this.#prefilledTokens += missing.length;
  }

  /** Chunks of decode steps, one submission and one readback each, until every row is done. */
  async #decode(compiled: Compiled, rows: readonly Row[]): Promise<void> {
    const { gpu } = this.#model;
    const { workspace } = compiled;
    upload(gpu, workspace.stopMask, this.#stopMask());
    let active = rows;
    while (active.length > 0) {
      const steps = Math.min(this.#options.chunkSteps, Math.max(...active.map(remaining)));
      this.#uploadTokens(workspace, active.map(lastToken));
      upload(gpu, workspace.rowState, Uint32Array.from(active.flatMap(rowState)));
      const read = await this.#decodeChunk(compiled, active.length, steps);
      active = active.filter((row, r) => {
        const state = read.rowState.subarray(r * ROW_STATE, (r + 1) * ROW_STATE);
        append(row, r, state[5], read.sampled, read.stats);
        this.#sampledTokens += state[5];
        return state[4] === 0;
      });
    }
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
  async #compile(rows: readonly Row[]): Promise<Compiled> {
    const missing = rows.reduce(
      (sum, { request, placement }) => sum + request.context.length - 1 - placement.cachedLength,
      0,
    );
    const { workspace, cache } = this.#compiled ?? { workspace: null, cache: null };
    const tokenRows = Math.min(
      powerOfTwo(Math.max(missing, rows.length, workspace?.rows ?? 0)),
      this.#options.prefillRows,
    );
    const sampledRows = Math.min(
      powerOfTwo(Math.max(rows.length, workspace?.sampledRows ?? 0)),
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

interface NewToken {
  readonly token: number;
  readonly previous: number; // token before it; token 0 before the first
  readonly position: number;
  readonly slot: number;
}

const newToken = (path: readonly number[], position: number, slot: number): NewToken => ({
  token: path[position],
  previous: position === 0 ? 0 : path[position - 1],
  position,
  slot,
});

const newRow = (request: GenerateRequest, placement: Placement): Row => ({
  request,
  placement,
  tokens: [],
  logProb: [],
  entropy: [],
});

const remaining = ({ request, tokens }: Row): number => request.maxTokens - tokens.length;

/** The token that the next decode step reads. */
const lastToken = ({ request: { context }, tokens, placement }: Row): NewToken => {
  const path = tokens.length === 0 ? context : [...context.slice(-1), ...tokens];
  const place = path.length - 1;
  return { ...newToken(path, place, placement.slot), position: context.length - 1 + tokens.length };
};

const rowState = (row: Row): number[] => {
  const { prompt, node, firstToken } = row.request.key;
  return [prompt, node, firstToken + row.tokens.length, remaining(row), 0, 0, 0, 0];
};

function append(row: Row, r: number, count: number, sampled: Uint32Array, stats: Float32Array): void {
  for (let n = r * MAX_CHUNK; n < r * MAX_CHUNK + count; n++) {
    row.tokens.push(tokenId(sampled[n]));
    row.logProb.push(stats[2 * n]);
    row.entropy.push(stats[2 * n + 1]);
  }
}
