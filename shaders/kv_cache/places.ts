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
