/** Oracle of the key/value cache: plain copies. Caches are [pool, NKV·HS]. */

export interface AppendShape {
  readonly rows: number; // R
  readonly heads: number; // NH
  readonly kvHeads: number; // NKV
  readonly headSize: number; // HS
  readonly slotLength: number;
}

export interface AppendInputs {
  readonly qk: ArrayLike<number>; // [R,(NH+NKV)·HS]
  readonly qkv: ArrayLike<number>; // [R,(NH+2NKV)·HS]
  readonly slots: ArrayLike<number>; // [R]
  readonly positions: ArrayLike<number>; // [R]; past slotLength: dropped
  readonly places: ArrayLike<number>; // [slots, slotLength]
}

export interface Caches {
  readonly keyCache: ArrayLike<number>;
  readonly valueCache: ArrayLike<number>;
}

export function kvAppend(shape: AppendShape, inputs: AppendInputs, caches: Caches) {
  const { rows, heads, kvHeads, headSize, slotLength } = shape;
  const width = kvHeads * headSize;
  const keyCache = Float64Array.from(caches.keyCache);
  const valueCache = Float64Array.from(caches.valueCache);
  for (let r = 0; r < rows; r++) {
    if (inputs.positions[r] >= slotLength) continue;
    const entry = inputs.places[inputs.slots[r] * slotLength + inputs.positions[r]] * width;
    for (let c = 0; c < width; c++) {
      keyCache[entry + c] = inputs.qk[r * (heads + kvHeads) * headSize + heads * headSize + c];
      valueCache[entry + c] =
        inputs.qkv[r * (heads + 2 * kvHeads) * headSize + (heads + kvHeads) * headSize + c];
    }
  }
  return { keyCache, valueCache };
}
