/** Inputs for kernel cases and tests: fixed, of size 1, without structure that a wrong index could hide in. */

/** What a buffer that the kernel overwrites holds before; nothing in the cases comes near it. */
const POISON = 12345;

export function wave(length: number, phase: number, size = 1): Float32Array<ArrayBuffer> {
  const values = new Float32Array(length); // filled in place: Float32Array.from takes half as long again
  for (let index = 0; index < length; index++)
    values[index] = size * Math.sin(1.7 * index + 0.011 * index * index + phase);
  return values;
}

export const poison = (length: number): Float32Array<ArrayBuffer> => new Float32Array(length).fill(POISON);

/** Title words for the overrides of a case; '' for the defaults. */
export const shapingWords = (overrides: Readonly<Record<string, number>>): string =>
  Object.entries(overrides)
    .map(([name, value]) => `, ${name} ${value}`)
    .join('');

/** A turn of `length` tokens and the turns that branch off at its end; a plain row is a turn without children. */
export interface Turn {
  readonly length: number;
  readonly children?: readonly Turn[];
}

export const row = (length: number): Turn => ({ length });

/** Pairs (visibleStart, visibleEnd) of every token, trees back to back, each in pre-order. */
export function packVisible(trees: readonly Turn[]): Uint32Array<ArrayBuffer> {
  const pairs: number[] = [];
  const place = (turn: Turn, treeStart: number): void => {
    const first = pairs.length;
    for (let index = 0; index < turn.length; index++) pairs.push(treeStart, 0);
    for (const child of turn.children ?? []) place(child, treeStart);
    for (let index = 0; index < turn.length; index++) pairs[first + 2 * index + 1] = pairs.length / 2;
  };
  for (const tree of trees) place(tree, pairs.length / 2);
  return Uint32Array.from(pairs);
}

/** A table of places for kernel cases: scattered over the pool, so that only a kernel that reads the table is right. */
export interface PlacesCase {
  readonly places: Uint32Array<ArrayBuffer>; // [slots, slotLength]
  readonly pool: number; // places of the cache
}

const STEP = 7; // from one token's place to the next one's, modulo the pool

/** @param shared first positions that lie at the same places for all slots, as those of a common prefix do */
export function scatteredPlaces(slotCount: number, slotLength: number, shared = 0): PlacesCase {
  const tokens = shared + slotCount * (slotLength - shared);
  const pool = tokens % STEP === 0 ? tokens + 1 : tokens; // no divisor in common: every token has a place of its own
  const places = Uint32Array.from({ length: slotCount * slotLength }, (_, index) => {
    const [slot, position] = [Math.floor(index / slotLength), index % slotLength];
    const token = position < shared ? position : position + slot * (slotLength - shared);
    return (STEP * token + 3) % pool;
  });
  return { places, pool };
}
