/** Models in Hugging Face form: what config.json must say for this decoder to be that model, and what tensors are called. */
import { quote, type ModelConfig } from '../units.ts';
import { checkModelConfig, rejectField, type ConfigOrigin } from './config.ts';

type Json = Readonly<Record<string, unknown>>;

/** Families that this decoder computes exactly, and what their configuration leaves unsaid (transformers 4.57). */
const FAMILIES: Readonly<
  Record<string, { readonly queryKeyNorm: boolean; readonly headSize: number | null }>
> = {
  llama: { queryKeyNorm: false, headSize: null }, // hidden_size / num_attention_heads
  qwen3: { queryKeyNorm: true, headSize: 128 },
};

/** Our field → theirs. */
const FIELDS: Readonly<Record<string, string>> = {
  vocabularySize: 'vocab_size',
  channels: 'hidden_size',
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  kvHeads: 'num_key_value_heads',
  headSize: 'head_dim',
  hidden: 'intermediate_size',
  rmsEpsilon: 'rms_norm_eps',
  ropeTheta: 'rope_theta',
  tiedOutput: 'tie_word_embeddings',
};

const ORIGIN: ConfigOrigin = {
  place: 'config.json',
  nameOf: (field) => FIELDS[field] ?? field,
  nextFor: () => 'Choose a model of the kind that is wanted; a changed config.json would give other numbers.',
  mostTokens: 2 ** 18,
  mostParameters: 4e9, // bfloat16, frozen: many buffers; what a device lacks is said when they are made
};

const isAbsent = (value: unknown): boolean => value === undefined || value === null;
const isOff = (value: unknown): boolean => isAbsent(value) || value === false;

/** Plain rotary angles: no scaling, in the form of before and since transformers 5. */
function isPlainRope(value: unknown): boolean {
  if (isAbsent(value)) return true;
  const { rope_type: type, type: olderType } = Object(value) as Json;
  return (type ?? olderType) === 'default';
}

/** Settings that change what a model computes, each with what this decoder computes. */
const CHECKS: readonly (readonly [field: string, isFine: (value: unknown) => boolean, wanted: string])[] = [
  ['hidden_act', (value) => isAbsent(value) || value === 'silu', '"silu"'],
  ['attention_bias', isOff, 'false: projections have no bias here'],
  ['mlp_bias', isOff, 'false: projections have no bias here'],
  ['rope_scaling', isPlainRope, 'null: rotary angles are not scaled here'],
  ['rope_parameters', isPlainRope, 'rope_type "default": rotary angles are not scaled here'],
  ['partial_rotary_factor', (value) => isAbsent(value) || value === 1, '1: whole heads are rotated here'],
  ['use_sliding_window', isOff, 'false: every token sees all before it here'],
  [
    'layer_types',
    (value) => isAbsent(value) || (Array.isArray(value) && value.every((type) => type === 'full_attention')),
    '"full_attention" for every layer',
  ],
  ['quantization_config', isAbsent, 'nothing: weights in F32, F16 or BF16'],
];

/**
 * Reads a config.json.
 * @throws ConfigError naming the field that this decoder cannot follow
 */
export function huggingFaceConfig(value: unknown): ModelConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return rejectField(ORIGIN, 'config', quote(value), 'an object');
  const config = value as Json;
  const type = config.model_type;
  if (typeof type !== 'string' || !Object.hasOwn(FAMILIES, type)) {
    return rejectField(ORIGIN, 'model_type', quote(type), `one of ${Object.keys(FAMILIES).join(', ')}`);
  }
  for (const [field, isFine, wanted] of CHECKS)
    if (!isFine(config[field])) rejectField(ORIGIN, field, quote(config[field]), wanted);
  const { queryKeyNorm, headSize } = FAMILIES[type];
  const rope = Object(config.rope_parameters) as Json;
  const values = {
    ...Object.fromEntries(Object.entries(FIELDS).map(([ours, theirs]) => [ours, config[theirs]])),
    kvHeads: config.num_key_value_heads ?? config.num_attention_heads,
    headSize: config.head_dim ?? headSize ?? Number(config.hidden_size) / Number(config.num_attention_heads),
    rmsEpsilon: config.rms_norm_eps ?? 1e-6,
    ropeTheta: rope.rope_theta ?? config.rope_theta ?? 10_000,
    tiedOutput: config.tie_word_embeddings ?? false,
    ...{ queryKeyNorm, previousTokenMixing: false, logitScale: 1 },
  };
  return checkModelConfig(values, ORIGIN);
}

/** The name of ours that follows the layer's number, or stands alone → theirs. */
const NAMES: Readonly<Record<string, string>> = {
  'embed.weight': 'model.embed_tokens.weight',
  'final_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
  'input_norm.weight': 'input_layernorm.weight',
  'post_attn_norm.weight': 'post_attention_layernorm.weight',
  'attn.q_proj.weight': 'self_attn.q_proj.weight',
  'attn.k_proj.weight': 'self_attn.k_proj.weight',
  'attn.v_proj.weight': 'self_attn.v_proj.weight',
  'attn.o_proj.weight': 'self_attn.o_proj.weight',
  'attn.q_norm.weight': 'self_attn.q_norm.weight',
  'attn.k_norm.weight': 'self_attn.k_norm.weight',
  'mlp.gate_proj.weight': 'mlp.gate_proj.weight',
  'mlp.up_proj.weight': 'mlp.up_proj.weight',
  'mlp.down_proj.weight': 'mlp.down_proj.weight',
};

/** What Hugging Face calls a parameter of ours, `layers.3.attn.q_proj.weight` → `model.layers.3.self_attn.q_proj.weight`. */
export function huggingFaceName(name: string): string {
  const [, layer, rest] = /^(layers\.\d+\.)?(.*)$/.exec(name)!; // matches every string
  return layer ? `model.${layer}${NAMES[rest] ?? rest}` : (NAMES[rest] ?? rest);
}

/** Whether a file in Hugging Face form may hold a tensor that the model does not read: made anew, or tied to another. */
export const isRedundant = (name: string, { tiedOutput }: ModelConfig): boolean =>
  name.endsWith('.rotary_emb.inv_freq') || (tiedOutput && name === 'lm_head.weight');
