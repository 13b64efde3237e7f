/**
 * A run as one file, `NAME.turnwise`: a zip whose parts lie in it as they are, so that a part is a slice of the file and
 * nothing is unpacked. The first part, manifest.json, tells the length and the SHA-256 digest of each other one: the log,
 * the recipe, checkpoints. Every unzip opens it.
 */
import * as v from 'valibot';
import { LabError, quote, type ErrorReport } from '../units.ts';
import type { BundleContent, OpenedBundle } from '../protocol/protocol.ts';
import { adapterSchema } from '../protocol/log.ts';
import { issueReport } from '../protocol/schema.ts';
import { crc32, type Bytes } from './members.ts';

const FORMAT = 'turnwise-bundle';
/** A later one has an entry in how the one before becomes it; the log's own version is of src/protocol/migrations.ts. */
const VERSION = 1;

/** What is beyond is refused before anything of it is read into memory. */
export const BUNDLE_BOUNDS = {
  manifestBytes: 2 ** 18,
  parts: 1000,
  partBytes: 2 ** 29, // one part at a time is read, for its digest
} as const;

const MANIFEST = 'manifest.json';
const LOG = 'log.ndjson.gz';
const RECIPE = 'recipe.json';
const CHECKPOINT = /^checkpoints\/(\d{1,7})\.safetensors$/;
const checkpointName = (update: number): string =>
  `checkpoints/${String(update).padStart(6, '0')}.safetensors`;

// Records of a zip (APPNOTE 4.3): a header before each part and, since it is written as it comes, its length behind it.
const HEADER = [0x50, 0x4b, 3, 4];
const DESCRIPTOR = [0x50, 0x4b, 7, 8];
const HEADER_BYTES = 30;
const DESCRIPTOR_BYTES = 16;
const NAME_LENGTH_AT = 26;
const CRC_AT = 4; // in the descriptor
const LISTED = [0x50, 0x4b, 1, 2]; // a part in the list at the end
const [LISTED_BYTES_AT, LISTED_NAME_AT] = [24, 46];

/** A file that is no bundle, or of which nothing can be opened. */
export class BundleError extends LabError {
  constructor(report: Omit<ErrorReport, 'what' | 'next'> & Partial<ErrorReport>, cause?: unknown) {
    const what = 'The run cannot be opened from this file';
    const next = 'Choose a file as the lab saved it; if it was copied or downloaded, do so again.';
    super('BundleError', { what, next, ...report }, cause);
  }
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const partSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9./_-]{1,100}$/)),
  bytes: v.pipe(count, v.maxValue(BUNDLE_BOUNDS.partBytes)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});
const manifestSchema = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(VERSION),
  saved: v.string(),
  name: v.nullable(v.pipe(v.string(), v.maxLength(1000))),
  note: v.pipe(v.string(), v.maxLength(100_000)),
  adapter: v.nullable(adapterSchema),
  parts: v.pipe(v.array(partSchema), v.maxLength(BUNDLE_BOUNDS.parts)),
});
type Manifest = v.InferOutput<typeof manifestSchema>;
type Part = v.InferOutput<typeof partSchema>;

async function digestOf(part: Blob): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await part.arrayBuffer()));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Writes a bundle; its parts are read one after the other, and none is copied but for its digest.
 * @param saved ISO 8601
 * @throws BundleError where a part is above its bound
 */
export async function writeBundle(
  { name, note, adapter, recipe, log, checkpoints }: BundleContent,
  saved = new Date().toISOString(),
): Promise<Blob> {
  const { Zip, ZipPassThrough } = await import('fflate');
  const parts: readonly (readonly [string, Blob])[] = [
    [LOG, log],
    ...(recipe ? [[RECIPE, new Blob([JSON.stringify(recipe, null, 2)])] as const] : []),
    ...checkpoints.map(({ update, file }) => [checkpointName(update), file] as const),
  ];
  const listed: Part[] = [];
  for (const [part, { size }] of parts)
    if (size > BUNDLE_BOUNDS.partBytes) throw new BundleError({ what: 'The run is too long for one file', where: part, got: `${size} bytes`, wanted: `at most ${BUNDLE_BOUNDS.partBytes} bytes`, next: 'Save it without checkpoints, or as a recording: npm run lab -- --record run.ndjson.gz.' }); // prettier-ignore
  for (const [part, file] of parts)
    listed.push({ name: part, bytes: file.size, sha256: await digestOf(file) });
  const manifest: Manifest = { format: FORMAT, version: VERSION, saved, name, note, adapter, parts: listed };
  const written: Blob[] = [];
  let chunks: Bytes[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    chunks.push(chunk);
  });
  for (const [part, file] of [[MANIFEST, new Blob([JSON.stringify(manifest, null, 1)])] as const, ...parts]) {
    const entry = new ZipPassThrough(part);
    entry.mtime = saved;
    zip.add(entry);
    const reader = (file.stream() as ReadableStream<Bytes>).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) entry.push(read.value);
    entry.push(new Uint8Array(0), true);
    written.push(new Blob(chunks)); // a browser may keep it on disk
    chunks = [];
  }
  zip.end();
  return new Blob([...written, ...chunks], { type: 'application/zip' });
}

/** Whether a file begins as a zip does. @param head its first bytes */
export const isZip = (head: Uint8Array): boolean => HEADER.every((byte, place) => head[place] === byte);

/** The header of a part that begins at a byte; null where none does. */
function headerAt(bytes: Uint8Array, at: number): { readonly name: string; readonly bytes: number } | null {
  if (at + HEADER_BYTES > bytes.length || !isZip(bytes.subarray(at, at + HEADER.length))) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const [nameLength, extraLength] = [NAME_LENGTH_AT, NAME_LENGTH_AT + 2].map((place) => view.getUint16(place, true)); // prettier-ignore
  const name = new TextDecoder().decode(bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + nameLength));
  return { name, bytes: HEADER_BYTES + nameLength + extraLength };
}

const indexOf = (bytes: Uint8Array, sought: readonly number[], from: number): number => {
  for (let at = bytes.indexOf(sought[0], from); at >= 0; at = bytes.indexOf(sought[0], at + 1))
    if (sought.every((byte, place) => bytes[at + place] === byte)) return at;
  return -1;
};

const damage = (where: string, got: string, wanted: string): ErrorReport => ({
  what: `A part of the file is damaged: ${where}`,
  where,
  got,
  wanted,
  next: 'The rest is open. Copy or download the file again for this part.',
});

interface Head {
  readonly manifest: Manifest | null;
  readonly end: number; // byte where the part after it begins
  readonly damaged: ErrorReport | null;
}

/** @throws BundleError where it is of a later version */
function readManifest(head: Bytes): Head {
  const header = headerAt(head, 0);
  const start = header?.bytes ?? 0;
  const stop = indexOf(head, DESCRIPTOR, start);
  const end = stop < 0 ? start : stop + DESCRIPTOR_BYTES;
  const broken = (got: string, wanted: string): Head => ({ manifest: null, end, damaged: damage(MANIFEST, got, wanted) }); // prettier-ignore
  if (header?.name !== MANIFEST)
    throw new BundleError({ where: 'first part', got: quote(header?.name), wanted: `${MANIFEST}, as the lab saves it` }); // prettier-ignore
  if (stop < 0) return broken('no end of it', `at most ${BUNDLE_BOUNDS.manifestBytes} bytes, and what comes after`); // prettier-ignore
  const bytes = head.subarray(start, stop);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return broken(quote(new TextDecoder().decode(bytes.subarray(0, 200))), 'JSON');
  }
  const { version } = (value ?? {}) as { readonly version?: unknown };
  if (Number.isSafeInteger(version) && (version as number) > VERSION)
    throw new BundleError({ what: 'This file was saved by a later version of the lab', where: `${MANIFEST}: version`, got: quote(version), wanted: `at most ${VERSION}`, next: 'Open it in the lab that saved it, or reload this page for its newest version.' }); // prettier-ignore
  const parsed = v.safeParse(manifestSchema, value);
  if (!parsed.success) {
    const { where, got, wanted } = issueReport(parsed.issues, value, { what: '', root: MANIFEST, next: '' });
    return broken(`${got} at ${where}`, wanted);
  }
  const written = new DataView(head.buffer, head.byteOffset + stop).getUint32(CRC_AT, true);
  const isWhole = written === crc32(bytes);
  return { manifest: parsed.output, end, damaged: isWhole ? null : damage(MANIFEST, 'another checksum', 'the checksum that was written') }; // prettier-ignore
}

/** Why a part is not as it was written; null where it is. */
async function damageOf(file: Blob, { name, bytes, sha256 }: Part): Promise<ErrorReport | null> {
  if (file.size < bytes) return damage(name, `${file.size} bytes: the file is cut off`, `${bytes} bytes`);
  const found = await digestOf(file);
  return found === sha256 ? null : damage(name, `SHA-256 ${found}`, sha256);
}

/** Without a manifest the log is sought behind it; where it ends is in the zip's own list, else its reader finds out. */
async function soughtLog(file: Blob, head: Bytes, from: number): Promise<Blob | null> {
  for (let at = indexOf(head, HEADER, from); at >= 0; at = indexOf(head, HEADER, at + 1)) {
    const header = headerAt(head, at);
    if (header?.name !== LOG) continue;
    const start = at + header.bytes;
    const tail = new Uint8Array(await file.slice(-BUNDLE_BOUNDS.manifestBytes).arrayBuffer());
    return file.slice(start, start + (listedBytes(tail, LOG) ?? file.size));
  }
  return null;
}

/** A part's length as the list at the end of a zip has it. */
function listedBytes(tail: Bytes, name: string): number | null {
  for (let at = indexOf(tail, LISTED, 0); at >= 0; at = indexOf(tail, LISTED, at + 1)) {
    const own = tail.subarray(at + LISTED_NAME_AT, at + LISTED_NAME_AT + name.length);
    if (new TextDecoder().decode(own) === name)
      return new DataView(tail.buffer, at).getUint32(LISTED_BYTES_AT, true);
  }
  return null;
}

/**
 * Opens a bundle. Of a damaged file all is opened that stands: a damaged checkpoint is left out, a damaged log is for its
 * reader, which gives what comes before the damage.
 * @throws BundleError where the file is no bundle, is of a later version, or has no log
 */
export async function openBundle(file: Blob): Promise<OpenedBundle> {
  const head: Bytes = new Uint8Array(await file.slice(0, BUNDLE_BOUNDS.manifestBytes).arrayBuffer());
  if (!isZip(head)) throw new BundleError({ where: 'first bytes', got: quote(new TextDecoder().decode(head.subarray(0, 8))), wanted: 'a zip of the lab' }); // prettier-ignore
  const { manifest, end, damaged: unlisted } = readManifest(head);
  const damaged: ErrorReport[] = unlisted ? [unlisted] : [];
  const files = new Map<string, Blob>();
  let at = end;
  for (const part of manifest?.parts ?? []) {
    const start = at + HEADER_BYTES + part.name.length;
    const slice = file.slice(start, start + part.bytes);
    at = start + part.bytes + DESCRIPTOR_BYTES;
    const fault = await damageOf(slice, part);
    if (fault) damaged.push(fault);
    if (!fault || part.name === LOG) files.set(part.name, slice);
  }
  const log = files.get(LOG) ?? (await soughtLog(file, head, end));
  if (!log || log.size === 0)
    throw new BundleError({ where: LOG, got: 'nothing', wanted: 'the log of a run' });
  const checkpoints = [...files].flatMap(([name, part]) => {
    const update = CHECKPOINT.exec(name)?.[1];
    return update === undefined ? [] : [{ update: Number(update), file: part }];
  });
  return {
    ...{ name: manifest?.name ?? null, note: manifest?.note ?? '', adapter: manifest?.adapter ?? null },
    ...{ log, checkpoints: checkpoints.toSorted((a, b) => a.update - b.update), damaged },
  };
}
