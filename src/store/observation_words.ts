/** A tool result as a person types it: words of the environment's vocabulary. Pure. */
import { LabError, shorten, tokenId, type TokenId, type TurnNode } from '../units.ts';

/** A word that the environment does not know. */
export class UnknownWordError extends LabError {
  constructor(word: string, place: number, nearest: readonly string[]) {
    super('UnknownWordError', {
      what: `The environment has no word “${shorten(word)}”`,
      where: `word ${place + 1} of the observation`,
      got: shorten(word),
      wanted: 'a word of its vocabulary',
      next: `The nearest: ${nearest.join(', ')}.`,
    });
  }
}

/** An observation without a word would make two turns one. */
export class EmptyObservationError extends LabError {
  constructor() {
    super('EmptyObservationError', {
      what: 'An observation has at least one word',
      where: 'the observation',
      got: 'nothing',
      wanted: 'words of the vocabulary, with a space between them',
      next: 'Write a word: without one, the turn before and the turn after would be read as one.',
    });
  }
}

/** Least number of letters to put in, leave out or change. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
}

/** Words of the vocabulary nearest to one that is not in it; equal distances by id. */
export function nearestWords(word: string, vocabulary: readonly string[], count = 3): readonly string[] {
  const typed = word.toLowerCase();
  return vocabulary
    .map((entry) => ({ entry, distance: editDistance(typed, entry.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ entry }) => entry);
}

/**
 * @returns tokens of the words, in order
 * @throws UnknownWordError with the nearest words, EmptyObservationError
 */
export function parseObservation(text: string, vocabulary: readonly string[]): readonly TokenId[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) throw new EmptyObservationError();
  return words.map((word, place) => {
    const id = vocabulary.indexOf(word);
    if (id < 0) throw new UnknownWordError(word, place, nearestWords(word, vocabulary));
    return tokenId(id);
  });
}

/** Words that the last, unfinished word may become; none after a space or a whole word. */
export function completions(text: string, vocabulary: readonly string[], count = 6): readonly string[] {
  const typed = /\S+$/.exec(text)?.[0] ?? '';
  if (typed === '' || vocabulary.includes(typed)) return [];
  const begins = vocabulary.filter((word) => word.toLowerCase().startsWith(typed.toLowerCase()));
  return begins.slice(0, count);
}

/** Tokens of the tool result that opens a turn; none for first turns, or where a turn goes on in the middle. */
export function observationOf({ tokens, mask, retrieved }: TurnNode): readonly TokenId[] {
  const sampled = mask.indexOf(1);
  return retrieved ? [] : tokens.slice(0, sampled < 0 ? tokens.length : sampled);
}
