/** What the stages of an update share: the run, what it remembers from update to update, and its phases. */
import type { RolloutObserver } from '../../algo/rollouts/turn_tree.ts';
import type {
  Environment,
  Grade,
  NodeTable,
  RandomKey,
  RolloutTree,
  RunConfig,
  SamplingConfig,
  TrainablePolicy,
} from '../../units.ts';
import type { UpdateProfiler } from '../engine/profile.ts';
import type { HeldOutAnswers, Phase, ProfiledUpdate, RunEvent, StepCheck } from '../../protocol/protocol.ts';
import type { Gates } from './gates.ts';
import type { RunMemory, Settled } from './memory.ts';

/** The networks of a run. */
export interface Policies {
  readonly policy: TrainablePolicy; // the one that is trained
  /** The policy before training; null where the algorithm never asks for it (needsReference). */
  readonly reference: TrainablePolicy | null;
  /** iStar's second network, which starts as the policy does; null elsewhere (needsRewardModel). */
  readonly rewardModel: TrainablePolicy | null;
}

/** A profile that was begun, and who is told of it. */
export interface Profiling {
  readonly profiler: UpdateProfiler;
  readonly tell: (profile: ProfiledUpdate) => void;
}

export interface Run extends Policies {
  readonly config: RunConfig;
  readonly environment: Environment;
  readonly transport: Gates;
  readonly post: (event: RunEvent) => void;
  readonly now: () => number; // ms; only *Ms metrics and profiles read it
  /** A profile of the update about to begin, where one was asked for. */
  readonly startProfile?: (update: number) => Profiling | null;
  /** Who is told of the check of this update's steps; null where nobody asked for it. */
  readonly takeStepCheck?: (update: number) => ((check: StepCheck) => void) | null;
  readonly tellAnswers?: (answers: HeldOutAnswers) => void;
  /** Told where the run stands after each update, its evaluations done, before the next: checkpoints are taken here. */
  readonly onSettled?: (standing: Settled) => void;
}

/** One update of a run. */
export interface Update {
  readonly run: Run;
  readonly update: number;
  readonly key: RandomKey;
  readonly memory: RunMemory; // as the update found it
}

/** A prompt's rows, scored. */
export interface Group {
  readonly tree: RolloutTree;
  readonly rewards: NodeTable<number | null>; // null where the node is not a leaf
  readonly grades: readonly Grade[]; // in row order
}

/** Posts the phase, does its work, and pauses after it if a single phase was asked for. */
export async function phase<T>({ run, update }: Update, name: Phase, work: () => T | Promise<T>): Promise<T> {
  await run.transport.beginPhase(name);
  run.post({ kind: 'phase', update, phase: name });
  const result = await work();
  run.transport.endPhase();
  return result;
}

/** Lets a run pause and stop between rounds of sampling. */
export const gateRounds = ({ transport }: Run): RolloutObserver => ({
  onRound: () => transport.gate(),
  signal: transport.signal,
});

export const samplingOf = ({ config, environment }: Run): SamplingConfig => ({
  temperature: config.temperature,
  stopTokens: environment.stopTokens,
});
