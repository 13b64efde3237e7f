import { beforeAll, describe, expect, test } from 'vitest';
import { creditFill, creditShade, entropyFill, entropyShade, REWARD_COLOURS } from '../../src/ui/scales.ts';
import { applyTheme } from '../../src/ui/shell/theme.ts';
import '../../src/ui/styles/tokens.css';

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

/** WCAG 2 relative luminance and contrast. */
const luminance = (rgb: readonly number[]): number =>
  rgb
    .map((byte) => byte / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(paint(a)), luminance(paint(b))].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

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

  test('signed credit grows stronger with its size and is bare at zero', () => {
    const strength = (value: number) => contrast(creditFill(value, 1), 'var(--surface)');
    expect(strength(0.2)).toBeLessThan(strength(0.6));
    expect(strength(0.6)).toBeLessThan(strength(1));
    expect(creditFill(0, 1)).toBe('var(--surface)');
    expect(creditShade(0, 1)).toBe('transparent');
    expect(paint(creditFill(2, 1))).toEqual(paint(creditFill(1, 1)));
  });
});
