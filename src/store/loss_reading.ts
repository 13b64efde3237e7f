/** What the Loss view asks of a row: per turn and per token, the numbers the trainer used. Pure. */
import { clipStateOf } from '../algo/loss.ts';
import type { LossRow } from '../train/protocol.ts';
import type { ClipState, LossConfig, NodeId } from '../units.ts';
import type { MinibatchState, TreeState, UpdateState } from './run_state.ts';
import { pathTo } from './reading.ts';

/** One trained-on token of a row. */
export interface LossToken {
  readonly index: number; // among the row's scored tokens
  readonly position: number; // in the row, prompt included, from 0
  readonly turn: number; // turn in the row
  readonly oldLogProb: number; // nats
  readonly logProb: number; // nats
  readonly logRatio: number; // nats
  readonly entropy: number; // nats
  readonly advantage: number;
  readonly weight: number; // 1 / (B·n_i)
  readonly tokenLoss: number; // before weighting
  readonly dlogProb: number; // ∂loss/∂logProb
}

/** One turn of a row: a maximal run of trained-on tokens. */
export interface LossTurn {
  readonly turn: number;
  readonly node: NodeId | null; // the node its first token belongs to
  readonly tokens: readonly LossToken[];
  readonly turnLogRatio: number; // nats, mean over the turn
  readonly turnRatio: number; // e^min(turnLogRatio, cap)
  readonly advantage: number; // of its first token; constant in the turn under all node rules
  readonly clipState: ClipState;
}

export interface LossReading {
  readonly minibatch: MinibatchState;
  readonly row: LossRow;
  readonly turns: readonly LossTurn[];
  readonly loss: number; // Σ weight·tokenLoss of this row
}

/** The mini-batch and row of a leaf, or null while the update has not come so far. */
export function lossRowOf(
  update: UpdateState,
  prompt: number,
  leaf: NodeId,
): { readonly minibatch: MinibatchState; readonly row: LossRow } | null {
  for (const minibatch of update.minibatches) {
    const row = minibatch.rows.find((entry) => entry.prompt === prompt && entry.leaf === leaf);
    if (row) return { minibatch, row };
  }
  return null;
}

const tokenAt = (row: LossRow, index: number): LossToken => ({
  index,
  position: row.tokenIndex[index],
  turn: row.turnIndex[index],
  oldLogProb: row.oldLogProb[index],
  logProb: row.logProb[index],
  logRatio: row.logProb[index] - row.oldLogProb[index],
  entropy: row.entropy[index],
  advantage: row.advantage[index],
  weight: row.weight[index],
  tokenLoss: row.tokenLoss[index],
  dlogProb: row.dlogProb[index],
});

/** The node whose tokens cover a position of the leaf's row. */
export function nodeAt(tree: TreeState, leaf: NodeId, position: number): NodeId | null {
  let end = tree.prompt.tokens.length;
  for (const node of pathTo(tree, leaf)) {
    end += node.tokens.length;
    if (position < end) return node.id;
  }
  return null;
}

/** Everything the Loss view shows of one leaf's row. */
export function readLoss(
  update: UpdateState,
  tree: TreeState,
  leaf: NodeId,
  config: LossConfig,
): LossReading | null {
  const found = lossRowOf(update, tree.prompt.index, leaf);
  if (!found) return null;
  const { row, minibatch } = found;
  const tokens = row.tokenIndex.map((_, index) => tokenAt(row, index));
  const turns = row.turnLogRatio.map((turnLogRatio, turn): LossTurn => {
    const own = tokens.filter((token) => token.turn === turn);
    const advantage = own[0]?.advantage ?? 0;
    return {
      turn,
      node: own[0] ? nodeAt(tree, leaf, own[0].position) : null,
      tokens: own,
      turnLogRatio,
      turnRatio: Math.exp(Math.min(turnLogRatio, config.logRatioCap)),
      advantage,
      clipState: clipStateOf(turnLogRatio, advantage, config),
    };
  });
  const loss = tokens.reduce((sum, token) => sum + token.weight * token.tokenLoss, 0);
  return { minibatch, row, turns, loss };
}

/** Gradient norms gathered by layer: √Σ of squares; what is in no layer keeps its own name. In network order. */
export function layerNorms(
  gradientNorms: Readonly<Record<string, number>>,
): readonly { readonly name: string; readonly norm: number }[] {
  const squares = new Map<string, number>();
  for (const [parameter, norm] of Object.entries(gradientNorms)) {
    const layer = /layers\.(\d+)\./.exec(parameter);
    const name = layer ? `layer ${Number(layer[1]) + 1}` : parameter.replace(/\.weight$/, '');
    squares.set(name, (squares.get(name) ?? 0) + norm * norm);
  }
  return [...squares].map(([name, square]) => ({ name, norm: Math.sqrt(square) }));
}
