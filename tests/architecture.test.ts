import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** Area → what its files may import. Files directly in src and the tools of scripts and bench may import all of it. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/units': [],
  'src/algo': ['src/units'],
  'src/env': ['src/units'],
  'src/gpu': ['src/units'],
  shaders: ['src/gpu', 'src/algo', 'src/units'],
  'src/model': ['src/gpu', 'shaders', 'src/units'],
  'src/protocol': ['src/algo', 'src/units', 'src/train/config/config.ts'], // the last checks what a log was configured with
  'src/keep': ['src/protocol', 'src/files', 'src/units'],
  'src/files': ['src/protocol', 'src/units'],
  'src/experiment': ['src/algo', 'src/protocol', 'src/units'], // data and statistics: no engine, no page
  'src/train': [
    ...['src/algo', 'src/env', 'src/gpu', 'src/model', 'shaders', 'src/units'],
    ...['src/protocol', 'src/files', 'src/experiment/budget.ts'],
  ],
  'src/outgrow': ['src/algo', 'src/env', 'src/units'],
  'src/lessons': [], // data
  'src/store': [
    'src/lessons',
    'src/env/words.ts', // tells turns
    'src/experiment',
    'src/algo',
    'src/units',
    'src/protocol',
    'src/keep/entry.ts',
    'src/files/rollouts/traces.ts', // writes what the log says
    'src/train/inspect/index.ts',
  ], // the last for its types: see below
  'src/ui': ['src/store', 'src/lessons', 'src/outgrow', 'src/units'],
  'src/service_worker': [], // its build stands alone
};
const FREE = ['src/main.tsx', 'scripts', 'bench'];

/** A drawer with more files than this hides what is in it. */
const MOST_FILES = 20;
const MOST_LINES = 400;

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory())
      return name === 'node_modules' || name === 'results' ? [] : filesBelow(path);
    return /\.(tsx?|mjs)$/.test(name) ? [path] : [];
  });
}

const areaOf = (path: string): string => {
  const [top, second] = path.split('/');
  return top === 'src' ? `src/${second.replace(/\.tsx?$/, '')}` : top;
};

/** Targets of imports, type imports and modules loaded by address included, from the project's root. */
function importsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  const relatives = [...text.matchAll(/(?:from|import)\s*\(?\s*(?:\/\*.*?\*\/\s*)?'(\.[^'?]+)/g)].map(
    (match) => relative('.', resolve(dirname(path), match[1])),
  );
  const addresses = [
    ...text.matchAll(/(?:import|ssrLoadModule)\(\s*'\/((?:src|shaders|tests)\/[^'?…]+)'/g),
  ].map((match) => normalize(match[1]));
  return [...relatives, ...addresses];
}

function violations(files: readonly string[], importsOfFile: (path: string) => string[]): string[] {
  return files.flatMap((file) => {
    const area = areaOf(file);
    if (FREE.includes(file) || FREE.includes(area)) return [];
    const allowed = ALLOWED[area];
    if (!allowed) return [`${file}: no rule for this folder`];
    return importsOfFile(file)
      .filter((target) => areaOf(target) !== area)
      .filter(
        (target) =>
          !allowed.some(
            (entry) => target === entry || target === `${entry}.ts` || target.startsWith(`${entry}/`),
          ),
      )
      .map((target) => `${file} imports ${target}`);
  });
}

/** Files that can be reached from themselves, each circle once (Tarjan's strongly connected components). */
function circles(files: readonly string[], importsOfFile: (path: string) => string[]): string[][] {
  const known = new Set(files);
  const number = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    number.set(file, number.size);
    lowest.set(file, number.get(file)!);
    open.push(file);
    for (const target of importsOfFile(file).filter((each) => known.has(each))) {
      if (!number.has(target)) visit(target);
      if (open.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== number.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1 || importsOfFile(file).includes(file)) found.push(circle);
  };
  for (const file of files) if (!number.has(file)) visit(file);
  return found;
}

const files = [...filesBelow('src'), ...filesBelow('shaders')];
const tools = [...filesBelow('scripts'), ...filesBelow('bench')];

test('imports follow the one-way path of the data', () => {
  expect(violations([...files, ...tools], importsOf)).toEqual([]);
});

test('the check sees a forbidden import', () => {
  expect(violations(['src/algo/tree/tree.ts'], () => ['src/gpu/device.ts'])).toEqual([
    'src/algo/tree/tree.ts imports src/gpu/device.ts',
  ]);
  expect(violations(['src/train/run/run.ts'], () => ['src/ui/shell/App.tsx'])).toHaveLength(1);
  expect(violations(['src/store/record/run.ts'], () => ['src/protocol/protocol.ts'])).toEqual([]);
  expect(violations(['src/new/file.ts'], () => [])).toEqual(['src/new/file.ts: no rule for this folder']);
});

const QUESTIONS = 'src/train/inspect';

/** Imports of the engine's answerers that would bring their code to the page. */
const broughtAlong = (path: string, text: string): readonly string[] =>
  [...text.matchAll(/^(import|export)\s(?!type\b)[^;]*?from\s*'([^']+)'/gm)]
    .map((match) => relative('.', resolve(dirname(path), match[2])))
    .filter((target) => target.startsWith(QUESTIONS));

test('the page has of questions their types alone', () => {
  const page = [...filesBelow('src/store'), ...filesBelow('src/ui')];
  expect(page.flatMap((path) => broughtAlong(path, readFileSync(path, 'utf8')))).toEqual([]);
  const from = `from '../../train/inspect/index.ts';`;
  expect(broughtAlong('src/store/ask/x.ts', `import type { Ask } ${from}`)).toEqual([]);
  expect(broughtAlong('src/store/ask/x.ts', `import {\n  questions } ${from}`)).toHaveLength(1);
});

/** Of a file's text, what it brings along when it runs: imports of types are gone by then. */
const runtimeImports = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from\s*'(\.[^']+)'/gm)].map(
    ([, target]) => relative('.', resolve(dirname(path), target)),
  );

/** All that runs where this file runs. */
function reachedFrom(entry: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    if (/\.tsx?$/.test(file)) runtimeImports(file).forEach(visit);
  };
  visit(entry);
  return reached;
}

test('reading a file needs no shader, no device, no model but the rules of its sizes, and nothing of the engine', () => {
  const needless =
    /^(shaders|src\/(gpu|store|ui|train\/(engine|run|inspect|pretrain))|src\/model\/(?!config|errors))/;
  expect([...reachedFrom('src/files/file_worker.ts')].filter((file) => needless.test(file))).toEqual([]);
  expect([...reachedFrom('src/train/engine/worker.ts')].filter((file) => needless.test(file)).length) // the check sees them
    .toBeGreaterThan(100);
});

test('what tools import, by path or by address, exists', () => {
  const missing = tools.flatMap((file) =>
    importsOf(file)
      .filter((target) => !statSync(target, { throwIfNoEntry: false }))
      .map((target) => `${file} imports ${target}`),
  );
  expect(missing).toEqual([]);
});

test('no file reaches itself by imports, those of types included', () => {
  expect(circles([...files, ...tools], importsOf)).toEqual([]);
});

test('the check sees a circle, through any number of files', () => {
  const imports: Readonly<Record<string, string[]>> = { a: ['b'], b: ['c'], c: ['a', 'd'], d: [], e: ['e'] };
  expect(circles(Object.keys(imports), (file) => imports[file]).map((circle) => circle.toSorted())).toEqual([
    ['a', 'b', 'c'],
    ['e'],
  ]);
});

test('no file of src, shaders, scripts or bench is longer than 400 lines', () => {
  const long = [...files, ...tools].map(
    (file) => [file, readFileSync(file, 'utf8').split('\n').length] as const,
  );
  expect(long.filter(([, lines]) => lines > MOST_LINES)).toEqual([]);
});

test('no folder of src is a drawer of more than 20 files', () => {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  const full = [...counts].filter(([, count]) => count > MOST_FILES);
  expect(full).toEqual([]);
});
