/** Float64 oracle of qk_norm_rotary: norm of each query and key head (optional), then rotary embedding. */

export interface Shape {
  readonly rows: number; // N
  readonly heads: number; // NH
  readonly kvHeads: number; // NKV
  readonly headSize: number; // HS
  readonly normalise: number; // 1 norm, 0 none
  readonly epsilon: number;
}

export interface Inputs {
  readonly qkv: ArrayLike<number>; // [N,(NH+2NKV)·HS]
  readonly queryWeight: ArrayLike<number>; // [HS]
  readonly keyWeight: ArrayLike<number>; // [HS]
  readonly positions: ArrayLike<number>; // [N]
  readonly rotary: ArrayLike<number>; // [maxPosition,HS]: cosines of HS/2 angles, then their sines
}

const headInverseRms = (
  { headSize: HS, normalise, epsilon }: Shape,
  qkv: ArrayLike<number>,
  start: number,
): number => {
  if (!normalise) return 1;
  let squares = 0;
  for (let j = 0; j < HS; j++) squares += qkv[start + j] ** 2;
  return 1 / Math.sqrt(squares / HS + epsilon);
};

/** @returns qk [N,(NH+NKV)·HS] */
export function qkNormRotaryForward(shape: Shape, inputs: Inputs): Float64Array {
  const { rows, heads, kvHeads, headSize: HS, normalise } = shape;
  const { qkv, queryWeight, keyWeight, positions, rotary } = inputs;
  const qk = new Float64Array(rows * (heads + kvHeads) * HS);
  for (let n = 0; n < rows; n++) {
    for (let h = 0; h < heads + kvHeads; h++) {
      const from = (n * (heads + 2 * kvHeads) + h) * HS;
      const to = (n * (heads + kvHeads) + h) * HS;
      const r = headInverseRms(shape, qkv, from);
      const weight = h < heads ? queryWeight : keyWeight;
      const u = Array.from({ length: HS }, (_, j) => qkv[from + j] * r * (normalise ? weight[j] : 1));
      for (let j = 0; j < HS / 2; j++) {
        const cos = rotary[positions[n] * HS + j];
        const sin = rotary[positions[n] * HS + HS / 2 + j];
        qk[to + j] = u[j] * cos - u[j + HS / 2] * sin;
        qk[to + j + HS / 2] = u[j + HS / 2] * cos + u[j] * sin;
      }
    }
  }
  return qk;
}

/**
 * Gradients of Σ dqk·qk.
 * @returns dqkv [N,(NH+2NKV)·HS], value columns 0; dweight [2·HS], query weight then key weight
 */
export function qkNormRotaryBackward(shape: Shape, inputs: Inputs, dqk: ArrayLike<number>) {
  const { rows, heads, kvHeads, headSize: HS, normalise } = shape;
  const { qkv, queryWeight, keyWeight, positions, rotary } = inputs;
  const dqkv = new Float64Array(rows * (heads + 2 * kvHeads) * HS);
  const dweight = new Float64Array(2 * HS);
  for (let n = 0; n < rows; n++) {
    for (let h = 0; h < heads + kvHeads; h++) {
      const from = (n * (heads + 2 * kvHeads) + h) * HS;
      const to = (n * (heads + kvHeads) + h) * HS;
      const du = new Float64Array(HS);
      for (let j = 0; j < HS / 2; j++) {
        const cos = rotary[positions[n] * HS + j];
        const sin = rotary[positions[n] * HS + HS / 2 + j];
        du[j] = dqk[to + j] * cos + dqk[to + j + HS / 2] * sin;
        du[j + HS / 2] = -dqk[to + j] * sin + dqk[to + j + HS / 2] * cos;
      }
      if (!normalise) {
        for (let j = 0; j < HS; j++) dqkv[from + j] = du[j];
        continue;
      }
      const r = headInverseRms(shape, qkv, from);
      const weight = h < heads ? queryWeight : keyWeight;
      let dr = 0;
      for (let j = 0; j < HS; j++) {
        dr += du[j] * qkv[from + j] * weight[j];
        dweight[(h < heads ? 0 : HS) + j] += du[j] * qkv[from + j] * r;
      }
      for (let j = 0; j < HS; j++) {
        dqkv[from + j] = du[j] * r * weight[j] - (dr * r ** 3 * qkv[from + j]) / HS;
      }
    }
  }
  return { dqkv, dweight };
}
