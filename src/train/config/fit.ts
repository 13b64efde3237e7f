/**
 * Whether a run fits into a device, before any of it is allocated, and if not: what it needs, what there is, and which
 * setting brings it down.
 */
import { grownRows } from '../../algo/catalogue/defaults.ts';
import { needsReference, needsRewardModel, signalsRead } from '../../algo/credit/signals.ts';
import type { Gpu } from '../../gpu/device.ts';
import { footprint, type Footprint, type PolicyCapacities } from '../../model/footprint.ts';
import { placeLimit } from '../../model/kv_cache.ts';
import type { Capacity } from '../../model/microbatches.ts';
import { trainingLimit } from '../../model/policy.ts';
import { SAMPLING_LIMIT } from '../../model/sampling.ts';
import type { AlgorithmConfig, RunConfig } from '../../units.ts';
import { DoesNotFitError } from '../engine/errors.ts';
import { REFERENCE_SAMPLES } from '../run/signals.ts';
import { environmentNamed, withSetting } from './config.ts';

// How much a run's policies compute at once, at most: what is checked before a run is what is then allocated.

/** The two limits that every adapter states. Total memory is stated by none. */
export type BufferLimits = Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>;

/** Those of the policy that is trained, which samples too. */
type RunCapacities = PolicyCapacities & { readonly sampling: NonNullable<PolicyCapacities['sampling']> };

/** Whether only the rows of mini-batches are packed: no pairs of turns, no signal measured over the whole update. */
function packsMinibatchesOnly({ loss, credit }: AlgorithmConfig): boolean {
  const { belief, stepReward } = signalsRead(credit.advantageRule);
  return loss.surrogate !== 'preference' && belief === null && stepReward !== 'implicit';
}

/** Rows of a mini-batch as long as the context, none sharing a prefix; within what a micro-batch may hold. */
function trainingCapacity(config: RunConfig, leaves: number, contextLength: number): Capacity {
  const most = trainingLimit();
  if (!packsMinibatchesOnly(config.algorithm)) return most;
  const rowTokens = config.promptsPerMinibatch * leaves * contextLength;
  return {
    tokens: Math.min(rowTokens, most.tokens),
    predicted: Math.min(rowTokens, most.predicted),
    scored: Math.min(rowTokens, most.scored),
  };
}

/** The most that a run can ask for: every row as long as the context, no prefix shared. */
export function capacitiesOf(config: RunConfig, limits: BufferLimits): RunCapacities {
  const { contextLength } = environmentNamed(config.environment);
  const { algorithm, promptsPerUpdate, evaluation } = config;
  const leaves = Math.max(algorithm.rollout.leavesPerTree, grownRows(algorithm.rollout));
  const samples = signalsRead(algorithm.credit.advantageRule).baseline === 'optimal' ? REFERENCE_SAMPLES : 0;
  const rows = Math.max(promptsPerUpdate * Math.max(leaves, samples), evaluation.questions);
  const mostPlaces = placeLimit(limits, config.model, contextLength);
  return {
    contextLength,
    training: trainingCapacity(config, leaves, contextLength),
    sampling: {
      rows: Math.min(rows * contextLength, SAMPLING_LIMIT.prefillRows),
      sampledRows: Math.min(rows, SAMPLING_LIMIT.sampledRows),
      places: Math.min(rows * contextLength, mostPlaces),
    },
  };
}

/** Device memory that a run asks for at most, the networks that some algorithms keep beside the policy included. */
export async function runFootprint(config: RunConfig, limits: BufferLimits): Promise<Footprint> {
  const capacities = capacitiesOf(config, limits);
  const own = await footprint(config.model, capacities);
  const { algorithm } = config;
  const samples = signalsRead(algorithm.credit.advantageRule).baseline === 'optimal';
  const beside: (readonly [string, Footprint])[] = [];
  if (needsReference(algorithm)) {
    const sampling = samples ? capacities.sampling : null;
    beside.push(['reference policy', await footprint(config.model, { ...capacities, sampling })]);
  }
  if (needsRewardModel(algorithm)) {
    beside.push(['reward model', await footprint(config.model, { ...capacities, sampling: null })]);
  }
  return {
    bytes: beside.reduce((sum, [, { bytes }]) => sum + bytes, own.bytes),
    byOwner: { ...own.byOwner, ...Object.fromEntries(beside.map(([name, { bytes }]) => [name, bytes])) },
    largest: own.largest,
  };
}

interface Room {
  readonly bufferBytes: number;
  readonly totalBytes: number; // Infinity: unknown
}

const fits = ({ bytes, largest }: Footprint, room: Room): boolean =>
  largest.bytes <= room.bufferBytes && bytes <= room.totalBytes;

const below = (value: number, step: number): readonly number[] =>
  Array.from({ length: Math.max(0, Math.ceil(value / step) - 1) }, (_, n) => step * (n + 1));

/** A run that starts from weights has their sizes and no others. */
const sizesBelow = ({ weights }: RunConfig, value: number, step: number): readonly number[] =>
  weights === null ? below(value, step) : [];

/** Settings that memory follows, the least painful first, each with the values it may be lowered to, ascending. */
const KNOBS: readonly (readonly [path: string, values: (config: RunConfig) => readonly number[]])[] = [
  ['promptsPerUpdate', (config) => below(config.promptsPerUpdate, config.promptsPerMinibatch)],
  [
    'promptsPerMinibatch',
    (config) => below(config.promptsPerMinibatch, 1).filter((value) => config.promptsPerUpdate % value === 0),
  ],
  ['model.hidden', (config) => sizesBelow(config, config.model.hidden, 4)],
  ['model.layers', (config) => sizesBelow(config, config.model.layers, 1)],
  ['model.channels', (config) => sizesBelow(config, config.model.channels, 4)],
];

/** The highest value of each setting alone that makes the run fit, best setting first. */
async function remedies(config: RunConfig, limits: BufferLimits, room: Room): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [path, valuesOf] of KNOBS) {
    const values = valuesOf(config);
    let low = 0; // values below fit
    let high = values.length; // values from here on do not
    while (low < high) {
      const middle = (low + high) >> 1;
      const need = await runFootprint(withSetting(config, path, values[middle]), limits);
      if (fits(need, room)) low = middle + 1;
      else high = middle;
    }
    if (low > 0) found.push(`${path} to ${values[low - 1]}`);
  }
  return found;
}

const TRIAL_FROM = 256 * 2 ** 20; // bytes; less than this every device has
const TRIAL_PIECE = 128 * 2 ** 20;

/** How much of `bytes` the device grants, by asking for it and giving it back. */
export async function grantedBytes({ device, limits }: Gpu, bytes: number): Promise<number> {
  const piece = Math.min(TRIAL_PIECE, limits.maxBufferSize);
  const buffers: GPUBuffer[] = [];
  let granted = 0;
  try {
    while (granted < bytes) {
      const size = Math.ceil(Math.min(piece, bytes - granted) / 16) * 16;
      device.pushErrorScope('out-of-memory');
      buffers.push(device.createBuffer({ label: 'trial of memory', size, usage: GPUBufferUsage.STORAGE }));
      if (await device.popErrorScope()) break;
      granted += size;
    }
    return Math.min(granted, bytes);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/**
 * Checks a run against the limits of buffers.
 * @throws DoesNotFitError with what is needed, what there is, and the settings that bring it down
 */
export async function checkBuffers(limits: BufferLimits, config: RunConfig): Promise<Footprint> {
  const room = roomOf(limits);
  const need = await runFootprint(config, limits);
  if (fits(need, room)) return need;
  const limit = room.bufferBytes === limits.maxBufferSize ? 'maxBufferSize' : 'maxStorageBufferBindingSize';
  throw new DoesNotFitError({
    need: need.bytes,
    where: `${need.largest.owner}, ${need.largest.label}`,
    got: { bytes: need.largest.bytes, text: 'in one buffer' },
    wanted: { bytes: room.bufferBytes, text: `per buffer (${limit})` },
    remedies: await remedies(config, limits, room),
  });
}

const roomOf = ({ maxBufferSize, maxStorageBufferBindingSize }: BufferLimits): Room => ({
  bufferBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
  totalBytes: Infinity,
});

/**
 * Checks a run against the limits of buffers and, where it is large, against what the device grants.
 * @throws DoesNotFitError
 */
export async function checkFits(gpu: Gpu, config: RunConfig): Promise<Footprint> {
  const need = await checkBuffers(gpu.limits, config);
  if (need.bytes < TRIAL_FROM) return need;
  const granted = await grantedBytes(gpu, need.bytes);
  if (granted >= need.bytes) return need;
  throw new DoesNotFitError({
    need: need.bytes,
    where: 'device memory',
    got: { bytes: need.bytes, text: 'in all' },
    wanted: { bytes: granted, text: 'as the device grants' },
    remedies: await remedies(config, gpu.limits, { ...roomOf(gpu.limits), totalBytes: granted }),
  });
}
