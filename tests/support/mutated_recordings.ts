/** A small recording, and any number of files that differ from it as a slip, a fault or an attack would. Seeded. */
import { recordingLines } from '../../src/files/recording.ts';
import type { RunConfig } from '../../src/units.ts';
import { scriptedRun, smallConfig } from './scripted_run.ts';

/** Two updates of two prompts with three rows each, two mini-batches. */
export function fileConfig(): RunConfig {
  const config = smallConfig({
    ...{ promptsPerUpdate: 2, promptsPerMinibatch: 1 },
    evaluation: { every: 0, questions: 2, datasets: ['hotpot'] },
  });
  const sizes = { initialBranches: 2, iterations: 1, picks: 1, leavesPerTree: 3 };
  const { algorithm } = config;
  return { ...config, algorithm: { ...algorithm, rollout: { ...algorithm.rollout, ...sizes } } };
}

/** Lines of the recording, header and end included, without line feeds. */
export async function smallRecording(): Promise<readonly string[]> {
  return [...recordingLines(await scriptedRun(fileConfig()))].map((line) => line.trimEnd());
}

type Draw = (below: number) => number; // a whole number from 0

/** Marsaglia's xorshift32: enough for tests. */
function drawFrom(seed: number): Draw {
  let word = (seed * 0x9e3779b9 + 1) >>> 0 || 1;
  return (below) => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return (word >>> 0) % below;
  };
}

const VALUES: readonly unknown[] = [
  ...[-1, 0, 1, 3, 17, 4000, 100_000_000, 2 ** 31, 2 ** 53, 1e308, -1e308, 5e-324, 0.5, null, true, '', 'x'],
  ...[
    [],
    {},
    [[]],
    { nonFinite: 'NaN' },
    { nonFinite: 'Infinity' },
    Array.from({ length: 300 }, (_, i) => i),
  ],
];

type Container = Record<string, unknown>;

/** A container within a value, deep ones as likely as shallow ones, and one of its keys. */
function placeIn(value: Container, draw: Draw): readonly [Container, string] {
  let at = value;
  for (;;) {
    const keys = Object.keys(at);
    const key = keys[draw(keys.length)];
    const below = at[key];
    const isDeep = typeof below === 'object' && below !== null && Object.keys(below).length > 0;
    if (!isDeep || draw(4) === 0) return [at, key];
    at = below as Container;
  }
}

const inLine =
  (change: (container: Container, key: string, draw: Draw) => void) =>
  (lines: string[], draw: Draw): void => {
    const at = draw(lines.length);
    const value = JSON.parse(lines[at]) as Container;
    const [container, key] = placeIn(value, draw);
    change(container, key, draw);
    lines[at] = JSON.stringify(value);
  };

const MUTATIONS: readonly ((lines: string[], draw: Draw) => void)[] = [
  inLine((container, key, draw) => (container[key] = VALUES[draw(VALUES.length)])),
  inLine((container, key, draw) => (container[key] = VALUES[draw(VALUES.length)])),
  inLine((container, key) => Reflect.deleteProperty(container, key)),
  // What a log is folded and drawn by.
  (lines, draw) => {
    const at = draw(lines.length);
    const fields = [
      'update',
      'prompt',
      'minibatch',
      'id',
      'parent',
      'depth',
      'iteration',
      'leaf',
      'tree',
      'node',
    ];
    const field = fields[draw(fields.length)];
    const number = [0, 1, 2, 3, 5, 1000, 100_000_000][draw(7)];
    lines[at] = lines[at].replace(new RegExp(`"${field}":\\d+`), `"${field}":${number}`);
  },
  (lines, draw) => lines.splice(draw(lines.length), 1),
  (lines, draw) => lines.splice(draw(lines.length), 0, lines[draw(lines.length)]),
  (lines, draw) => {
    const [a, b] = [draw(lines.length), draw(lines.length)];
    [lines[a], lines[b]] = [lines[b], lines[a]];
  },
  (lines, draw) => lines.splice(draw(lines.length), draw(lines.length)),
  (lines, draw) => {
    const at = draw(lines.length);
    lines[at] = lines[at].slice(0, draw(lines[at].length));
    if (draw(2)) lines.length = at + 1; // a file that breaks off
  },
];

/** The end line says how many events there are: it is made right again, so that it hides nothing. */
function countAgain(lines: string[]): void {
  const end = lines.findLastIndex((line) => line.startsWith('{"kind":"end"'));
  if (end > 0) lines[end] = JSON.stringify({ kind: 'end', events: end - 1 });
}

/** The `number`-th file: one to three mutations of the recording. */
export function mutated(recording: readonly string[], number: number): string {
  const draw = drawFrom(number + 1);
  const lines = [...recording];
  for (let left = 1 + draw(3); left > 0 && lines.length > 0; left -= 1) {
    try {
      MUTATIONS[draw(MUTATIONS.length)](lines, draw);
    } catch {
      // a line that an earlier mutation broke: it stays broken
    }
  }
  if (draw(4) > 0) countAgain(lines);
  return draw(6) > 0 ? `${lines.join('\n')}\n` : lines.join('\n');
}
