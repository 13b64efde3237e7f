/** Float64 reference of sample_token, with the symbols of its header; the noise is src/algo/random.ts. */
import { tokenGumbel } from '../../src/algo/random.ts';
import type { RandomKey } from '../../src/units.ts';

export const ROW_STATE = 8; // words per row
const [PROMPT, NODE, COUNTER, REMAINING, DONE, COUNT] = [0, 1, 2, 3, 4, 5];

export interface SampleInput {
  readonly rows: number;
  readonly vocab: number;
  readonly stride: number;
  readonly inverseTemperature: number;
  readonly greedy: boolean;
  readonly key: RandomKey;
  readonly maxNew: number;
  readonly logits: ArrayLike<number>; // [R,stride]
  readonly stopMask: ArrayLike<number>; // [V]
}

export interface DecodeRows {
  readonly rowState: ArrayLike<number>; // [R,8]
  readonly currentToken: ArrayLike<number>; // [R]
  readonly previousToken: ArrayLike<number>; // [R]
  readonly positions: ArrayLike<number>; // [R]
  readonly sampled: ArrayLike<number>; // [R,maxNew]
  readonly stats: ArrayLike<number>; // [R,maxNew,2]
}

export interface Choice {
  readonly token: number;
  readonly margin: number; // how far the best entry is above the second, nats
  readonly logProb: number; // nats
  readonly entropy: number; // nats
}

/** The token of one row of scaled logits z; `noise(v)` is added before the maximum. */
export function chooseToken(z: readonly number[], noise: (v: number) => number): Choice {
  let token = 0;
  let best = -Infinity;
  let second = -Infinity;
  z.forEach((x, v) => {
    const noisy = x + noise(v);
    if (noisy > best) {
      second = best;
      best = noisy;
      token = v;
    } else if (noisy > second) second = noisy;
  });
  const m = Math.max(...z);
  const lse = m + Math.log(z.reduce((sum, x) => sum + Math.exp(x - m), 0));
  const entropy = z.reduce((sum, x) => sum + Math.exp(x - lse) * (lse - x), 0);
  return { token, margin: best - second, logProb: z[token] - lse, entropy };
}

/** What row `r` draws next. */
export function drawToken(input: SampleInput, rowState: ArrayLike<number>, r: number): Choice {
  const factor = input.greedy ? 1 : input.inverseTemperature;
  const z = Array.from({ length: input.vocab }, (_, v) => factor * input.logits[r * input.stride + v]);
  const [prompt, node, counter] = [PROMPT, NODE, COUNTER].map((field) => rowState[r * ROW_STATE + field]);
  return chooseToken(z, (v) => (input.greedy ? 0 : tokenGumbel(input.key, prompt, node, counter, v)));
}

/** All rows after one draw. */
export function sampleToken(input: SampleInput, before: DecodeRows) {
  const after = {
    rowState: Float64Array.from(before.rowState),
    currentToken: Float64Array.from(before.currentToken),
    previousToken: Float64Array.from(before.previousToken),
    positions: Float64Array.from(before.positions),
    sampled: Float64Array.from(before.sampled),
    stats: Float64Array.from(before.stats),
  };
  for (let r = 0; r < input.rows; r++) {
    const state = after.rowState.subarray(r * ROW_STATE, (r + 1) * ROW_STATE);
    if (state[DONE]) continue;
    const { token, logProb, entropy } = drawToken(input, before.rowState, r);
    const place = r * input.maxNew + state[COUNT];
    after.sampled[place] = token;
    after.stats.set([logProb, entropy], 2 * place);
    state[COUNTER]++;
    state[COUNT]++;
    state[REMAINING]--;
    if (state[REMAINING] === 0 || input.stopMask[token]) {
      state[DONE] = 1;
      continue;
    }
    after.previousToken[r] = after.currentToken[r];
    after.currentToken[r] = token;
    after.positions[r]++;
  }
  return after;
}
