/** Counted things: one word for one, another for more, in every sentence. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countWords, plural } from '../../src/units.ts';

test('one is singular; none and several are plural, with thousands apart', () => {
  expect([0, 1, 2].map((count) => countWords(count, 'update'))).toEqual([
    '0 updates',
    '1 update',
    '2 updates',
  ]);
  expect(countWords(1200, 'leaf')).toBe('1,200 leaves');
  expect(['leaf', 'child', 'dispatch', 'mini-batch'].map((word) => plural(2, word))).toEqual(['leaves', 'children', 'dispatches', 'mini-batches']); // prettier-ignore
});

const files = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));

/** A number in braces, and after it a word that is plural whatever the number is. */
const FIXED = /\{[^{}]*\}(?:\{' '\}\s*| )(?:trained |non-leaf )?(updates|rows|tokens|turns|leaves|children|trees|runs|settings|prompts|questions|nodes|candidates|dispatches|rules|mini-batches|steps|others)\b(?!=)/g; // prettier-ignore

test('no sentence of the page has a plural beside a number that may be one', () => {
  const found = ['src/ui', 'src/store'].flatMap(files).flatMap((file) => {
    const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    return [...text.matchAll(FIXED)].map(([match]) => `${file}: ${match.replace(/\s+/g, ' ')}`);
  });
  expect(found).toEqual([]);
});
