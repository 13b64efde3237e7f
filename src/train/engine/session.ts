/** What the engine keeps of the run that is open. */
import type { RunConfig } from '../../units.ts';
import type { RunCommand } from '../../protocol/protocol.ts';
import type { Checkpoint } from '../run/checkpoint.ts';
import type { Transport } from '../run/gates.ts';
import type { Settled } from '../run/memory.ts';
import type { Policies } from '../run/update.ts';

/** What a run was opened with; `reset` opens it again. */
export interface Opened {
  readonly config: RunConfig;
  readonly bytes: ArrayBuffer | null; // weights loaded by hand, in place of config.weights
  readonly checkpoint: Checkpoint | null; // that the run goes on from; it needs no weights
}

export interface Session extends Policies {
  readonly transport: Transport;
  profiles: number; // updates still to be profiled
  checkSteps: number | null; // the first update whose steps may be checked; null: none
  settled: Settled | null; // where the run last stood between two updates
  checkpointAsked: boolean; // for when it next does
  saving: Promise<void>; // of the last checkpoint; never rejects
  done: Promise<void>; // never rejects
}

/** Commands that only a run can carry out. */
export const OF_A_RUN: ReadonlySet<RunCommand['kind']> = new Set([
  'play',
  'pause',
  'step-update',
  'step-phase',
  'profile',
  'check-steps',
  'save-checkpoint',
]);
