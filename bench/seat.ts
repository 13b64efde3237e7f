/** What runs in a contender's page (or process): opens it, times it, checks its numbers. The driver calls `seat.*`. */
import type { Contender, Decoder, Matmul, Trainer } from './contender.ts';
import { contenders } from './contenders/index.js';
import type { Axis } from './growth.ts';
import { watchMemory, type MemoryMeter } from './memory.ts';
import type { PackingRequest } from './packing.ts';
import {
  decodeParameters,
  matmulData,
  parameterSpecs,
  prompts,
  settings,
  trainBatch,
  trainParameters,
  type MatmulShape,
  type WorkShape,
} from './work.ts';

export type Capability = 'matmul' | 'trainer' | 'decoder';
const CAPABILITIES: readonly Capability[] = ['matmul', 'trainer', 'decoder'];

const TARGET_MS = 150; // of one timed batch of products
const MOST_PRODUCTS = 50;

let contender: Contender | null = null;
let memory: MemoryMeter | null = null;
let product: { readonly work: Matmul; readonly flops: number; readonly times: number } | null = null;
let trainer: { readonly work: Trainer; readonly shape: WorkShape; step: number } | null = null;
let decoder: { readonly work: Decoder; readonly shape: WorkShape } | null = null;

async function timed<T>(work: () => Promise<T>): Promise<readonly [ms: number, value: T]> {
  const start = performance.now();
  const value = await work();
  return [performance.now() - start, value];
}

function opened<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`${what} is not open`);
  return value;
}

/** Largest error of twelve entries against float64, relative to √k. */
function productError({ m, n, k }: MatmulShape, a: Float32Array, b: Float32Array, c: ArrayLike<number>) {
  let worst = 0;
  for (const row of [0, (m >> 1) + 1, m - 1]) {
    for (const column of [0, 1, n >> 1, n - 1]) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[row * k + p] * b[p * n + column];
      worst = Math.max(worst, Math.abs(sum - c[row * n + column]) / Math.sqrt(k));
    }
  }
  return worst;
}

export const seat = {
  /** What WebGPU runs on here. */
  async adapter() {
    const { vendor, architecture, description } = (await navigator.gpu.requestAdapter())?.info ?? {};
    return [vendor, architecture, description].filter(Boolean).join(' ');
  },

  /** @throws whatever the library says when it cannot run here */
  async open(id: string) {
    memory = typeof GPUDevice === 'undefined' ? null : watchMemory();
    contender = (await contenders[id]()).default;
    const found = contender;
    const [setupMs] = await timed(found.setup);
    return { label: found.label, setupMs, can: CAPABILITIES.filter((name) => name in found) };
  },

  /** Makes the product, runs it once to compile and once to choose how many make a timed batch. */
  async matmulOpen(shape: MatmulShape) {
    const { a, b } = matmulData(shape);
    const work = await opened(contender?.matmul, 'a contender with a product')(shape, a, b);
    const [firstMs] = await timed(() => work.run(1));
    const error = productError(shape, a, b, await work.read());
    const [onceMs] = await timed(() => work.run(1));
    const times = Math.max(1, Math.min(MOST_PRODUCTS, Math.round(TARGET_MS / Math.max(onceMs, 1))));
    product = { work, flops: 2 * shape.m * shape.n * shape.k, times };
    return { firstMs, error };
  },

  /** @returns GFLOP/s of one timed batch */
  async matmulRun() {
    const { work, flops, times } = opened(product, 'the product');
    const [ms] = await timed(() => work.run(times));
    return (flops * times) / ms / 1e6;
  },

  matmulClose() {
    product?.work.dispose();
    product = null;
  },

  /** @returns ms from parameters on the host to the first step's loss, compilation included */
  async trainOpen(shape: WorkShape) {
    memory?.mark();
    const [ms, first] = await timed(async () => {
      const make = opened(contender?.trainer, 'a contender that trains');
      const work = await make(shape, settings, trainParameters(shape));
      return { work, loss: await work.trainStep(trainBatch(shape, 0)) };
    });
    trainer = { work: first.work, shape, step: 1 };
    return { ms, loss: first.loss };
  },

  async trainStep() {
    const { work, shape, step } = opened(trainer, 'the trainer');
    const batch = trainBatch(shape, step);
    const [ms, loss] = await timed(() => work.trainStep(batch));
    trainer!.step += 1; // opened() above
    return { ms, loss };
  },

  /** Σ|p| of every parameter: enough to compare contenders. */
  async trainSums() {
    const { work, shape } = opened(trainer, 'the trainer');
    const read = await work.readParameters();
    const sums = parameterSpecs(shape).map(({ name }) => {
      let sum = 0;
      for (let at = 0; at < read[name].length; at++) sum += Math.abs(read[name][at]);
      return [name, sum];
    });
    return Object.fromEntries(sums) as Record<string, number>; // the pairs above
  },

  /** @returns peak bytes of GPU buffers since trainOpen; 0 where no WebGPU is used */
  trainClose() {
    trainer?.work.dispose();
    trainer = null;
    return memory?.peakBytes ?? 0;
  },

  async decodeOpen(shape: WorkShape) {
    const make = opened(contender?.decoder, 'a contender that decodes');
    const work = await make(shape, settings, decodeParameters(shape));
    decoder = { work, shape };
  },

  async decodeRun() {
    const { work, shape } = opened(decoder, 'the decoder');
    const read = prompts(shape);
    const [ms, tokens] = await timed(() => work.decode(read));
    return { ms, tokens: Array.from(tokens) };
  },

  decodeClose() {
    decoder?.work.dispose();
    decoder = null;
  },

  /** Of our engine alone, like the next two. */
  async packing(request: PackingRequest) {
    return (await import('./packing.ts')).measurePacking(request);
  },

  async profile(shape: WorkShape) {
    return (await import('./profile.ts')).measureProfile(shape);
  },

  async growth(axis: Axis, repetitions: number) {
    return (await import('./growth.ts')).measureGrowth(axis, repetitions);
  },
};

export type SeatFunctions = typeof seat;
export type SeatFunction = keyof SeatFunctions;
