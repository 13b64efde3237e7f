import { beforeAll, describe, expect, test } from 'vitest';
import {
  creditFill,
  creditShade,
  entropyFill,
  entropyShade,
  REWARD_COLOURS,
  rewardClass,
} from '../../src/ui/parts/scales.ts';
import { applyTheme } from '../../src/ui/shell/theme.ts';
import '../../src/ui/shell/tokens.css';

/** sRGB bytes of any CSS colour, as the browser paints it over the surface. */
function paint(colour: string): readonly number[] {
  const probe = document.createElement('div');
  document.body.append(probe);
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (!canvas) throw new Error('no 2d canvas');
  for (const layer of ['var(--surface)', colour]) {
    probe.style.backgroundColor = layer;
    canvas.fillStyle = getComputedStyle(probe).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
  }
  probe.remove();
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

/** An sRGB byte as light. */
const linear = (byte: number): number =>
  byte <= 0.04045 * 255 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4;

/** WCAG 2 relative luminance and contrast. */
const luminance = (rgb: readonly number[]): number =>
  rgb.map(linear).reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(paint(a)), luminance(paint(b))].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Linear sRGB as a dichromat sees it: Machado, Oliveira and Fernandes 2009, severity 1.0. */
const DICHROMACIES = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
} as const;

/** Oklab coordinates (Ottosson 2020) of a painted colour under a dichromacy. */
function seen(colour: string, matrix: readonly (readonly number[])[]): readonly number[] {
  const rgb = paint(colour).map(linear);
  const [r, g, b] = matrix.map((row) =>
    Math.max(
      0,
      row.reduce((sum, weight, at) => sum + weight * rgb[at], 0),
    ),
  );
  const [l, m, s] = [
    0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b,
    0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b,
    0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b,
  ].map(Math.cbrt);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

const JUST_NOTICED = 0.02; // Oklab distance of two neighbouring patches

describe.each(['light', 'dark'] as const)('colours of the %s theme', (theme) => {
  beforeAll(() => applyTheme(theme));

  test('text keeps 4.5:1 on every ground and on the strongest shades', () => {
    for (const ground of [
      'var(--surface)',
      'var(--paper)',
      'var(--raised)',
      'var(--accent-wash)',
      'var(--danger-wash)',
    ])
      for (const ink of ['var(--ink)', 'var(--ink-soft)'])
        expect(contrast(ink, ground), `${ink} on ${ground}`).toBeGreaterThan(4.5);
    for (const ground of ['var(--surface)', 'var(--paper)', 'var(--raised)'])
      expect(contrast('var(--ink-faint)', ground), `faint on ${ground}`).toBeGreaterThan(4.5);
    for (const shade of [creditShade(1, 1), creditShade(-1, 1), entropyShade(1, 1)])
      expect(contrast('var(--ink)', shade), shade).toBeGreaterThan(4.5);
  });

  test('marks keep 3:1 on the surface', () => {
    for (const mark of [
      creditFill(1, 1),
      creditFill(-1, 1),
      entropyFill(1, 1),
      'var(--line-strong)',
      'var(--accent)',
    ])
      expect(contrast(mark, 'var(--surface)'), mark).toBeGreaterThan(3);
    for (const mark of Object.values(REWARD_COLOURS))
      expect(contrast(mark, 'var(--surface)'), mark).toBeGreaterThan(3);
  });

  test.each(Object.keys(DICHROMACIES) as (keyof typeof DICHROMACIES)[])(
    'both signs of credit are told apart, and from nothing, with %s',
    (kind) => {
      const apart = (a: string, b: string): number => {
        const [one, other] = [a, b].map((colour) => seen(colour, DICHROMACIES[kind]));
        return Math.hypot(...one.map((part, at) => part - other[at]));
      };
      for (const strength of [0.5, 1]) {
        const [plus, minus] = [creditFill(strength, 1), creditFill(-strength, 1)];
        expect(apart(plus, minus), `±${strength}`).toBeGreaterThan(3 * JUST_NOTICED);
        for (const fill of [plus, minus])
          expect(apart(fill, 'var(--surface)'), fill).toBeGreaterThan(3 * JUST_NOTICED);
        const shades = [creditShade(strength, 1), creditShade(-strength, 1)] as const;
        expect(apart(...shades), `shades ±${strength}`).toBeGreaterThan(JUST_NOTICED);
      }
    },
  );

  test('signed credit grows stronger with its size and is bare at zero', () => {
    const strength = (value: number) => contrast(creditFill(value, 1), 'var(--surface)');
    expect(strength(0.2)).toBeLessThan(strength(0.6));
    expect(strength(0.6)).toBeLessThan(strength(1));
    expect(creditFill(0, 1)).toBe('var(--surface)');
    expect(creditShade(0, 1)).toBe('transparent');
    expect(paint(creditFill(2, 1))).toEqual(paint(creditFill(1, 1)));
  });
});

test('a leaf that paid for its calls is wrong, not malformed; −1 and less is malformed', () => {
  expect([1, 0.6, 0, -0.4, -0.1, -1, -1.4, null].map(rewardClass)).toEqual(
    ['correct', 'partial', 'wrong', 'wrong', 'wrong', 'malformed', 'malformed', 'unscored'], // prettier-ignore
  );
});
