import { quote, tokenId, type TokenId } from '../../src/units.ts';
import { TokenError } from '../../src/model/errors.ts';

/** Word-level: one token per word, words parted by white space. */
export interface Tokenizer {
  readonly size: number;
  /** @throws TokenError naming the first unknown word */
  encode(text: string): TokenId[];
  /** @throws TokenError naming the first id outside the vocabulary */
  decode(tokens: readonly TokenId[]): string;
}

/**
 * @param vocabulary token texts; id = index
 * @throws TokenError when two entries are the same word, or an entry is empty or holds white space
 */
export function createTokenizer(vocabulary: readonly string[]): Tokenizer {
  const ids = new Map<string, TokenId>();
  vocabulary.forEach((word, index) => {
    if (ids.has(word) || word === '' || /\s/.test(word)) {
      throw new TokenError({
        what: 'The vocabulary cannot be used',
        where: `entry ${index}`,
        got: quote(word),
        wanted: 'words that differ, none empty, none with white space',
        next: 'Correct the vocabulary of the environment.',
      });
    }
    ids.set(word, tokenId(index));
  });
  return {
    size: vocabulary.length,
    encode: (text) =>
      text
        .split(/\s+/)
        .filter(Boolean)
        .map((word, place) => idOf(ids, word, place)),
    decode: (tokens) => tokens.map((token, place) => wordOf(vocabulary, token, place)).join(' '),
  };
}

function idOf(ids: ReadonlyMap<string, TokenId>, word: string, place: number): TokenId {
  const id = ids.get(word);
  if (id !== undefined) return id;
  throw new TokenError({
    what: 'A word is not in the vocabulary',
    where: `word ${place} of the text`,
    got: quote(word),
    wanted: `one of the ${ids.size} words of the vocabulary`,
    next: 'Use words of the environment only.',
  });
}

function wordOf(vocabulary: readonly string[], token: TokenId, place: number): string {
  if (token in vocabulary) return vocabulary[token];
  throw new TokenError({
    what: 'A token id is not in the vocabulary',
    where: `token ${place}`,
    got: String(token),
    wanted: `0 to ${vocabulary.length - 1}`,
    next: "Check that the model's vocabulary size equals the environment's.",
  });
}
