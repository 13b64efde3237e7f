/** What packing saves: updates of the `instant` preset on trees that its policy grew, packed and one row per leaf. */
import { openGpu } from '../src/gpu/device.ts';
import { Policy } from '../src/model/policy.ts';
import { decodeWeights } from '../src/model/weights.ts';
import { environmentNamed } from '../src/train/config/config.ts';
import { presets } from '../src/train/config/presets.ts';
import { train } from '../src/train/run/run.ts';
import { Gates } from '../src/train/run/gates.ts';
import type { OptimiserConfig, RunConfig, LossInputs, TokenBatch } from '../src/units.ts';
import { perLeaf, rowTokens, totalFlops, updateFlops } from './batches.ts';
import { median } from './statistics.ts';

export interface PackingRequest {
  readonly preset: string;
  readonly weights: string; // base64 of the preset's warm start
  readonly seed: number;
  readonly updates: number;
  readonly repetitions: number;
}

export interface PackingResult {
  readonly minibatches: number;
  readonly rows: number; // of all mini-batches, like the counts below
  readonly uniqueTokens: number;
  readonly rowTokens: number;
  readonly packedMs: number; // all mini-batches once, median
  readonly perLeafMs: number;
  readonly packedFlops: number;
  readonly perLeafFlops: number;
  readonly lossDifference: number; // largest between the two, nats
  readonly samples: { readonly packedMs: readonly number[]; readonly perLeafMs: readonly number[] };
}

interface Minibatch {
  readonly batch: TokenBatch;
  readonly inputs: LossInputs;
}

/** Trains for a few updates and keeps what the trainer was given. */
async function recordMinibatches(policy: Policy, config: RunConfig): Promise<readonly Minibatch[]> {
  const recorded: Minibatch[] = [];
  const backward = policy.backward.bind(policy);
  policy.backward = (batch, inputs) => {
    recorded.push({ batch, inputs });
    return backward(batch, inputs);
  };
  const transport = new Gates(() => undefined);
  transport.play();
  const environment = environmentNamed(config.environment);
  const now = (): number => performance.now();
  const others = { reference: null, rewardModel: null, post: () => undefined }; // the preset's algorithm needs none
  await train({ config, environment, policy, transport, now, ...others });
  policy.backward = backward;
  return recorded;
}

/** All mini-batches once. @returns ms and the losses */
async function pass(policy: Policy, minibatches: readonly Minibatch[], optimiser: OptimiserConfig) {
  const start = performance.now();
  const losses: number[] = [];
  for (const { batch, inputs } of minibatches) {
    losses.push((await policy.backward(batch, inputs)).loss);
    await policy.step(optimiser);
  }
  return { ms: performance.now() - start, losses };
}

export async function measurePacking(request: PackingRequest): Promise<PackingResult> {
  const preset = presets.get(request.preset);
  if (!preset) throw new Error(`no preset ${request.preset}`);
  const evaluation = { ...preset.config.evaluation, questions: 0 };
  const config: RunConfig = { ...preset.config, seed: request.seed, updates: request.updates, evaluation };
  const file = Uint8Array.from(atob(request.weights), (character) => character.charCodeAt(0));
  const { values: parameters } = decodeWeights(file.buffer, config.model);
  const { contextLength } = environmentNamed(config.environment);
  const gpu = await openGpu();
  try {
    const open = (): Promise<Policy> => Policy.create(gpu, config.model, { contextLength, parameters });
    const [grower, packer, unpacked] = [await open(), await open(), await open()];
    const recorded = await recordMinibatches(grower, config);
    grower.dispose();
    const apart = recorded.map(({ batch, inputs }) => ({ batch: perLeaf(batch), inputs }));
    return await compare(packer, unpacked, recorded, apart, request.repetitions, config);
  } finally {
    gpu.close();
  }
}

async function compare(
  packer: Policy,
  unpacked: Policy,
  packed: readonly Minibatch[],
  apart: readonly Minibatch[],
  repetitions: number,
  { model, optimiser }: RunConfig,
): Promise<PackingResult> {
  const still = { ...optimiser, learningRate: 0 }; // no learning: both compute the same numbers in every pass
  const first = await pass(packer, packed, still); // warm-up, and the numbers
  const second = await pass(unpacked, apart, still);
  const samples = { packedMs: [] as number[], perLeafMs: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    samples.packedMs.push((await pass(packer, packed, still)).ms);
    samples.perLeafMs.push((await pass(unpacked, apart, still)).ms);
  }
  const sum = (batches: readonly Minibatch[], count: (batch: TokenBatch) => number): number =>
    batches.reduce((total, { batch }) => total + count(batch), 0);
  return {
    minibatches: packed.length,
    rows: sum(packed, ({ rows }) => rows.length),
    uniqueTokens: sum(packed, ({ tokens }) => tokens.length),
    rowTokens: sum(packed, rowTokens),
    packedMs: median(samples.packedMs),
    perLeafMs: median(samples.perLeafMs),
    packedFlops: sum(packed, (batch) => totalFlops(updateFlops(model, batch))),
    perLeafFlops: sum(apart, (batch) => totalFlops(updateFlops(model, batch))),
    lossDifference: Math.max(...first.losses.map((loss, index) => Math.abs(loss - second.losses[index]))),
    samples,
  };
}
