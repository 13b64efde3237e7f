/** A step of a lesson as pages that a slide holds: paragraphs together while they fit, a long one cut after a sentence. Pure. */

/** Marks of the text, which no cut may divide. */
const isWhole = (text: string): boolean =>
  text.split('[[').length === text.split(']]').length && text.split('{').length === text.split('}').length;

/** What is read of a text, without its marks. */
const readLength = (text: string): number => text.replace(/\[\[(?:[^\][|]+\|)?|\]\]|[{}]/g, '').length;

function cutLong(paragraph: string, most: number): readonly string[] {
  const pieces: string[] = [];
  for (const sentence of paragraph.split(/(?<=[.?!:;]) /)) {
    const last = pieces[pieces.length - 1];
    const joined = last === undefined ? sentence : `${last} ${sentence}`;
    if (last !== undefined && isWhole(last) && readLength(joined) > most) pieces.push(sentence);
    else pieces.splice(-1, 1, joined);
  }
  return pieces;
}

/**
 * @param lines of a page
 * @param width of a line, in characters
 */
export function pagesOf(
  paragraphs: readonly string[],
  lines: number,
  width: number,
): readonly (readonly string[])[] {
  const linesOf = (text: string): number => Math.ceil(readLength(text) / width) + 0.5; // with the gap below it
  const pieces = paragraphs.flatMap((paragraph) =>
    linesOf(paragraph) > lines ? cutLong(paragraph, (lines - 1) * width) : [paragraph],
  );
  const pages: string[][] = [];
  let left = 0;
  for (const piece of pieces) {
    const needs = linesOf(piece);
    if (pages.length === 0 || needs > left) {
      pages.push([]);
      left = lines;
    }
    pages[pages.length - 1].push(piece);
    left -= needs;
  }
  return pages;
}
