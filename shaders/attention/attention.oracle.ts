/**
 * Float64 oracle of attention: query n reads key j iff visibleStart[n] ≤ j ≤ n < visibleEnd[j].
 * Scores are kept as a full row; the kernels never do.
 */

export interface Shape {
  readonly tokens: number; // N
  readonly heads: number; // NH
  readonly kvHeads: number; // NKV
  readonly headSize: number; // HS
  readonly scale: number;
}

export interface Inputs {
  readonly qk: ArrayLike<number>; // [N,(NH+NKV)·HS]
  readonly qkv: ArrayLike<number>; // [N,(NH+2NKV)·HS], values in its last NKV·HS columns
  readonly visible: ArrayLike<number>; // [N] pairs (visibleStart, visibleEnd)
}

/** Keys that query n reads, ascending. */
function keysOf(n: number, visible: ArrayLike<number>): number[] {
  const keys: number[] = [];
  for (let j = visible[2 * n]; j <= n; j++) if (n < visible[2 * j + 1]) keys.push(j);
  return keys;
}

/** First elements of query, key and value vectors. */
const places = ({ heads, kvHeads, headSize: HS }: Shape) => ({
  query: (n: number, h: number) => (n * (heads + kvHeads) + h) * HS,
  key: (j: number, g: number) => (j * (heads + kvHeads) + heads + g) * HS,
  value: (j: number, g: number) => (j * (heads + 2 * kvHeads) + heads + kvHeads + g) * HS,
});

function scores(
  shape: Shape,
  { qk, visible }: Inputs,
  n: number,
  h: number,
): { keys: number[]; s: number[] } {
  const { query, key } = places(shape);
  const g = Math.floor(h / (shape.heads / shape.kvHeads));
  const keys = keysOf(n, visible);
  const s = keys.map((j) => {
    let dot = 0;
    for (let d = 0; d < shape.headSize; d++) dot += qk[query(n, h) + d] * qk[key(j, g) + d];
    return shape.scale * dot;
  });
  return { keys, s };
}

/** @returns out [N,NH·HS]; lse [N,NH] nats */
export function attentionForward(shape: Shape, inputs: Inputs) {
  const { tokens, heads, kvHeads, headSize: HS } = shape;
  const { value } = places(shape);
  const out = new Float64Array(tokens * heads * HS);
  const lse = new Float64Array(tokens * heads);
  for (let n = 0; n < tokens; n++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor(h / (heads / kvHeads));
      const { keys, s } = scores(shape, inputs, n, h);
      const m = Math.max(...s);
      let sum = 0;
      for (const score of s) sum += Math.exp(score - m);
      lse[n * heads + h] = m + Math.log(sum);
      for (const [index, j] of keys.entries()) {
        const p = Math.exp(s[index] - lse[n * heads + h]);
        for (let d = 0; d < HS; d++) out[(n * heads + h) * HS + d] += p * inputs.qkv[value(j, g) + d];
      }
    }
  }
  return { out, lse };
}

/**
 * Gradients of Σ dout·out.
 * @returns dqk [N,(NH+NKV)·HS]; dqkv [N,(NH+2NKV)·HS], query and key columns 0; delta [N,NH]
 */
export function attentionBackward(shape: Shape, inputs: Inputs, dout: ArrayLike<number>) {
  const { tokens, heads, kvHeads, headSize: HS, scale } = shape;
  const { query, key, value } = places(shape);
  const { out, lse } = attentionForward(shape, inputs);
  const dqk = new Float64Array(tokens * (heads + kvHeads) * HS);
  const dqkv = new Float64Array(tokens * (heads + 2 * kvHeads) * HS);
  const delta = new Float64Array(tokens * heads);
  for (let n = 0; n < tokens; n++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor(h / (heads / kvHeads));
      const head = n * heads + h;
      for (let d = 0; d < HS; d++) delta[head] += dout[head * HS + d] * out[head * HS + d];
      const { keys, s } = scores(shape, inputs, n, h);
      for (const [index, j] of keys.entries()) {
        const p = Math.exp(s[index] - lse[head]);
        let dp = 0;
        for (let d = 0; d < HS; d++) {
          dp += dout[head * HS + d] * inputs.qkv[value(j, g) + d];
          dqkv[value(j, g) + d] += p * dout[head * HS + d];
        }
        const ds = p * (dp - delta[head]);
        for (let d = 0; d < HS; d++) {
          dqk[query(n, h) + d] += scale * ds * inputs.qk[key(j, g) + d];
          dqk[key(j, g) + d] += scale * ds * inputs.qk[query(n, h) + d];
        }
      }
    }
  }
  return { dqk, dqkv, delta };
}
