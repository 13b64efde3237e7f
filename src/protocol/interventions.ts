/**
 * A person grows turns in a copy of a tree. The engine samples and scores them; the run, its log and its training go on
 * as if nobody had asked.
 */
import type { ByHand } from '../algo/rollouts/by_hand.ts';
import type { RunConfig, TurnNode } from '../units.ts';
import type { RunStatus } from './log.ts';
import type { AskedParameters } from './inspection.ts';

export interface InterventionQuestion extends ByHand {
  readonly config: RunConfig; // of the run that the tree comes from
  readonly update: number; // of the tree
  readonly node: number; // NodeId in the copy; with `seed` it names the random numbers
  readonly seed: number; // uint32; the same question with the same seed gets the same words
}

/** How far the policy was trained that wrote the new words. */
export interface AskedPolicy {
  readonly parameters: AskedParameters;
  readonly update: number; // last update begun when it was asked; 0 for the run's first parameters
  readonly stepped: boolean; // steps of that update were taken already, or may have been
  readonly status: RunStatus;
}

export interface InterventionAnswer {
  readonly first: number; // id of the first new node; a smaller parent stands on the path
  readonly nodes: readonly TurnNode[]; // the new ones, ids in order; children are new nodes
  readonly rewards: readonly (number | null)[]; // of these; null where no path ends
  readonly policy: AskedPolicy;
  readonly ms: number;
}
