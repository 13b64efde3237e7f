/** Files as a fault or an attack would leave them: runs, recordings and weights, changed by a seed. And what becomes of each. */
import { openBundle, writeBundle } from '../../src/files/bundle.ts';
import { readRecording } from '../../src/files/recording.ts';
import { parameterMap } from '../../src/model/parameters.ts';
import { decodeWeights, encodeWeights } from '../../src/model/weights.ts';
import { LabError } from '../../src/units.ts';
import { fileConfig, mutated, smallRecording } from './mutated_recordings.ts';

type Bytes = Uint8Array<ArrayBuffer>;
export const KINDS = ['bundle', 'recording', 'weights'] as const;
export type Kind = (typeof KINDS)[number];
export type Outcome = 'whole' | 'in part' | 'refused';

export interface Opened {
  readonly outcome: Outcome;
  readonly reports: readonly Readonly<Record<string, string>>[]; // what was said
}

/** A small file of each kind, and the recording's lines. */
export interface Originals {
  readonly lines: readonly string[];
  readonly files: Readonly<Record<Kind, Bytes>>;
}

const { model } = fileConfig();
const MODEL = { ...model, channels: 16, heads: 2, kvHeads: 1, headSize: 8, hidden: 24, layers: 1 };

async function zipped(text: Bytes): Promise<Bytes> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
const textBytes = (text: string): Bytes => new TextEncoder().encode(text);

async function bundleOf(log: Bytes): Promise<Bytes> {
  const content = { name: 'a run', note: '', adapter: null, recipe: fileConfig(), log: new Blob([log]) };
  const checkpoints = [{ update: 2, file: new Blob([new Uint8Array(4000).fill(7)]) }];
  return new Uint8Array(await (await writeBundle({ ...content, checkpoints })).arrayBuffer());
}

export async function originals(): Promise<Originals> {
  const lines = await smallRecording();
  const recording = await zipped(textBytes(`${lines.join('\n')}\n`));
  const values = new Float32Array(parameterMap(MODEL).length).fill(0.25);
  const weights = new Uint8Array(encodeWeights({ config: MODEL, values, metadata: {} }));
  return { lines, files: { recording, weights, bundle: await bundleOf(recording) } };
}

type Draw = (below: number) => number; // a whole number from 0

/** Marsaglia's xorshift32. */
function drawFrom(seed: number, number: number): Draw {
  let word = (Math.imul(seed + 1, 0x9e3779b9) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0 || 1;
  return (below) => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return (word >>> 0) % below;
  };
}

const PROTOTYPE_KEYS = ['{"__proto__":{"polluted":1},', '{"constructor":{"prototype":{"polluted":1}},'];
const SCRIPT = '<img src=x onerror=\\"globalThis.polluted=1\\">';
const DEEP = 200_000; // brackets
const BOMB_BYTES = 2 ** 30;

/**
 * A gigabyte of one byte, of which gzip makes about a megabyte: one line, or as many as there are bytes. One member of
 * deflated pieces that refer to nothing before them, so that a piece is deflated once.
 */
async function bomb(byte: number, head: string): Promise<Bytes> {
  const { constants, crc32, deflateRawSync } = await import('node:zlib'); // no bomb is made in a page
  const deflated = (bytes: Bytes) => deflateRawSync(bytes, { finishFlush: constants.Z_FULL_FLUSH });
  const [start, piece] = [textBytes(head), new Uint8Array(2 ** 20).fill(byte)];
  const pieces = Array.from({ length: BOMB_BYTES / piece.length }, () => piece);
  const tail = new DataView(new ArrayBuffer(10));
  tail.setUint16(0, 0x0300); // an empty last block
  tail.setUint32(
    2,
    pieces.reduce((sum, each) => crc32(each, sum), crc32(start)),
    true,
  );
  tail.setUint32(6, start.length + BOMB_BYTES, true);
  const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
  const body = deflated(piece);
  return new Uint8Array(
    await new Blob([gzip, deflated(start), ...pieces.map(() => body), tail.buffer]).arrayBuffer(),
  );
}
const [SPACE, LINE_FEED, QUOTE] = [0x20, 0x0a, 0x22];
const bombs = new Map<number, Promise<Bytes>>();
function bombOf(byte: number, head: string): Promise<Bytes> {
  const made = bombs.get(byte) ?? bomb(byte, head);
  bombs.set(byte, made);
  return made;
}

/** Changes the bytes, whatever they are. */
const BYTE_MUTATIONS: Readonly<Record<string, (bytes: Bytes, draw: Draw) => Bytes>> = {
  truncated: (bytes, draw) => bytes.slice(0, draw(bytes.length)),
  'flipped bits'(bytes, draw) {
    for (let left = 1 + draw(64); left > 0; left -= 1) bytes[draw(bytes.length)] ^= 1 << draw(8);
    return bytes;
  },
  'a stretch of zeros': (bytes, draw) => {
    const start = draw(bytes.length);
    return bytes.fill(0, start, start + 1 + draw(500));
  },
  'a stretch twice'(bytes, draw) {
    const [start, length] = [draw(bytes.length), 1 + draw(500)];
    return new Uint8Array([...bytes.subarray(0, start + length), ...bytes.subarray(start)]);
  },
  'its head alone changed'(bytes, draw) {
    for (let left = 1 + draw(4); left > 0; left -= 1) bytes[draw(Math.min(64, bytes.length))] = draw(256);
    return bytes;
  },
};

/** Changes the text of a recording, or of the JSON in a file's head. */
const TEXT_MUTATIONS: Readonly<Record<string, (text: string, draw: Draw) => string>> = {
  'prototype keys': (text, draw) => replaced(text, '{', PROTOTYPE_KEYS[draw(2)], draw),
  'deep nesting': (text, draw) => replaced(text, ':', `:${'['.repeat(DEEP)}`, draw),
  'a script in a text': (text, draw) => replaced(text, '":"', `":"${SCRIPT}`, draw),
  'a number too large': (text, draw) => replaced(text, ':1', `:${'9'.repeat(1 + draw(400))}`, draw),
};

function replaced(text: string, sought: string, put: string, draw: Draw): string {
  const parts = text.split(sought);
  if (parts.length < 2) return text;
  const at = 1 + draw(parts.length - 1);
  return parts.slice(0, at).join(sought) + put + parts.slice(at).join(sought);
}

/** Of a weights file: its header, told by its length. Of a bundle: its list of parts. */
function inHead(kind: Kind, bytes: Bytes, change: (text: string) => string): Bytes {
  const latin = (part: Bytes): string => Array.from(part, (byte) => String.fromCharCode(byte)).join('');
  const back = (text: string): Bytes => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const [start, end] = kind === 'weights' ? [8, 8 + view.getUint32(0, true)] : [43, latin(bytes).indexOf('PK\x07\x08')]; // prettier-ignore
  const head = back(change(latin(bytes.slice(start, end))));
  const whole = new Uint8Array(start + head.length + bytes.length - end);
  whole.set(bytes.subarray(0, start));
  whole.set(head, start);
  whole.set(bytes.subarray(end), start + head.length);
  if (kind === 'weights') new DataView(whole.buffer).setUint32(0, head.length, true);
  return whole;
}

const LARGE = ['a line of a gigabyte', 'a gigabyte of lines', 'a string of a gigabyte'] as const;
export const MUTATIONS = [...Object.keys(BYTE_MUTATIONS), ...Object.keys(TEXT_MUTATIONS), 'another log', ...LARGE]; // prettier-ignore

function drawnFor(seed: number, number: number) {
  const draw = drawFrom(seed, number);
  const kind = KINDS[draw(KINDS.length)];
  return { draw, kind, drawn: MUTATIONS[draw(MUTATIONS.length)] };
}

/** The file is no bomb. */
export const isCheap = (seed: number, number: number): boolean => !isLarge(drawnFor(seed, number).drawn);

/** The `number`-th file of a seed. Bombs come rarely: each costs the time to make it once. */
export async function hostile({ lines, files }: Originals, seed: number, number: number) {
  const { draw, kind, drawn } = drawnFor(seed, number);
  const mutation = kind === 'weights' && (drawn === 'another log' || isLarge(drawn)) ? 'truncated' : drawn;
  const log = async (bytes: Bytes): Promise<Bytes> => (kind === 'bundle' ? bundleOf(bytes) : bytes);
  const make = async (): Promise<Bytes> => {
    const bytes = files[kind].slice();
    if (mutation in BYTE_MUTATIONS) return BYTE_MUTATIONS[mutation](bytes, draw);
    if (mutation === 'another log') return log(await zipped(textBytes(mutated(lines, draw(100_000)))));
    if (mutation === LARGE[0]) return log(await bombOf(SPACE, ''));
    if (mutation === LARGE[1]) return log(await bombOf(LINE_FEED, `${lines[0]}\n`));
    if (mutation === LARGE[2]) return log(await bombOf(QUOTE, `${lines[0]}\n{"kind":"`));
    const change = (text: string): string => TEXT_MUTATIONS[mutation](text, draw);
    if (kind === 'recording' || draw(2) === 0)
      if (kind !== 'weights') return log(await zipped(textBytes(change(`${lines.join('\n')}\n`))));
    return inHead(kind, bytes, change);
  };
  return { kind, mutation, bytes: await make() };
}

export const isLarge = (mutation: string): boolean => (LARGE as readonly string[]).includes(mutation);

const reportOf = (error: unknown): Readonly<Record<string, string>> => {
  if (error instanceof LabError) return { ...error.report };
  throw error; // whatever is no report is a failure of the lab
};

async function readLog(log: Blob): Promise<{ readonly events: number; readonly error: unknown }> {
  let events = 0;
  try {
    for await (const event of readRecording(log)) events += event.kind.length > 0 ? 1 : 0;
  } catch (error) {
    return { events, error };
  }
  return { events, error: null };
}

/** Opens a file as the lab does. @throws what is no report of the lab */
export async function open(kind: Kind, bytes: Bytes): Promise<Opened> {
  const reports: Readonly<Record<string, string>>[] = [];
  const refused = (error: unknown): Opened => ({
    outcome: 'refused',
    reports: [...reports, reportOf(error)],
  });
  try {
    if (kind === 'weights') {
      decodeWeights(bytes.slice().buffer, MODEL);
      return { outcome: 'whole', reports };
    }
    const file = new Blob([bytes]);
    const bundle = kind === 'bundle' ? await openBundle(file) : null;
    reports.push(...(bundle?.damaged ?? []).map((report) => ({ ...report })));
    const { events, error } = await readLog(bundle?.log ?? file);
    if (error !== null && events === 0) return refused(error);
    if (error !== null) reports.push(reportOf(error));
    return { outcome: reports.length === 0 ? 'whole' : 'in part', reports };
  } catch (error) {
    return refused(error);
  }
}

/** What is wrong with what was said of a file; null where nothing is. */
export function fault({ outcome, reports }: Opened): string | null {
  if (outcome !== 'whole' && reports.length === 0) return 'nothing was said';
  for (const report of reports)
    for (const part of ['what', 'where', 'got', 'wanted', 'next']) {
      const text = report[part];
      if (typeof text !== 'string' || text === '') return `its report has no "${part}"`;
      if (part !== 'wanted' && text.length > 400) return `"${part}" has ${text.length} characters`;
    }
  const isPolluted = 'polluted' in {} || 'polluted' in globalThis;
  return isPolluted ? 'a prototype was changed, or a script ran' : null;
}
