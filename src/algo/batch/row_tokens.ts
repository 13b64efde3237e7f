/** Rows of a mini-batch as a log has them, in plain arrays, put together again for the loss. */
import type { LossExtras } from '../../units.ts';
import type { LossTokens } from '../loss/loss.ts';

/** What a logged row says of its scored tokens, in order. */
export interface RowTokens {
  readonly turnIndex: readonly number[]; // turn in the row, from 0
  readonly turnLogRatio: readonly number[]; // per turn
  readonly oldLogProb: readonly number[];
  readonly logProb: readonly number[];
  readonly entropy: readonly number[];
  readonly advantage: readonly number[];
  readonly weight: readonly number[];
  readonly clipScale?: readonly number[];
  readonly ratioFactor?: number;
}

/** A mini-batch as policyLoss takes it. */
export interface LoggedLoss {
  readonly tokens: LossTokens & { readonly entropy: Float32Array<ArrayBuffer> };
  readonly extras: LossExtras;
}

/** All but what a log does not keep: reference log-probabilities, targets and partners of rows. */
export function loggedLoss(rows: readonly RowTokens[]): LoggedLoss {
  const turnIndex: number[] = [];
  const turnRow: number[] = [];
  const turnStart: number[] = [0];
  rows.forEach((row, at) => {
    const firstTurn = turnRow.length;
    row.turnLogRatio.forEach((_, turn) => {
      turnRow.push(at);
      turnStart.push((turnStart.at(-1) ?? 0) + row.turnIndex.filter((index) => index === turn).length);
    });
    for (const turn of row.turnIndex) turnIndex.push(firstTurn + turn);
  });
  const column = (of: (row: RowTokens) => readonly number[]): Float32Array<ArrayBuffer> =>
    Float32Array.from(rows.flatMap(of));
  const tokens = {
    turnStart,
    turnRow,
    turnIndex,
    rowCount: rows.length,
    advantage: column(({ advantage }) => advantage),
    weight: column(({ weight }) => weight),
    logProb: column(({ logProb }) => logProb),
    oldLogProb: column(({ oldLogProb }) => oldLogProb),
    entropy: column(({ entropy }) => entropy),
  };
  const clipScale = rows.some((row) => row.clipScale)
    ? column((row) => row.clipScale ?? row.turnIndex.map(() => 1))
    : null;
  const ratioFactor = rows.some((row) => row.ratioFactor !== undefined)
    ? Float32Array.from(rows, (row) => row.ratioFactor ?? 1)
    : null;
  return { tokens, extras: { clipScale, ratioFactor, rowTarget: null, partner: null } };
}
