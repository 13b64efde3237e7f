import { describe, expect, test } from 'vitest';
import { ConfigError, WeightsError } from '../../src/model/errors.ts';
import { parameterMap } from '../../src/model/parameters.ts';
import { readSafetensors, writeSafetensors } from '../../src/model/safetensors.ts';
import { decodeWeights, encodeWeights } from '../../src/model/weights.ts';
import { randomParameters } from '../support/gpu_policies.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const values = randomParameters(SMALL_MODEL, 3);
const file = encodeWeights({ config: SMALL_MODEL, values, metadata: { seed: '3' } });

/** A file with this header and data bytes. */
function fileOf(header: unknown, bytes: ArrayLike<number>): ArrayBuffer {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const whole = new Uint8Array(8 + json.length + bytes.length);
  new DataView(whole.buffer).setBigUint64(0, BigInt(json.length), true);
  whole.set(json, 8);
  whole.set(bytes, 8 + json.length);
  return whole.buffer;
}

/** The saved file with its tensors changed. */
function changed(
  change: (tensors: Map<string, { shape: readonly number[]; values: Float32Array }>) => void,
): ArrayBuffer {
  const { tensors, metadata } = readSafetensors(file);
  const copy = new Map<string, { shape: readonly number[]; values: Float32Array }>(tensors);
  change(copy);
  return writeSafetensors(
    [...copy].map(([name, tensor]) => ({ ...tensor, name })),
    metadata,
  );
}

test('saved parameters come back bit for bit, with configuration and metadata', () => {
  const read = decodeWeights(file);
  expect(read.config).toEqual(SMALL_MODEL);
  expect(read.metadata).toEqual({ seed: '3' });
  expect(read.values).toEqual(values);
});

test('tensors carry the names and shapes of the fixtures, queries apart from keys', () => {
  const { tensors } = readSafetensors(file);
  expect(tensors.get('layers.0.attn.k_proj.weight')?.shape).toEqual([16, 24]);
  expect(tensors.get('layers.1.mlp.gate_proj.weight')?.shape).toEqual([36, 24]);
  expect([...tensors.keys()]).toEqual(parameterMap(SMALL_MODEL).parameters.map(({ name }) => name));
});

test('the data starts at a multiple of 8 bytes', () => {
  expect((8 + Number(new DataView(file).getBigUint64(0, true))) % 8).toBe(0);
});

test('half precision and bfloat16 are widened exactly', () => {
  const halves = [0x3c00, 0xc000, 0x0001, 0x7bff]; // 1, −2, 2⁻²⁴, 65504
  const brains = [0x3f80, 0xc049]; // 1, −3.140625
  const bytes = new Uint8Array(new Uint16Array([...halves, ...brains]).buffer);
  const header = {
    half: { dtype: 'F16', shape: [2, 2], data_offsets: [0, 8] },
    brain: { dtype: 'BF16', shape: [2], data_offsets: [8, 12] },
  };
  const { tensors } = readSafetensors(fileOf(header, bytes));
  expect([...tensors.get('half')!.values]).toEqual([1, -2, 2 ** -24, 65504]);
  expect([...tensors.get('brain')!.values]).toEqual([1, -3.140625]);
});

describe('a malformed file is refused with what is wrong:', () => {
  const whole = { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };
  const cases: [string, ArrayBuffer, RegExp][] = [
    ['too short for a length', new ArrayBuffer(5), /header length.*5 bytes/],
    [
      'a header longer than the file',
      fileOf('{}', []).slice(0, 9),
      /header length.*2 bytes.*at most 1 bytes/,
    ],
    ['a header that is not JSON', fileOf('{oops', []), /not JSON/],
    ['a header that is a list', fileOf([1], []), /JSON object/],
    ['fewer bytes than tensors', fileOf(whole, [0, 0, 0, 0]), /tensor a.*truncated/],
    [
      'a shape that does not fit the offsets',
      fileOf({ a: { ...whole.a, shape: [3] } }, new Uint8Array(8)),
      /tensor a.*8 bytes.*12 bytes/,
    ],
    ['an unknown type', fileOf({ a: { ...whole.a, dtype: 'I64' } }, new Uint8Array(8)), /dtype I64/],
    ['an entry without offsets', fileOf({ a: { dtype: 'F32', shape: [2] } }, []), /data_offsets/],
    ['metadata that are not strings', fileOf({ __metadata__: { seed: 3 } }, []), /__metadata__/],
  ];
  test.each(cases)('%s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(WeightsError);
    expect(() => readSafetensors(bytes)).toThrow(message);
  });
});

describe('a file of another model is refused:', () => {
  test('a missing tensor is named', () => {
    const bytes = changed((tensors) => tensors.delete('final_norm.weight'));
    expect(() => decodeWeights(bytes, SMALL_MODEL)).toThrow(
      /final_norm\.weight.*got nothing, wanted shape \[24\]/,
    );
  });

  test('an unknown tensor is named', () => {
    const bytes = changed((tensors) => tensors.set('bias', { shape: [1], values: new Float32Array(1) }));
    expect(() => decodeWeights(bytes, SMALL_MODEL)).toThrow(/tensor bias.*unknown name/);
  });

  test('another shape is named with both shapes', () => {
    expect(() => decodeWeights(file, { ...SMALL_MODEL, vocabularySize: 30 })).toThrow(
      /embed\.weight.*\[29, 24\].*\[30, 24\]/,
    );
  });

  test('a number that is not finite is named with its place', () => {
    const bytes = changed((tensors) => {
      const norm = new Float32Array(24).fill(1);
      norm[7] = NaN;
      tensors.set('final_norm.weight', { shape: [24], values: norm });
    });
    expect(() => decodeWeights(bytes)).toThrow(/final_norm\.weight, entry 7.*NaN/);
  });

  test('a file without a configuration needs one', () => {
    const bare = writeSafetensors([], {});
    expect(() => decodeWeights(bare)).toThrow(ConfigError);
    expect(() => decodeWeights(writeSafetensors([], { config: '{' }))).toThrow(WeightsError);
  });
});
