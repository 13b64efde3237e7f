/** How an update's time grows, measured: one axis at a time from a small base, against the arithmetic of each point. */
import { workOf } from '../shaders/work.ts';
import { openGpu, type Gpu } from '../src/gpu/device.ts';
import { Profiler, type DeviceProfile, type TimedRow } from '../src/gpu/profiler.ts';
import { capacityOf } from '../src/model/microbatches.ts';
import { Policy, trainingLimit } from '../src/model/policy.ts';
import { seededParameters } from '../src/train/engine/gpu_backend.ts';
import { presets } from '../src/train/config/presets.ts';
import type { ModelConfig, RunConfig, LossInputs, TokenBatch } from '../src/units.ts';
import { madeUpTrees, totalFlops, updateFlops, type UpdateFlops } from './batches.ts';
import { median } from './statistics.ts';

export interface GrowthSizes {
  readonly leaves: number; // in trees of at most 11
  readonly length: number; // tokens of a path, a third of them shared by its tree
  readonly channels: number; // heads of 16, SwiGLU twice as wide
  readonly layers: number;
  readonly vocabulary: number;
}

export type Axis = keyof GrowthSizes;

const BASE: GrowthSizes = { leaves: 11, length: 64, channels: 64, layers: 2, vocabulary: 128 };
const LEAVES_PER_TREE = 11; // the instant preset's

/** Sizes of every axis; the other sizes stay at the base. */
export const AXES: Readonly<Record<Axis, readonly number[]>> = {
  leaves: [11, 22, 44, 88, 176],
  length: [32, 64, 128, 256, 512],
  channels: [32, 64, 128, 256],
  layers: [1, 2, 4, 8, 16],
  vocabulary: [128, 512, 2048, 8192],
};

/** What an update's time is the sum of. */
export type Term = 'products' | 'attention' | 'other';

export interface TermTime {
  readonly ms: number; // on the device, median
  readonly work: number; // FLOP; bytes touched for 'other', whose kernels wait for memory
}

export interface GrowthPoint {
  readonly value: number;
  readonly tokens: number; // unique
  readonly flops: number;
  readonly ms: number; // of an update without the profiler, median
  readonly samples: readonly number[];
  readonly terms: Readonly<Record<Term, TermTime>> | null; // null where the device has no timestamps
}

const modelOf = ({ channels, layers, vocabulary }: GrowthSizes): ModelConfig => ({
  vocabularySize: vocabulary,
  channels,
  layers,
  heads: channels / 16,
  kvHeads: channels / 16,
  headSize: 16,
  hidden: 2 * channels,
  rmsEpsilon: 1e-6,
  ropeTheta: 10_000,
  queryKeyNorm: true,
  tiedOutput: true,
  previousTokenMixing: true,
  logitScale: 0.25,
});

const batchOf = ({ leaves, length, vocabulary }: GrowthSizes): TokenBatch =>
  madeUpTrees({
    trees: Math.ceil(leaves / LEAVES_PER_TREE),
    leaves: Math.min(leaves, LEAVES_PER_TREE),
    length,
    shared: Math.floor(length / 3),
    vocabulary,
  });

interface Point {
  readonly value: number;
  readonly flops: UpdateFlops;
  readonly batch: TokenBatch;
  readonly inputs: LossInputs;
  readonly policy: Policy;
  readonly samples: number[];
  readonly profiles: DeviceProfile[];
}

function instant(): RunConfig {
  const preset = presets.get('instant');
  if (!preset) throw new Error('no preset instant');
  return preset.config;
}

async function trainOn({ policy, batch, inputs }: Pick<Point, 'policy' | 'batch' | 'inputs'>): Promise<void> {
  await policy.backward(batch, inputs);
  await policy.step(instant().optimiser);
}

async function openPoint(gpu: Gpu, axis: Axis, value: number): Promise<Point> {
  const sizes = { ...BASE, [axis]: value };
  const model = modelOf(sizes);
  const batch = batchOf(sizes);
  const policy = await Policy.create(gpu, model, {
    contextLength: sizes.length,
    parameters: seededParameters(model, 1),
    training: capacityOf(batch, trainingLimit()),
  });
  const { algorithm } = instant();
  const { logProb: oldLogProb } = await policy.score(batch, 1);
  const inputs = { oldLogProb, refLogProb: null, temperature: 1, loss: algorithm.loss };
  await trainOn({ policy, batch, inputs }); // warm-up
  return { value, flops: updateFlops(model, batch), batch, inputs, policy, samples: [], profiles: [] };
}

const termOf = ({ kernel }: TimedRow): Term => {
  if (kernel.startsWith('matmul')) return 'products';
  return kernel.startsWith('attention') ? 'attention' : 'other';
};

function termTimes({ flops, profiles }: Point): GrowthPoint['terms'] {
  if (profiles.some(({ method }) => method !== 'timestamps')) return null;
  const msOf = (term: Term): number =>
    median(
      profiles.map(({ rows }) =>
        rows.filter((row) => termOf(row) === term).reduce((sum, { ms }) => sum + ms, 0),
      ),
    );
  const bytes = profiles[0].rows
    .filter((row) => termOf(row) === 'other')
    .reduce((sum, row) => sum + (row.bytes ?? 0), 0);
  return {
    products: { ms: msOf('products'), work: flops.products },
    attention: { ms: msOf('attention'), work: flops.attention },
    other: { ms: msOf('other'), work: bytes },
  };
}

/** One update timed from outside, and one dispatch by dispatch. */
async function measureOnce(gpu: Gpu, point: Point): Promise<void> {
  const start = performance.now();
  await trainOn(point);
  point.samples.push(performance.now() - start);
  const profiler = new Profiler(gpu, workOf);
  await trainOn(point);
  point.profiles.push(await profiler.stop());
}

/** @returns the points of one axis, their repetitions interleaved */
export async function measureGrowth(axis: Axis, repetitions: number): Promise<readonly GrowthPoint[]> {
  const gpu = await openGpu({ timestamps: true });
  try {
    const points: Point[] = [];
    for (const value of AXES[axis]) points.push(await openPoint(gpu, axis, value));
    for (let repetition = 0; repetition < repetitions; repetition++)
      for (const point of points) await measureOnce(gpu, point);
    return points.map((point) => ({
      value: point.value,
      tokens: point.batch.tokens.length,
      flops: totalFlops(point.flops),
      ms: median(point.samples),
      samples: point.samples,
      terms: termTimes(point),
    }));
  } finally {
    gpu.close();
  }
}
