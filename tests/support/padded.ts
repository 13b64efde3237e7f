/**
 * Rows as the released code keeps them, [B][T] with a mask, packed into scored tokens and back. Masked positions are
 * never read, so garbage there cannot leak.
 */
import type { LossTokens } from '../../src/algo/loss/loss.ts';
import type { LossReduction } from '../../src/units.ts';
import { reductionWeights } from '../../src/algo/loss/penalties.ts';

export type Padded = readonly (readonly number[])[]; // [B][T]

export interface PaddedTokens extends LossTokens {
  readonly responseLength: number; // T
  readonly rowIndex: Uint32Array; // [S] row
  readonly position: Uint32Array; // [S] place in the row
  readonly turnRow: Uint32Array; // [K] row of the turn
}

export interface PaddedRows {
  readonly responseMask: Padded; // 1 = scored
  readonly logProb: Padded; // nats
  readonly oldLogProb: Padded; // nats
  readonly advantage: Padded; // dimensionless
  readonly entropy?: Padded; // nats
  readonly refLogProb?: Padded; // nats
}

/** Maximal runs of ones, row by row: the released code's turns. */
function maskRuns(
  mask: Padded,
): Pick<PaddedTokens, 'rowIndex' | 'position' | 'turnStart' | 'turnRow' | 'turnIndex'> {
  const rowIndex: number[] = [];
  const position: number[] = [];
  const turnStart: number[] = [];
  const turnRow: number[] = [];
  const turnIndex: number[] = [];
  mask.forEach((row, b) => {
    row.forEach((scored, t) => {
      if (!scored) return;
      if (t === 0 || !row[t - 1]) {
        turnStart.push(rowIndex.length);
        turnRow.push(b);
      }
      turnIndex.push(turnStart.length - 1);
      rowIndex.push(b);
      position.push(t);
    });
  });
  return {
    rowIndex: Uint32Array.from(rowIndex),
    position: Uint32Array.from(position),
    turnStart: Uint32Array.from([...turnStart, rowIndex.length]),
    turnRow: Uint32Array.from(turnRow),
    turnIndex: Uint32Array.from(turnIndex),
  };
}

/** Packs padded rows; B counts every row, those without scored tokens too (they contribute 0). */
export function packPadded(rows: PaddedRows, reduction: LossReduction = 'seq-mean-token-mean'): PaddedTokens {
  const runs = maskRuns(rows.responseMask);
  const rowCount = rows.responseMask.length;
  const responseLength = rows.responseMask[0]?.length ?? 0;
  const gather = (padded: Padded): Float64Array =>
    Float64Array.from(runs.rowIndex, (b, s) => padded[b][runs.position[s]]);
  return {
    ...runs,
    rowCount,
    responseLength,
    weight: reductionWeights(reduction, runs.rowIndex, rowCount, responseLength),
    logProb: gather(rows.logProb),
    oldLogProb: gather(rows.oldLogProb),
    advantage: gather(rows.advantage),
    ...(rows.entropy && { entropy: gather(rows.entropy) }),
    ...(rows.refLogProb && { refLogProb: gather(rows.refLogProb) }),
  };
}

/** Values of the scored tokens at their places in [B][T]; 0 elsewhere. */
export function unpackPadded(tokens: PaddedTokens, values: ArrayLike<number>): number[][] {
  const rows = Array.from({ length: tokens.rowCount }, () =>
    new Array<number>(tokens.responseLength).fill(0),
  );
  for (let s = 0; s < tokens.rowIndex.length; s += 1)
    rows[tokens.rowIndex[s]][tokens.position[s]] = values[s];
  return rows;
}
