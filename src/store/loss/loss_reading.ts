/** What the Loss view asks of a row: per turn and per token, the numbers the trainer used. Pure. */
import { loggedLoss } from '../../algo/batch/batch.ts';
import { cappedRatio, clipBand, clipStateOf } from '../../algo/loss/loss_terms.ts';
import { policyLoss, segmentsOf, type PolicyLoss } from '../../algo/loss/loss.ts';
import { balancedAdvantage, entropyMoments } from '../../algo/loss/penalties.ts';
import type { LossRow } from '../../protocol/protocol.ts';
import type { ClipState, LossConfig, NodeId } from '../../units.ts';
import { rangeOf, type AdvantageRange } from '../credit/advantage_range.ts';
import { pathTo } from '../record/reading.ts';
import type { MinibatchState, TreeState, UpdateState } from '../record/run_state.ts';

export { clipBand as clipBandOf } from '../../algo/loss/loss_terms.ts';

/** One trained-on token of a row. */
export interface LossToken {
  readonly index: number; // among the row's scored tokens
  readonly position: number; // in the row, prompt included, from 0
  readonly turn: number; // turn in the row
  readonly oldLogProb: number; // nats
  readonly logProb: number; // nats
  readonly logRatio: number; // nats, of the token itself
  readonly levelLogRatio: number; // nats, mean over the tokens that share a ratio: the token, its turn or the row
  readonly ratio: number; // that the loss sees: of the level in force, cut at its cap
  readonly band: readonly [number, number]; // that ratio is clipped to
  readonly clipState: ClipState;
  readonly entropy: number; // nats
  readonly advantage: number; // that the loss sees, AEPO's factor included
  readonly weight: number; // 1 / (B·n_i)
  readonly tokenLoss: number; // before weighting
  readonly dlogProb: number; // ∂loss/∂logProb
}

/** One turn of a row: a maximal run of trained-on tokens. */
export interface LossTurn {
  readonly turn: number;
  readonly node: NodeId | null; // the node its first token belongs to
  readonly tokens: readonly LossToken[];
  readonly turnLogRatio: number; // nats, mean over the turn; over the row where that is the level in force
  readonly turnRatio: number; // its exponential, cut at the cap
  readonly advantage: AdvantageRange; // that its tokens see: one number under all rules of turns
  readonly clipState: ClipState; // of its first token; tokens differ where each has its own ratio
  readonly clippedCount: number; // tokens whose clip state is not 0
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

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean log-ratio of the level in force, for each scored token of a row. */
function levelLogRatios(row: LossRow, { ratioLevel }: LossConfig): readonly number[] {
  const logRatios = row.logProb.map((logProb, index) => logProb - row.oldLogProb[index]);
  if (ratioLevel === 'token') return logRatios;
  if (ratioLevel === 'turn') return row.turnIndex.map((turn) => row.turnLogRatio[turn]);
  return logRatios.map(() => mean(logRatios));
}

/** Advantages as the loss sees them; AEPO's factor needs the entropies of the whole mini-batch. */
function seenAdvantages(row: LossRow, { rows }: MinibatchState, config: LossConfig): readonly number[] {
  const { entropyAdvantage } = config;
  if (entropyAdvantage === 0) return row.advantage;
  const moments = entropyMoments(rows.flatMap(({ entropy }) => entropy));
  return row.advantage.map((A, index) => balancedAdvantage(A, row.entropy[index], moments, entropyAdvantage));
}

/** The trained-on tokens of a row, in order. */
export function lossTokens(
  row: LossRow,
  minibatch: MinibatchState,
  config: LossConfig,
): readonly LossToken[] {
  const levels = levelLogRatios(row, config);
  const advantages = seenAdvantages(row, minibatch, config);
  const ratioFactor = row.ratioFactor ?? 1;
  return row.tokenIndex.map((position, index) => {
    const [advantage, levelLogRatio] = [advantages[index], levels[index]];
    const clipScale = row.clipScale?.[index] ?? 1;
    return {
      index,
      position,
      turn: row.turnIndex[index],
      oldLogProb: row.oldLogProb[index],
      logProb: row.logProb[index],
      logRatio: row.logProb[index] - row.oldLogProb[index],
      levelLogRatio,
      ratio: cappedRatio(levelLogRatio, config, ratioFactor),
      band: clipBand(config, clipScale),
      clipState: clipStateOf(levelLogRatio, { advantage, clipScale, ratioFactor }, config),
      entropy: row.entropy[index],
      advantage,
      weight: row.weight[index],
      tokenLoss: row.tokenLoss[index],
      dlogProb: row.dlogProb[index],
    };
  });
}

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
  const tokens = lossTokens(row, minibatch, config);
  const turns = row.turnLogRatio.map((ofTurn, turn): LossTurn => {
    const own = tokens.filter((token) => token.turn === turn);
    const turnLogRatio = config.ratioLevel === 'token' ? ofTurn : (own[0]?.levelLogRatio ?? ofTurn);
    return {
      turn,
      node: own[0] ? nodeAt(tree, leaf, own[0].position) : null,
      tokens: own,
      turnLogRatio,
      turnRatio: cappedRatio(turnLogRatio, config, row.ratioFactor),
      advantage: rangeOf(own.map(({ advantage }) => advantage)) ?? [0, 0],
      clipState: own[0]?.clipState ?? 0,
      clippedCount: own.filter(({ clipState }) => clipState !== 0).length,
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

// What another clip band would have made of a mini-batch: the loss of src/algo once more, on the log-probabilities that
// the trainer had. Only the loss and its gradient on log-probabilities change; the ratios are those of the run. Pure.

export interface ClipAnswer {
  readonly loss: number; // of the mini-batch under the asked band
  readonly clippedTokens: number; // under the asked band: those whose clip state is not 0
  readonly flippedTokens: number; // whose clip state differs from the run's
  readonly flippedGroups: number; // runs of tokens with one ratio (tokens, turns or rows) that hold a flipped token
  readonly silenced: number; // tokens that lose their gradient
  readonly freed: number; // tokens that get one
  readonly groups: number;
  readonly tokens: number;
  readonly push: number; // Σ |∂loss/∂logProb| under the asked band
}

const push = ({ dlogProb }: PolicyLoss): number => dlogProb.reduce((sum, d) => sum + Math.abs(d), 0);

/**
 * @param config the run's; its surrogate must be 'clip', the only one with a band
 * @param asked ε_low and ε_high
 */
export function askClip(
  minibatch: MinibatchState,
  config: LossConfig,
  asked: Pick<LossConfig, 'clipLow' | 'clipHigh'>,
): ClipAnswer {
  const { tokens, extras } = loggedLoss(minibatch.rows);
  const [own, other] = [config, { ...config, ...asked }].map((each) => policyLoss(tokens, each, extras));
  const places = own.clipState.map((_, s) => s);
  const flipped = places.filter((s) => own.clipState[s] !== other.clipState[s]);
  const { start, index } = segmentsOf(tokens, config.ratioLevel);
  return {
    loss: other.loss,
    clippedTokens: other.clipState.filter((state) => state !== 0).length,
    flippedTokens: flipped.length,
    flippedGroups: new Set(flipped.map((s) => index[s])).size,
    silenced: flipped.filter((s) => own.dlogProb[s] !== 0 && other.dlogProb[s] === 0).length,
    freed: flipped.filter((s) => own.dlogProb[s] === 0 && other.dlogProb[s] !== 0).length,
    groups: start.length - 1,
    tokens: places.length,
    push: push(other),
  };
}
