/** The kernels as a page shows them, and checked on a device: on cases of the catalogue or on a run's mini-batch. */
import { kernels } from '../../../shaders/index.ts';
import { sizedCases, type RunSizes } from '../../../shaders/sized_cases.ts';
import type { Gpu } from '../../gpu/device.ts';
import { runCase } from '../../gpu/kernel_check.ts';
import type { KernelCase } from '../../gpu/kernel.ts';
import type { AnyKernel } from '../../gpu/pipelines.ts';
import type {
  GradientCheck,
  InspectionCommand,
  KernelBatch,
  KernelCheck,
  KernelDescription,
  RunEvent,
} from '../../protocol/protocol.ts';
import type { Backend } from '../engine/backend.ts';
import { NoKernelsError } from '../engine/errors.ts';
import { formulaGradient, kernelGradient } from './kernel_gradient.ts';
import { casesOfBatch } from './loss_case.ts';

const MOST_TOKENS = 192; // the oracles' plain loops in float64 would take seconds beyond

/** Sizes of a run's model, and the lengths of its first rows up to their last scored token. */
export function runSizes({ config, rows }: KernelBatch): RunSizes {
  const { channels, heads, kvHeads, headSize, hidden, vocabularySize } = config.model;
  const lengths = rows.map(({ tokenIndex }) => (tokenIndex.at(-1) ?? 0) + 1);
  const taken: number[] = [];
  let tokens = 0;
  for (const length of lengths) {
    tokens += length;
    if (taken.length > 0 && tokens > MOST_TOKENS) break;
    taken.push(length);
  }
  return {
    ...{ channels, heads, kvHeads, headSize, hidden, vocabulary: vocabularySize },
    rowLengths: taken,
    inverseTemperature: 1 / config.temperature,
  };
}

const catalogue: readonly AnyKernel[] = Object.values(kernels);

export const kernelNames: readonly string[] = catalogue.map(({ name }) => name);

export const kernelCatalogue = (): readonly KernelDescription[] =>
  catalogue.map(({ name, source, params, bindings, overrides, constants, tolerance, feature }) => ({
    ...{ name, source, params, bindings, overrides, constants, tolerance },
    feature: feature ?? null,
  }));

interface Ground {
  readonly ground: KernelCheck['ground'];
  readonly why: string;
  readonly cases: readonly KernelCase[];
}

/** What a kernel is checked on: the mini-batch's own numbers, else made-up ones of its sizes, else the catalogue's. */
function groundOf(kernel: AnyKernel, batch: KernelBatch | null): Ground {
  const own = kernel.cases();
  if (!batch) return { ground: 'none', why: '', cases: own };
  const cases = casesOfBatch(kernel.name, batch);
  if (cases !== null && typeof cases !== 'string') return { ground: 'values', why: '', cases };
  const why = cases ?? 'a log keeps no activations, parameters or caches';
  const sized = sizedCases(kernel.name, runSizes(batch));
  if (sized.length > 0) return { ground: 'sizes', why, cases: sized };
  return { ground: 'none', why, cases: own };
}

/**
 * Runs a kernel against its oracle on buffers of its own; a run's buffers and parameters are not touched.
 * @param name of the catalogue; the guard has checked it
 * @throws ShaderCompileError, OutOfMemoryError, DeviceLostError
 */
export async function checkKernel(
  gpu: Gpu,
  name: string,
  batch: KernelBatch | null = null,
): Promise<KernelCheck> {
  const kernel = catalogue.find((entry) => entry.name === name)!;
  const startMs = performance.now();
  const missing = kernel.feature && !gpu.features.has(kernel.feature) ? kernel.feature : null;
  const { ground, why, cases: testCases } = groundOf(kernel, batch);
  const cases = [];
  for (const testCase of missing ? [] : testCases) {
    const { title, checked, mismatchCount, worst } = await runCase(gpu, kernel, testCase);
    cases.push({ title, checked, mismatchCount, worst });
  }
  const gradients: GradientCheck[] = [];
  if (name === 'policy_loss' && batch && ground === 'values') {
    gradients.push(await formulaGradient(testCases[0], batch));
    gradients.push(await kernelGradient(gpu, kernel.source, testCases[0], batch));
  }
  return {
    ...{ kernel: name, batch: batch && placeOf(batch), ground, why, cases, gradients, missing },
    ms: performance.now() - startMs,
  };
}

const placeOf = ({ update, minibatch }: KernelBatch) => ({ update, minibatch });

// Questions about kernels, carried to the backend and answered with one event.

export type KernelQuestion = Extract<InspectionCommand, { kind: 'check-kernel' | 'try-kernel' }>;

/** @throws NoKernelsError; whatever the device throws */
export async function answerKernel(backend: Backend, question: KernelQuestion): Promise<RunEvent> {
  if (question.kind === 'try-kernel') {
    if (!backend.tryKernel) throw new NoKernelsError();
    return { kind: 'kernel-trial', ...(await backend.tryKernel(question)) };
  }
  if (!backend.checkKernel) throw new NoKernelsError();
  return { kind: 'kernel-check', ...(await backend.checkKernel(question.name, question.batch ?? null)) };
}
