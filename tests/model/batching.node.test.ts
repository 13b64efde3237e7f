import { describe, expect, test } from 'vitest';
import { batchInputs, checkBatch } from '../../src/model/batch_inputs.ts';
import { BatchError } from '../../src/model/errors.ts';
import { invertIndex, NONE } from '../../src/model/inverse_index.ts';
import { splitBatch } from '../../src/model/microbatches.ts';
import { packRows, packTree } from '../support/token_batches.ts';

const batch = packRows([
  { tokens: [1, 2, 3, 4], mask: [0, 1, 0, 1] },
  { tokens: [5, 6, 7], mask: [0, 0, 0] },
  { tokens: [1, 2, 3, 4, 5], mask: [0, 1, 1, 0, 1] },
]);

describe('a batch is split at row boundaries:', () => {
  test('into one part when it fits', () => {
    expect(splitBatch(batch, { tokens: 12, predicted: 5, scored: 5 })).toEqual([
      {
        tokenStart: 0,
        tokenEnd: 12,
        predictedStart: 0,
        predictedEnd: 5,
        scoredStart: 0,
        scoredEnd: 5,
        turnStart: 0,
        turnEnd: 4,
      },
    ]);
  });

  test('into as few parts as the tokens allow, turns with their rows', () => {
    expect(splitBatch(batch, { tokens: 7, predicted: 64, scored: 64 })).toEqual([
      {
        tokenStart: 0,
        tokenEnd: 7,
        predictedStart: 0,
        predictedEnd: 2,
        scoredStart: 0,
        scoredEnd: 2,
        turnStart: 0,
        turnEnd: 2,
      },
      {
        tokenStart: 7,
        tokenEnd: 12,
        predictedStart: 2,
        predictedEnd: 5,
        scoredStart: 2,
        scoredEnd: 5,
        turnStart: 2,
        turnEnd: 4,
      },
    ]);
  });

  test('also where only the predicted tokens are too many', () => {
    expect(
      splitBatch(batch, { tokens: 64, predicted: 3, scored: 64 }).map(({ scoredEnd }) => scoredEnd),
    ).toEqual([2, 5]);
  });

  test('but never inside a row, which is refused', () => {
    expect(() => splitBatch(batch, { tokens: 4, predicted: 64, scored: 64 })).toThrow(BatchError);
    expect(() => splitBatch(batch, { tokens: 4, predicted: 64, scored: 64 })).toThrow(
      /tokens 7 to 12.*5 tokens, 3 scored.*at most 4/,
    );
  });
});

test('a micro-batch counts from its own first token', () => {
  const [, part] = splitBatch(batch, { tokens: 7, predicted: 64, scored: 64 });
  const inputs = batchInputs(batch, part);
  expect([...inputs.tokens]).toEqual([1, 2, 3, 4, 5]);
  expect([...inputs.previousTokens]).toEqual([0, 1, 2, 3, 4]);
  expect([...inputs.visible]).toEqual([0, 5, 0, 5, 0, 5, 0, 5, 0, 5]);
  expect([...inputs.predecessors]).toEqual([0, 1, 3]);
  expect([...inputs.chosen]).toEqual([2, 3, 5]);
});

test('in a packed tree a token’s predecessor is its parent block’s end', () => {
  const tree = packTree([
    { parent: -1, tokens: [1, 2] },
    { parent: 0, tokens: [3, 4] },
    { parent: 0, tokens: [5] },
  ]);
  const [part] = splitBatch(tree, { tokens: 8, predicted: 8, scored: 8 });
  const inputs = batchInputs(tree, part);
  expect([...inputs.predecessors]).toEqual([0, 1, 2, 1]);
  expect([...inputs.previousTokens]).toEqual([0, 1, 2, 3, 2]);
  expect([...inputs.visible]).toEqual([0, 5, 0, 5, 0, 4, 0, 4, 0, 5]);
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
