import { describe, expect, test } from 'vitest';
import { ConfigError, WeightsError } from '../../src/model/errors.ts';
import { packBfloat16 } from '../../shaders/bfloat16.ts';
import { frozen, parameterMap } from '../../src/model/parameters.ts';
import { writeSafetensors } from '../../src/model/safetensors.ts';
import { decodeWeights, encodeWeights, openWeights } from '../../src/model/weights.ts';
import { randomParameters } from '../support/gpu_policies.ts';
import { fileOf, streamOf, tensorsOf, type PlainTensor } from '../support/safetensors.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const values = randomParameters(SMALL_MODEL, 3);
const file = encodeWeights({ config: SMALL_MODEL, values, metadata: { seed: '3' } });

/** The saved file with its tensors changed. */
function changed(change: (tensors: Map<string, PlainTensor>) => void): ArrayBuffer {
  const { tensors, metadata } = tensorsOf(file);
  change(tensors);
  return writeSafetensors(
    [...tensors].map(([name, tensor]) => ({ ...tensor, name })),
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
  const { tensors } = tensorsOf(file);
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
  const { tensors } = tensorsOf(fileOf(header, bytes));
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
    ['more bytes than tensors', fileOf(whole, new Uint8Array(12)), /end of the file.*12 bytes.*wanted 8/],
    [
      'tensors that overlap',
      fileOf({ ...whole, b: { ...whole.a, data_offsets: [4, 12] } }, new Uint8Array(12)),
      /tensor b.*byte 4.*byte 8 \(it overlaps/,
    ],
    [
      'bytes that belong to no tensor',
      fileOf({ ...whole, b: { ...whole.a, data_offsets: [12, 20] } }, new Uint8Array(20)),
      /tensor b.*byte 12.*byte 8 \(bytes between/,
    ],
    [
      'a shape whose size is beyond counting',
      fileOf({ a: { ...whole.a, shape: [2 ** 40, 2 ** 40] } }, new Uint8Array(8)),
      /tensor a.*8 bytes/,
    ],
  ];
  test.each(cases)('%s', (_, bytes, message) => {
    expect(() => tensorsOf(bytes)).toThrow(WeightsError);
    expect(() => tensorsOf(bytes)).toThrow(message);
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

describe('a file that comes in chunks', () => {
  const bytes = encodeWeights({ config: SMALL_MODEL, values, metadata: {} });

  test.each([1, 7, 64, 4099, bytes.byteLength])('of %i bytes is read as if it came whole', (chunkBytes) => {
    expect(tensorsOf(bytes, chunkBytes, false)).toEqual(tensorsOf(bytes));
  });

  test.each(['an array', 'a blob', 'a stream'])('as %s fills a store piece after piece', async (kind) => {
    const sources = {
      'an array': bytes,
      'a blob': new Blob([bytes]),
      'a stream': streamOf(bytes, 1000).stream,
    };
    const opened = await openWeights(sources[kind as keyof typeof sources]);
    expect(opened.config).toEqual(SMALL_MODEL);
    expect(opened.elementType).toBe('float32');
    const flat = new Float32Array(values.length);
    await opened.read(parameterMap(SMALL_MODEL), ({ offset }, first, words) =>
      flat.set(words, offset + first),
    );
    expect(flat).toEqual(values);
  });

  test('is asked for no more than its header before a model wants its numbers', async () => {
    const { stream, state } = streamOf(bytes, 100);
    await openWeights(stream);
    const headerBytes = 8 + Number(new DataView(bytes).getBigUint64(0, true));
    expect(state.sent).toBeLessThan(headerBytes + 100);
  });

  test('and ends too early is refused, in its header and in its tensors', async () => {
    await expect(openWeights(streamOf(bytes.slice(0, 5), 3).stream)).rejects.toThrow(
      /header length.*5 bytes/,
    );
    await expect(openWeights(streamOf(bytes.slice(0, 900), 64).stream)).rejects.toThrow(
      /header.*900 bytes.*truncated/,
    );
    const opened = await openWeights(streamOf(bytes.slice(0, -4), 64).stream);
    await expect(opened.read(parameterMap(SMALL_MODEL), () => undefined)).rejects.toThrow(
      /tensor final_norm\.weight.*truncated/,
    );
  });

  test('and goes on after its end is refused', async () => {
    const longer = new Uint8Array(bytes.byteLength + 8);
    longer.set(new Uint8Array(bytes));
    const opened = await openWeights(streamOf(longer.buffer, 64).stream);
    await expect(opened.read(parameterMap(SMALL_MODEL), () => undefined)).rejects.toThrow(/end of the file/);
  });

  test('is given up, and its download stopped, at the first fault', async () => {
    const other = streamOf(bytes, 64);
    await expect(openWeights(other.stream, { ...SMALL_MODEL, hidden: 40 })).rejects.toThrow(
      /gate_proj.*\[36, 24\]/,
    );
    expect(other.state.cancelled).toBe(true);
    const broken = streamOf(
      changed((tensors) => tensors.get('embed.weight')!.values.fill(NaN)),
      64,
    );
    const opened = await openWeights(broken.stream);
    await expect(opened.read(parameterMap(SMALL_MODEL), () => undefined)).rejects.toThrow(
      /embed\.weight, entry 0.*NaN/,
    );
    expect(broken.state.cancelled).toBe(true);
    expect(broken.state.sent).toBeLessThan(bytes.byteLength);
  });

  test('whose header says that it is longer than the format allows is refused at once', async () => {
    const claim = new Uint8Array(16);
    new DataView(claim.buffer).setBigUint64(0, 2n ** 62n, true);
    const { stream, state } = streamOf(claim.buffer, 8);
    await expect(openWeights(stream)).rejects.toThrow(/header length.*at most 100000000 bytes/);
    expect(state.sent).toBe(8);
  });

  test('of more layers than tensors is refused before they are counted out', async () => {
    const config = { ...SMALL_MODEL, layers: 2 ** 40 };
    await expect(openWeights(bytes, config)).rejects.toThrow(/those of 1099511627776 layers/);
  });

  test('in bfloat16 reaches a store of bfloat16 as it is, and one of float32 widened', async () => {
    const words = packBfloat16(values.subarray(0, 29 * 24));
    const header: Record<string, unknown> = {};
    let end = 0;
    for (const { name, shape, length } of parameterMap(SMALL_MODEL).parameters)
      header[name] = { dtype: 'BF16', shape, data_offsets: [end, (end += 2 * length)] };
    const data = new Uint8Array(end);
    data.set(new Uint8Array(words.buffer));
    const rule = frozen('bfloat16');
    const opened = await openWeights(streamOf(fileOf(header, data), 64).stream, SMALL_MODEL);
    expect(opened.elementType).toBe('bfloat16');
    const got = new Uint32Array(words.length);
    const lengths = new Map<string, number>();
    await opened.read(parameterMap(SMALL_MODEL, rule), ({ name, type }, first, piece) => {
      if (name === 'embed.weight') got.set(piece, first / 2);
      lengths.set(name, (lengths.get(name) ?? 0) + (type === 'bfloat16' ? 2 : 1) * piece.length);
    });
    expect(got).toEqual(words);
    for (const { name, length } of parameterMap(SMALL_MODEL).parameters)
      expect([name, lengths.get(name)]).toEqual([name, length]);
  });
});
