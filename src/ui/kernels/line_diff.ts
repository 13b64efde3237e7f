/** Lines by which a text differs from another. */

export interface LineChanges {
  readonly added: readonly number[]; // lines of the text that the original does not have, from 1
  readonly gone: readonly number[]; // per line of the original that is not there: the line before which it stood
}

/** Lines that both texts have, from the front, up to `most`. */
function sharedPrefix(a: readonly string[], b: readonly string[], most: number): number {
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}

/** common[i][j]: lines of the longest common subsequence of a[i…] and b[j…]. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly Uint32Array[] {
  const common = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  return common;
}

/** By the longest common subsequence; what both texts begin and end with is set aside first. */
export function changedLines(original: string, text: string): LineChanges {
  const [before, after] = [original.split('\n'), text.split('\n')];
  const shorter = Math.min(before.length, after.length);
  const head = sharedPrefix(before, after, shorter);
  const tail = sharedPrefix(before.toReversed(), after.toReversed(), shorter - head);
  const a = before.slice(head, before.length - tail);
  const b = after.slice(head, after.length - tail);
  const common = commonLengths(a, b);
  const [added, gone]: [number[], number[]] = [[], []];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) [i, j] = [i + 1, j + 1];
    else if (i < a.length && (j === b.length || common[i + 1][j] >= common[i][j + 1])) {
      i += 1;
      gone.push(head + j + 1);
    } else {
      j += 1;
      added.push(head + j);
    }
  }
  return { added, gone };
}

/** Whole numbers in order as ranges, e.g. `3, 5–8`. */
function ranges(numbers: readonly number[]): string {
  const starts = numbers.filter((value, index) => value !== numbers[index - 1] + 1);
  const ends = numbers.filter((value, index) => value + 1 !== numbers[index + 1]);
  return starts.map((start, index) => (start === ends[index] ? start : `${start}–${ends[index]}`)).join(', ');
}

/** How many lines and which; null where the texts are equal. */
export function sayChangedLines(original: string, text: string): string | null {
  const { added, gone } = changedLines(original, text);
  if (added.length + gone.length === 0) return null;
  const lines = (count: number): string => `${count} ${count === 1 ? 'line' : 'lines'}`;
  const places = added.length > 0 ? ranges(added) : `before ${ranges([...new Set(gone)])}`;
  return `${lines(added.length)} new, ${lines(gone.length)} of the original gone (${places})`;
}
