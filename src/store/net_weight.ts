/**
 * The net weight of a token that rows of a tree share: it is computed once, and counted in every row that holds it.
 * Rows share a token where all tokens up to it are the same (src/algo/pack.ts), whichever turns they come from. Pure.
 */
import type { LossConfig, NodeId } from '../units.ts';
import { lossTokens } from './loss_reading.ts';
import { pathTo } from './reading.ts';
import type { MinibatchState, TreeState } from './run_state.ts';

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
