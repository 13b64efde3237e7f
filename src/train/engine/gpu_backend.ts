import { kernels } from '../../../shaders/index.ts';
import { keyedRandom, STREAMS } from '../../algo/random.ts';
import { LostWatch } from '../../gpu/answer_watch.ts';
import { autotune, browserStore } from '../../gpu/autotune.ts';
import { openGpu, type Gpu, type OpenGpuOptions } from '../../gpu/device.ts';
import { DeviceGivenUpError } from '../../gpu/errors.ts';
import { compile } from '../../gpu/pipelines.ts';
import { parameterCount } from '../../model/config.ts';
import { initialParameters } from '../../model/parameters.ts';
import { lossKernel } from '../../model/policy_loss.ts';
import { Policy } from '../../model/policy.ts';
import { decodeWeights } from '../../model/weights.ts';
import type { ErrorReport, ModelConfig } from '../../units.ts';
import { capacitiesOf, checkBuffers, checkFits } from '../config/fit.ts';
import { CheckDevice } from '../inspect/check_device.ts';
import { tryKernel } from '../inspect/kernel_gradient.ts';
import { checkKernel } from '../inspect/kernels.ts';
import { refuseEndless } from '../inspect/loop_guard.ts';
import type { Backend, PolicyRequest } from './engine.ts';
import { WeightsFetchError } from './errors.ts';
import { startUpdateProfile } from './profile.ts';

/**
 * Random initial parameters of a seed, one stream per tensor.
 * @returns the flat buffer of parameterMap(model)
 */
export const seededParameters = (model: ModelConfig, seed: number): Float32Array<ArrayBuffer> =>
  initialParameters(model, (parameter) => {
    const random = keyedRandom({ seed, update: 0 }, STREAMS.parameters, parameter);
    return () => random.uniform();
  });

/**
 * Policies on WebGPU.
 * @throws NoWebGpuError, NoAdapterError
 */
export async function openGpuBackend(options: OpenGpuOptions = {}): Promise<Backend> {
  let refuse: (report: ErrorReport) => void = () => undefined;
  const refused = new Promise<ErrorReport>((resolve) => (refuse = resolve));
  const gpu = await openGpu({ timestamps: true, ...options, onError: (error) => refuse(error.report) });
  // Software adapters take the defaults, which were measured on one, and would spend seconds compiling the others.
  if (!gpu.adapter.software) await autotune(gpu, Object.values(kernels), browserStore());
  const checks = new CheckDevice(async (onError) => {
    const own = await openGpu({ ...options, powerPreference: gpu.powerPreference, onError });
    for (const [name, shape] of gpu.tuning) own.tuning.set(name, shape); // checked as they run
    for (const name of gpu.declined) own.declined.add(name);
    return own;
  });
  const watch = new LostWatch(gpu.lost);
  let closed = false;
  const lostDevice = gpu.lost.then(({ report }) => (closed ? new Promise<never>(() => undefined) : report));
  return {
    adapter: gpu.adapter,
    async adapterChoice() {
      return { inUse: gpu.powerPreference, other: await gpu.otherAdapter(), refused: gpu.refused };
    },
    // A refused command leaves buffers undefined: the run cannot go on, and neither can the device be trusted.
    lost: Promise.race([lostDevice, refused]),
    createPolicy: (request) => watch.guard(() => createPolicy(gpu, request)),
    parameterCount,
    async checkFits(config, trial) {
      const fits = () => (trial ? checkFits(gpu, config) : checkBuffers(gpu.limits, config));
      return (await watch.guard(fits)).bytes;
    },
    checkKernel: (name, batch) => checks.run((own) => checkKernel(own, name, batch)),
    // What is only compiled runs nothing: it need not wait for a device of its own.
    tryKernel: (question) =>
      question.checkGradient
        ? checks.run((own) => tryKernel(own, question))
        : watch.guard(() => tryKernel(gpu, question)),
    startProfile: () => startUpdateProfile(gpu),
    countSilence: () => gpu.answers.countSilence(),
    giveUp: () => gpu.giveUp(new DeviceGivenUpError()),
    cancelChecks: () => checks.cancel(),
    close() {
      closed = true;
      checks.close();
      gpu.close();
    },
  };
}

async function createPolicy(gpu: Gpu, { config, weights, environment }: PolicyRequest): Promise<Policy> {
  const { model, seed, editedKernel } = config;
  const lossSource = editedKernel?.source ?? null;
  await compile(gpu, lossKernel(lossSource)); // before anything is allocated: an edited text may be wrong
  if (lossSource !== null) await refuseEndless(gpu, lossSource);
  const parameters = weights ? decodeWeights(weights, model).values : seededParameters(model, seed);
  const { contextLength } = environment;
  const { training, sampling } = capacitiesOf(config, gpu.limits);
  return Policy.create(gpu, model, {
    contextLength,
    parameters,
    lossSource,
    training,
    sampling: {
      prefillRows: sampling.rows,
      sampledRows: sampling.sampledRows,
      cachePlaces: sampling.places,
    },
  });
}

const LONGEST_FETCH_MS = 60_000; // of weights: 400 kB

/**
 * Fetches files of public/.
 * @param base URL of the page
 * @throws WeightsFetchError from the function, after a minute without the whole file too
 */
export const fetchWeightsFrom =
  (base: string) =>
  async (file: string): Promise<ArrayBuffer> => {
    const url = new URL(file, base).href;
    const stop = new AbortController();
    const late = setTimeout(
      () => stop.abort(new Error(`nothing whole in ${LONGEST_FETCH_MS / 1000} s`)),
      LONGEST_FETCH_MS,
    );
    try {
      const response = await fetch(url, { signal: stop.signal });
      const isPage = response.headers.get('content-type')?.startsWith('text/html') === true; // dev servers answer so
      if (!response.ok || isPage)
        throw new WeightsFetchError(url, isPage ? 'a web page' : `status ${response.status}`);
      return await response.arrayBuffer();
    } catch (cause) {
      if (cause instanceof WeightsFetchError) throw cause;
      throw new WeightsFetchError(url, cause instanceof Error ? cause.message : String(cause), cause);
    } finally {
      clearTimeout(late);
    }
  };
