import { expect, test } from 'vitest';
import { MOST_ROUNDS, withCountedLoops } from '../../src/train/inspect/loop_guard.ts';

const count = (line: number): string =>
  ` turnwiseRounds += 1u; if (turnwiseEndless[0] != 0u) { break; } if (turnwiseRounds > ${MOST_ROUNDS}u) { turnwiseEndless[0] = ${line}u; break; }`;

test('every kind of loop is counted at the start of its body, on its own line', () => {
  const source = [
    'fn main() {',
    '  loop { break; }',
    '  while (f(1, g(2)) < 3) { x += 1; }',
    '  for (var i = h(0); i < n(i); i++)',
    '  { while true {} }',
    '}',
  ].join('\n');
  const counted = withCountedLoops(source, 6)!.split('\n');
  expect(counted.slice(0, 6)).toEqual([
    'fn main() {',
    `  loop {${count(2)} break; }`,
    `  while (f(1, g(2)) < 3) {${count(3)} x += 1; }`,
    '  for (var i = h(0); i < n(i); i++)',
    `  {${count(5)} while true {${count(5)}} }`,
    '}',
  ]);
  expect(counted[7]).toContain('@binding(6)');
});

test('comments and names are no loops', () => {
  expect(
    withCountedLoops('// loop {\n/* while (a) { */ let format = forward(loops); fn w() {}', 6),
  ).toBeNull();
});
