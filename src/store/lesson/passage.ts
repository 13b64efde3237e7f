/** The text of a lesson in parts: words, terms of the glossary `[[turns|turn]]`, numbers of the lab `{value of n1}`. Pure. */

export type PassagePart =
  | { readonly kind: 'words'; readonly words: string }
  | { readonly kind: 'term'; readonly words: string; readonly term: string }
  | { readonly kind: 'number'; readonly expression: string };

const MARK = /\[\[([^\][|]+)(?:\|([^\][|]+))?\]\]|\{([^{}]+)\}/g;

/** "Turn advantage" → "turn_advantage": the name of a term that is written as it is called. */
export const termName = (words: string): string => words.trim().toLowerCase().replaceAll(/\s+/g, '_');

export function parsePassage(text: string): readonly PassagePart[] {
  const parts: PassagePart[] = [];
  let at = 0;
  const say = (words: string): void => void (words !== '' && parts.push({ kind: 'words', words }));
  for (const found of text.matchAll(MARK)) {
    say(text.slice(at, found.index));
    const [whole, words, term, expression] = found as readonly (string | undefined)[];
    if (expression !== undefined) parts.push({ kind: 'number', expression });
    else if (words !== undefined) parts.push({ kind: 'term', words, term: term ?? termName(words) });
    at = found.index + (whole?.length ?? 0);
  }
  say(text.slice(at));
  return parts;
}
