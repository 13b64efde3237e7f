/** A text file's JSON values, one after another, each with the line that it begins at, in memory of one value. */
import type { Bytes } from '../members.ts';
import { asUtf8, type Part, type Stretch } from './source.ts';
import type { ByteRange } from './format.ts';
import { parseJson } from './json.ts';
import type { Place } from './rollout.ts';

/** A value, or why there is none at this place. */
export interface Read extends Place {
  readonly value: unknown;
  readonly fault: { readonly got: string; readonly text: string } | null;
  readonly bytes: number; // of its text
  readonly isBroken: boolean; // bytes that are not UTF-8 were replaced
  readonly range: ByteRange | null; // its line, or the whole document; null: neither can be read again alone
}

const LINE_FEED = 0x0a;
export const MOST_VALUE_BYTES = 2 ** 26; // of a line, or of a value in a list

const joined = (pieces: readonly Bytes[]): Bytes => {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
};

const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();

interface Line {
  readonly line: number;
  readonly start: number; // in its file, bytes
  readonly text: string; // without its line feed; '' where it is too long
  readonly bytes: number;
  readonly isBroken: boolean;
  readonly isTooLong: boolean;
}

function lineOf(line: number, start: number, pieces: readonly Bytes[], bytes: number): Line {
  const place = { line, start, bytes };
  if (bytes > MOST_VALUE_BYTES) return { ...place, text: '', isBroken: false, isTooLong: true };
  const whole = joined(pieces);
  try {
    return { ...place, text: strict.decode(whole), isBroken: false, isTooLong: false };
  } catch {
    return { ...place, text: lenient.decode(whole), isBroken: true, isTooLong: false };
  }
}

/** Lines with their numbers; of one that is too long, its number alone. */
async function* linesOf(part: Part): AsyncGenerator<Line> {
  const { bytes, stretches = [{ start: 0, line: 1, bytes }] } = part;
  for (const stretch of stretches) yield* linesIn(stretch);
}

async function* linesIn(stretch: Stretch): AsyncGenerator<Line> {
  let [line, at, bytes] = [stretch.line, stretch.start, 0];
  let pieces: Bytes[] = [];
  const keep = (piece: Bytes): void => {
    bytes += piece.length;
    if (bytes <= MOST_VALUE_BYTES) pieces.push(piece);
    else pieces = [];
  };
  for await (const chunk of asUtf8(stretch.bytes())) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, end));
      yield lineOf(line, at, pieces, bytes);
      line += 1;
      at += bytes + 1;
      pieces = [];
      bytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.slice(start)); // a copy: the chunk may be large
  }
  if (bytes > 0) yield lineOf(line, at, pieces, bytes);
}

function valueOf(text: string): { readonly value: unknown; readonly fault: Read['fault'] } {
  try {
    return { value: parseJson(text), fault: null };
  } catch (error) {
    return { value: null, fault: { got: error instanceof Error ? error.message : String(error), text } };
  }
}

const isJson = (text: string): boolean => valueOf(text).fault === null;

/** How a file is laid out, by its first two lines. */
async function layoutOf(part: Part): Promise<'lines' | 'values' | 'text'> {
  const first: string[] = [];
  for await (const { text, isTooLong } of linesOf(part)) {
    if (isTooLong) return 'values';
    if (text.trim() !== '') first.push(text.trim());
    if (first.length === 2) break;
  }
  const [one = '', other] = first;
  const opens = one.startsWith('{') || one.startsWith('[');
  if (one === '{' || one === '[') return 'values';
  if (isJson(one) && (opens || other === undefined)) return 'lines';
  if (other !== undefined && isJson(other) && !/^(?:\d|"|true|false|null)/.test(other)) return 'lines'; // its first line is torn
  if (opens) return 'values';
  return one.startsWith('<|im_start|>') ? 'text' : 'lines';
}

const WHITE = /^[\s,]*/;

/** Values of a document: those of its outer list, or one after another. Pretty-printed or not. */
class Scanner {
  #depth = 0;
  #isList = false;
  #isQuoted = false;
  #isEscaped = false;
  #pieces: string[] = []; // of the value under way
  #length = 0;
  #startLine = 1;
  line = 1;

  /** @returns texts that ended in the piece */
  push(piece: string): { text: string; line: number }[] {
    const found: { text: string; line: number }[] = [];
    let start = 0;
    const close = (end: number): void => {
      this.#keep(piece.slice(start, end));
      const text = this.#pieces.join('').replace(WHITE, '').trimEnd();
      if (text !== '') found.push({ text, line: this.#startLine });
      this.#pieces = [];
      this.#length = 0;
      start = end;
    };
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at);
      if (code === LINE_FEED) this.line += 1;
      if (this.#isQuoted) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === 0x5c) this.#isEscaped = true;
        else if (code === 0x22) this.#isQuoted = false;
        continue;
      }
      if (code === 0x22) this.#isQuoted = true;
      else if (code === 0x7b || code === 0x5b) {
        if (this.#depth === 0 && !this.#isList && code === 0x5b) {
          this.#isList = true;
          start = at + 1;
          continue;
        }
        if (this.#depth === 0) this.#startLine = this.line;
        this.#depth += 1;
      } else if (code === 0x7d || code === 0x5d) {
        if (this.#depth === 0 && this.#isList) {
          close(at);
          this.#isList = false;
          start = at + 1;
          continue;
        }
        this.#depth = Math.max(0, this.#depth - 1);
        if (this.#depth === 0) close(at + 1);
      } else if (code === 0x2c && this.#depth === 0) close(at + 1);
    }
    this.#keep(piece.slice(start));
    return found;
  }

  #keep(text: string): void {
    this.#length += text.length;
    if (this.#length <= MOST_VALUE_BYTES) this.#pieces.push(text);
    else if (this.#pieces.length > 0) this.#pieces = ['(a longer value)'];
  }

  /** What is left after the last piece: a value that breaks off. */
  rest(): { text: string; line: number; isOpen: boolean } {
    const text = this.#pieces.join('').replace(WHITE, '').trimEnd();
    return { text, line: this.#startLine, isOpen: this.#depth > 0 || this.#isList };
  }
}

const isMessage = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'role' in value &&
  'content' in value &&
  !('messages' in value);

const documentOf = ({ size }: Part): ByteRange | null => size === undefined ? null : { start: 0, end: size, line: 1 }; // prettier-ignore

async function* scanned(part: Part): AsyncGenerator<Read> {
  const scanner = new Scanner();
  const decoder = new TextDecoder();
  const read = ({ text, line }: { text: string; line: number }): Read => ({ path: part.path, line, ...valueOf(text), bytes: text.length, isBroken: text.includes('\uFFFD'), range: documentOf(part) }); // prettier-ignore
  const talk: Read[] = []; // a document that is one list of messages is one rollout
  for await (const chunk of asUtf8(part.bytes()))
    for (const found of scanner.push(decoder.decode(chunk, { stream: true }))) {
      const value = read(found);
      if (value.fault === null && isMessage(value.value)) talk.push(value);
      else yield value;
    }
  for (const found of scanner.push(decoder.decode())) yield read(found);
  if (talk.length > 0) yield { ...talk[0], value: talk.map(({ value }) => value) };
  const { text, line, isOpen } = scanner.rest();
  if (text === '' && !isOpen) return;
  const last = read({ text, line });
  const got = isOpen ? 'a value that breaks off' : last.fault?.got;
  if (isOpen && last.fault === null && text !== '') yield last; // whole, in a list that breaks off
  yield { ...last, value: null, fault: { got: got ?? 'text', text } };
}

/**
 * JSON values of a text file: a line each, or those of one document. A line that is no JSON is told with its fault, and
 * the others are read.
 */
export async function* valuesOf(part: Part): AsyncGenerator<Read> {
  const layout = part.isPart ? 'lines' : await layoutOf(part);
  if (layout === 'values') return void (yield* scanned(part));
  const { path } = part;
  if (layout === 'text') {
    const lines: string[] = [];
    let [bytes, isBroken] = [0, false];
    for await (const each of linesOf(part)) {
      bytes += each.bytes;
      isBroken ||= each.isBroken;
      if (bytes <= MOST_VALUE_BYTES) lines.push(each.text);
    }
    return void (yield {
      path,
      line: 1,
      value: lines.join('\n'),
      fault: null,
      bytes,
      isBroken,
      range: documentOf(part),
    });
  }
  for await (const { line, start, text, bytes, isBroken, isTooLong } of linesOf(part)) {
    const range = part.stretches ? { start, end: start + bytes, line } : null;
    const place = { path, line, bytes, isBroken, range };
    if (isTooLong) yield { ...place, value: null, fault: { got: `a line of ${bytes} bytes`, text: '' } };
    else if (text.trim() !== '') yield { ...place, ...valueOf(text) };
  }
}
