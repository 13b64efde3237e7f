/**
 * The one definition of what is measured, shared by every contender: a LLaMA-style decoder without biases,
 *
 *   x = tok_emb[tokens]
 *   per layer:  h = rmsnorm(x)·attn_norm;  q, k, v = h·wq, h·wk, h·wv;  rotation of q and k by position
 *               x += softmax(causal(q·kᵀ/√head size))·v·wo
 *               h = rmsnorm(x)·ffn_norm;  x += (silu(h·w_gate) ∘ (h·w_up))·w_down
 *   logits = (rmsnorm(x)·final_norm)·tok_embᵀ
 *
 * with matrices [in, out], rotary pairs (2i, 2i+1), mean cross-entropy over all positions, and AdamW whose decay
 * leaves the gains out. Parameters, batches and prompts come from a fixed generator.
 */

export interface WorkShape {
  readonly channels: number;
  readonly layers: number;
  readonly heads: number;
  readonly hidden: number; // SwiGLU width
  readonly vocabulary: number;
  readonly rows: number; // sequences of a batch
  readonly tokens: number; // per sequence of a training batch
  readonly promptTokens: number;
  readonly newTokens: number; // decoded after each prompt
}

export const presets = {
  small: { channels: 64, layers: 2, heads: 4, hidden: 256, vocabulary: 256, rows: 16, tokens: 64, promptTokens: 16, newTokens: 48 }, // prettier-ignore
  brief: { channels: 128, layers: 4, heads: 4, hidden: 512, vocabulary: 512, rows: 16, tokens: 128, promptTokens: 16, newTokens: 48 }, // prettier-ignore
  // The lab's search model on a mini-batch of its presets: 4 trees of 11 leaves.
  classroom: { channels: 64, layers: 2, heads: 4, hidden: 128, vocabulary: 128, rows: 44, tokens: 64, promptTokens: 24, newTokens: 32 }, // prettier-ignore
  // For graphics cards: what a software adapter computes for minutes.
  medium: { channels: 256, layers: 6, heads: 8, hidden: 768, vocabulary: 2048, rows: 16, tokens: 256, promptTokens: 16, newTokens: 48 }, // prettier-ignore
  large: { channels: 512, layers: 8, heads: 8, hidden: 1536, vocabulary: 8192, rows: 8, tokens: 256, promptTokens: 16, newTokens: 48 }, // prettier-ignore
  // A quick check that everything runs.
  tiny: { channels: 64, layers: 1, heads: 2, hidden: 128, vocabulary: 64, rows: 4, tokens: 16, promptTokens: 8, newTokens: 8 }, // prettier-ignore
} satisfies Record<string, WorkShape>;

export type PresetName = keyof typeof presets;
export const isPreset = (name: string): name is PresetName => name in presets;

export interface Settings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly rmsEpsilon: number;
  readonly ropeTheta: number;
}

export const settings: Settings = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  rmsEpsilon: 1e-5,
  ropeTheta: 10_000,
};

export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** c [m, n] = a [m, k] · b [k, n]: a square one, and a layer's three of 2048 tokens. */
export const MATMUL_SHAPES: readonly MatmulShape[] = [
  { m: 256, n: 256, k: 256 },
  { m: 2048, n: 128, k: 128 },
  { m: 2048, n: 512, k: 128 },
  { m: 2048, n: 128, k: 512 },
];

/** For graphics cards: large enough to be bound by arithmetic, minutes on a software adapter. */
export const CARD_MATMUL_SHAPES: readonly MatmulShape[] = [
  { m: 1024, n: 1024, k: 1024 },
  { m: 2048, n: 2048, k: 2048 },
];

export const matmulName = ({ m, n, k }: MatmulShape): string => `${m}x${n}x${k}`;

type Floats = Float32Array<ArrayBuffer>;
type Ids = Int32Array<ArrayBuffer>;

/** Named parameters, in the order of `parameterSpecs`. */
export type Parameters = Readonly<Record<string, Floats>>;

/** mulberry32: numbers in [0, 1) from a 32-bit seed. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normals(length: number, deviation: number, seed: number): Floats {
  const uniform = uniforms(seed);
  return Float32Array.from({ length }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return deviation * radius * Math.cos(2 * Math.PI * uniform());
  });
}

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly decay: boolean;
}

/** Embedding, every layer's matrices, every layer's gains, the last gain. */
export function parameterSpecs({ channels, layers, hidden, vocabulary }: WorkShape): ParameterSpec[] {
  const matrix = (name: string, ...shape: number[]): ParameterSpec => ({ name, shape, decay: true });
  const gain = (name: string): ParameterSpec => ({ name, shape: [channels], decay: false });
  const each = Array.from({ length: layers }, (_, layer) => `L${layer}`);
  return [
    matrix('tok_emb', vocabulary, channels),
    ...each.flatMap((layer) => [
      matrix(`${layer}.wq`, channels, channels),
      matrix(`${layer}.wk`, channels, channels),
      matrix(`${layer}.wv`, channels, channels),
      matrix(`${layer}.wo`, channels, channels),
      matrix(`${layer}.w_gate`, channels, hidden),
      matrix(`${layer}.w_up`, channels, hidden),
      matrix(`${layer}.w_down`, hidden, channels),
    ]),
    ...each.flatMap((layer) => [gain(`${layer}.attn_norm`), gain(`${layer}.ffn_norm`)]),
    gain('final_norm'),
  ];
}

const sizeOf = ({ shape }: ParameterSpec): number => shape.reduce((total, size) => total * size, 1);

export const parameterCount = (shape: WorkShape): number =>
  parameterSpecs(shape).reduce((total, spec) => total + sizeOf(spec), 0);

function drawParameters(
  shape: WorkShape,
  firstSeed: number,
  deviation: (spec: ParameterSpec) => number,
): Parameters {
  const drawn = parameterSpecs(shape).map((spec, index) => {
    const length = sizeOf(spec);
    const gain = spec.shape.length === 1;
    return [
      spec.name,
      gain ? new Float32Array(length).fill(1) : normals(length, deviation(spec), firstSeed + index),
    ];
  });
  return Object.fromEntries(drawn) as Parameters; // the pairs above
}

/** What training starts from; branches into the residual stream are smaller. */
export const trainParameters = (shape: WorkShape): Parameters =>
  drawParameters(shape, 1000, ({ name }) =>
    /\.(wo|w_down)$/.test(name) ? 0.05 / Math.sqrt(2 * shape.layers) : 0.05,
  );

/** What decoding runs on: large layer weights, so that the greedy text does not repeat its last token. */
export const decodeParameters = (shape: WorkShape): Parameters =>
  drawParameters(shape, 5000, (spec) => (spec.name === 'tok_emb' ? 0.3 : 2.5 / Math.sqrt(spec.shape[0])));

export interface TrainBatch {
  readonly tokens: Ids; // [rows·tokens]
  readonly targets: Ids; // [rows·tokens] the token after each
}

/** A learnable toy language: an affine map of the last token, one token in ten random. @param step from 0 */
export function trainBatch({ rows, tokens: length, vocabulary }: WorkShape, step: number): TrainBatch {
  const uniform = uniforms(77 + step);
  const draw = (): number => Math.floor(uniform() * vocabulary);
  const tokens = new Int32Array(rows * length);
  const targets = new Int32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    let token = draw();
    for (let at = row * length; at < (row + 1) * length; at++) {
      tokens[at] = token;
      token = uniform() < 0.1 ? draw() : (token * 5 + 7) % vocabulary;
      targets[at] = token;
    }
  }
  return { tokens, targets };
}

/** @returns [rows·promptTokens] */
export const prompts = (shape: WorkShape): Ids =>
  trainBatch({ ...shape, tokens: shape.promptTokens }, 9999).tokens;

/** @returns a [m, k] and b [k, n], standard normal */
export const matmulData = ({ m, n, k }: MatmulShape): { readonly a: Floats; readonly b: Floats } => ({
  a: normals(m * k, 1, 5),
  b: normals(k * n, 1, 6),
});

/** Cosines and sines of the rotation, [positions, headSize/2] each. */
export function ropeTables(positions: number, headSize: number): { cos: Floats; sin: Floats } {
  const half = headSize / 2;
  const angle = (index: number): number =>
    Math.floor(index / half) * settings.ropeTheta ** ((-2 * (index % half)) / headSize);
  const length = positions * half;
  return {
    cos: Float32Array.from({ length }, (_, index) => Math.cos(angle(index))),
    sin: Float32Array.from({ length }, (_, index) => Math.sin(angle(index))),
  };
}

/**
 * Floating-point operations of one training step's matrix products: forward, and twice as much backward. Attention
 * counts the pairs that a causal model needs, rows·tokens·(tokens+1)/2; softmax, norms and AdamW count nothing.
 */
export function trainFlops(shape: WorkShape): number {
  const { channels, layers, hidden, vocabulary, rows, tokens } = shape;
  const perToken = 2 * (layers * (4 * channels ** 2 + 3 * channels * hidden) + vocabulary * channels);
  const pairs = (rows * tokens * (tokens + 1)) / 2;
  return 3 * (perToken * rows * tokens + layers * 4 * channels * pairs);
}
