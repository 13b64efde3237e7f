import { quote, shorten } from '../units.ts';
import { WeightsError } from './errors.ts';

/** The safetensors format: u64 header length, JSON header, tensor bytes. See github.com/huggingface/safetensors. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array; // row-major
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const LENGTH_BYTES = 8;
const LARGEST_HEADER = 100_000_000; // bytes; the limit of the reference implementation
const BYTES: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2 };

const malformed = (where: string, got: string, wanted: string, cause?: unknown): WeightsError =>
  new WeightsError(
    {
      what: 'The weights file cannot be read',
      where,
      got,
      wanted,
      next: 'Choose a .safetensors file saved by this lab.',
    },
    cause,
  );

/**
 * Writes float32 tensors in the given order.
 * @param metadata strings kept under `__metadata__`
 */
export function writeSafetensors(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>>,
): ArrayBuffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * values.length)] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8; // padded with spaces, so that the data is aligned
  const file = new ArrayBuffer(LENGTH_BYTES + headerBytes + end);
  new DataView(file).setBigUint64(0, BigInt(headerBytes), true);
  new Uint8Array(file, LENGTH_BYTES, headerBytes).fill(0x20).set(json);
  let start = LENGTH_BYTES + headerBytes;
  for (const { values } of tensors) {
    new Float32Array(file, start, values.length).set(values); // little-endian like every WebGPU platform
    start += 4 * values.length;
  }
  return file;
}

/**
 * Reads F32, F16 and BF16 tensors as float32.
 * @throws WeightsError when the file is truncated, its header is not valid, or a tensor does not fit its bytes
 */
export function readSafetensors(file: ArrayBuffer): TensorFile {
  const { header, dataStart } = readHeader(file);
  const tensors = new Map<string, Tensor>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkMetadata(value);
    else tensors.set(name, readTensor(file, dataStart, name, value));
  }
  return { tensors, metadata };
}

function readHeader(file: ArrayBuffer): { header: Record<string, unknown>; dataStart: number } {
  if (file.byteLength < LENGTH_BYTES)
    throw malformed('header length', `${file.byteLength} bytes`, 'at least 8 bytes');
  const declared = new DataView(file).getBigUint64(0, true);
  const room = BigInt(Math.min(LARGEST_HEADER, file.byteLength - LENGTH_BYTES));
  if (declared > room)
    throw malformed('header length', `${declared} bytes`, `at most ${room} bytes (the rest of the file)`);
  const dataStart = LENGTH_BYTES + Number(declared);
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      new Uint8Array(file, LENGTH_BYTES, Number(declared)),
    );
    header = JSON.parse(text);
  } catch (cause) {
    throw malformed('header', 'bytes that are not JSON', 'a JSON object', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw malformed('header', quote(header), 'a JSON object');
  }
  return { header: header as Record<string, unknown>, dataStart };
}

function checkMetadata(value: unknown): Record<string, string> {
  const isObject = typeof value === 'object' && value !== null;
  if (isObject && Object.values(value).every((text) => typeof text === 'string'))
    return value as Record<string, string>;
  throw malformed('__metadata__', quote(value), 'an object of strings');
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function checkEntry(name: string, value: unknown): Entry {
  const entry = value as Partial<Entry> | null;
  const isEntry =
    typeof entry === 'object' &&
    entry !== null &&
    typeof entry.dtype === 'string' &&
    Array.isArray(entry.shape) &&
    entry.shape.every(isCount) &&
    Array.isArray(entry.data_offsets) &&
    entry.data_offsets.length === 2 &&
    entry.data_offsets.every(isCount);
  if (isEntry) return entry as Entry;
  throw malformed(`tensor ${shorten(name)}`, quote(value), 'dtype, shape and data_offsets');
}

function readTensor(file: ArrayBuffer, dataStart: number, name: string, value: unknown): Tensor {
  const { dtype, shape, data_offsets: offsets } = checkEntry(name, value);
  if (!Object.hasOwn(BYTES, dtype))
    throw malformed(`tensor ${shorten(name)}`, `dtype ${shorten(dtype)}`, 'F32, F16 or BF16');
  const count = shape.reduce((total, size) => total * size, 1);
  const [start, end] = offsets;
  const wantedBytes = count * BYTES[dtype];
  if (end - start !== wantedBytes) {
    throw malformed(
      `tensor ${shorten(name)}`,
      `${end - start} bytes`,
      `${wantedBytes} bytes for ${dtype} ${shorten(`[${shape.join(', ')}]`)}`,
    );
  }
  if (dataStart + end > file.byteLength) {
    throw malformed(
      `tensor ${shorten(name)}`,
      `a file of ${file.byteLength} bytes`,
      `${dataStart + end} bytes (it is truncated)`,
    );
  }
  return {
    name,
    shape,
    values: decodeValues(new DataView(file, dataStart + start, wantedBytes), dtype, count),
  };
}

function decodeValues(bytes: DataView, dtype: string, count: number): Float32Array {
  const values = new Float32Array(count);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < count; i++) {
    if (dtype === 'F32') words[i] = bytes.getUint32(4 * i, true);
    else if (dtype === 'BF16') words[i] = bytes.getUint16(2 * i, true) << 16;
    else values[i] = halfToFloat(bytes.getUint16(2 * i, true));
  }
  return values;
}

/** IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
