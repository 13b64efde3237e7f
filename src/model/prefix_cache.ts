/**
 * Which cached keys and values a request can start from. Pure bookkeeping: a slot is a row of the KV cache,
 * known by the tokens whose keys and values it holds.
 */

/** A prefix copied from slot to slot before prefill. */
export interface Fork {
  readonly source: number;
  readonly destination: number;
  readonly length: number; // tokens
}

/** What one request needs before its first sampled token. The last context token is left to the first decode step. */
export interface Placement {
  readonly slot: number;
  readonly cachedLength: number; // tokens of the context already in the slot, after the fork
  readonly fork: Fork | null;
  /** Requests of one wave are independent; a later wave forks from slots that an earlier one filled. */
  readonly wave: number;
}

interface Slot {
  tokens: readonly number[]; // whose keys and values are held, or will be after this call's prefill
  readyLength: number; // of these, held before this call
  wave: number; // of this call's prefill, −1 when none
  busy: boolean; // taken by a request that is not committed yet
  usedBy: number; // call that last took the slot
  pinnedBy: number; // call that last read the slot
}

const commonLength = (a: readonly number[], b: readonly number[], limit: number): number => {
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
};

export class PrefixCache {
  readonly #slots: Slot[] = [];
  readonly #limit: number;
  #call = 0;

  /** @param limit most slots; at most half as many requests may be under way at once, so that forks find room */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Slots ever used; the cache needs room for as many. */
  get slotCount(): number {
    return this.#slots.length;
  }

  /** Forgets every prefix, e.g. because the parameters changed. Nothing may be under way. */
  clear(): void {
    for (const slot of this.#slots) {
      slot.tokens = [];
      slot.busy = false;
    }
  }

  /**
   * Places the requests of one call: each continues in the slot that holds all of its own tokens up to some
   * point and nothing else, or forks the longest common prefix into a slot of its own. Slots of earlier calls that
   * are not committed yet can be forked too, as far as their contexts go.
   */
  place(contexts: readonly (readonly number[])[]): Placement[] {
    this.#call++;
    for (const slot of this.#slots) {
      slot.readyLength = slot.tokens.length;
      slot.wave = -1;
    }
    return contexts.map((context) => this.#placeOne(context));
  }

  /** Frees a slot, and says what it holds: the context and all sampled tokens but the last. */
  commit(slot: number, tokens: readonly number[]): void {
    this.#slots[slot].tokens = tokens;
    this.#slots[slot].busy = false;
  }

  #placeOne(context: readonly number[]): Placement {
    const wanted = context.length - 1;
    const { best, length } = this.#longest(context, wanted);
    if (best === null) return this.#take(this.#freshSlot(), context, 0, null, 0);
    const source = this.#slots[best];
    const wave = length > source.readyLength ? source.wave + 1 : 0;
    // Nothing of the slot is lost when all of its tokens stay: appending leaves what forks read untouched.
    if (!source.busy && length === source.tokens.length) return this.#take(best, context, length, null, 0);
    source.pinnedBy = this.#call;
    const destination = this.#freshSlot();
    return this.#take(destination, context, length, { source: best, destination, length }, wave);
  }

  #take(
    slot: number,
    context: readonly number[],
    cachedLength: number,
    fork: Fork | null,
    wave: number,
  ): Placement {
    const { pinnedBy } = this.#slots[slot];
    const readyLength = fork ? 0 : cachedLength;
    const tokens = context.slice(0, -1);
    this.#slots[slot] = { tokens, readyLength, wave, busy: true, usedBy: this.#call, pinnedBy };
    return { slot, cachedLength, fork, wave };
  }

  #longest(context: readonly number[], limit: number): { best: number | null; length: number } {
    let best: number | null = null;
    let length = 0;
    let waste = Infinity; // tokens of the slot past the prefix: prefer a slot that can be continued
    this.#slots.forEach((slot, index) => {
      const common = commonLength(slot.tokens, context, Math.min(limit, slot.tokens.length));
      const taken = slot.busy ? 0.5 + 1e-3 * slot.wave : 0;
      const left = slot.tokens.length - common + taken;
      if (common > length || (common === length && common > 0 && left < waste))
        [best, length, waste] = [index, common, left];
    });
    return { best, length };
  }

  /** An unused slot, a new one, or the one unused for longest that nothing in this call reads. */
  #freshSlot(): number {
    const empty = this.#slots.findIndex((slot) => slot.tokens.length === 0 && !slot.busy);
    if (empty >= 0) return empty;
    if (this.#slots.length < this.#limit) {
      const unused = { tokens: [], readyLength: 0, wave: -1, busy: false, usedBy: -1, pinnedBy: -1 };
      return this.#slots.push(unused) - 1;
    }
    let oldest = -1;
    this.#slots.forEach((slot, index) => {
      if (slot.busy || slot.pinnedBy === this.#call) return;
      if (oldest < 0 || slot.usedBy < this.#slots[oldest].usedBy) oldest = index;
    });
    return oldest;
  }
}
