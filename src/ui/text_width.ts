/** Widths of texts as the page draws them. */

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
