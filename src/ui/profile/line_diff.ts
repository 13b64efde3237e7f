/** Lines by which a text differs from another. */

/** Lines of `text` that are not in `original`, and lines of that which are gone, by the longest common subsequence. */
export function changedLines(
  original: string,
  text: string,
): { readonly added: number; readonly removed: number } {
  const [a, b] = [original.split('\n'), text.split('\n')];
  let before = new Uint32Array(b.length + 1); // length of the common part of a[0…i) and b[0…j)
  for (const line of a) {
    const row = new Uint32Array(b.length + 1);
    for (let j = 0; j < b.length; j += 1)
      row[j + 1] = line === b[j] ? before[j] + 1 : Math.max(before[j + 1], row[j]);
    before = row;
  }
  const common = before[b.length];
  return { added: b.length - common, removed: a.length - common };
}

/** The same in words; null where the texts are equal. */
export function sayChangedLines(original: string, text: string): string | null {
  const { added, removed } = changedLines(original, text);
  if (added + removed === 0) return null;
  const lines = (count: number): string => `${count} ${count === 1 ? 'line' : 'lines'}`;
  return `${lines(added)} new, ${lines(removed)} of the original gone`;
}
