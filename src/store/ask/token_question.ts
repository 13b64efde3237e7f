/** What the engine is asked about one token of a row. Pure. */
import { tokenMeanWeight } from '../../algo/loss/penalties.ts';
import { rowTokens } from '../../algo/tree/tree.ts';
import type { KernelBatch, TokenQuestion } from '../../protocol/protocol.ts';
import type { NodeId, RunConfig } from '../../units.ts';
import { lossRowOf } from '../loss/loss_reading.ts';
import { recipeOf } from '../record/reading.ts';
import type { RunState, TreeState, UpdateState } from '../record/run_state.ts';

/**
 * Rows of a tree share a prediction where they share the tokens before it, so the gradient at its logits is the sum
 * over those rows of the mini-batch.
 * @param position in the leaf's row, prompt included, from 0
 * @returns null where the loss did not score that token
 */
export function tokenQuestion(
  config: RunConfig,
  update: UpdateState,
  tree: TreeState,
  leaf: NodeId,
  position: number,
): TokenQuestion | null {
  const prompt = tree.prompt.index;
  const found = lossRowOf(update, prompt, leaf);
  if (!found?.row.tokenIndex.includes(position)) return null;
  const { rows } = found.minibatch;
  const tokens = rowTokens(tree, leaf).tokens.slice(0, position + 1);
  const sharing = rows.flatMap((row) => {
    const scored = row.prompt === prompt ? row.tokenIndex.indexOf(position) : -1;
    if (scored < 0) return [];
    const own = rowTokens(tree, row.leaf).tokens;
    return tokens.every((token, index) => own[index] === token) ? [row.dlogProb[scored]] : [];
  });
  const scoredCount = rows.reduce((sum, { tokenIndex }) => sum + tokenIndex.length, 0);
  const { entropyCoefficient } = config.algorithm.loss;
  return {
    config,
    update: update.update,
    prompt,
    leaf,
    tokens,
    dlogProb: sharing.reduce((sum, dlogProb) => sum + dlogProb, 0),
    dentropy: -entropyCoefficient * tokenMeanWeight(scoredCount) * sharing.length + 0, // no −0
    readers: sharing.length,
  };
}

// The mini-batch that kernels are checked on: of the update on screen, else the newest whose loss is there. Pure.

export type { KernelBatch } from '../../protocol/protocol.ts';

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
  const config = recipeOf(run);
  if (!update || !config) return null;
  const filled = update.minibatches.filter(({ rows }) => rows.length > 0);
  const chosen = filled.find((entry) => entry.minibatch === minibatch) ?? filled[filled.length - 1];
  return { config, update: update.update, minibatch: chosen.minibatch, rows: chosen.rows };
}
