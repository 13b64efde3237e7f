import { expect, test } from 'vitest';
import { keyedRandom } from '../../src/algo/random.ts';
import { CacheFullError } from '../../src/model/errors.ts';
import { PrefixCache, type OpenedPath, type Path } from '../../src/model/prefix_cache.ts';

const VOCABULARY = 10;
const cacheOf = (limit: number): PrefixCache => new PrefixCache(limit, VOCABULARY);

/** Samples `tokens` after a path, all of which are computed, and ends it. */
function finish(cache: PrefixCache, { path }: OpenedPath, tokens: readonly number[] = []): void {
  cache.reserve(path, tokens.length);
  cache.advance(path, tokens);
  cache.close(path);
}

test('a sequence goes on from what is held of it, and sampled tokens are held too', () => {
  const cache = cacheOf(8);
  const first = cache.open([1, 2]);
  expect(first).toEqual({ path: { places: [0, 1], entryCount: 2 }, cachedLength: 0 });
  finish(cache, first, [3, 7]);
  expect(cache.open([1, 2, 3, 7, 8])).toEqual({
    path: { places: [0, 1, 2, 3, 4], entryCount: 5 },
    cachedLength: 4,
  });
});

test('branches point to their common prefix: the places in use are the unique tokens', () => {
  const cache = cacheOf(100);
  const trunk = [1, 2, 3, 4, 5, 6];
  const first = cache.open([...trunk, 7]);
  const second = cache.open([...trunk, 8]);
  const inside = cache.open(trunk.slice(0, 3));
  expect([second.cachedLength, inside.cachedLength]).toEqual([6, 3]);
  expect(second.path.places.slice(0, 6)).toEqual(first.path.places.slice(0, 6));
  expect(inside.path.places).toEqual(first.path.places.slice(0, 3));
  expect(cache.usedCount).toBe(8);
  finish(cache, first, [1, 1]);
  finish(cache, second, [1, 1]);
  finish(cache, inside, [4, 9]);
  expect(cache.usedCount).toBe(8 + 2 + 2 + 1); // the 4 is the trunk's
});

test('paths that sample the same token share its entry, and the second place is given back', () => {
  const cache = cacheOf(8);
  const [one, two] = [cache.open([1]), cache.open([1])];
  for (const { path } of [one, two]) cache.reserve(path, 3);
  expect(cache.usedCount).toBe(7);
  cache.advance(one.path, [5, 6, 7]);
  cache.advance(two.path, [5, 8]);
  expect(two.path.places.slice(0, 2)).toEqual(one.path.places.slice(0, 2));
  expect(two.path.places[2]).toBe(5); // where its second token was computed, its first reserved place being the 4
  expect(cache.usedCount).toBe(5);
});

test('places reserved and not used are given back', () => {
  const cache = cacheOf(8);
  const opened = cache.open([1, 2]);
  cache.reserve(opened.path, 5);
  expect(opened.path.places).toHaveLength(7);
  cache.advance(opened.path, [3]);
  expect(opened.path).toEqual({ places: [0, 1, 2], entryCount: 3 });
  expect(cache.usedCount).toBe(3);
  cache.reserve(opened.path, 5);
  cache.close(opened.path);
  expect(cache.usedCount).toBe(3);
  expect(cache.placeCount).toBe(8);
});

test('when all places are taken, the branch unused for longest is given up, back to where another leaves it', () => {
  const cache = cacheOf(6);
  finish(cache, cache.open([1, 2, 3, 4]));
  finish(cache, cache.open([1, 2, 5, 6]));
  finish(cache, cache.open([1, 2, 3, 4])); // used again
  finish(cache, cache.open([7]));
  const cachedLength = (tokens: readonly number[]): number => {
    const opened = cache.open(tokens);
    cache.close(opened.path);
    return opened.cachedLength;
  };
  expect(cachedLength([1, 2, 3, 4])).toBe(4);
  expect(cache.usedCount).toBe(5); // the branch 5, 6 has gone
  expect(cachedLength([7])).toBe(1);
});

test('what a path under way points to is never given up', () => {
  const cache = cacheOf(4);
  const { path } = cache.open([1, 2]);
  finish(cache, cache.open([3]));
  const other = cache.open([1, 4, 5]); // takes the place of the 3
  expect(path.places).toEqual([0, 1]);
  expect(new Set([...path.places, ...other.path.places]).size).toBe(4);
  expect(() => cache.reserve(path, 1)).toThrow(CacheFullError);
});

test('nothing is held after clear, and all places are free', () => {
  const cache = cacheOf(4);
  finish(cache, cache.open([1, 2, 3]));
  cache.clear();
  expect([cache.usedCount, cache.placeCount]).toEqual([0, 0]);
  expect(cache.open([1, 2, 3, 4])).toMatchObject({ path: { places: [0, 1, 2, 3] }, cachedLength: 0 });
});

interface Under {
  readonly path: Path;
  readonly tokens: number[]; // of its entries
}

/**
 * A cache of real tokens: writes what the device writes, in its order, and checks that every place a path lists holds
 * the prefix that it is read as.
 */
class Device {
  readonly #held: string[] = []; // by place: the token and all before it

  write({ path, tokens }: Under, first: number, count: number): void {
    for (let n = first; n < first + count; n++) this.#held[path.places[n]] = tokens.slice(0, n + 1).join();
  }

  check({ path, tokens }: Under): void {
    const got = path.places.slice(0, path.entryCount).map((place) => this.#held[place]);
    expect(got).toEqual(tokens.map((_, n) => tokens.slice(0, n + 1).join()));
  }
}

/** Distinct prefixes of the sequences. */
const uniqueTokens = (sequences: readonly (readonly number[])[]): number =>
  new Set(sequences.flatMap((tokens) => tokens.map((_, n) => tokens.slice(0, n + 1).join()))).size;

test.each([
  ['with room for all', 1000],
  ['with room for little more than what is under way', 6 * 14],
])('over random trees of requests every path reads its own tokens, %s', (_, limit) => {
  const random = keyedRandom({ seed: 4, update: 0 }, 99);
  const draw = (count: number): number[] => Array.from({ length: count }, () => random.integer(2));
  const cache = cacheOf(limit);
  const device = new Device();
  const past: number[][] = [];
  let active: Under[] = [];
  let reused = 0;
  for (let call = 0; call < 400; call++) {
    // New requests go on from any earlier sequence, cut anywhere. They compute in the order of opening.
    const joining = Array.from({ length: random.integer(7 - active.length) }, (): Under => {
      const stem = past.length > 0 ? past[random.integer(past.length)] : [];
      const tokens = [...stem.slice(0, random.integer(7)), ...draw(random.integer(3))];
      const { path, cachedLength } = cache.open(tokens);
      device.write({ path, tokens }, cachedLength, tokens.length - cachedLength);
      reused += cachedLength;
      return { path, tokens };
    });
    active.push(...joining);
    active.forEach((under) => device.check(under));
    // One chunk: all rows are given places and compute; then each says what it sampled.
    const steps = 1 + random.integer(4);
    const chunk = active.map((under) => ({ ...under, sampled: draw(random.integer(steps + 1)) }));
    for (const { path } of chunk) cache.reserve(path, steps);
    for (const { path, tokens, sampled } of chunk)
      device.write({ path, tokens: [...tokens, ...sampled] }, tokens.length, sampled.length);
    for (const { path, tokens, sampled } of chunk) {
      cache.advance(path, sampled);
      tokens.push(...sampled);
    }
    active.forEach((under) => device.check(under));
    const done = active.filter(({ tokens }) => tokens.length >= 8 || random.integer(3) === 0);
    active = active.filter((under) => !done.includes(under));
    for (const { path, tokens } of done) {
      cache.close(path);
      past.push([...tokens]);
    }
    expect(cache.placeCount).toBeLessThanOrEqual(limit);
    const underWay = uniqueTokens(active.map(({ tokens }) => tokens));
    expect(cache.usedCount).toBeGreaterThanOrEqual(underWay);
    if (limit === 1000)
      expect(cache.usedCount).toBe(uniqueTokens([...past, ...active.map(({ tokens }) => tokens)]));
  }
  expect(reused).toBeGreaterThan(1000);
  expect(cache.placeCount === limit).toBe(limit < 1000); // so places were given up, or none was
});
