import { expect, test } from 'vitest';
import { keyedRandom } from '../../src/algo/random.ts';
import { PrefixCache, type Placement } from '../../src/model/prefix_cache.ts';

/** A cache of real tokens: does what the device does, in the order it does it, and checks every read. */
class CacheModel {
  readonly slots: number[][] = [];

  run(placements: readonly Placement[], contexts: readonly (readonly number[])[]): void {
    const waves = Math.max(...placements.map(({ wave }) => wave)) + 1;
    for (let wave = 0; wave < waves; wave++) {
      const ready = placements
        .map((placement, r) => ({ ...placement, context: contexts[r] }))
        .filter((p) => p.wave === wave);
      const sources = new Set(ready.flatMap(({ fork }) => (fork ? [fork.source] : [])));
      for (const { fork } of ready) {
        if (!fork) continue;
        expect(sources.has(fork.destination)).toBe(false);
        this.slots[fork.destination] = this.slots[fork.source].slice(0, fork.length);
      }
      for (const { slot, cachedLength, context } of ready) {
        const held = (this.slots[slot] ?? []).slice(0, cachedLength);
        expect(held).toEqual(context.slice(0, cachedLength));
        this.slots[slot] = context.slice(0, -1);
      }
    }
  }
}

const slotsOf = (placements: readonly Placement[]) => placements.map(({ slot }) => slot);

test('a context is continued where all that its slot holds is its prefix', () => {
  const cache = new PrefixCache(8);
  const [first] = cache.place([[1, 2, 3]]);
  expect(first).toEqual({ slot: 0, cachedLength: 0, fork: null, wave: 0 });
  cache.commit(0, [1, 2, 3, 7, 8]);
  expect(cache.place([[1, 2, 3, 7, 8, 9, 4]])).toEqual([{ slot: 0, cachedLength: 5, fork: null, wave: 0 }]);
});

test('equal contexts of one call are computed once and forked in a second wave', () => {
  const cache = new PrefixCache(8);
  const placements = cache.place([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 4],
  ]);
  expect(placements[0]).toMatchObject({ slot: 0, fork: null, wave: 0 });
  expect(placements[1]).toEqual({
    slot: 1,
    cachedLength: 2,
    fork: { source: 0, destination: 1, length: 2 },
    wave: 1,
  });
  expect(placements[2]).toMatchObject({ slot: 2, cachedLength: 2, wave: 1 });
});

test('a branch off a longer sequence is forked, which stays whole', () => {
  const cache = new PrefixCache(8);
  cache.place([[1, 2, 3, 4, 5]]);
  cache.commit(0, [1, 2, 3, 4, 5, 6]);
  expect(cache.place([[1, 2, 3, 9]])).toEqual([
    { slot: 1, cachedLength: 3, fork: { source: 0, destination: 1, length: 3 }, wave: 0 },
  ]);
  expect(cache.place([[1, 2, 3, 4, 5, 6, 7]])).toMatchObject([{ slot: 0, cachedLength: 6, fork: null }]);
});

test('the last context token is always left to the first decode step', () => {
  const cache = new PrefixCache(8);
  cache.place([[1, 2, 3]]);
  cache.commit(0, [1, 2, 3]);
  expect(cache.place([[1, 2, 3]])).toMatchObject([{ cachedLength: 2 }]);
});

test('when all slots are taken, the one unused for longest is given up', () => {
  const cache = new PrefixCache(2);
  cache.place([[1, 1, 1]]);
  cache.place([[2, 2, 2]]);
  cache.commit(0, [1, 1, 1]);
  cache.commit(1, [2, 2, 2]);
  expect(slotsOf(cache.place([[3, 3]]))).toEqual([0]);
  expect(cache.place([[1, 1, 1, 5]])).toMatchObject([{ slot: 1, cachedLength: 0 }]);
  expect(cache.slotCount).toBe(2);
});

test('nothing is reused after clear', () => {
  const cache = new PrefixCache(4);
  cache.place([[1, 2, 3]]);
  cache.commit(0, [1, 2, 3]);
  cache.clear();
  expect(cache.place([[1, 2, 3, 4]])).toMatchObject([{ slot: 0, cachedLength: 0, fork: null }]);
});

test('over random calls every prefix read holds the context’s own tokens, and slots are never shared', () => {
  const random = keyedRandom({ seed: 4, update: 0 }, 99);
  const cache = new PrefixCache(12);
  const device = new CacheModel();
  let reused = 0;
  for (let call = 0; call < 300; call++) {
    const contexts = Array.from({ length: 1 + random.integer(6) }, () =>
      Array.from({ length: 1 + random.integer(9) }, () => random.integer(2)),
    );
    const placements = cache.place(contexts);
    expect(new Set(slotsOf(placements)).size).toBe(contexts.length);
    device.run(placements, contexts);
    placements.forEach(({ slot, cachedLength }, r) => {
      const sampled = Array.from({ length: random.integer(4) }, () => random.integer(2));
      const held = [...contexts[r], ...sampled];
      device.slots[slot] = held;
      cache.commit(slot, held);
      reused += cachedLength;
    });
  }
  expect(reused).toBeGreaterThan(2000);
});
