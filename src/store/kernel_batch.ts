/** The mini-batch that kernels are checked on: of the update on screen, else the newest whose loss is there. Pure. */
import type { KernelBatch } from '../train/protocol.ts';
import type { RunState, UpdateState } from './run_state.ts';

export type { KernelBatch } from '../train/protocol.ts';

const hasRows = (update: UpdateState | undefined): update is UpdateState =>
  update?.minibatches.some(({ rows }) => rows.some(({ tokenIndex }) => tokenIndex.length > 0)) ?? false;

/** @param selected update under the cursor; null: the newest */
export function updateWithLoss({ updates }: RunState, selected: number | null): UpdateState | null {
  const chosen = selected === null ? undefined : updates[selected - 1];
  return hasRows(chosen) ? chosen : (updates.findLast(hasRows) ?? null);
}

/** @param minibatch from 0; the update's last where it has no such one */
export function kernelBatch(
  run: RunState,
  selected: number | null,
  minibatch: number | null,
): KernelBatch | null {
  const update = updateWithLoss(run, selected);
  if (!update || !run.header) return null;
  const filled = update.minibatches.filter(({ rows }) => rows.length > 0);
  const chosen = filled.find((entry) => entry.minibatch === minibatch) ?? filled[filled.length - 1];
  return { config: run.header.config, update: update.update, minibatch: chosen.minibatch, rows: chosen.rows };
}
