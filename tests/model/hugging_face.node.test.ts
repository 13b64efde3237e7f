import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/model/errors.ts';
import { huggingFaceConfig, huggingFaceName } from '../../src/model/hugging_face.ts';
import { parameterMap } from '../../src/model/parameters.ts';
import { writeSafetensors } from '../../src/model/safetensors.ts';
import { decodeWeights } from '../../src/model/weights.ts';
import stories from '../fixtures/stories260K/config.json';
import { randomParameters } from '../support/gpu_policies.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

/** What Qwen/Qwen3-0.6B says of itself. */
const QWEN3 = {
  ...{ architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3', torch_dtype: 'bfloat16' },
  ...{ attention_bias: false, attention_dropout: 0, bos_token_id: 151643, eos_token_id: 151645 },
  ...{
    head_dim: 128,
    hidden_act: 'silu',
    hidden_size: 1024,
    initializer_range: 0.02,
    intermediate_size: 3072,
  },
  ...{
    max_position_embeddings: 40960,
    max_window_layers: 28,
    num_attention_heads: 16,
    num_hidden_layers: 28,
  },
  ...{ num_key_value_heads: 8, rms_norm_eps: 1e-6, rope_scaling: null, rope_theta: 1000000 },
  ...{ sliding_window: null, tie_word_embeddings: true, use_sliding_window: false, vocab_size: 151936 },
};

test('the configuration of a Llama-style model is read', () => {
  expect(huggingFaceConfig(stories)).toEqual({
    ...{ vocabularySize: 512, channels: 64, layers: 5, heads: 8, kvHeads: 4, headSize: 8, hidden: 172 },
    ...{ rmsEpsilon: 1e-5, ropeTheta: 10_000, queryKeyNorm: false, tiedOutput: true },
    ...{ previousTokenMixing: false, logitScale: 1 },
  });
});

test('the configuration of a Qwen3 is read, its head size its own', () => {
  const config = huggingFaceConfig(QWEN3);
  expect(config).toMatchObject({ heads: 16, kvHeads: 8, headSize: 128, channels: 1024, queryKeyNorm: true });
  expect(config.ropeTheta).toBe(1e6);
  expect(parameterMap(config).count).toBe(596_049_920);
});

test('what a file leaves unsaid is what its family means by it', () => {
  const without = (config: object, ...fields: string[]) =>
    Object.fromEntries(Object.entries(config).filter(([field]) => !fields.includes(field)));
  const llama = without(stories, 'head_dim', 'num_key_value_heads', 'tie_word_embeddings');
  expect(huggingFaceConfig(llama)).toMatchObject({ headSize: 8, kvHeads: 8, tiedOutput: false });
  const rope = { rope_parameters: { rope_type: 'default', rope_theta: 5e5 } };
  const qwen = { ...without(QWEN3, 'head_dim', 'rope_theta'), ...rope };
  expect(huggingFaceConfig(qwen)).toMatchObject({ headSize: 128, ropeTheta: 5e5 });
});

test.each([
  ['another family', { model_type: 'qwen2' }, /config\.json\.model_type.*"qwen2".*llama, qwen3/],
  ['no family', { model_type: undefined }, /model_type.*nothing/],
  ['another activation', { hidden_act: 'gelu' }, /hidden_act.*"gelu".*"silu"/],
  ['biases', { attention_bias: true }, /attention_bias.*true.*no bias/],
  ['biases of the feed-forward layer', { mlp_bias: true }, /mlp_bias/],
  [
    'scaled rotary angles',
    { rope_scaling: { rope_type: 'llama3', factor: 8 } },
    /rope_scaling.*llama3.*null/,
  ],
  ['scaled angles in the newer form', { rope_parameters: { rope_type: 'yarn' } }, /rope_parameters.*yarn/],
  ['rotation of a part of the head', { partial_rotary_factor: 0.5 }, /partial_rotary_factor/],
  ['a sliding window', { use_sliding_window: true }, /use_sliding_window/],
  ['layers of other kinds', { layer_types: ['full_attention', 'linear_attention'] }, /layer_types/],
  ['quantised weights', { quantization_config: { bits: 4 } }, /quantization_config.*F32, F16 or BF16/],
  ['a width that no kernel reads', { hidden_size: 66 }, /config\.json\.hidden_size.*66.*multiple of 4/],
  ['a missing size', { intermediate_size: undefined }, /intermediate_size.*nothing.*whole number/],
  [
    'heads that do not share keys evenly',
    { num_key_value_heads: 3 },
    /num_key_value_heads.*num_attention_heads \(8\)/,
  ],
])('a configuration with %s is refused by the name of its field', (_, change, message) => {
  expect(() => huggingFaceConfig({ ...stories, ...change })).toThrow(ConfigError);
  expect(() => huggingFaceConfig({ ...stories, ...change })).toThrow(message);
});

test.each([null, 3, [stories]])('a config.json that holds %j is refused', (value) => {
  expect(() => huggingFaceConfig(value)).toThrow(/config\.json.*an object/);
});

test('every parameter has the name that Hugging Face gives it', () => {
  const config = { ...SMALL_MODEL, tiedOutput: false, previousTokenMixing: false, layers: 1 };
  expect(parameterMap(config).parameters.map(({ name }) => huggingFaceName(name))).toEqual([
    'model.embed_tokens.weight',
    'model.layers.0.input_layernorm.weight',
    ...['q', 'k', 'v', 'o'].map((part) => `model.layers.0.self_attn.${part}_proj.weight`),
    ...['q', 'k'].map((part) => `model.layers.0.self_attn.${part}_norm.weight`),
    'model.layers.0.post_attention_layernorm.weight',
    ...['gate', 'up', 'down'].map((part) => `model.layers.0.mlp.${part}_proj.weight`),
    'model.norm.weight',
    'lm_head.weight',
  ]);
});

describe('a file in Hugging Face’s names', () => {
  const config = { ...SMALL_MODEL, previousTokenMixing: false };
  const values = randomParameters(config);
  const tensors = parameterMap(config).parameters.map(({ name, shape, offset, length }) => ({
    name: huggingFaceName(name),
    shape,
    values: values.subarray(offset, offset + length),
  }));
  const extra = (name: string) => ({ name, shape: [4], values: new Float32Array(4) });

  test('is read in any order of its tensors', () => {
    const file = writeSafetensors(tensors.toReversed(), { format: 'pt' });
    expect(decodeWeights(file, config)).toEqual({ config, values, metadata: { format: 'pt' } });
  });

  test('may repeat the tied output and keep rotary frequencies', () => {
    const more = [extra('lm_head.weight'), ...tensors, extra('model.layers.0.self_attn.rotary_emb.inv_freq')];
    expect(decodeWeights(writeSafetensors(more, {}), config).values).toEqual(values);
  });

  test('is refused by the name that stands in it', () => {
    const file = (more: typeof tensors) => writeSafetensors(more, {});
    expect(() =>
      decodeWeights(file([...tensors, extra('model.layers.0.self_attn.q_proj.bias')]), config),
    ).toThrow(/model\.layers\.0\.self_attn\.q_proj\.bias.*unknown name/);
    expect(() => decodeWeights(file(tensors.slice(0, -1)), config)).toThrow(
      /tensor model\.norm\.weight.*got nothing/,
    );
    expect(() => decodeWeights(file(tensors), { ...config, tiedOutput: false })).toThrow(
      /lm_head\.weight.*\[29, 24\]/,
    );
  });
});
