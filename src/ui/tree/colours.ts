/** CSS colour expressions as plain colours, for a canvas or a file: neither knows the page's variables. */
import { useMemo } from 'react';
import { useShownTheme } from '../shell/theme.ts';

/** Turns any CSS colour, `var(--ink)` and `color-mix(…)` included, into one that needs no page around it. */
export type ResolveColour = (expression: string) => string;

/** sRGB bytes of a resolved colour; a canvas knows every notation. */
function toHex(colour: string, pixel: CanvasRenderingContext2D): string {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = colour;
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
  const hex = [red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('');
  return alpha === 0 ? 'transparent' : `#${hex}`;
}

/** An element that is never drawn and stays: adding one for each colour would restyle the page each time. */
function colourProbe(): HTMLElement {
  const there = document.getElementById('colour-probe');
  if (there) return there;
  const probe = document.createElement('span');
  probe.id = 'colour-probe';
  probe.hidden = true;
  document.documentElement.append(probe);
  return probe;
}

/**
 * Reads colours off the page; each expression once.
 * @param theme on screen, so that a resolver is never used under another
 */
export function colourResolver(theme: string): ResolveColour {
  const known = new Map<string, string>();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pixel = canvas.getContext('2d', { willReadFrequently: true });
  return (expression) => {
    const before = known.get(expression);
    if (before !== undefined) return before;
    const probe = colourProbe();
    probe.style.color = expression;
    const computed = getComputedStyle(probe).color;
    const colour = pixel ? toHex(computed, pixel) : computed;
    if ((document.documentElement.dataset.theme ?? 'light') === theme) known.set(expression, colour);
    return colour;
  };
}

/** A resolver that is made anew when the theme changes. */
export function useColours(): ResolveColour {
  const theme = useShownTheme();
  return useMemo(() => colourResolver(theme), [theme]);
}
