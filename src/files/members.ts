/**
 * A gzip file that grows: one gzip member after another, each whole by itself and each telling its length, so that any
 * member can be read alone, and a torn last one is known and cut off. `zcat` and every gzip tool read it as one text. The
 * idea is BGZF's (SAM/BAM specification 4.1): the length stands in an extra field of the member's header (RFC 1952, 2.3.1.1).
 */
export type Bytes = Uint8Array<ArrayBuffer>;

/** ID1 ID2 CM FLG(FEXTRA) MTIME(4) XFL OS(255: unknown); then XLEN, SI1 SI2 LEN, and our two numbers. */
const FIXED = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255] as const;
const FIELD = [0x54, 0x57, 8, 0] as const; // 'TW', 8 bytes
export const MEMBER_HEADER_BYTES = FIXED.length + 2 + FIELD.length + 8;
export const TRAILER_BYTES = 8; // CRC-32 and length of the text
const LENGTH_AT = FIXED.length + 2 + FIELD.length;

/** What a member's header says. */
export interface MemberHeader {
  readonly bytes: number; // of the whole member
  readonly label: number; // uint32 of the writer's choice: the update whose events it holds
}

export interface Member extends MemberHeader {
  readonly start: number; // byte in the file
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of RFC 1952, section 8. @param before that of the bytes before these */
export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = before ^ 0xffffffff;
  // By place: an iterator takes six times as long.
  for (let at = 0; at < bytes.length; at += 1) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[at]) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

async function through(bytes: Bytes, transform: GenericTransformStream): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A text in UTF-8 as one member. @param label uint32 */
export async function writeMember(plain: Bytes, label: number): Promise<Bytes> {
  const deflated = await through(plain, new CompressionStream('deflate-raw'));
  const member = new Uint8Array(MEMBER_HEADER_BYTES + deflated.length + TRAILER_BYTES);
  const view = new DataView(member.buffer);
  member.set(FIXED);
  view.setUint16(FIXED.length, FIELD.length + 8, true);
  member.set(FIELD, FIXED.length + 2);
  view.setUint32(LENGTH_AT, member.length, true);
  view.setUint32(LENGTH_AT + 4, label, true);
  member.set(deflated, MEMBER_HEADER_BYTES);
  view.setUint32(member.length - TRAILER_BYTES, crc32(plain), true);
  view.setUint32(member.length - TRAILER_BYTES + 4, plain.length, true);
  return member;
}

/** What the bytes say that begin here; null where they begin no member of this kind. */
export function memberHeader(bytes: Uint8Array): MemberHeader | null {
  if (bytes.length < MEMBER_HEADER_BYTES) return null;
  const expected = [...FIXED, FIELD.length + 8, 0, ...FIELD];
  if (expected.some((byte, place) => bytes[place] !== byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, MEMBER_HEADER_BYTES);
  const length = view.getUint32(LENGTH_AT, true);
  return length < MEMBER_HEADER_BYTES + TRAILER_BYTES
    ? null
    : { bytes: length, label: view.getUint32(LENGTH_AT + 4, true) };
}

/**
 * The text of a whole member.
 * @throws TypeError where its bytes are not those that were written
 */
export async function readMember(member: Bytes): Promise<Bytes> {
  const end = member.length - TRAILER_BYTES;
  const packed = member.subarray(MEMBER_HEADER_BYTES, end);
  const plain = await through(packed, new DecompressionStream('deflate-raw')).catch((cause: unknown) => {
    throw new TypeError('a part of the file is not as it was written: it cannot be unpacked', { cause });
  });
  const trailer = new DataView(member.buffer, member.byteOffset + end, TRAILER_BYTES);
  if (trailer.getUint32(4, true) !== plain.length || trailer.getUint32(0, true) !== crc32(plain))
    throw new TypeError('a part of the file is not as it was written: its checksum differs');
  return plain;
}

/** Bytes of a growing file, wherever it lies. */
export interface ByteSource {
  readonly size: number;
  /** @returns fewer than asked for at the end of the file */
  read(start: number, length: number): Promise<Bytes>;
}

export const blobSource = (file: Blob): ByteSource => ({
  size: file.size,
  read: async (start, length) => new Uint8Array(await file.slice(start, start + length).arrayBuffer()),
});

/**
 * The whole members from the start of a file, and how many bytes they take: what comes after is torn. The last one is
 * read to its end: a file system that lost power may have kept its length and not its bytes.
 */
export async function wholeMembers(
  file: ByteSource,
): Promise<{ readonly members: readonly Member[]; readonly bytes: number }> {
  const members: Member[] = [];
  let start = 0;
  while (start + MEMBER_HEADER_BYTES <= file.size) {
    const header = memberHeader(await file.read(start, MEMBER_HEADER_BYTES));
    if (!header || start + header.bytes > file.size) break;
    members.push({ ...header, start });
    start += header.bytes;
  }
  for (let last = members.at(-1); last; last = members.at(-1)) {
    const isWhole = await readMember(await file.read(last.start, last.bytes)).then(() => true, () => false); // prettier-ignore
    if (isWhole) break;
    members.pop();
    start = last.start;
  }
  return { members, bytes: start };
}

// A recording that is read from the middle: a member for each update, and an index of their lengths beside it.

/** Lengths of the members in bytes: what comes before the first update, then an update each. */
export interface RecordingIndex {
  readonly lengths: readonly number[];
}

/** Where an update's events stand, after those of before the first update; null where the index has no such update. */
export function rangesOf(
  { lengths }: RecordingIndex,
  update: number,
): readonly (readonly [number, number])[] | null {
  if (!Number.isInteger(update) || update < 1 || update >= lengths.length) return null;
  const start = lengths.slice(0, update).reduce((sum, length) => sum + length, 0);
  return [
    [0, lengths[0]],
    [start, start + lengths[update]],
  ];
}
