import { describe, expect, test } from 'vitest';
import { attentionBackward, attentionForward } from '../../shaders/attention/attention.oracle.ts';
import { packVisible, row, wave, type Turn } from '../../shaders/case_data.ts';
import { decodeAttention } from '../../shaders/decode_attention/decode_attention.oracle.ts';
import { gradientError, inner } from '../support/central_difference.ts';

const TREE: Turn = { length: 2, children: [{ length: 1, children: [row(1), row(2)] }, row(2)] };
const [HEADS, KV_HEADS, HS] = [4, 2, 4];

function example(trees: readonly Turn[]) {
  const visible = packVisible(trees);
  const tokens = visible.length / 2;
  const shape = { tokens, heads: HEADS, kvHeads: KV_HEADS, headSize: HS, scale: 0.5 };
  const qk = Float64Array.from(wave(tokens * (HEADS + KV_HEADS) * HS, 0.3));
  const qkv = Float64Array.from(wave(tokens * (HEADS + 2 * KV_HEADS) * HS, 1.3));
  return { shape, qk, qkv, visible, dout: Float64Array.from(wave(tokens * HEADS * HS, 0.9)) };
}

test('a tree in pre-order is visible from its start to the end of each subtree', () => {
  const pairs = [0, 8, 0, 8, 0, 6, 0, 4, 0, 6, 0, 6, 0, 8, 0, 8];
  expect([...packVisible([TREE, row(1)])]).toEqual([...pairs, 8, 9]);
});

test('equal scores weigh the visible values equally', () => {
  const { shape, qkv, visible } = example([row(3)]);
  const { out, lse } = attentionForward(shape, { qk: new Float64Array(3 * 6 * HS), qkv, visible });
  const value = (j: number): number => qkv[(j * 8 + 6) * HS];
  expect(out[2 * HEADS * HS]).toBeCloseTo((value(0) + value(1) + value(2)) / 3, 12);
  expect(lse[2 * HEADS]).toBeCloseTo(Math.log(3), 12);
});

test("a token of a tree reads its path and nothing of its siblings' subtrees", () => {
  const { shape, qk, qkv, visible } = example([TREE]);
  const { out } = attentionForward(shape, { qk, qkv, visible });
  const path = [0, 1, 2, 4, 5]; // root, first child, its second child; token 3 is a sibling's
  const take = (matrix: Float64Array): number[] => {
    const width = matrix.length / shape.tokens;
    return path.flatMap((n) => [...matrix.subarray(n * width, (n + 1) * width)]);
  };
  const alone = { qk: take(qk), qkv: take(qkv), visible: packVisible([row(path.length)]) };
  const lone = attentionForward({ ...shape, tokens: path.length }, alone);
  expect([...lone.out]).toEqual(take(out));
});

describe.each([
  ['rows', [row(1), row(4), row(2)]],
  ['a tree', [row(1), TREE]],
])('%s', (_, trees) => {
  const { shape, qk, qkv, visible, dout } = example(trees);
  const loss = (): number => inner(dout, attentionForward(shape, { qk, qkv, visible }).out);
  const { dqk, dqkv } = attentionBackward(shape, { qk, qkv, visible }, dout);

  test('the gradients of queries and keys agree with central differences', () => {
    expect(gradientError(loss, qk, dqk)).toBeLessThan(1e-6);
  });

  test('the gradients of values agree with central differences', () => {
    expect(gradientError(loss, qkv, dqkv)).toBeLessThan(1e-6);
  });
});

test('decoding the last token from its cache gives what the whole row gives', () => {
  const { shape, qk, qkv, visible } = example([row(5)]);
  const rows = (matrix: Float64Array, first: number, end: number, heads: number): number[] =>
    Array.from({ length: 5 }, (_, n) => [
      ...matrix.subarray((n * heads + first) * HS, (n * heads + end) * HS),
    ]).flat();
  const decoded = decodeAttention(
    { ...shape, rows: 1, slotLength: 5 },
    {
      qk: qk.subarray(4 * 6 * HS),
      keyCache: rows(qk, 4, 6, 6),
      valueCache: rows(qkv, 6, 8, 8),
      slots: [0],
      positions: [4],
      places: [0, 1, 2, 3, 4],
    },
  );
  const { out } = attentionForward(shape, { qk, qkv, visible });
  decoded.forEach((value, index) => expect(value).toBeCloseTo(out[4 * HEADS * HS + index], 12));
});
