import { expect, test } from 'vitest';
import {
  creditGlyph,
  formatCreditRange,
  formatCredit,
  formatMs,
  formatNats,
  formatNumber,
  formatRatio,
  formatSetting,
  formatShare,
  formatSigned,
  asPrinted,
} from '../../src/ui/parts/format.ts';
import { drawCredit } from '../../src/ui/drawing/encodings.ts'; // prettier-ignore

test('signs use the minus sign and zero has none', () => {
  expect([0.5, -0.5, -0.001, 0].map((value) => formatSigned(value))).toEqual([
    '+0.50',
    '−0.50',
    '0.00',
    '0.00',
  ]);
  expect(formatNumber(-0.126, 2)).toBe('−0.13');
});

test('credit carries its sign as a glyph, none at zero', () => {
  expect([0.5, -0.5, 0.004].map((value) => formatCredit(value))).toEqual(['▲ +0.50', '▼ −0.50', '0.00']);
  expect(creditGlyph(null)).toBe('');
});

test('missing and non-finite numbers are words or marks, never NaN', () => {
  expect([null, undefined, Infinity, NaN].map((value) => formatNumber(value))).toEqual([
    '–',
    '–',
    '∞',
    'not a number',
  ]);
});

test('a range is one number where both ends read the same, and has ± where its ends differ in sign', () => {
  const ranges = [[-0.66, 0.31], [0.1, 0.3], [-0.3, 0.001], [0.5, 0.5001], null] as const; // prettier-ignore
  expect(ranges.map((range) => formatCreditRange(range))).toEqual(['± −0.66…+0.31', '▲ +0.10…+0.30', '▼ −0.30…0.00', '▲ +0.50', '–']); // prettier-ignore
});

test('units are said', () => {
  expect(formatNats(0.834)).toBe('0.83 nats');
  expect(formatRatio(1.00214)).toBe('1.0021');
  expect(formatShare(0.614)).toBe('61 %');
  expect([950, 1500, 125_000].map(formatMs)).toEqual(['950 ms', '1.5 s', '2 min 5 s']);
});

test('settings keep significant digits', () => {
  expect([5e-4, 0.02, 1e-8, 40, -5e-4].map((value) => formatSetting(value))).toEqual(['5e−4', '0.02', '1e−8', '40', '−5e−4']); // prettier-ignore
});

test('what reads as zero has no bar and no colour, however small the others are', () => {
  expect([0.004, -0.004, 0.005, 0].map((value) => asPrinted(value))).toEqual([0, 0, 0.005, 0]);
  expect([0.00004, 0.00006].map((value) => asPrinted(value, 4))).toEqual([0, 0.00006]);
  expect(drawCredit(1e-9, 1e-9, 'advantage').fill).toBe(drawCredit(0, 1, 'advantage').fill);
  expect(drawCredit(0.5, 1, 'advantage').fill).not.toBe(drawCredit(0, 1, 'advantage').fill);
});
