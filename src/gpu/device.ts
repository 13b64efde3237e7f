import type { ErrorReport, LabError } from '../units.ts';
import { firstToOpen, otherAdapter } from './adapters.ts';
import { AnswerWatch } from './answer_watch.ts';
import type { Courtesy } from './courtesy.ts';
import {
  DeviceLostError,
  GpuValidationError,
  NoAdapterError,
  NoWebGpuError,
  OutOfMemoryError,
} from './errors.ts';
import type { Shaping } from './kernel.ts';
import { MemoryLedger } from './memory.ts';

export type Numbers = Readonly<Record<string, number>>;

/** A dispatch as Program encodes it. */
export interface ObservedDispatch {
  readonly program: string;
  readonly kernel: string;
  readonly label: string;
  readonly params: Numbers;
  readonly shaping: Shaping;
  readonly sizes: Numbers;
  readonly groups: number; // workgroups
}

/** Told of every dispatch while it is attached to a Gpu. */
export interface DispatchObserver {
  /** Whether dispatches want passes of their own. */
  readonly separatePasses: boolean;
  /** @returns where the dispatch's pass writes its timestamps */
  see(dispatch: ObservedDispatch): GPUComputePassTimestampWrites | undefined;
}

export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly software: boolean; // runs on the CPU
}

/** An open device and all that is known about it. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  /** What the adapter was asked for with; of the two kinds, the wanted one where `refused` is null. */
  readonly powerPreference: GPUPowerPreference;
  /** Why the wanted kind of adapter could not be opened; null where it is this one. */
  readonly refused: ErrorReport | null;
  /** The adapter of the other kind; null where the browser has the same one for both. */
  otherAdapter(): Promise<AdapterDescription | null>;
  readonly limits: GPUSupportedLimits;
  readonly features: GPUSupportedFeatures;
  readonly memory: MemoryLedger;
  /** Who is told of every dispatch: profiler.ts, for the length of a profile; null costs nothing. */
  readonly profiling: { observer: DispatchObserver | null };
  /** Workgroup shapes by kernel, where another than the kernel's own is faster here: autotune.ts. */
  readonly tuning: Map<string, Shaping>;
  /** Kernels whose card twins are no faster here: autotune.ts. */
  readonly declined: Set<string>;
  /** Holds results back while a person acts; absent where nobody does. */
  readonly courtesy?: Courtesy | undefined;
  /** Resolves (never rejects) when the device is gone (DeviceLostError; reason 'destroyed' after close()) or given up. */
  readonly lost: Promise<LabError>;
  /** Whether it owes an answer. */
  readonly answers: AnswerWatch;
  /**
   * Takes a device that does not answer for lost: `lost` gives this error. It is not destroyed before it has ended what
   * it computes, since Chromium waits for that end in the one thread that serves all devices of all pages.
   */
  giveUp(error: LabError): void;
  close(): void;
}

export interface OpenGpuOptions {
  /** Stands in for navigator.gpu; null = a browser without WebGPU. */
  readonly gpu?: GPU | null;
  /** The kind of adapter that is wanted, 'high-performance' by default; where it cannot be opened, the other is. */
  readonly powerPreference?: GPUPowerPreference;
  /** Asks for 'timestamp-query' where the adapter has it. */
  readonly timestamps?: boolean;
  /** false does without subgroups, to test and to time the kernels that every device runs. */
  readonly subgroups?: boolean;
  /** false keeps WebGPU's default limits, to test that they are enough. */
  readonly raiseLimits?: boolean;
  readonly courtesy?: Courtesy;
  /** Called with errors that no error scope caught. */
  readonly onError?: (error: LabError) => void;
}

const RAISED: readonly ('maxBufferSize' | 'maxStorageBufferBindingSize')[] = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
];

/**
 * Opens the wanted kind of adapter, as far as the browser heeds the wish. Buffers may be as large as the adapter allows; all else stays at
 * WebGPU's default limits, which suffice.
 * @throws NoWebGpuError; NoAdapterError where neither kind can be opened
 */
export async function openGpu(options: OpenGpuOptions = {}): Promise<Gpu> {
  const gpu = options.gpu === undefined ? globalThis.navigator?.gpu : options.gpu;
  if (!gpu) throw new NoWebGpuError('openGpu');
  const wanted = options.powerPreference ?? 'high-performance';
  const { adapter, device, powerPreference, refused } = await firstToOpen(wanted, async (power) => {
    const adapter = await requestAdapter(gpu, power);
    return { adapter, device: await requestDevice(adapter, features(gpu, adapter, options), options) };
  });
  const describe = ({ info }: GPUAdapter): AdapterDescription =>
    describeAdapter(info, globalThis.navigator?.userAgent ?? '');
  let giveUp: Gpu['giveUp'] = () => undefined;
  const lost = Promise.race([
    device.lost.then((info): LabError => new DeviceLostError('WebGPU device', info.reason, info.message)),
    new Promise<LabError>((resolve) => (giveUp = resolve)),
  ]);
  const opened = {
    device,
    ...{ adapter: describe(adapter), powerPreference, refused },
    async otherAdapter() {
      const other = await otherAdapter(gpu, adapter, powerPreference);
      return other && describe(other);
    },
    limits: device.limits,
    features: device.features,
    lost,
  };
  const memory = new MemoryLedger();
  reportUncaptured(device, memory, options.onError);
  return {
    ...opened,
    memory,
    profiling: { observer: null },
    tuning: new Map(),
    declined: new Set(),
    courtesy: options.courtesy,
    answers: new AnswerWatch(),
    giveUp(error) {
      givenUp.add(device);
      giveUp(error);
      const free = (): void => {
        givenUp.delete(device);
        device.destroy();
      };
      device.queue.onSubmittedWorkDone().then(free, free);
    },
    close: () => device.destroy(),
  };
}

/** Kept, since a device that nobody holds is destroyed. */
const givenUp = new Set<GPUDevice>();

async function requestAdapter(gpu: GPU, powerPreference: GPUPowerPreference): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference });
  } catch (cause) {
    throw new NoAdapterError('requestAdapter', cause);
  }
  if (!adapter) throw new NoAdapterError('requestAdapter');
  return adapter;
}

/** Optional features to ask for; subgroups only with the builtin that places a lane in its workgroup. */
function features(
  gpu: GPU,
  adapter: GPUAdapter,
  { timestamps, subgroups }: OpenGpuOptions,
): GPUFeatureName[] {
  const language: ReadonlySet<string> | undefined = gpu.wgslLanguageFeatures; // absent in older browsers
  const wanted: GPUFeatureName[] = [];
  if (timestamps === true) wanted.push('timestamp-query');
  if (subgroups !== false && language?.has('subgroup_id')) wanted.push('subgroups');
  return wanted.filter((name) => adapter.features.has(name));
}

async function requestDevice(
  adapter: GPUAdapter,
  requiredFeatures: GPUFeatureName[],
  options: OpenGpuOptions,
): Promise<GPUDevice> {
  const raise = options.raiseLimits ?? true;
  const requiredLimits = raise ? Object.fromEntries(RAISED.map((name) => [name, adapter.limits[name]])) : {};
  try {
    return await adapter.requestDevice({ label: 'turnwise', requiredLimits, requiredFeatures });
  } catch (cause) {
    throw new NoAdapterError('requestDevice', cause);
  }
}

/** Browsers that keep an adapter's names to themselves, and what is known all the same: whose implementation it is. */
const NAMELESS: readonly (readonly [RegExp, string])[] = [
  [/Firefox\//, 'Firefox’s wgpu'],
  [/AppleWebKit\/(?!.*Chrom)/, 'WebKit'],
];

/** @param userAgent names an adapter without a name */
export function describeAdapter(info: GPUAdapterInfo, userAgent: string): AdapterDescription {
  const { vendor, architecture, description } = info;
  const text = `${vendor} ${architecture} ${description}`;
  const fallback = (info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true; // absent in older browsers
  const engine = text.trim() === '' && NAMELESS.find(([browser]) => browser.test(userAgent))?.[1];
  return {
    vendor,
    architecture,
    description: engine || description,
    software: fallback || /swiftshader|llvmpipe|lavapipe|basic render/i.test(text),
  };
}

function reportUncaptured(device: GPUDevice, memory: MemoryLedger, onError: OpenGpuOptions['onError']): void {
  device.addEventListener('uncapturederror', (event) => {
    const { error } = event;
    const memoryRanOut = typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError;
    const report = memoryRanOut
      ? new OutOfMemoryError('WebGPU device', 0, memory.totalBytes, error)
      : new GpuValidationError('WebGPU device', error.message, error);
    if (onError) onError(report);
    else console.error(report.message);
  });
}

const NOTHING = (): undefined => undefined;

// A device on paper: it keeps the ledger of what would be allocated and allocates nothing. Whatever creates its buffers through
// BufferOwner can be asked what it needs before a device is asked for it, by the same code.

/** A Gpu for BufferOwner alone: programs cannot be built on it. Buffers of any size are granted. */
export function paperGpu(): Gpu {
  const device = {
    createBuffer: ({ label, size }: GPUBufferDescriptor) => ({ label, size, destroy: NOTHING }),
    pushErrorScope: NOTHING,
    popErrorScope: () => Promise.resolve(null),
    queue: { writeBuffer: NOTHING },
  };
  return {
    device: device as unknown as GPUDevice, // what BufferOwner and upload() use of one
    adapter: { vendor: '', architecture: '', description: 'paper', software: true },
    ...{ powerPreference: 'high-performance', refused: null, otherAdapter: () => Promise.resolve(null) },
    limits: { maxBufferSize: Infinity, maxStorageBufferBindingSize: Infinity } as GPUSupportedLimits,
    features: new Set() as unknown as GPUSupportedFeatures,
    memory: new MemoryLedger(),
    profiling: { observer: null },
    tuning: new Map(),
    declined: new Set(),
    lost: new Promise(NOTHING),
    answers: new AnswerWatch(),
    giveUp: NOTHING,
    close: NOTHING,
  };
}
