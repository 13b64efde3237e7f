/** How much a run's policies compute at once, at most: what is checked before a run is what is then allocated. */
import { grownRows } from '../algo/scale.ts';
import { signalsRead } from '../algo/signals.ts';
import type { PolicyCapacities } from '../model/footprint.ts';
import { placeLimit } from '../model/kv_cache.ts';
import type { Capacity } from '../model/microbatches.ts';
import { trainingLimit } from '../model/policy.ts';
import { SAMPLING_LIMIT } from '../model/sampling.ts';
import type { AlgorithmConfig, RunConfig } from '../units.ts';
import { environmentNamed } from './config.ts';
import { REFERENCE_SAMPLES } from './stages/signals.ts';

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
