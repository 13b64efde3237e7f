import { expect, test } from 'vitest';
import { TokenError } from '../../src/model/errors.ts';
import { createTokenizer } from '../support/tokenizer.ts';
import { tokenId } from '../../src/units.ts';

const tokenizer = createTokenizer(['<pad>', '<search>', 'Genk', "'s", 'leader']);

test('text becomes ids and comes back with single spaces', () => {
  const tokens = tokenizer.encode("  <search> Genk\n's leader ");
  expect(tokens).toEqual([1, 2, 3, 4]);
  expect(tokenizer.decode(tokens)).toBe("<search> Genk 's leader");
  expect(tokenizer.encode('')).toEqual([]);
});

test('an unknown word is named with its place', () => {
  expect(() => tokenizer.encode('Genk leaders')).toThrow(TokenError);
  expect(() => tokenizer.encode('Genk leaders')).toThrow(/word 1 of the text.*"leaders"/);
});

test('an id outside the vocabulary is named', () => {
  expect(() => tokenizer.decode([tokenId(1), tokenId(5)])).toThrow(/token 1.*got 5, wanted 0 to 4/);
});

test('a vocabulary with a word twice, or white space in a word, is refused', () => {
  expect(() => createTokenizer(['a', 'b', 'a'])).toThrow(/entry 2/);
  expect(() => createTokenizer(['a b'])).toThrow(/entry 0/);
});
