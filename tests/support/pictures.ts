/** Compares what is on screen with a kept picture by how much is drawn where, so that fonts do not matter. */
import { commands, page } from 'vitest/browser';

/** Regions that a picture is judged by, about as large as a small panel. */
const COLUMNS = 12;
const ROWS = 8;
/** Width in px that pictures are kept at: enough to recognise every panel, small enough to keep. */
const KEPT_WIDTH = 320;

/** How much is drawn in each region: mean distance of its pixels from its background, 0 to 255. */
export type Ink = readonly number[]; // [ROWS · COLUMNS]

const decode = async (base64: string): Promise<ImageBitmap> =>
  createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());

function drawn(bitmap: ImageBitmap, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser has no 2D canvas');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** The background is the median: letters and lines cover less than half of any region. */
function inkOf(bitmap: ImageBitmap): Ink {
  const { width, height } = bitmap;
  const pixels = drawn(bitmap, width, height).getContext('2d')?.getImageData(0, 0, width, height).data;
  if (!pixels) throw new Error('the picture has no pixels');
  const greys = Array.from({ length: ROWS * COLUMNS }, (): number[] => []);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const region = Math.floor((y * ROWS) / height) * COLUMNS + Math.floor((x * COLUMNS) / width);
      const at = 4 * (y * width + x);
      greys[region].push(0.2126 * pixels[at] + 0.7152 * pixels[at + 1] + 0.0722 * pixels[at + 2]);
    }
  return greys.map((region) => {
    const background = median(region);
    return region.reduce((sum, grey) => sum + Math.abs(grey - background), 0) / region.length;
  });
}

const toBase64 = async (canvas: OffscreenCanvas): Promise<string> => {
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
};

/** What is in the window: what a page scrolls to is left out. */
async function screenshot(): Promise<ImageBitmap> {
  const whole = await decode(await page.screenshot({ element: document.body, base64: true, save: false }));
  const height = Math.round((whole.width * innerHeight) / innerWidth);
  return createImageBitmap(whole, 0, 0, whole.width, Math.min(height, whole.height));
}

const kept = (bitmap: ImageBitmap): OffscreenCanvas =>
  drawn(bitmap, KEPT_WIDTH, Math.round((KEPT_WIDTH * bitmap.height) / bitmap.width));

/** What is drawn in the window, through the same reduction that kept pictures went through. */
export async function shown(): Promise<{ readonly ink: Ink; readonly base64: string }> {
  const canvas = kept(await screenshot());
  return { ink: inkOf(await createImageBitmap(canvas)), base64: await toBase64(canvas) };
}

/**
 * What is drawn in a kept picture.
 * @param path from the repository
 * @returns null where none is kept
 */
export async function keptInk(path: string): Promise<Ink | null> {
  try {
    return inkOf(await decode(await commands.readFile(path, 'base64')));
  } catch {
    return null;
  }
}

export const keep = (path: string, base64: string): Promise<void> =>
  commands.writeFile(path, base64, 'base64');

/** Less than this is a border or a hairline. */
const FAINT = 2;
/** A region changed if the ratio of what is drawn in it is below this: letters of another font keep more. */
const ALIKE = 0.4;
/**
 * Regions that may change before a picture counts as another one. Measured on Train, of 96: 1 to 2 with serif, sans and
 * monospaced fonts; 7 without the drawing of the charts, 10 without the settings line, 14 and 16 without a panel.
 */
export const MAY_CHANGE = 4;

/** Regions in which much more or much less is drawn. */
export const changedRegions = (a: Ink, b: Ink): number =>
  a.filter((ink, region) => {
    const [low, high] = [Math.min(ink, b[region]), Math.max(ink, b[region])];
    return low + FAINT < ALIKE * (high + FAINT);
  }).length;
