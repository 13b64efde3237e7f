/** Bytes of a file, zipped or not, to lines of text: each byte is looked at once, and no line grows beyond its bound. */

import {
  crc32,
  MEMBER_HEADER_BYTES,
  memberHeader,
  readMember,
  TRAILER_BYTES,
  type Bytes,
} from './members.ts';

// How much of a file is read: what is beyond is refused before anything is made of it.

export interface ReadBounds {
  readonly lineBytes: number; // of one line, unzipped, without its line feed
  readonly totalBytes: number; // of the whole file, unzipped
  readonly depth: number; // brackets open at once in a line of JSON
  readonly events: number;
}

/** 140 and 39 times what the recorded run of `instant` has, 3 times its depth, 220 times its events. */
export const READ_BOUNDS: ReadBounds = {
  lineBytes: 16 * 2 ** 20,
  totalBytes: 2 ** 30,
  depth: 32,
  events: 5_000_000,
};

export type { Bytes } from './members.ts';

/** Makes the error of a bound that is passed. */
export type Unreadable = (where: string, got: string, wanted: string) => Error;

const GZIP_MAGIC = [0x1f, 0x8b];
const PIECE_BYTES = 2 ** 14; // of the file, handed on as they are asked for
const NEWEST_BYTES = 2 ** 12; // in which a member's trailer and the next one's header stand
const STRETCH_BYTES = 2 ** 18; // looked at before the lines so far are handed on
const [LINE_FEED, QUOTE, BACKSLASH] = [0x0a, 0x22, 0x5c];
const BRACKET_CASE = 0x20; // ASCII: { and [ differ by it, } and ] too
const [OPENING, CLOSING] = [0x7b, 0x7d];

const decoder = new TextDecoder();

function joined(pieces: readonly Bytes[]): Bytes {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

export async function* chunksOf(stream: ReadableStream<Bytes>): AsyncGenerator<Bytes, void> {
  const reader = stream.getReader(); // Safari's streams are not async iterable
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    await reader.cancel().catch(() => undefined); // an errored stream refuses; nothing is left to release
  }
}

/** What comes of a piece is handed on before the next is looked at. */
export async function* inPieces(chunks: AsyncIterable<Bytes>): AsyncGenerator<Bytes, void> {
  for await (const chunk of chunks)
    for (let start = 0; start < chunk.length; start += PIECE_BYTES)
      yield chunk.subarray(start, start + PIECE_BYTES);
}

/** Gunzips where needed: a server that sends Content-Encoding: gzip has done it already. */
async function* plainChunks(chunks: AsyncGenerator<Bytes, void>): AsyncGenerator<Bytes, void> {
  const head = await atLeast(MEMBER_HEADER_BYTES, [], chunks);
  if (memberHeader(head)) return yield* textsOfMembers(head, chunks);
  const rest = new ReadableStream<Bytes>({
    start: (controller) => controller.enqueue(head),
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void (await chunks.return(undefined)),
  });
  const zipped = GZIP_MAGIC.every((byte, place) => head[place] === byte);
  yield* zipped ? gunzipped(chunksOf(rest)) : chunksOf(rest);
}

/**
 * gzip of any writer, all its members (as pigz and `cat` make them; the browser's own gunzip refuses what follows the first), each
 * against its checksum.
 * @throws TypeError where a checksum differs; fflate's errors where it breaks off or is none
 */
export async function* gunzipped(chunks: AsyncIterable<Bytes>): AsyncGenerator<Bytes, void> {
  const { Gunzip } = await import('fflate');
  const plain: Bytes[] = [];
  let [sum, fileBytes] = [0, 0]; // of the member under way; of the file so far
  let newest: Bytes = new Uint8Array(0); // bytes of the file, of which the last are the trailer of a member that ends
  const endMember = (end: number): void => {
    const at = newest.length - (fileBytes - end) - TRAILER_BYTES;
    const isRight = at >= 0 && new DataView(newest.buffer, newest.byteOffset).getUint32(at, true) === sum;
    if (!isRight) throw new TypeError('a part of the file is not as it was written: its checksum differs');
    sum = 0;
  };
  const gunzip = new Gunzip((piece) => {
    sum = crc32(piece, sum);
    if (piece.length > 0) plain.push(piece);
  });
  gunzip.onmember = endMember;
  for await (const piece of inPieces(chunks)) {
    newest = joined([newest.subarray(-NEWEST_BYTES), piece]);
    fileBytes += piece.length;
    gunzip.push(piece);
    yield* plain.splice(0);
  }
  gunzip.push(new Uint8Array(0), true);
  yield* plain.splice(0);
  endMember(fileBytes);
}

/** Pieces until they hold `bytes`, or the end of the file is there. */
async function atLeast(
  bytes: number,
  pieces: readonly Bytes[],
  chunks: AsyncGenerator<Bytes, void>,
): Promise<Bytes> {
  const all = [...pieces];
  let length = all.reduce((sum, piece) => sum + piece.length, 0);
  while (length < bytes) {
    const { done, value } = await chunks.next();
    if (done) break;
    all.push(value);
    length += value.length;
  }
  return joined(all);
}

/** Of a file that grew member by member; the browser's own gunzip stops after the first. */
async function* textsOfMembers(
  head: Bytes,
  chunks: AsyncGenerator<Bytes, void>,
): AsyncGenerator<Bytes, void> {
  let rest = head;
  while (rest.length > 0) {
    rest = await atLeast(MEMBER_HEADER_BYTES, [rest], chunks);
    const header = memberHeader(rest);
    if (!header) throw new TypeError('the file breaks off, or a part of it is damaged');
    rest = await atLeast(header.bytes, [rest], chunks);
    if (rest.length < header.bytes) throw new TypeError('the file breaks off within a part');
    yield await readMember(rest.subarray(0, header.bytes));
    rest = await atLeast(1, [rest.subarray(header.bytes)], chunks);
  }
}

export class LineReader {
  fileBytes = 0; // read so far, zipped if the file is
  readonly #bounds: ReadBounds;
  readonly #unreadable: Unreadable;
  #totalBytes = 0;
  #line = 1;
  #pieces: Bytes[] = []; // of the line under way
  #lineBytes = 0;
  #depth = 0; // brackets open in it
  #quoted = false; // within a string of it
  #escaped = false; // after a backslash there

  constructor(bounds: ReadBounds, unreadable: Unreadable) {
    this.#bounds = bounds;
    this.#unreadable = unreadable;
  }

  /** What stands after the last line feed. */
  get rest(): string {
    return this.#lineBytes === 0 ? '' : decoder.decode(joined(this.#pieces));
  }

  /**
   * The lines that end in each stretch of the file; maybe none.
   * @throws what `unreadable` makes where a bound is passed; the signal's reason; errors of the stream
   */
  async *read(
    source: Blob | ReadableStream<Bytes>,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly string[], void> {
    const stream = source instanceof Blob ? source.stream() : source;
    for await (const chunk of plainChunks(this.#counted(stream)))
      for (let start = 0; start < chunk.length; start += STRETCH_BYTES) {
        signal?.throwIfAborted();
        yield this.#cut(chunk.subarray(start, start + STRETCH_BYTES));
      }
  }

  /** In small pieces, or a whole zipped file would count as read before its first line is there. */
  async *#counted(stream: ReadableStream<Bytes>): AsyncGenerator<Bytes, void> {
    for await (const piece of inPieces(chunksOf(stream))) {
      this.fileBytes += piece.length;
      yield piece;
    }
  }

  #cut(bytes: Bytes): readonly string[] {
    this.#totalBytes += bytes.length;
    const { totalBytes } = this.#bounds;
    if (this.#totalBytes > totalBytes) throw this.#unreadable(`line ${this.#line}`, 'more bytes', `a file of at most ${totalBytes} bytes, unzipped`); // prettier-ignore
    const lines: string[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      if (bytes[at] !== LINE_FEED) {
        this.#look(bytes[at]);
        continue;
      }
      this.#keep(bytes.subarray(start, at));
      lines.push(this.rest);
      this.#startLine();
      start = at + 1;
    }
    this.#keep(bytes.subarray(start));
    return lines;
  }

  #startLine(): void {
    this.#line += 1;
    this.#pieces = [];
    this.#lineBytes = this.#depth = 0;
    this.#quoted = this.#escaped = false;
  }

  #keep(piece: Bytes): void {
    this.#lineBytes += piece.length;
    const { lineBytes } = this.#bounds;
    if (this.#lineBytes > lineBytes)
      throw this.#unreadable(`line ${this.#line}`, 'a longer line', `at most ${lineBytes} bytes in a line`);
    if (piece.length > 0) this.#pieces.push(piece);
  }

  /** Follows strings and brackets, so that no parser has to go deeper than the bound. */
  #look(byte: number): void {
    if (this.#quoted) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#quoted = false;
      return;
    }
    if (byte === QUOTE) this.#quoted = true;
    else if ((byte | BRACKET_CASE) === CLOSING) this.#depth -= 1;
    else if ((byte | BRACKET_CASE) === OPENING) {
      this.#depth += 1;
      const { depth } = this.#bounds;
      if (this.#depth > depth) throw this.#unreadable(`line ${this.#line}`, 'a deeper value', `at most ${depth} brackets open at once`); // prettier-ignore
    }
  }
}
