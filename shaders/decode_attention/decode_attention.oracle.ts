/** Float64 oracle of decode_attention: row r reads positions 0 … positions[r] of its slot, each at its place. */

export interface Shape {
  readonly rows: number; // R
  readonly heads: number; // NH
  readonly kvHeads: number; // NKV
  readonly headSize: number; // HS
  readonly slotLength: number;
  readonly scale: number;
}

export interface Inputs {
  readonly qk: ArrayLike<number>; // [R,(NH+NKV)·HS]
  readonly keyCache: ArrayLike<number>; // [pool, NKV·HS]
  readonly valueCache: ArrayLike<number>;
  readonly slots: ArrayLike<number>; // [R]
  readonly positions: ArrayLike<number>; // [R]
  readonly places: ArrayLike<number>; // [slots, slotLength]
}

/** @returns out [R,NH·HS] */
export function decodeAttention(shape: Shape, inputs: Inputs): Float64Array {
  const { rows, heads, kvHeads, headSize: HS, slotLength, scale } = shape;
  const { qk, keyCache, valueCache, slots, positions, places } = inputs;
  const out = new Float64Array(rows * heads * HS);
  for (let r = 0; r < rows; r++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor(h / (heads / kvHeads));
      const entry = (j: number): number => (places[slots[r] * slotLength + j] * kvHeads + g) * HS;
      const s: number[] = [];
      for (let j = 0; j <= positions[r]; j++) {
        let dot = 0;
        for (let d = 0; d < HS; d++) dot += qk[(r * (heads + kvHeads) + h) * HS + d] * keyCache[entry(j) + d];
        s.push(scale * dot);
      }
      const m = Math.max(...s);
      let sum = 0;
      for (const score of s) sum += Math.exp(score - m);
      for (let j = 0; j <= positions[r]; j++) {
        const p = Math.exp(s[j] - m) / sum;
        for (let d = 0; d < HS; d++) out[(r * heads + h) * HS + d] += p * valueCache[entry(j) + d];
      }
    }
  }
  return out;
}
