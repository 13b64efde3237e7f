import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { expandWgsl, wgslParts, wgslPartsOf } from '../../scripts/wgsl_parts.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parts-'));
  const parts = {
    'numbers.wgsl':
      '// Numbers.\n\n// #part one\nfn one() -> f32 { return 1.0; }\n\n' +
      '// #part two\n// #use one\nfn two() -> f32 { return 2.0 * one(); }\n',
    'sides.wgsl': '// #part left\nfn left() {}\n// #use right\n// #part right\n// #use left\n',
  };
  for (const [name, text] of Object.entries(parts)) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a line `// #use`', () => {
  test('stands for the text of its part, and of the parts of that', () => {
    const { text, files } = expandWgsl('// k\n// #use two\nfn main() {}\n', 'k.wgsl', folder);
    expect(text).toBe(
      '// k\nfn one() -> f32 { return 1.0; }\nfn two() -> f32 { return 2.0 * one(); }\nfn main() {}\n',
    );
    expect(files).toEqual([join(folder, 'numbers.wgsl')]);
  });

  test('gives a part once, where it is used first', () => {
    const { text } = expandWgsl('// #use one\n// #use two\n', 'k.wgsl', folder);
    expect(text.match(/fn one/g)).toHaveLength(1);
    expect(text).not.toContain('#use');
  });

  test('says file and line of a part that is not there, and which there are', () => {
    expect(() => expandWgsl('\n// #use three\n', 'k.wgsl', folder)).toThrow(
      /^k\.wgsl:2 `\/\/ #use three`: there is no such part\. .* holds left, one, right, two\.$/,
    );
  });

  test('says file and line of a part that uses itself', () => {
    expect(() => expandWgsl('// #use left\n', 'k.wgsl', folder)).toThrow(
      /sides\.wgsl:5 `\/\/ #use left`: parts go in a circle, left → right → left\./,
    );
  });

  test('says file and line of both parts that have one name', () => {
    const twice = mkdtempSync(join(tmpdir(), 'twice-'));
    writeFileSync(join(twice, 'a.wgsl'), '\n// #part one\nfn one() {}\n// #part one\nfn one() {}\n');
    expect(() => expandWgsl('', 'k.wgsl', twice)).toThrow(
      /a\.wgsl:4 `\/\/ #part one`: this name is taken by .*a\.wgsl:2\./,
    );
    rmSync(twice, { recursive: true });
  });
});

test('Vite watches a kernel and all of its parts', () => {
  const watched: string[] = [];
  const file = join(folder, 'kernel.wgsl');
  writeFileSync(file, '// #use sigmoid\n');
  const { load } = wgslParts();
  if (typeof load !== 'object') throw new Error('The plugin has no load hook with a filter.');
  const context = { addWatchFile: (path: string) => watched.push(path) };
  void load.handler.call(context as never, `${file}?raw`);
  expect(watched).toEqual([file, expect.stringMatching(/shaders\/parts\/scalars\.wgsl$/)]);
});

const PARTS = join('shaders', 'parts');
const parts = wgslPartsOf();
const kernelTexts = readdirSync('shaders', { recursive: true, encoding: 'utf8' })
  .map((path) => join('shaders', path))
  .filter((path) => path.endsWith('.wgsl') && !path.startsWith(PARTS))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
const partTexts = [...parts].map(([name, { text }]) => ({ path: name, text }));
const texts = [...kernelTexts, ...partTexts];

test('every kernel names its oracle, a file that is there', () => {
  const lost = kernelTexts.flatMap(({ path, text }) => {
    const oracle = /^\/\/ oracle +([^\s,]+)/m.exec(text)?.[1] ?? 'none';
    return existsSync(oracle) || existsSync(join(dirname(path), oracle)) ? [] : [`${path}: ${oracle}`];
  });
  expect(lost).toEqual([]);
});

describe('the parts', () => {
  const used = (text: string): string[] => [...text.matchAll(/#use (\S+)/g)].map(([, name]) => name);

  test('have two readers each: what one kernel uses stands in that kernel', () => {
    const readers = texts.flatMap(({ text }) => used(text));
    const lonely = [...parts.keys()].filter((name) => readers.filter((reader) => reader === name).length < 2);
    expect(parts.size).toBeGreaterThan(20);
    expect(lonely).toEqual([]);
  });

  test('hold all code of their files: before the first stand words alone', () => {
    const stray = readdirSync(PARTS).flatMap((name) => {
      const [head] = readFileSync(join(PARTS, name), 'utf8').split(/^\/\/ #part /m);
      return head.split('\n').filter((line) => line !== '' && !line.startsWith('//'));
    });
    expect(stray).toEqual([]);
  });

  // What every kernel says for itself: directives, params, bindings, overrides, the head of main.
  const CONTRACT = /^(enable|diagnostic|struct Params|@|override|fn main|\) \{|\}$)/;
  const RUN = 7; // lines

  test('leave no seven lines of code in two texts', () => {
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
