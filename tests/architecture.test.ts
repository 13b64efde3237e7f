import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** Folder → folders it may import from. Files directly in src are their own entry. */
const ALLOWED: Record<string, readonly string[]> = {
  'src/units': [],
  'src/algo': ['src/units'],
  'src/env': ['src/units'],
  'src/gpu': ['src/units'],
  shaders: ['src/gpu', 'src/algo', 'src/units'],
  'src/model': ['src/gpu', 'shaders', 'src/units'],
  'src/train': ['src/algo', 'src/env', 'src/gpu', 'src/model', 'shaders', 'src/units'],
  'src/store': ['src/algo', 'src/units', 'src/train/protocol'],
  'src/ui': ['src/store', 'src/units'],
};

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : /\.tsx?$/.test(name) ? [path] : [];
  });
}

const areaOf = (path: string): string => {
  const [top, second] = path.split('/');
  if (top !== 'src') return top;
  return `src/${second.replace(/\.tsx?$/, '')}`;
};

const importsOf = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?\s*(?:\/\*.*?\*\/\s*)?'(\.[^'?]+)/g)].map(
    (match) => relative('.', resolve(dirname(path), match[1])),
  );

function violations(files: readonly string[], importsOfFile: (path: string) => string[]): string[] {
  return files.flatMap((file) => {
    const allowed = ALLOWED[areaOf(file)];
    if (!allowed) return areaOf(file) === 'src/main' ? [] : [`${file}: no rule for this folder`];
    return importsOfFile(file)
      .filter((target) => areaOf(target) !== areaOf(file))
      .filter(
        (target) => !allowed.some((entry) => target === `${entry}.ts` || target.startsWith(`${entry}/`)),
      )
      .map((target) => `${file} imports ${target}`);
  });
}

const files = [...filesBelow('src'), ...filesBelow('shaders')];

test('imports follow the one-way path of the data', () => {
  expect(violations(files, importsOf)).toEqual([]);
});

test('the check sees a forbidden import', () => {
  expect(violations(['src/algo/tree/tree.ts'], () => ['src/gpu/device.ts'])).toEqual([
    'src/algo/tree/tree.ts imports src/gpu/device.ts',
  ]);
  expect(violations(['src/train/run/run.ts'], () => ['src/ui/shell/App.tsx'])).toHaveLength(1);
  expect(violations(['src/store/record/run.ts'], () => ['src/protocol/protocol.ts'])).toEqual([]);
});

test('no file of src, shaders or scripts is longer than 400 lines', () => {
  const long = files.map((file) => [file, readFileSync(file, 'utf8').split('\n').length] as const);
  expect(long.filter(([, lines]) => lines > 400)).toEqual([]);
});
