/** Where our engine's time goes: a training step and a decode of a preset, kernel by kernel. */
import { workOf } from '../shaders/work.ts';
import { openGpu, type Gpu } from '../src/gpu/device.ts';
import { Profiler, type ProfileMethod } from '../src/gpu/profiler.ts';
import { createDecoder, createTrainer } from './contenders/turnwise.ts';
import { decodeParameters, prompts, settings, trainBatch, trainParameters, type WorkShape } from './work.ts';

export interface KernelTime {
  readonly kernel: string; // '' where only whole submissions could be timed
  readonly dispatches: number;
  readonly ms: number;
  readonly gflops: number | null; // GFLOP/s; null where the work depends on the data
}

export interface PhaseProfile {
  readonly wallMs: number; // without the profiler
  readonly busyMs: number; // when the device computed, with it
  readonly method: ProfileMethod;
  readonly kernels: readonly KernelTime[]; // slowest first
}

export interface ProfileResult {
  readonly train: PhaseProfile; // one step
  readonly decode: PhaseProfile; // all rows, prompts included
}

const WARM_UPS = 2;

async function profilePhase(gpu: Gpu, work: () => Promise<unknown>): Promise<PhaseProfile> {
  for (let time = 0; time < WARM_UPS; time++) await work();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  const profiler = new Profiler(gpu, workOf);
  await work();
  const { method, rows, busyMs } = await profiler.stop();
  const names = [...new Set(rows.map(({ kernel }) => kernel))];
  const kernels = names.map((kernel) => {
    const own = rows.filter((row) => row.kernel === kernel);
    const sum = (value: (row: (typeof own)[number]) => number): number =>
      own.reduce((total, row) => total + value(row), 0);
    const ms = sum((row) => row.ms);
    const known = ms > 0 && own.every(({ flops }) => flops !== null);
    return {
      kernel,
      dispatches: sum(({ dispatches }) => dispatches),
      ms,
      gflops: known ? sum(({ flops }) => flops ?? 0) / ms / 1e6 : null,
    };
  });
  return { wallMs, busyMs, method, kernels: kernels.sort((a, b) => b.ms - a.ms) };
}

export async function measureProfile(shape: WorkShape): Promise<ProfileResult> {
  const gpu = await openGpu({ timestamps: true });
  try {
    const trainer = await createTrainer(gpu, shape, settings, trainParameters(shape));
    let step = 0;
    const train = await profilePhase(gpu, () => trainer.trainStep(trainBatch(shape, step++)));
    trainer.dispose();
    const decoder = await createDecoder(gpu, shape, settings, decodeParameters(shape));
    const decode = await profilePhase(gpu, () => decoder.decode(prompts(shape)));
    return { train, decode };
  } finally {
    gpu.close();
  }
}
