import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { methodsTable, withMethodsTable } from '../../src/train/config/catalogue.ts';

test('the README’s table of methods is the catalogue’s', () => {
  const readme = readFileSync('README.md', 'utf8');
  expect(withMethodsTable(readme), 'run npm run methods').toBe(readme);
});

test('the table has a line per method, with its name and paper', () => {
  const lines = methodsTable().split('\n').slice(2);
  expect(lines).toHaveLength(Object.keys(algorithms).length);
  expect(lines.find((line) => line.includes('`gspo`'))).toContain('2507.18071');
  expect(lines.find((line) => line.includes('`gspo`'))).toContain('sequence ratio');
});

test('a README without the marks is refused', () => {
  expect(() => withMethodsTable('# nothing')).toThrow('wanted <!-- methods');
});
