/** Size of an element's content box, kept up to date. */
import { useEffect, useState, type RefObject } from 'react';

export interface Size {
  readonly width: number; // px
  readonly height: number; // px
}

export function useSize(ref: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}

/** Gives a canvas as many pixels as the screen has under it. @returns screen pixels per px */
export function canvasBackingSize(canvas: HTMLCanvasElement, { width, height }: Size): number {
  const ratio = Math.max(1, devicePixelRatio);
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
  return ratio;
}

// Widths of texts as the page draws them.

const widths = new Map<string, number>();
const MOST = 5000; // widths kept: numbers of a long run are ever new
let context: CanvasRenderingContext2D | null = null;

/**
 * @param font as CSS has it: "13px sans-serif"
 * @returns px; 0 in a browser without a canvas
 */
export function textWidth(text: string, font: string): number {
  const key = `${font} ${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  context ??= document.createElement('canvas').getContext('2d');
  if (!context) return 0;
  context.font = font;
  if (widths.size >= MOST) widths.clear();
  const { width } = context.measureText(text);
  widths.set(key, width);
  return width;
}
