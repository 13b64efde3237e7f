/** What every error of the project says. */

const LONGEST = 80; // characters of a value in a message

/** Text as a message holds it: its first 80 characters and `…` where it is longer. */
export const shorten = (text: string, longest = LONGEST): string =>
  text.length > longest ? `${text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, '')}…` : text;

/** A value as an error quotes it, at most 80 characters of it; never throws, whatever the value. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof ArrayBuffer) return `${value.byteLength} bytes`;
  if (typeof value === 'number') return String(value); // JSON has no NaN
  if (typeof value === 'bigint') return shorten(`${value}n`); // nor these
  const start = typeof value === 'string' ? value.slice(0, LONGEST + 1) : value; // may be a whole file
  try {
    return shorten(JSON.stringify(start) ?? typeof value);
  } catch {
    return `an ${typeof value} that is not JSON`; // it holds itself, or a bigint
  }
}

/** The five things an error says. Every error class of the project carries one. */
export interface ErrorReport {
  readonly what: string;
  readonly where: string;
  readonly got: string;
  readonly wanted: string;
  readonly next: string; // what the person can do now
}

/** Base of the project's errors: the message is the report in one sentence. */
export class LabError extends Error {
  readonly report: ErrorReport;
  constructor(name: string, report: ErrorReport, cause?: unknown) {
    super(
      `${report.what} (${report.where}): got ${report.got}, wanted ${report.wanted}. ${report.next}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = name;
    this.report = report;
  }
}

// Counted things in English, as every sentence and error says them.

const IRREGULAR: Readonly<Record<string, string>> = { leaf: 'leaves', child: 'children' };

/** The word for so many of a thing: 1 → "row", 0 and 2 → "rows". @param word singular */
export const plural = (count: number, word: string): string =>
  count === 1 ? word : (IRREGULAR[word] ?? (word.endsWith('ch') ? `${word}es` : `${word}s`));

/** 1 → "1 row"; 1200 → "1,200 rows". @param word singular */
export const countWords = (count: number, word: string): string =>
  `${count.toLocaleString('en-US')} ${plural(count, word)}`;

/** "a turn" → "A turn". */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
