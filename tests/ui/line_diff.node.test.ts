import { expect, test } from 'vitest';
import { changedLines, sayChangedLines } from '../../src/ui/kernels/line_diff.ts';

const text = (...lines: readonly string[]): string => lines.join('\n');

test.each([
  ['equal texts', text('a', 'b'), text('a', 'b'), [], []],
  ['a line put in', text('a', 'c'), text('a', 'b', 'c'), [2], []],
  ['a line taken out', text('a', 'b', 'c'), text('a', 'c'), [], [2]],
  ['a line changed', text('a', 'b', 'c'), text('a', 'x', 'c'), [2], [2]],
  ['one line become two', text('a', 'b', 'c'), text('a', 'x', 'y', 'c'), [2, 3], [2]],
  ['the end taken off', text('a', 'b'), text('a'), [], [2]],
  ['a line repeated', text('a', 'a'), text('a', 'a', 'a'), [3], []],
  ['changes apart', text('a', 'b', 'c', 'd', 'e'), text('x', 'b', 'c', 'e', 'f'), [1, 5], [1, 4]],
  ['nothing in common', text('a', 'b'), text('x'), [1], [1, 1]],
])('%s', (_, original, edited, added, gone) => {
  expect(changedLines(original, edited)).toEqual({ added, gone });
});

test('what is common is never marked: taking the new lines out and putting the old ones in gives the original’s length', () => {
  let seed = 1;
  const random = (below: number): number => (seed = (seed * 16807) % 2147483647) % below;
  const some = (): string[] => Array.from({ length: random(12) }, () => 'abc'[random(3)]);
  for (let trial = 0; trial < 300; trial += 1) {
    const [a, b] = [
      ['#', ...some()],
      ['#', ...some()],
    ];
    const { added, gone } = changedLines(text(...a), text(...b));
    const kept = b.filter((_, index) => !added.includes(index + 1));
    expect(kept.length).toBe(a.length - gone.length);
    let at = 0; // what is kept stands in the original, in order
    for (const line of a) if (line === kept[at]) at += 1;
    expect(at).toBe(kept.length);
  }
});

test('the words name the lines', () => {
  expect(sayChangedLines('a', 'a')).toBeNull();
  const said = sayChangedLines(text('a', 'b', 'c', 'd'), text('x', 'b', 'y', 'z', 'd'));
  expect(said).toBe('3 lines new, 2 lines of the original gone (1, 3–4)');
  expect(sayChangedLines(text('a', 'b'), 'a')).toBe('0 lines new, 1 line of the original gone (before 2)');
});
