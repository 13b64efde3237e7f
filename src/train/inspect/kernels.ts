/** The kernels as a page shows them, and checked on a device: on cases of the catalogue or on a run's mini-batch. */
import * as v from 'valibot';
import { kernels } from '../../../shaders/index.ts';
import { sizedCases, type RunSizes } from '../../../shaders/sized_cases.ts';
import type { Gpu } from '../../gpu/device.ts';
import { runCase } from '../../gpu/kernel_check.ts';
import type { KernelCase } from '../../gpu/kernel.ts';
import type { AnyKernel } from '../../gpu/pipelines.ts';
import { lossRow } from '../../protocol/log.ts';
import type {
  GradientCheck,
  KernelBatch,
  KernelCheck,
  KernelDescription,
  KernelTrial,
  TryKernel,
} from '../../protocol/protocol.ts';
import { wanted, whole } from '../../protocol/schema.ts';
import { EDITABLE_KERNELS } from '../../units.ts';
import { kernelText, parseRunConfig } from '../config/config.ts';
import { NoKernelsError } from '../engine/errors.ts';
import { formulaGradient, kernelGradient } from './kernel_gradient.ts';
import { casesOfBatch } from './loss_case.ts';
import { checked, type QuestionKind } from './question.ts';

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

const kernelNames: readonly string[] = catalogue.map(({ name }) => name);

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

export const listKernels: QuestionKind<unknown, readonly KernelDescription[]> = {
  parse: () => ({}),
  answer: () => Promise.resolve(kernelCatalogue()),
};

const batchSchema = v.object({
  config: v.pipe(v.unknown(), v.transform(parseRunConfig)),
  update: whole(1, 1_000_000),
  minibatch: whole(0, 1_000_000),
  rows: v.pipe(
    v.array(lossRow),
    wanted((rows) => rows.some(({ tokenIndex }) => tokenIndex.length > 0), 'rows with a scored token'),
  ),
});

const kernelSchema = v.object({
  name: v.picklist(kernelNames, 'the name of a kernel in shaders/index.ts'),
  batch: v.exactOptional(batchSchema),
});

const trialSchema = v.object({
  name: v.picklist(EDITABLE_KERNELS, `one of ${EDITABLE_KERNELS.join(', ')}`),
  source: kernelText,
  batch: v.nullable(batchSchema),
  checkGradient: v.boolean('true or false'),
});

/** Checks that run on a device of their own end with it, so one that nobody waits for any more takes the others along. */
function untilCancelled<T>(work: Promise<T>, cancel: () => void, signal: AbortSignal): Promise<T> {
  signal.addEventListener('abort', cancel, { once: true });
  return work.finally(() => signal.removeEventListener('abort', cancel));
}

export interface CheckOneKernel {
  readonly name: string;
  readonly batch?: KernelBatch; // else the catalogue's cases
}

export const checkOneKernel: QuestionKind<CheckOneKernel, KernelCheck> = {
  parse: (value) =>
    checked(kernelSchema, value, {
      what: 'A kernel cannot be checked like this',
      next: 'Choose one of the kernels that the lab lists, and an update whose loss is there.',
    }), // checked; brands exist only in types
  async answer({ name, batch = null as KernelBatch | null }, lender, signal) {
    const backend = await lender.backend();
    if (!backend.checkKernel) throw new NoKernelsError();
    signal.throwIfAborted();
    return untilCancelled(backend.checkKernel(name, batch), () => backend.cancelChecks?.(), signal);
  },
};

export const tryOneKernel: QuestionKind<TryKernel, KernelTrial> = {
  parse: (value) =>
    checked(trialSchema, value, {
      what: 'A kernel cannot be tried out like this',
      next: 'Write WGSL, and choose an update whose loss is there.',
    }), // checked; brands exist only in types
  edit: ({ name, source }) => ({ name, source, gradientCheck: 'unchecked' }),
  async answer(question, lender, signal) {
    const backend = await lender.backend();
    if (!backend.tryKernel) throw new NoKernelsError();
    signal.throwIfAborted();
    const trial = backend.tryKernel(question);
    if (!question.checkGradient) return trial; // what is only compiled runs nothing
    return untilCancelled(trial, () => backend.cancelChecks?.(), signal);
  },
};
