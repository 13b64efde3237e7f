/** Everything that a run needs to go on: where it stands between two updates, and the state of each of its networks. */
import type { PolicyState, RunConfig } from '../../units.ts';
import type { Settled } from './memory.ts';
import type { Policies } from './update.ts';

/** By network, in the order of files. */
export const NETWORKS = ['policy', 'reference', 'rewardModel'] as const satisfies readonly (keyof Policies)[];
export type NetworkStates = Readonly<Record<keyof Policies, PolicyState | null>>; // null where the run has none

export interface Checkpoint extends Settled {
  readonly config: RunConfig;
  readonly networks: NetworkStates;
}

/**
 * Takes a checkpoint of a run that stands between two updates. The device copies in its turn, so the run may go on at once.
 * @throws DeviceLostError
 */
export async function takeCheckpoint(
  config: RunConfig,
  policies: Policies,
  { update, memory }: Settled,
): Promise<Checkpoint> {
  const states = await Promise.all(NETWORKS.map(async (name) => (await policies[name]?.readState()) ?? null));
  const networks = Object.fromEntries(NETWORKS.map((name, n) => [name, states[n]])) as NetworkStates; // one for each
  return { config, update, memory, networks };
}

/**
 * Puts the networks of a checkpoint in the place of the run's own; then the run is trained from the checkpoint on.
 * @throws PolicyStateError where they are of another model
 */
export async function restore(policies: Policies, { networks }: Checkpoint): Promise<void> {
  for (const name of NETWORKS) {
    const state = networks[name];
    if (state) await policies[name]?.writeState(state);
  }
}
