/** The safetensors format: u64 header length, JSON header, tensor bytes. See github.com/huggingface/safetensors. */
import { packBfloat16, widenBfloat16 } from '../../shaders/bfloat16.ts';
import type { TypedArray } from '../gpu/kernel.ts';
import { quote, shorten } from '../units.ts';
import { WeightsError } from './errors.ts';
import type { ElementType } from './parameters.ts';

/** A tensor to write. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array; // row-major
}

const BYTES = { F32: 4, F16: 2, BF16: 2 } as const; // of an element

/** Element types that are read. */
export type FileType = keyof typeof BYTES;

/** A tensor of a file; start and end in bytes from the end of the header. */
export interface TensorEntry {
  readonly name: string;
  readonly type: FileType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

export interface FileHeader {
  readonly tensors: readonly TensorEntry[]; // in the order of their bytes
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Takes the next bytes of a tensor.
 * @param first element that they start at
 * @param bytes whole elements at the start of a buffer of their own, overwritten after the call
 */
export type PieceSink = (tensor: TensorEntry, first: number, bytes: Uint8Array<ArrayBuffer>) => void;

const LENGTH_BYTES = 8;
const LARGEST_HEADER = 100_000_000; // bytes; the limit of the reference implementation
const PIECE_BYTES = 2 ** 20; // handed on at once: what reading takes beside the file and the store

const malformed = (where: string, got: string, wanted: string, cause?: unknown): WeightsError =>
  new WeightsError(
    {
      what: 'The weights file cannot be read',
      where,
      got,
      wanted,
      next: 'Choose a whole .safetensors file, saved by this lab or from Hugging Face; if this one was downloaded, download it again.',
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
 * Reads a file as it comes, in pieces of any size: first its header, then, once start() has said to whom, its tensors in
 * the order of their bytes. Nothing is taken on trust: no number of the file sizes memory before it is checked, and every
 * byte belongs to exactly one tensor. Beside what is waiting for start() it holds one piece.
 */
export class SafetensorsReader {
  readonly #fileBytes: number | null;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  #waiting: Uint8Array[] = []; // before the header is whole, and before start()
  #waitingBytes = 0;
  #header: FileHeader | null = null;
  #sink: PieceSink | null = null;
  #tensor = 0; // whose bytes come next
  #position = 0; // bytes from the end of the header
  #filled = 0; // bytes of the piece

  /** @param fileBytes length of the whole file; null where it is not known before its end */
  constructor(fileBytes: number | null) {
    this.#fileBytes = fileBytes;
  }

  /** Null until enough has come. */
  get header(): FileHeader | null {
    return this.#header;
  }

  /** @throws WeightsError when the header is not valid or the bytes are more than it says, and whatever the sink throws */
  push(bytes: Uint8Array): void {
    if (this.#sink) return this.#deliver(this.#sink, bytes);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#header ??= this.#readHeader();
  }

  /** Hands on what has come, and whatever comes from now on. */
  start(sink: PieceSink): void {
    this.#sink = sink;
    for (const bytes of this.#waiting.splice(0)) this.#deliver(sink, bytes);
    this.#waitingBytes = 0;
  }

  /** @throws WeightsError when the file ends too early */
  end(): void {
    if (!this.#header) {
      const got = `a file of ${this.#waitingBytes} bytes`;
      throw malformed(
        this.#waitingBytes < LENGTH_BYTES ? 'header length' : 'header',
        got,
        this.#wantedHeader(),
      );
    }
    const open = this.#header.tensors.find(({ end }) => end > this.#position);
    if (open) throw truncated(open, this.#position);
  }

  #wantedHeader(): string {
    if (this.#waitingBytes < LENGTH_BYTES) return `at least ${LENGTH_BYTES} bytes`;
    return `at least ${LENGTH_BYTES + this.#headerLength()} bytes (it is truncated)`;
  }

  #readHeader(): FileHeader | null {
    if (this.#waitingBytes < LENGTH_BYTES) return null;
    const headerBytes = this.#headerLength();
    if (this.#waitingBytes < LENGTH_BYTES + headerBytes) return null;
    const header = parseHeader(this.#take(LENGTH_BYTES + headerBytes).subarray(LENGTH_BYTES));
    if (this.#fileBytes !== null) checkLength(header, this.#fileBytes - LENGTH_BYTES - headerBytes);
    return header;
  }

  /** @throws WeightsError before anything of that length is made room for */
  #headerLength(): number {
    const start = this.#take(LENGTH_BYTES);
    this.#waiting.unshift(start);
    this.#waitingBytes += LENGTH_BYTES;
    const declared = new DataView(start.buffer).getBigUint64(0, true);
    const room = BigInt(Math.min(LARGEST_HEADER, (this.#fileBytes ?? Infinity) - LENGTH_BYTES));
    const why = this.#fileBytes === null ? 'the format’s limit' : 'the rest of the file';
    if (declared > room)
      throw malformed('header length', `${declared} bytes`, `at most ${room} bytes (${why})`);
    return Number(declared);
  }

  /** The first bytes of what is waiting, no more than there are, copied and taken away. */
  #take(count: number): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const next = this.#waiting.shift()!; // the caller has seen that there are enough
      const part = next.subarray(0, count - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length < next.length) this.#waiting.unshift(next.subarray(part.length));
    }
    this.#waitingBytes -= count;
    return taken;
  }

  #deliver(sink: PieceSink, bytes: Uint8Array): void {
    const { tensors } = this.#header!; // start() comes after the header
    for (let from = 0; from < bytes.length;) {
      while (tensors[this.#tensor]?.end === this.#position) this.#tensor++;
      const tensor = tensors[this.#tensor];
      if (!tensor) throw oversized(this.#position, this.#position + bytes.length - from);
      const room = Math.min(tensor.end - this.#position, PIECE_BYTES - this.#filled);
      const part = bytes.subarray(from, from + room);
      this.#piece.set(part, this.#filled);
      from += part.length;
      this.#filled += part.length;
      this.#position += part.length;
      if (this.#filled === PIECE_BYTES || this.#position === tensor.end) this.#flush(sink, tensor);
    }
  }

  #flush(sink: PieceSink, tensor: TensorEntry): void {
    const first = (this.#position - this.#filled - tensor.start) / BYTES[tensor.type];
    sink(tensor, first, this.#piece.subarray(0, this.#filled));
    this.#filled = 0;
  }
}

const truncated = ({ name, end }: TensorEntry, got: number): WeightsError =>
  malformed(
    `tensor ${shorten(name)}`,
    `${got} bytes of tensors`,
    `${end} bytes at least (the file is truncated)`,
  );

const oversized = (wanted: number, got: number): WeightsError =>
  malformed('end of the file', `${got} bytes of tensors`, `${wanted} bytes, as its header says`);

function checkLength({ tensors }: FileHeader, dataBytes: number): void {
  const cut = tensors.find(({ end }) => end > dataBytes);
  if (cut) throw truncated(cut, dataBytes);
  const wanted = tensors.at(-1)?.end ?? 0;
  if (dataBytes > wanted) throw oversized(wanted, dataBytes);
}

function parseHeader(bytes: Uint8Array): FileHeader {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed('header', 'bytes that are not JSON', 'a JSON object', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw malformed('header', quote(header), 'a JSON object');
  }
  let metadata: Record<string, string> = {};
  const tensors: TensorEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkMetadata(value);
    else tensors.push(checkEntry(name, value));
  }
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  tensors.forEach(({ name, start }, index) => {
    const before = tensors[index - 1]?.end ?? 0;
    if (start === before) return;
    const fault = start < before ? 'it overlaps the tensor before it' : 'bytes between belong to no tensor';
    throw malformed(`tensor ${shorten(name)}`, `a start at byte ${start}`, `byte ${before} (${fault})`);
  });
  return { tensors, metadata };
}

function checkMetadata(value: unknown): Record<string, string> {
  const isObject = typeof value === 'object' && value !== null;
  if (isObject && Object.values(value).every((text) => typeof text === 'string'))
    return value as Record<string, string>;
  throw malformed('__metadata__', quote(value), 'an object of strings');
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function checkEntry(name: string, value: unknown): TensorEntry {
  const entry = value as Partial<Record<'dtype' | 'shape' | 'data_offsets', unknown>> | null;
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const counts = (list: unknown): list is readonly number[] => Array.isArray(list) && list.every(isCount);
  if (typeof dtype !== 'string' || !counts(shape) || !counts(offsets) || offsets.length !== 2) {
    throw malformed(`tensor ${shorten(name)}`, quote(value), 'dtype, shape and data_offsets');
  }
  if (!Object.hasOwn(BYTES, dtype))
    throw malformed(`tensor ${shorten(name)}`, `dtype ${shorten(dtype)}`, 'F32, F16 or BF16');
  const type = dtype as FileType; // one of BYTES
  const [start, end] = offsets;
  const wantedBytes = BYTES[type] * shape.reduce((total, size) => total * size, 1);
  if (end - start !== wantedBytes) {
    const wanted = `${wantedBytes} bytes for ${type} ${shorten(`[${shape.join(', ')}]`)}`;
    throw malformed(`tensor ${shorten(name)}`, `${end - start} bytes`, wanted);
  }
  return { name, type, shape, start, end };
}

/**
 * The numbers of a piece as a store keeps them. What a type holds exactly stays exact; float32 and half precision become
 * the nearest bfloat16.
 * @returns floats, or u32 of two bfloat16 each; may share the piece's memory
 */
export function storedWords(bytes: Uint8Array<ArrayBuffer>, from: FileType, to: ElementType): TypedArray {
  const { buffer, byteOffset, byteLength } = bytes;
  const words = new Uint32Array(buffer, byteOffset, Math.ceil(byteLength / 4)); // a piece is longer than its bytes
  if (from === 'BF16' && to === 'bfloat16') return words;
  const values = floatsOf(bytes, words, from);
  return to === 'bfloat16' ? packBfloat16(values) : values;
}

function floatsOf(
  { buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>,
  words: Uint32Array,
  type: FileType,
): Float32Array<ArrayBuffer> {
  const count = byteLength / BYTES[type];
  if (type === 'F32') return new Float32Array(buffer, byteOffset, count);
  if (type === 'BF16') return widenBfloat16(words).subarray(0, count);
  return Float32Array.from(new Uint16Array(buffer, byteOffset, count), halfToFloat);
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
