import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { expandWgsl, wgslParts } from '../../scripts/wgsl_parts.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parts-'));
  const parts = {
    'one.wgsl': 'fn one() -> f32 { return 1.0; }\n',
    'two.wgsl': '// #use one.wgsl\nfn two() -> f32 { return 2.0 * one(); }\n',
    'left.wgsl': 'fn left() {}\n// #use right.wgsl\n',
    'right.wgsl': '// #use left.wgsl\n',
  };
  for (const [name, text] of Object.entries(parts)) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a line `// #use`', () => {
  test('stands for the text of its part, and of the parts of that', () => {
    const { text, files } = expandWgsl('// k\n// #use two.wgsl\nfn main() {}\n', 'k.wgsl', folder);
    expect(text).toBe(
      '// k\nfn one() -> f32 { return 1.0; }\nfn two() -> f32 { return 2.0 * one(); }\nfn main() {}\n',
    );
    expect(files).toEqual([join(folder, 'two.wgsl'), join(folder, 'one.wgsl')]);
  });

  test('gives a part once, where it is used first', () => {
    const { text } = expandWgsl('// #use one.wgsl\n// #use two.wgsl\n', 'k.wgsl', folder);
    expect(text.match(/fn one/g)).toHaveLength(1);
    expect(text).not.toContain('#use');
  });

  test('says file and line of a part that is not there, and which there are', () => {
    expect(() => expandWgsl('\n// #use three.wgsl\n', 'k.wgsl', folder)).toThrow(
      /^k\.wgsl:2 `\/\/ #use three\.wgsl`: there is no such part\. .* holds left\.wgsl, one\.wgsl, right\.wgsl, two\.wgsl\.$/,
    );
  });

  test('says file and line of a part that uses itself', () => {
    expect(() => expandWgsl('// #use left.wgsl\n', 'k.wgsl', folder)).toThrow(
      /right\.wgsl:1 `\/\/ #use left\.wgsl`: parts go in a circle, left\.wgsl → right\.wgsl → left\.wgsl\./,
    );
  });
});

test('Vite watches a kernel and all of its parts', () => {
  const watched: string[] = [];
  const file = join(folder, 'kernel.wgsl');
  writeFileSync(file, '// #use sigmoid.wgsl\n');
  const { load } = wgslParts();
  if (typeof load !== 'object') throw new Error('The plugin has no load hook with a filter.');
  const context = { addWatchFile: (path: string) => watched.push(path) };
  void load.handler.call(context as never, `${file}?raw`);
  expect(watched).toEqual([file, expect.stringMatching(/shaders\/parts\/sigmoid\.wgsl$/)]);
});

const texts = readdirSync('shaders', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.wgsl'))
  .map((path) => ({ path: join('shaders', path), text: readFileSync(join('shaders', path), 'utf8') }));

test('every kernel names its oracle, a file that is there', () => {
  const lost = texts
    .filter(({ path }) => !path.startsWith(join('shaders', 'parts')))
    .flatMap(({ path, text }) => {
      const oracle = /^\/\/ oracle +([^\s,]+)/m.exec(text)?.[1] ?? 'none';
      return existsSync(oracle) || existsSync(join(dirname(path), oracle)) ? [] : [`${path}: ${oracle}`];
    });
  expect(lost).toEqual([]);
});

describe('the parts', () => {
  const used = (text: string): string[] => [...text.matchAll(/#use (\S+)/g)].map(([, name]) => name);

  test('have two readers each: what one kernel uses stands in that kernel', () => {
    const readers = texts.flatMap(({ text }) => used(text));
    const parts = readdirSync('shaders/parts', { recursive: true, encoding: 'utf8' });
    const lonely = parts
      .filter((name) => name.endsWith('.wgsl'))
      .filter((name) => readers.filter((reader) => reader === name).length < 2);
    expect(lonely).toEqual([]);
  });

  // What every kernel says for itself: directives, params, bindings, overrides, the head of main.
  const CONTRACT = /^(enable|diagnostic|struct Params|@|override|fn main|\) \{|\}$)/;
  const RUN = 7; // lines

  test('leave no seven lines of code in two files', () => {
    const places = new Map<string, string[]>();
    for (const { path, text } of texts) {
      const code = text
        .split('\n')
        .map((line) => line.replace(/\/\/.*/, '').trim())
        .filter((line) => line !== '' && !CONTRACT.test(line));
      for (let start = 0; start + RUN <= code.length; start++) {
        const run = code.slice(start, start + RUN).join('\n');
        places.set(run, [...(places.get(run) ?? []), path]);
      }
    }
    expect(places.size).toBeGreaterThan(500);
    expect([...places].filter(([, paths]) => new Set(paths).size > 1)).toEqual([]);
  });

  test.each(Object.entries(kernels))('are in the text of %s as it is compiled and shown', (_, { source }) => {
    expect(used(source)).toEqual([]);
  });
});
