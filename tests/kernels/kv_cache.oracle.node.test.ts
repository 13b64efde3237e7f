import { expect, test } from 'vitest';
import { kvAppend } from '../../shaders/kv_cache/kv_cache.oracle.ts';

test('a new token writes its key and value columns where the table says, and nothing past the slot', () => {
  const shape = { rows: 2, heads: 1, kvHeads: 1, headSize: 2, slotLength: 2 };
  const inputs = {
    qk: [1, 2, 3, 4, 5, 6, 7, 8],
    qkv: [1, 2, 0, 0, 30, 40, 5, 6, 0, 0, 70, 80],
    slots: [1, 0],
    positions: [0, 2],
    places: [3, 1, 0, 2],
  };
  const empty = { keyCache: new Float64Array(8), valueCache: new Float64Array(8) };
  const { keyCache, valueCache } = kvAppend(shape, inputs, empty);
  expect([...keyCache]).toEqual([3, 4, 0, 0, 0, 0, 0, 0]);
  expect([...valueCache]).toEqual([30, 40, 0, 0, 0, 0, 0, 0]);
});
