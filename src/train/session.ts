/** What the engine keeps of the run that is open. */
import type { RunConfig, TrainablePolicy } from '../units.ts';
import type { Transport } from './transport.ts';

/** What a run was opened with; `reset` opens it again. */
export interface Opened {
  readonly config: RunConfig;
  readonly bytes: ArrayBuffer | null; // weights loaded by hand, in place of config.weights
}

/** As in Run. */
export interface Policies {
  readonly policy: TrainablePolicy;
  readonly reference: TrainablePolicy | null;
  readonly rewardModel: TrainablePolicy | null;
}

export interface Session extends Policies {
  readonly transport: Transport;
  profiles: number; // updates still to be profiled
  checkSteps: number | null; // the first update whose steps may be checked; null: none
  done: Promise<void>; // never rejects
}
