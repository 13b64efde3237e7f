import type { ModelConfig } from '../units.ts';

/** Tensors start at multiples of this many floats: one AdamW block, and the offset alignment of bindings. */
export const TENSOR_ALIGNMENT = 256;

/** A tensor as files name it, inside the flat buffer. Linear weights are [out, in], row-major. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number; // floats
  readonly length: number; // floats
}

/** A run of the flat buffer that kernels bind as one matrix: one parameter, or several stacked by rows. */
export interface StoredTensor {
  readonly name: string;
  readonly offset: number; // floats, multiple of TENSOR_ALIGNMENT
  readonly length: number; // floats
}

export interface LayerTensors {
  readonly inputNorm: StoredTensor; // [C]
  readonly qkv: StoredTensor; // [(NH+2NKV)·HS, C], rows: queries, keys, values
  readonly queryNorm: StoredTensor | null; // [HS]
  readonly keyNorm: StoredTensor | null; // [HS]
  readonly attentionOutput: StoredTensor; // [C, NH·HS]
  readonly postNorm: StoredTensor; // [C]
  readonly gateUp: StoredTensor; // [2F, C], rows: gate, up
  readonly down: StoredTensor; // [C, F]
}

export interface ParameterMap {
  readonly length: number; // floats, alignment gaps included
  readonly count: number; // trainable scalars
  readonly parameters: readonly Parameter[]; // file order
  readonly stored: readonly StoredTensor[];
  readonly embedding: StoredTensor; // [V, C]
  readonly previous: StoredTensor | null; // [C, C]
  readonly layers: readonly LayerTensors[];
  readonly finalNorm: StoredTensor; // [C]
  readonly output: StoredTensor; // [V, C]; the embedding when tied
}

type Part = readonly [name: string, shape: readonly number[]];
const product = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);

class Layout {
  length = 0;
  readonly parameters: Parameter[] = [];
  readonly stored: StoredTensor[] = [];

  add(name: string, ...parts: Part[]): StoredTensor {
    const start = this.length;
    for (const [part, shape] of parts) {
      const parameter = { name: part, shape, offset: this.length, length: product(shape) };
      this.parameters.push(parameter);
      this.length += parameter.length;
    }
    const tensor = { name, offset: start, length: this.length - start };
    this.stored.push(tensor);
    this.length = Math.ceil(this.length / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;
    return tensor;
  }

  one(name: string, ...shape: number[]): StoredTensor {
    return this.add(name, [name, shape]);
  }
}

function layerTensors(layout: Layout, config: ModelConfig, layer: number): LayerTensors {
  const { channels, heads, kvHeads, headSize, hidden, queryKeyNorm } = config;
  const prefix = `layers.${layer}`;
  const inputNorm = layout.one(`${prefix}.input_norm.weight`, channels);
  const qkv = layout.add(
    `${prefix}.attn.qkv_proj.weight`,
    [`${prefix}.attn.q_proj.weight`, [heads * headSize, channels]],
    [`${prefix}.attn.k_proj.weight`, [kvHeads * headSize, channels]],
    [`${prefix}.attn.v_proj.weight`, [kvHeads * headSize, channels]],
  );
  const attentionOutput = layout.one(`${prefix}.attn.o_proj.weight`, channels, heads * headSize);
  const queryNorm = queryKeyNorm ? layout.one(`${prefix}.attn.q_norm.weight`, headSize) : null;
  const keyNorm = queryKeyNorm ? layout.one(`${prefix}.attn.k_norm.weight`, headSize) : null;
  const postNorm = layout.one(`${prefix}.post_attn_norm.weight`, channels);
  const gateUp = layout.add(
    `${prefix}.mlp.gate_up_proj.weight`,
    [`${prefix}.mlp.gate_proj.weight`, [hidden, channels]],
    [`${prefix}.mlp.up_proj.weight`, [hidden, channels]],
  );
  const down = layout.one(`${prefix}.mlp.down_proj.weight`, channels, hidden);
  return { inputNorm, qkv, attentionOutput, queryNorm, keyNorm, postNorm, gateUp, down };
}

/** Where every parameter lies in the flat buffer; gradients and both moments share the layout. */
export function parameterMap(config: ModelConfig): ParameterMap {
  const { vocabularySize, channels } = config;
  const layout = new Layout();
  const embedding = layout.one('embed.weight', vocabularySize, channels);
  const previous = config.previousTokenMixing ? layout.one('previous.weight', channels, channels) : null;
  const layers = Array.from({ length: config.layers }, (_, layer) => layerTensors(layout, config, layer));
  const finalNorm = layout.one('final_norm.weight', channels);
  const output = config.tiedOutput ? embedding : layout.one('output.weight', vocabularySize, channels);
  const { length, parameters, stored } = layout;
  const count = parameters.reduce((total, parameter) => total + parameter.length, 0);
  return { length, count, parameters, stored, embedding, previous, layers, finalNorm, output };
}

const QUERY_NORM_GAIN = 2; // sharper attention from the start; found necessary for copying in the prototype

/** Standard deviation of a matrix's initial entries; branches into the residual stream shrink with depth. */
function initialDeviation(config: ModelConfig, { name, shape }: Parameter): number {
  if (name === 'embed.weight' || name === 'output.weight')
    return 1 / (config.logitScale * Math.sqrt(config.channels));
  const joinsResidual = name.endsWith('.o_proj.weight') || name.endsWith('.down_proj.weight');
  return 1 / Math.sqrt(shape[1] * (joinsResidual ? 2 * config.layers : 1));
}

/** Standard normal numbers from uniform ones in (0, 1), by Box–Muller. */
function normals(uniform: () => number): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * Initial parameters: matrices scaled normal (logits of unit variance), norms 1, query norms 2.
 * @param uniformOf numbers in (0, 1) for the parameter of that index, a stream of its own, e.g. from a run's key
 * @returns the flat buffer, [map.length]
 */
export function initialParameters(
  config: ModelConfig,
  uniformOf: (parameter: number) => () => number,
): Float32Array<ArrayBuffer> {
  const map = parameterMap(config);
  const values = new Float32Array(map.length);
  map.parameters.forEach((parameter, index) => {
    const { name, shape, offset, length } = parameter;
    if (shape.length === 1) {
      values.fill(name.endsWith('q_norm.weight') ? QUERY_NORM_GAIN : 1, offset, offset + length);
      return;
    }
    const deviation = initialDeviation(config, parameter);
    const normal = normals(uniformOf(index));
    for (let entry = offset; entry < offset + length; entry++) values[entry] = deviation * normal();
  });
  return values;
}
