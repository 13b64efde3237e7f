/** Runs that are trained from a checkpoint or from the start, on any backend, with every clock at 0. */
import { needsReference, needsRewardModel } from '../../src/algo/credit/signals.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { environmentNamed } from '../../src/train/config/config.ts';
import type { Backend } from '../../src/train/engine/engine.ts';
import { NETWORKS, restore, takeCheckpoint, type Checkpoint } from '../../src/train/run/checkpoint.ts';
import { RunStopped, Gates } from '../../src/train/run/gates.ts';
import { train } from '../../src/train/run/run.ts';
import type { Policies } from '../../src/train/run/update.ts';
import type { RunConfig } from '../../src/units.ts';

export interface TrainedRun {
  readonly events: readonly RunEvent[];
  readonly checkpoints: readonly Checkpoint[];
}

export interface TrainingPlan {
  readonly weights?: ArrayBuffer | null;
  readonly from?: Checkpoint; // absent: from the start
  readonly at?: readonly number[]; // updates after which checkpoints are taken; none by default
  readonly until?: number; // the run is stopped after this update
}

/** Trains a run, its policies made by the backend. */
export async function trainedRun(
  backend: Backend,
  config: RunConfig,
  { weights = null, from, at = [], until }: TrainingPlan = {},
): Promise<TrainedRun> {
  const environment = environmentNamed(config.environment);
  const request = { config, weights, environment };
  const policies: Policies = {
    policy: await backend.createPolicy(request),
    reference: needsReference(config.algorithm) ? await backend.createPolicy(request) : null,
    rewardModel: needsRewardModel(config.algorithm) ? await backend.createPolicy(request) : null,
  };
  if (from) await restore(policies, from);
  const events: RunEvent[] = [];
  const taken: Promise<Checkpoint>[] = [];
  const transport = new Gates(() => undefined);
  transport.play();
  const run = {
    ...policies,
    ...{ config, environment, transport },
    post: (event: RunEvent) => void events.push(event),
    now: () => 0,
    onSettled: (standing: { readonly update: number; readonly memory: Checkpoint['memory'] }) => {
      if (at.includes(standing.update)) taken.push(takeCheckpoint(config, policies, standing));
      if (standing.update === until) transport.stop();
    },
  };
  await train(run, from).catch((error: unknown) => {
    if (!(error instanceof RunStopped)) throw error;
  });
  const checkpoints = await Promise.all(taken);
  for (const name of NETWORKS) policies[name]?.dispose();
  return { events, checkpoints };
}

/** What a run's log says after an update is over. */
export const eventsAfter = (events: readonly RunEvent[], update: number): readonly RunEvent[] =>
  events.filter((event) => 'update' in event && event.update > update);
