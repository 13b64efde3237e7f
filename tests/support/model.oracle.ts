/** The whole decoder in float64, plain loops, by the reading rule; shares no code with the kernels. */
import type { ModelConfig, TokenBatch } from '../../src/units.ts';

export interface OracleScores {
  readonly logits: readonly Float64Array[]; // [S] rows of V, before temperature
  readonly logProb: Float64Array; // [S]
  readonly entropy: Float64Array; // [S]
}

/** Parameter values by file name, row-major. */
export type OracleParameters = (name: string) => ArrayLike<number>;

/** y[o] = Σ_i W[o,i]·x[i] */
function linear(weight: ArrayLike<number>, x: Float64Array, outputs: number): Float64Array {
  const y = new Float64Array(outputs);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < x.length; i++) y[o] += weight[o * x.length + i] * x[i];
  }
  return y;
}

function rmsNorm(x: Float64Array, weight: ArrayLike<number> | null, epsilon: number): Float64Array {
  if (!weight) return x;
  let squares = 0;
  for (const value of x) squares += value * value;
  const inverse = 1 / Math.sqrt(squares / x.length + epsilon);
  return x.map((value, c) => value * inverse * weight[c]);
}

/** Rotates pairs (j, j + HS/2) by position·θ^(−2j/HS). */
function rotate(x: Float64Array, position: number, theta: number): Float64Array {
  const half = x.length / 2;
  const y = new Float64Array(x.length);
  for (let j = 0; j < half; j++) {
    const angle = position * theta ** ((-2 * j) / x.length);
    y[j] = x[j] * Math.cos(angle) - x[j + half] * Math.sin(angle);
    y[j + half] = x[j + half] * Math.cos(angle) + x[j] * Math.sin(angle);
  }
  return y;
}

interface Heads {
  readonly queries: Float64Array[]; // [NH]
  readonly keys: Float64Array[]; // [NKV]
  readonly values: Float64Array[]; // [NKV]
}

function headsOf(
  config: ModelConfig,
  get: OracleParameters,
  prefix: string,
  x: Float64Array,
  position: number,
): Heads {
  const { heads, kvHeads, headSize, queryKeyNorm, rmsEpsilon, ropeTheta } = config;
  const split = (name: string, count: number): Float64Array[] => {
    const all = linear(get(`${prefix}.${name}.weight`), x, count * headSize);
    return Array.from({ length: count }, (_, h) => all.slice(h * headSize, (h + 1) * headSize));
  };
  const turn = (head: Float64Array, norm: string): Float64Array =>
    rotate(
      rmsNorm(head, queryKeyNorm ? get(`${prefix}.${norm}.weight`) : null, rmsEpsilon),
      position,
      ropeTheta,
    );
  return {
    queries: split('q_proj', heads).map((head) => turn(head, 'q_norm')),
    keys: split('k_proj', kvHeads).map((head) => turn(head, 'k_norm')),
    values: split('v_proj', kvHeads),
  };
}

function attend(config: ModelConfig, batch: TokenBatch, all: readonly Heads[], n: number): Float64Array {
  const { heads, kvHeads, headSize } = config;
  const out = new Float64Array(heads * headSize);
  const readable = all
    .map((_, j) => j)
    .filter((j) => j >= batch.visibleStart[n] && j <= n && n < batch.visibleEnd[j]);
  for (let h = 0; h < heads; h++) {
    const group = Math.floor(h / (heads / kvHeads));
    const query = all[n].queries[h];
    const scores = readable.map(
      (j) => all[j].keys[group].reduce((sum, key, c) => sum + key * query[c], 0) / Math.sqrt(headSize),
    );
    const largest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - largest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    readable.forEach((j, place) => {
      all[j].values[group].forEach((value, c) => (out[h * headSize + c] += (weights[place] / total) * value));
    });
  }
  return out;
}

const add = (x: Float64Array, y: Float64Array): Float64Array => x.map((value, c) => value + y[c]);

function layer(
  config: ModelConfig,
  get: OracleParameters,
  batch: TokenBatch,
  index: number,
  xs: Float64Array[],
): Float64Array[] {
  const { channels, hidden, rmsEpsilon } = config;
  const prefix = `layers.${index}`;
  const heads = xs.map((x, n) =>
    headsOf(
      config,
      get,
      `${prefix}.attn`,
      rmsNorm(x, get(`${prefix}.input_norm.weight`), rmsEpsilon),
      batch.positions[n],
    ),
  );
  return xs.map((x, n) => {
    const attended = linear(get(`${prefix}.attn.o_proj.weight`), attend(config, batch, heads, n), channels);
    const middle = add(x, attended);
    const normed = rmsNorm(middle, get(`${prefix}.post_attn_norm.weight`), rmsEpsilon);
    const gate = linear(get(`${prefix}.mlp.gate_proj.weight`), normed, hidden);
    const up = linear(get(`${prefix}.mlp.up_proj.weight`), normed, hidden);
    const swiglu = gate.map((value, f) => (value / (1 + Math.exp(-value))) * up[f]);
    return add(middle, linear(get(`${prefix}.mlp.down_proj.weight`), swiglu, channels));
  });
}

function embed(config: ModelConfig, get: OracleParameters, batch: TokenBatch): Float64Array[] {
  const { channels } = config;
  const row = (id: number): Float64Array =>
    Float64Array.from({ length: channels }, (_, c) => get('embed.weight')[id * channels + c]);
  return Array.from(batch.tokens, (token, n) => {
    if (!config.previousTokenMixing) return row(token);
    const before = batch.previous[n] < 0 ? 0 : batch.tokens[batch.previous[n]];
    return add(row(token), linear(get('previous.weight'), row(before), channels));
  });
}

/** Log-probability and entropy of every scored token. */
export function oracleScores(
  config: ModelConfig,
  get: OracleParameters,
  batch: TokenBatch,
  temperature: number,
): OracleScores {
  let xs = embed(config, get, batch);
  for (let index = 0; index < config.layers; index++) xs = layer(config, get, batch, index, xs);
  const output = get(config.tiedOutput ? 'embed.weight' : 'output.weight');
  const predictedLogits = Array.from(batch.predicted, (token) => {
    const normed = rmsNorm(xs[batch.previous[token]], get('final_norm.weight'), config.rmsEpsilon);
    return linear(output, normed, config.vocabularySize).map((logit) => logit * config.logitScale);
  });
  const predictedStats = predictedLogits.map((row, u) => {
    const scaled = row.map((logit) => logit / temperature);
    const largest = Math.max(...scaled);
    const lse = largest + Math.log(scaled.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    const entropy = scaled.reduce((sum, logit) => sum + Math.exp(logit - lse) * (lse - logit), 0);
    return { logProb: scaled[batch.tokens[batch.predicted[u]]] - lse, entropy };
  });
  const stats = Array.from(batch.scored, (u) => predictedStats[u]);
  return {
    logits: Array.from(batch.scored, (u) => predictedLogits[u]),
    logProb: Float64Array.from(stats, ({ logProb }) => logProb),
    entropy: Float64Array.from(stats, ({ entropy }) => entropy),
  };
}
