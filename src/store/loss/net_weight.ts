/**
 * The net weight of a token that rows of a tree share: it is computed once, and counted in every row that holds it.
 * Rows share a token where all tokens up to it are the same (src/algo/batch/pack.ts), whichever turns they come from. Pure.
 */
import type { LossConfig, NodeId } from '../../units.ts';
import { isDead, pathTo } from '../record/reading.ts';
import type { MinibatchState, TreeState } from '../record/run_state.ts';
import { lossTokens, type LossToken } from './loss_reading.ts';

/** One row that counts the token. */
export interface RowShare {
  readonly leaf: NodeId;
  readonly weight: number; // 1 / (B·n_i) of the row
  readonly advantage: number; // that the loss sees there
  readonly signed: number; // weight · advantage
  readonly dlogProb: number; // ∂loss/∂logProb of the token in this row
}

export interface NetWeight {
  readonly rows: readonly RowShare[]; // in row order
  readonly rowsOfTree: number; // in this mini-batch
  readonly weight: number; // Σ weight
  readonly signed: number; // Σ weight·advantage
  readonly dlogProb: number; // Σ ∂loss/∂logProb: what reaches the one computed log-probability
}

/** Token ids of a leaf's row, prompt included. */
const rowTokens = (tree: TreeState, leaf: NodeId): readonly number[] => [
  ...tree.prompt.tokens,
  ...pathTo(tree, leaf).flatMap(({ tokens }) => tokens),
];

const sum = (rows: readonly RowShare[], term: (row: RowShare) => number): number =>
  rows.reduce((total, row) => total + term(row), 0);

/** @param position of the token in the row of `leaf`, prompt included, from 0 */
export function netWeight(
  minibatch: MinibatchState,
  tree: TreeState,
  leaf: NodeId,
  position: number,
  config: LossConfig,
): NetWeight {
  const prefix = rowTokens(tree, leaf).slice(0, position + 1);
  const ofTree = minibatch.rows.filter(({ prompt }) => prompt === tree.prompt.index);
  const rows = ofTree.flatMap((row): RowShare[] => {
    const other = rowTokens(tree, row.leaf);
    if (prefix.some((token, at) => other[at] !== token)) return [];
    const token = lossTokens(row, minibatch, config).find((entry) => entry.position === position);
    if (!token) return [];
    const { weight, advantage, dlogProb } = token;
    return [{ leaf: row.leaf, weight, advantage, signed: weight * advantage, dlogProb }];
  });
  return {
    rows,
    rowsOfTree: ofTree.length,
    weight: sum(rows, ({ weight }) => weight),
    signed: sum(rows, ({ signed }) => signed),
    dlogProb: sum(rows, ({ dlogProb }) => dlogProb),
  };
}

// Why a token of a path carries no loss, or a trained-on token no push. Pure.

export const MASK_REASONS = ['prompt', 'environment', 'retrieved', 'cut', 'dropped', 'unused'] as const;
export type MaskReason = (typeof MASK_REASONS)[number];

/**
 * Why the token at a position of a leaf's path is in no loss.
 * @param scored whether the leaf has a row in a mini-batch
 * @param contextLength tokens of prompt and response together: rows are cut there
 */
export function maskReason(
  tree: TreeState,
  leaf: NodeId,
  position: number,
  scored: boolean,
  contextLength: number,
): MaskReason {
  const promptLength = tree.prompt.tokens.length;
  if (position < promptLength) return 'prompt';
  let start = promptLength;
  for (const { tokens, mask, retrieved, lastGenerationLength } of pathTo(tree, leaf)) {
    const place = position - start;
    start += tokens.length;
    if (place >= tokens.length) continue;
    if (mask[place] === 0)
      return retrieved && place >= tokens.length - lastGenerationLength ? 'retrieved' : 'environment';
    if (tree.dropped) return 'dropped';
    return scored && position >= contextLength ? 'cut' : 'unused';
  }
  return 'cut'; // beyond the end of the path
}

export const SILENCES = ['clip', 'format-mask', 'dead', 'zero-advantage', 'no-loss'] as const;
export type Silence = (typeof SILENCES)[number];

/**
 * Why a trained-on token gets no push; null where it gets one.
 * @param credited its advantage before the format mask
 */
export function silenceOf(
  { dlogProb, clipState, advantage }: LossToken,
  tree: TreeState,
  config: LossConfig,
  credited: number,
): Silence | null {
  if (dlogProb !== 0) return null;
  if (clipState !== 0) return 'clip';
  if (config.surrogate !== 'clip' && config.surrogate !== 'gate') return 'no-loss';
  if (advantage !== 0) return 'no-loss'; // rounded away
  if (config.formatMask && credited < 0) return 'format-mask';
  return isDead(tree) ? 'dead' : 'zero-advantage';
}
