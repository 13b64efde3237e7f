/**
 * Which keys and values the cache holds, as a tree of tokens. An entry is one token after the path of its ancestors, and
 * is known by its place in the device's cache. Paths with a common prefix point to the same entries, so a branch copies
 * nothing. Pure bookkeeping: the device is told the places of each path (`sampling.ts`).
 */
import { CacheFullError } from './errors.ts';

/** A sequence under way. */
export interface Path {
  readonly places: number[]; // of its entries, in order; then those reserved for the next ones
  entryCount: number; // of these places, the first so many
}

/** A path that has just been opened. */
export interface OpenedPath {
  readonly path: Path;
  readonly cachedLength: number; // of its entries, those that were there; the others are to be computed
}

const ROOT = -1; // stands for the place of a first token's parent

export class PrefixCache {
  readonly #limit: number;
  readonly #vocabularySize: number;
  readonly #children = new Map<number, number>(); // key of parent and token → place
  readonly #keys: number[] = []; // by place: the entry's key in #children
  readonly #references: number[] = []; // by place: children of the entry, and paths that end there
  readonly #idle = new Set<number>(); // entries without references, those without for longest first
  readonly #free: number[] = []; // places that held something and hold nothing now
  #placeCount = 0;

  /** @param limit most places; at least as many as all paths under way can point to if they share nothing */
  constructor(limit: number, vocabularySize: number) {
    this.#limit = limit;
    this.#vocabularySize = vocabularySize;
  }

  /** Places ever used since the last clear: the others of the pool are untouched. */
  get placeCount(): number {
    return this.#placeCount;
  }

  /** Places in use: unique tokens held, and reserved places. */
  get usedCount(): number {
    return this.#placeCount - this.#free.length;
  }

  /** Forgets everything, e.g. because the parameters changed. No path may be under way. */
  clear(): void {
    this.#children.clear();
    this.#idle.clear();
    this.#free.length = 0;
    this.#placeCount = 0;
  }

  /**
   * Opens a path along `tokens`. Entries that it adds are there for the paths opened after it: whoever computes keys and
   * values in the order of opening computes every entry before another path reads it.
   * @throws CacheFullError
   */
  open(tokens: readonly number[]): OpenedPath {
    const path: Path = { places: [], entryCount: 0 };
    this.#follow(path, tokens);
    const cachedLength = path.entryCount;
    this.reserve(path, tokens.length - cachedLength);
    this.advance(path, tokens.slice(cachedLength));
    return { path, cachedLength };
  }

  /**
   * Gives a path `count` places for its next tokens.
   * @throws CacheFullError
   */
  reserve({ places }: Path, count: number): void {
    for (let n = 0; n < count; n++) places.push(this.#take());
  }

  /**
   * Makes `tokens`, whose keys and values are at the path's reserved places, entries. Where another path has made such
   * an entry, this one goes on from it. Places that are not needed are given back.
   */
  advance(path: Path, tokens: readonly number[]): void {
    const reserved = path.places.splice(path.entryCount);
    const known = this.#follow(path, tokens);
    for (let n = known; n < tokens.length; n++) this.#add(path, tokens[n], reserved[n]);
    this.#free.push(...reserved.slice(0, known), ...reserved.slice(tokens.length));
  }

  /** Ends a path. Its entries stay until their places are needed. */
  close(path: Path): void {
    this.advance(path, []);
    this.#release(lastOf(path));
  }

  /** Moves the end of a path along the entries that are there. @returns how many */
  #follow(path: Path, tokens: readonly number[]): number {
    const start = lastOf(path);
    const first = path.entryCount;
    for (const token of tokens) {
      const next = this.#children.get(this.#key(lastOf(path), token));
      if (next === undefined) break;
      path.places.push(next);
      path.entryCount++;
    }
    this.#hold(lastOf(path));
    this.#release(start);
    return path.entryCount - first;
  }

  /** The path's reference to its end becomes that of the child, and the path refers to the child. */
  #add(path: Path, token: number, place: number): void {
    const key = this.#key(lastOf(path), token);
    this.#children.set(key, place);
    this.#keys[place] = key;
    this.#references[place] = 1;
    path.places.push(place);
    path.entryCount++;
  }

  #key(parent: number, token: number): number {
    return (parent - ROOT) * this.#vocabularySize + token;
  }

  #hold(place: number): void {
    if (place === ROOT) return;
    this.#references[place]++;
    this.#idle.delete(place);
  }

  #release(place: number): void {
    if (place === ROOT) return;
    this.#references[place]--;
    if (this.#references[place] === 0) this.#idle.add(place);
  }

  #take(): number {
    if (this.#free.length === 0 && this.#placeCount < this.#limit) return this.#placeCount++;
    if (this.#free.length === 0) this.#giveUpOldest();
    return this.#free.pop()!; // giving up frees at least one place
  }

  /** Forgets the branch that nothing has pointed to for longest, back to where another one leaves it. */
  #giveUpOldest(): void {
    const [oldest] = this.#idle;
    if (oldest === undefined) throw new CacheFullError(this.#limit);
    this.#idle.delete(oldest);
    for (let place = oldest; place !== ROOT && this.#references[place] === 0;) {
      const key = this.#keys[place];
      this.#children.delete(key);
      this.#free.push(place);
      place = Math.floor(key / this.#vocabularySize) + ROOT;
      if (place !== ROOT) this.#references[place]--;
    }
  }
}

const lastOf = ({ places, entryCount }: Path): number => (entryCount === 0 ? ROOT : places[entryCount - 1]);
