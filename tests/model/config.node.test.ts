import { expect, test } from 'vitest';
import { checkModelConfig, parameterCount } from '../../src/model/config.ts';
import { ConfigError } from '../../src/model/errors.ts';
import type { ModelConfig } from '../../src/units.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

const SHIPPED: ModelConfig = {
  ...SMALL_MODEL,
  vocabularySize: 128,
  channels: 64,
  kvHeads: 4,
  headSize: 16,
  hidden: 128,
};

test('a valid configuration comes back with its known fields only', () => {
  expect(checkModelConfig({ ...SMALL_MODEL, comment: 'ignored' })).toEqual(SMALL_MODEL);
});

test.each([
  ['channels', 22, 'a multiple of 4'],
  ['layers', 0, 'a whole number from 1 to 256'],
  ['headSize', 6, 'a multiple of 4'],
  ['kvHeads', 3, 'a divisor of heads (4)'],
  ['rmsEpsilon', NaN, 'a number from 1e-20 to 1'],
  ['tiedOutput', 'yes', 'true or false'],
] as const)('a bad %s is named with what was got and wanted', (field, got, wanted) => {
  const check = () => checkModelConfig({ ...SMALL_MODEL, [field]: got });
  expect(check).toThrow(ConfigError);
  try {
    check();
  } catch (error) {
    expect((error as ConfigError).report).toMatchObject({
      where: `model.${field}`,
      got: typeof got === 'string' ? `"${got}"` : String(got),
      wanted,
    });
  }
});

test('a configuration that is not an object is refused', () => {
  expect(() => checkModelConfig(null)).toThrow(/wanted an object/);
});

test('the shipped model has the prototype’s 94,592 parameters', () => {
  expect(parameterCount(SHIPPED)).toBe(94_592);
});

test('mixing and an untied output add their matrices', () => {
  const plain = parameterCount({ ...SHIPPED, previousTokenMixing: false });
  expect(parameterCount(SHIPPED) - plain).toBe(64 * 64);
  expect(parameterCount({ ...SHIPPED, tiedOutput: false }) - parameterCount(SHIPPED)).toBe(128 * 64);
  expect(parameterCount(SHIPPED) - parameterCount({ ...SHIPPED, queryKeyNorm: false })).toBe(2 * 2 * 16);
});
