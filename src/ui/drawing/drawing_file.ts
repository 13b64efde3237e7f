/** A drawing as a file that stands by itself: colours and type inline, with what it shows written below it. */
import type { ResolveColour } from './encodings.ts';

const FONT = 'system-ui, sans-serif';
const STAMP_LINE = 16; // px
const LEAST_WIDTH = 480; // px, for the stamp
const STAMP_START = 16; // px from the left

/** A drawing without its stamp. */
export interface Sheet {
  readonly title: string; // names it for a screen reader
  readonly width: number; // px
  readonly height: number;
  readonly inside: string; // SVG elements, from (0, 0)
}

const escape = (text: string): string =>
  text.replace(
    /[&<>"]/g,
    (mark) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[mark] ?? mark,
  );

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** @param inside elements, or text that is escaped already */
export function element(name: string, attributes: Attributes, inside = ''): string {
  const list = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : ` ${key}="${escape(String(value))}"`,
  );
  return inside === '' ? `<${name}${list.join('')}/>` : `<${name}${list.join('')}>${inside}</${name}>`;
}

export const titleOf = (words: string): string => element('title', {}, escape(words));

/** Words of 13 px unless they are given another size; nothing where there are none. */
export const text = (words: string, attributes: Attributes): string =>
  words === '' ? '' : element('text', { 'font-size': 13, ...attributes }, escape(words));

/**
 * @param stamp lines below the drawing: what run and place this is
 * @returns the text of an SVG file
 */
export function svgFile(sheet: Sheet, stamp: readonly string[], colour: ResolveColour): string {
  const width = Math.max(LEAST_WIDTH, sheet.width);
  const height = sheet.height + (stamp.length + 0.5) * STAMP_LINE;
  const soft = { 'font-size': 12, fill: colour('var(--ink-soft)') };
  const lines = stamp.map((words, index) =>
    text(words, { x: STAMP_START, y: sheet.height + (index + 0.5) * STAMP_LINE, ...soft }),
  );
  const frame = { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'font-family': FONT };
  return element(
    'svg',
    { xmlns: 'http://www.w3.org/2000/svg', ...frame },
    [
      titleOf(sheet.title),
      element('desc', {}, escape(stamp.join('\n'))),
      element('rect', { width, height, fill: colour('var(--surface)') }),
      sheet.inside,
      ...lines,
    ].join('\n'),
  );
}

/**
 * @param svg text of an SVG file that needs nothing of the page
 * @param scale pixels of the picture for one of the drawing
 * @throws DOMException where the browser cannot draw it
 */
export async function pngOf(svg: string, scale = 2): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = new OffscreenCanvas(Math.ceil(image.width * scale), Math.ceil(image.height * scale));
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: 'image/png' });
  } finally {
    URL.revokeObjectURL(address);
  }
}
