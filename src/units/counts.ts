/** Counted things in English, as every sentence and error says them. */

const IRREGULAR: Readonly<Record<string, string>> = { leaf: 'leaves', child: 'children' };

/** The word for so many of a thing: 1 → "row", 0 and 2 → "rows". @param word singular */
export const plural = (count: number, word: string): string =>
  count === 1 ? word : (IRREGULAR[word] ?? (word.endsWith('ch') ? `${word}es` : `${word}s`));

/** 1 → "1 row"; 1200 → "1,200 rows". @param word singular */
export const countWords = (count: number, word: string): string =>
  `${count.toLocaleString('en-US')} ${plural(count, word)}`;
