import { expect, test } from 'vitest';
import { ConfigError } from '../../src/model/errors.ts';
import { frozen, parameterMap, TENSOR_ALIGNMENT, type StorageRule } from '../../src/model/parameters.ts';
import { rotaryTable } from '../../src/model/config.ts';
import { randomParameters } from '../support/gpu_policies.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

test('bound tensors start at whole alignment blocks and nothing overlaps', () => {
  const { stored, parameters, length } = parameterMap(SMALL_MODEL);
  for (const { offset } of stored) expect(offset % TENSOR_ALIGNMENT).toBe(0);
  let end = 0;
  for (const { offset, length: size, shape } of parameters) {
    expect(offset).toBeGreaterThanOrEqual(end);
    expect(size).toBe(shape.reduce((total, extent) => total * extent, 1));
    end = offset + size;
  }
  expect(length % TENSOR_ALIGNMENT).toBe(0);
  expect(length).toBeGreaterThanOrEqual(end);
});

test('queries, keys and values are stacked by rows, as gate and up are', () => {
  const { parameters, layers } = parameterMap(SMALL_MODEL);
  const find = (name: string) =>
    parameters.find((parameter) => parameter.name === `layers.1.${name}.weight`)!;
  const [query, key, value] = ['attn.q_proj', 'attn.k_proj', 'attn.v_proj'].map(find);
  expect([query.offset, key.offset, value.offset]).toEqual([
    layers[1].qkv.offset,
    layers[1].qkv.offset + 32 * 24,
    layers[1].qkv.offset + 48 * 24,
  ]);
  expect(find('mlp.up_proj').offset).toBe(layers[1].gateUp.offset + 36 * 24);
});

test('the tied output is the embedding, the untied one is its own tensor', () => {
  const tied = parameterMap(SMALL_MODEL);
  const untied = parameterMap({ ...SMALL_MODEL, tiedOutput: false });
  expect(tied.output).toBe(tied.embedding);
  expect(untied.output.name).toBe('output.weight');
  expect(untied.output.offset).not.toBe(untied.embedding.offset);
});

test('a seed gives the same parameters, another seed others', () => {
  const first = randomParameters(SMALL_MODEL, 5);
  expect(randomParameters(SMALL_MODEL, 5)).toEqual(first);
  expect(randomParameters(SMALL_MODEL, 6)).not.toEqual(first);
});

test('matrices have the prototype’s deviations, norms are 1 and query norms 2', () => {
  const config = { ...SMALL_MODEL, vocabularySize: 128, channels: 64, kvHeads: 4, headSize: 16, hidden: 128 };
  const values = randomParameters(config);
  const deviation = (name: string): number => {
    const { offset, length } = parameterMap(config).parameters.find((parameter) => parameter.name === name)!;
    return Math.sqrt(
      values.subarray(offset, offset + length).reduce((sum, value) => sum + value * value, 0) / length,
    );
  };
  expect(deviation('embed.weight')).toBeCloseTo(0.5, 1);
  expect(deviation('previous.weight')).toBeCloseTo(1 / 8, 2);
  expect(deviation('layers.0.attn.o_proj.weight')).toBeCloseTo(1 / 16, 2);
  expect(deviation('layers.0.mlp.down_proj.weight')).toBeCloseTo(1 / Math.sqrt(512), 2);
  expect(deviation('layers.1.attn.q_norm.weight')).toBe(2);
  expect(deviation('layers.1.attn.k_norm.weight')).toBe(1);
  expect(deviation('final_norm.weight')).toBe(1);
});

test('the rotary table holds cosines, then sines, of position·θ^(−2j/HS)', () => {
  const table = rotaryTable(5, 8, 10000);
  expect([...table.subarray(0, 8)]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  expect(table[3 * 8 + 1]).toBe(Math.fround(Math.cos(3 * 10000 ** (-2 / 8))));
  expect(table[3 * 8 + 4 + 2]).toBe(Math.fround(Math.sin(3 * 10000 ** (-4 / 8))));
});

test('frozen tensors lie in buffers of their own, and what is left is laid out as if it were alone', () => {
  const rule: StorageRule = ({ name }) => ({ type: 'float32', trainable: /norm/.test(name) });
  const { buffers, parameters, stored, length, count } = parameterMap(SMALL_MODEL, rule);
  const trained = parameters.filter(({ trainable }) => trainable);
  expect(buffers.map(({ trainable }) => trainable)).toEqual([true, false]);
  expect(trained.every(({ name, buffer }) => /norm/.test(name) && buffer === 0)).toBe(true);
  expect(count).toBe(trained.reduce((sum, { length: size }) => sum + size, 0));
  expect(length).toBe(TENSOR_ALIGNMENT * trained.length); // each norm fits one block
  for (const { offset, length: size, buffer } of stored) {
    expect(offset % TENSOR_ALIGNMENT).toBe(0);
    expect(offset + size).toBeLessThanOrEqual(buffers[buffer].length);
  }
});

test('frozen buffers stay under the default limit on bindings, save for a tensor that is larger', () => {
  const config = { ...SMALL_MODEL, vocabularySize: 151_936, channels: 1024, hidden: 3072, layers: 28 };
  const { buffers, stored, embedding } = parameterMap(config, frozen('bfloat16'));
  const bytesOf = (type: string) => (type === 'bfloat16' ? 2 : 4);
  for (const [index, { type, length }] of buffers.entries()) {
    if (index === embedding.buffer) expect(length).toBe(embedding.length);
    else expect(length * bytesOf(type)).toBeLessThanOrEqual(2 ** 27);
  }
  const norms = stored.filter(({ length }) => length <= 1024);
  expect(new Set(norms.map(({ type }) => type))).toEqual(new Set(['float32']));
  expect(new Set(stored.filter(({ length }) => length > 1024).map(({ type }) => type))).toEqual(
    new Set(['bfloat16']),
  );
});

test.each<[string, StorageRule, RegExp]>([
  ['a trained tensor in bfloat16', () => ({ type: 'bfloat16', trainable: true }), /embed\.weight.*trained/s],
  [
    'a norm in bfloat16',
    () => ({ type: 'bfloat16', trainable: false }),
    /layers\.0\.input_norm.*\[24\].*norms/s,
  ],
])('%s is refused', (_, rule, message) => {
  expect(() => parameterMap(SMALL_MODEL, rule)).toThrow(ConfigError);
  expect(() => parameterMap(SMALL_MODEL, rule)).toThrow(message);
});
