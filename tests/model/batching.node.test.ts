import { describe, expect, test } from 'vitest';
import { packGroups } from '../../src/algo/batch/pack.ts';
import { batchInputs, checkBatch, visiblePairs } from '../../src/model/training/batch_inputs.ts';
import { BatchError } from '../../src/model/errors.ts';
import { invertIndex, NONE } from '../../src/model/training/inverse_index.ts';
import { splitBatch, type MicroBatch } from '../../src/model/microbatches.ts';
import { nodeId } from '../../src/units.ts';
import { packRows } from '../support/token_batches.ts';

const batch = packRows([
  { tokens: [1, 2, 3, 4], mask: [0, 1, 0, 1] },
  { tokens: [5, 6, 7], mask: [0, 0, 0] },
  { tokens: [1, 2, 3, 4, 5], mask: [0, 1, 1, 0, 1] },
]);

const roomy = { tokens: 64, predicted: 64, scored: 64 };

/** What a part computes, as lists. */
const listed = ({ tokens, predicted, scored, ...range }: MicroBatch) => ({
  tokens: [...tokens],
  predicted: [...predicted],
  scored: [...scored],
  ...{ scoredStart: range.scoredStart, scoredEnd: range.scoredEnd },
  ...{ turnStart: range.turnStart, turnEnd: range.turnEnd },
});

describe('a batch of plain rows is split between rows:', () => {
  test('into one part when it fits, without the tokens that no scored token depends on', () => {
    expect(splitBatch(batch, { tokens: 7, predicted: 5, scored: 5 }).map(listed)).toEqual([
      {
        tokens: [0, 1, 2, 7, 8, 9, 10], // not the ends of rows, nor the row without a scored token
        predicted: [0, 1, 2, 3, 4],
        scored: [0, 1, 2, 3, 4],
        ...{ scoredStart: 0, scoredEnd: 5, turnStart: 0, turnEnd: 4 },
      },
    ]);
  });

  test('into as few parts as the tokens allow, turns with their rows', () => {
    expect(splitBatch(batch, { ...roomy, tokens: 6 }).map(listed)).toEqual([
      {
        tokens: [0, 1, 2],
        predicted: [0, 1],
        scored: [0, 1],
        ...{ scoredStart: 0, scoredEnd: 2, turnStart: 0, turnEnd: 2 },
      },
      {
        tokens: [7, 8, 9, 10],
        predicted: [2, 3, 4],
        scored: [0, 1, 2],
        ...{ scoredStart: 2, scoredEnd: 5, turnStart: 2, turnEnd: 4 },
      },
    ]);
  });

  test('also where only the predicted or the scored tokens are too many', () => {
    expect(splitBatch(batch, { ...roomy, predicted: 3 }).map(({ scoredEnd }) => scoredEnd)).toEqual([2, 5]);
    expect(splitBatch(batch, { ...roomy, scored: 4 }).map(({ scoredEnd }) => scoredEnd)).toEqual([2, 5]);
  });

  test('but never inside a row, which is refused', () => {
    expect(() => splitBatch(batch, { ...roomy, tokens: 3 })).toThrow(BatchError);
    expect(() => splitBatch(batch, { ...roomy, tokens: 3 })).toThrow(/row 2.*5 tokens, 3 scored.*at most 3/);
  });

  test('and where no token is scored there is nothing to compute', () => {
    expect(splitBatch(packRows([{ tokens: [1, 2], mask: [0, 0] }]), roomy)).toEqual([]);
  });
});

test('a micro-batch counts from its own first token', () => {
  const [, part] = splitBatch(batch, { ...roomy, tokens: 6 });
  const inputs = batchInputs(batch, part);
  expect([...inputs.tokens]).toEqual([1, 2, 3, 4]);
  expect([...inputs.previousTokens]).toEqual([0, 1, 2, 3]);
  expect([...inputs.positions]).toEqual([0, 1, 2, 3]);
  expect([...inputs.visible]).toEqual([0, 4, 0, 4, 0, 4, 0, 4]);
  expect([...inputs.predecessors]).toEqual([0, 1, 3]);
  expect([...inputs.chosen]).toEqual([2, 3, 5]);
});

describe('a packed tree', () => {
  //  1 2 ┬ 3 4 ┬ 5 6
  //      │     └ 7
  //      └ 8 9
  const rows = [
    [1, 2, 3, 4, 5, 6],
    [1, 2, 8, 9],
    [1, 2, 3, 4, 7],
  ].map((tokens, leaf) => ({
    ...{ prompt: 0, leaf: nodeId(leaf), tokens, mask: tokens.map((_, n) => (n < 1 ? 0 : 1)) },
    ...{ advantage: tokens.map(() => 1), spans: [] },
  }));
  const tree = packGroups([rows]);
  const inputsOf = (part: MicroBatch) => batchInputs(tree, part);

  test('reads the block above, whose end predicts the first token of every block below', () => {
    const [part] = splitBatch(tree, roomy);
    expect(listed(part).scored).toEqual([0, 1, 2, 3, 4, 0, 6, 7, 0, 1, 2, 5]);
    const inputs = inputsOf(part);
    expect([...inputs.tokens]).toEqual([1, 2, 3, 4, 5, 8]);
    expect([...inputs.previousTokens]).toEqual([0, 1, 2, 3, 4, 2]);
    expect([...inputs.positions]).toEqual([0, 1, 2, 3, 4, 2]);
    expect([...inputs.visible]).toEqual([0, 6, 0, 6, 0, 5, 0, 5, 0, 5, 0, 6]);
    expect(visiblePairs(inputs)).toBe(1 + 2 + 3 + 4 + 5 + 3); // every token reads its path
    expect([...inputs.chosen]).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...inputs.predecessors]).toEqual([0, 1, 2, 3, 4, 3, 1, 5]);
  });

  test('that does not fit is divided between its leaves, and the parts repeat what they share', () => {
    const parts = splitBatch(tree, { ...roomy, tokens: 5 });
    expect(parts.map(({ scoredStart, scoredEnd }) => [scoredStart, scoredEnd])).toEqual([
      [0, 5],
      [5, 12],
    ]);
    expect(parts.map((part) => [...inputsOf(part).tokens])).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 8],
    ]);
    expect([...inputsOf(parts[1]).visible]).toEqual([0, 5, 0, 5, 0, 4, 0, 4, 0, 5]);
    expect([...inputsOf(parts[1]).chosen]).toEqual([2, 3, 4, 7, 8, 9]);
    expect([...parts[1].scored]).toEqual([0, 4, 5, 0, 1, 2, 3]);
  });

  test('that fits by itself is not divided, even if the tree before it leaves some room', () => {
    const two = packGroups([rows, rows]);
    const parts = splitBatch(two, { ...roomy, tokens: 10 });
    expect(parts.map(({ scoredStart, scoredEnd }) => [scoredStart, scoredEnd])).toEqual([
      [0, 12],
      [12, 24],
    ]);
    expect(splitBatch(two, { ...roomy, tokens: 12 })).toHaveLength(1);
  });
});

describe('a batch that would make a kernel read outside its buffers is refused:', () => {
  test.each([
    ['a token outside the vocabulary', 5, 99, /token 4.*got 5, wanted below 5/],
    ['a position past the context', 99, 4, /token 11.*position 4, wanted below 4/],
  ])('%s', (_, vocabulary, contextLength, message) => {
    expect(() => checkBatch(batch, vocabulary, contextLength)).toThrow(message);
  });

  test('a scored token with none before it', () => {
    expect(() => checkBatch(packRows([{ tokens: [1, 2], mask: [1, 1] }]), 9, 9)).toThrow(
      /first token of a path/,
    );
  });
});

test('an inverse index lists the sources of each target in ascending order and leaves NONE out', () => {
  const { offsets, sources } = invertIndex(Uint32Array.of(2, 0, NONE, 2, 2), 4);
  expect([...offsets]).toEqual([0, 1, 1, 4, 4]);
  expect([...sources]).toEqual([1, 0, 3, 4]);
});
