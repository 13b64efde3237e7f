/** Bytes of a chosen file to JSON values with their lines: archives are opened, encodings told apart, and memory stays bounded. */
import type { AsyncFlateStreamHandler } from 'fflate';
import type { ChosenFile } from '../../protocol/protocol.ts';
import { quote } from '../../units.ts';
import { chunksOf, gunzipped, inPieces } from '../byte_lines.ts';
import type { Bytes } from '../members.ts';
import { ImportError } from './rollout.ts';

export type ImportFile = ChosenFile;

/** Bytes that begin with a line of their file. */
export interface Stretch {
  readonly start: number; // in the file, bytes
  readonly line: number; // from 1
  readonly bytes: () => AsyncIterable<Bytes>;
}

/** A text file: the chosen one, or one within an archive. Can be read again from its start. */
export interface Part {
  readonly path: string;
  readonly bytes: () => AsyncIterable<Bytes>;
  /** Of a file whose lines stand in it as they are read: all of it, or those that were asked for. */
  readonly stretches?: readonly Stretch[];
  readonly isPart?: true; // some lines of it
  readonly size?: number; // bytes, of a file that can be read again whole for the sake of one of its values
}

/** Rows of a table, already values. */
export interface Table {
  readonly path: string;
  readonly rows: () => AsyncIterable<unknown>;
}

export const isTable = (part: Part | Table): part is Table => 'rows' in part;

const MOST_AGAIN_BYTES = 2 ** 26; // of a document that is read again whole: about a second
const MOST_ENTRY_BYTES = 2 ** 29; // of a file in an archive, unpacked: it is held whole
const HEAD_BYTES = 512;

const refusal = (path: string, got: string, wanted: string, next: string, cause?: unknown): ImportError =>
  new ImportError(
    { what: 'This file holds no rollouts that can be read', where: path, got, wanted, next },
    cause,
  );

const PICKLE_ADVICE =
  'Write text instead: verl trainer.rollout_data_dir=DIR; RAGEN output.format=jsonl; SkyRL dumped_evals; for a torch file, json.dumps each sample to a line, with .tolist() of its tensors.';
const WANTED = 'JSON, JSON lines, Parquet, or one of them in gzip, zstd or zip';

/** What a file is by its first bytes; null: text, as far as they tell. */
function kindOf(head: Bytes): string | null {
  const starts = (...bytes: readonly number[]): boolean => bytes.every((byte, at) => head[at] === byte);
  const text = new TextDecoder('latin1').decode(head.subarray(0, 16));
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd) || (starts(head[0], 0x2a, 0x4d, 0x18) && head[0] >> 4 === 5))
    return 'zstd';
  if (starts(0x50, 0x4b, 3, 4) || starts(0x50, 0x4b, 5, 6)) return 'zip';
  if (text.startsWith('PAR1')) return 'parquet';
  if (starts(0x80) && head[1] >= 2 && head[1] <= 5) return 'pickle';
  if (text.startsWith('SQLite format 3')) return 'sqlite';
  if (starts(0xff, 0xfe) || starts(0xfe, 0xff)) return null; // UTF-16
  if (head.includes(0)) return 'binary';
  return null;
}

const piecesOf = (blob: Blob): AsyncGenerator<Bytes> => chunksOf(blob.stream());

async function* unzstd(blob: Blob): AsyncGenerator<Bytes> {
  const { Decompress } = await import('fzstd');
  const out: Bytes[] = [];
  const sink = new Decompress((chunk) => void (chunk.length > 0 && out.push(chunk as Bytes)));
  for await (const piece of inPieces(piecesOf(blob))) {
    sink.push(piece);
    yield* out.splice(0);
  }
  sink.push(new Uint8Array(0), true);
  yield* out.splice(0);
}

const ZSTD_IN_ZIP = 93;
const isText = (path: string): boolean => /\.(?:jsonl?|ndjson|txt)$/i.test(path);

/** Files within a zip, one after another, each held whole. */
async function* unzipped({ path, blob }: ImportFile): AsyncGenerator<Part> {
  const [{ Unzip, UnzipInflate, UnzipPassThrough }, { Decompress }] = await Promise.all([import('fflate'), import('fzstd')]); // prettier-ignore
  class UnzipZstd {
    static compression = ZSTD_IN_ZIP;
    ondata: AsyncFlateStreamHandler = () => undefined;
    #stream = new Decompress((chunk, final) => this.ondata(null, chunk as Bytes, final ?? false));
    push(chunk: Uint8Array, final: boolean): void {
      this.#stream.push(chunk, final);
    }
  }
  const done: Part[] = [];
  let open = 0; // files whose end has not come
  const unzip = new Unzip((file) => {
    const name = `${path}/${file.name}`;
    if (/(?:^|\/)data\.pkl$/.test(file.name)) throw refusal(path, 'a torch file: pickled Python objects', WANTED, PICKLE_ADVICE); // prettier-ignore
    if (!isText(file.name)) return;
    const chunks: Bytes[] = [];
    let bytes = 0;
    file.ondata = (error, chunk, final) => {
      if (error) throw error;
      bytes += chunk.length;
      if (bytes > MOST_ENTRY_BYTES) throw refusal(name, 'a larger file', `at most ${MOST_ENTRY_BYTES} bytes, unpacked`, 'Unpack the archive and open its files.'); // prettier-ignore
      chunks.push(chunk);
      if (!final) return;
      open -= 1;
      done.push({ path: name, bytes: () => piecesOf(new Blob(chunks)) });
    };
    open += 1;
    file.start();
  });
  unzip.register(UnzipInflate);
  unzip.register(UnzipPassThrough);
  unzip.register(UnzipZstd);
  for await (const piece of inPieces(piecesOf(blob))) {
    unzip.push(piece);
    yield* done.splice(0);
  }
  if (open > 0) throw refusal(path, 'an archive that breaks off', WANTED, 'Copy it again; the files before its last were read.'); // prettier-ignore
}

const ROWS_AT_ONCE = 512;

/** Whole numbers of 64 bits as numbers; NaN and text as they are. */
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const plain = (value: unknown): unknown =>
  typeof value === 'bigint'
    ? Number(value)
    : isList(value)
      ? value.map(plain)
      : value && Object.getPrototypeOf(value) === Object.prototype
        ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]))
        : value;

async function* parquetRows(blob: Blob): AsyncGenerator<unknown> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const file = {
    byteLength: blob.size,
    slice: (start: number, end?: number): Promise<ArrayBuffer> => blob.slice(start, end).arrayBuffer(),
  };
  const metadata = await parquetMetadataAsync(file);
  const count = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < count; rowStart += ROWS_AT_ONCE) {
    const rowEnd = Math.min(count, rowStart + ROWS_AT_ONCE);
    for (const row of await parquetReadObjects({ file, metadata, rowStart, rowEnd })) yield plain(row);
  }
}

function textPart({ path, blob, only }: ImportFile, head: Bytes): Part {
  const bytes = (): AsyncIterable<Bytes> => piecesOf(blob);
  if (utf16Of(head) !== null) return { path, bytes };
  const isWhole = only?.ranges.length === 3 && only.ranges[0] === 0 && only.ranges[1] === blob.size;
  if (!only || isWhole) return { path, bytes, stretches: [{ start: 0, line: 1, bytes }], ...(blob.size <= MOST_AGAIN_BYTES && { size: blob.size }) }; // prettier-ignore
  const stretches: Stretch[] = [];
  for (let at = 0; at < only.ranges.length; at += 3) {
    const [start, end, line] = only.ranges.slice(at, at + 3);
    stretches.push({ start, line, bytes: () => piecesOf(blob.slice(start, end)) });
  }
  return { path, bytes, stretches, isPart: true };
}

const EXTENSION_OF_PICKLES = /\.(?:pt|pth|pkl|pickle|bin)$/i;

/**
 * What there is to read in a file, archives opened.
 * @throws ImportError where the file is of another kind
 */
export async function* partsOf(file: ImportFile): AsyncGenerator<Part | Table> {
  const { path, blob } = file;
  const head = new Uint8Array(await blob.slice(0, HEAD_BYTES).arrayBuffer());
  const kind = kindOf(head);
  if (head.length === 0) throw refusal(path, 'an empty file', WANTED, 'Look whether the run wrote its rollouts yet, and choose another file.'); // prettier-ignore
  switch (kind) {
    case null:
      return void (yield textPart(file, head));
    case 'gzip':
      return void (yield { path: path.replace(/\.gz$/i, ''), bytes: () => gunzipped(piecesOf(blob)) });
    case 'zstd':
      return void (yield { path: path.replace(/\.zstd?$/i, ''), bytes: () => unzstd(blob) });
    case 'zip':
      return void (yield* unzipped(file));
    case 'parquet':
      return void (yield { path, rows: () => parquetRows(blob) });
    case 'sqlite':
      throw refusal(path, 'a SQLite database', WANTED, 'Export it: for mlflow, MlflowClient().search_traces(…) and json.dumps(trace.to_dict()) to a line each.'); // prettier-ignore
  }
  const isPickle = kind === 'pickle' || EXTENSION_OF_PICKLES.test(path);
  throw refusal(path, isPickle ? 'pickled Python objects' : `binary data that begins with ${quote([...head.subarray(0, 4)])}`, WANTED, isPickle ? PICKLE_ADVICE : 'Choose the file that the trainer wrote its rollouts to.'); // prettier-ignore
}

/** Whether the bytes begin with a byte order mark of UTF-16, and which. */
const utf16Of = (head: Bytes): 'utf-16le' | 'utf-16be' | null =>
  head[0] === 0xff && head[1] === 0xfe
    ? 'utf-16le'
    : head[0] === 0xfe && head[1] === 0xff
      ? 'utf-16be'
      : null;

/** UTF-16 as UTF-8. A byte order mark of UTF-8 stays, as in the file; decoders take it off. */
export async function* asUtf8(pieces: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  let decoder: TextDecoder | null | undefined;
  const encoder = new TextEncoder();
  for await (const piece of pieces) {
    if (decoder === undefined) {
      const encoding = utf16Of(piece);
      decoder = encoding === null ? null : new TextDecoder(encoding);
    }
    yield decoder ? encoder.encode(decoder.decode(piece, { stream: true })) : piece;
  }
  if (decoder) yield encoder.encode(decoder.decode());
}
