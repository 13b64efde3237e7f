/** What the engine says of its run when an update is over, for whoever writes it down. */
import type { RunEvent } from './protocol.ts';

export interface SettledUpdate {
  readonly update: number; // 0: what stands before the first
  readonly events: readonly RunEvent[]; // since the update before
  readonly checkpoint: Uint8Array<ArrayBuffer> | null; // where the run stands after it
}

export interface SettledMessage extends SettledUpdate {
  readonly id: string; // of the run, a UUID
}
