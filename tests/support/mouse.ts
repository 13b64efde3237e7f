/** A mouse as the browser sees it, by the DevTools protocol: what is made up in the page selects no text. */
import { devtools } from './devtools.ts';

export interface Point {
  readonly x: number; // px of the window
  readonly y: number;
}

/** In px of the outer page: the test's page is a frame of it, which may be scaled. */
function outside({ x, y }: Point): Point {
  const outer = window.frameElement?.getBoundingClientRect() ?? { left: 0, top: 0, width: innerWidth };
  const scale = outer.width / innerWidth;
  return { x: outer.left + scale * x, y: outer.top + scale * y };
}

const send = (type: string, at: Point, held: boolean): Promise<unknown> =>
  devtools('Input.dispatchMouseEvent', {
    ...{ type, ...outside(at), button: held ? 'left' : 'none', buttons: held ? 1 : 0, clickCount: 1 },
  });

/** Presses at the first point and moves over the others; the button stays down. */
export async function press(...way: readonly Point[]): Promise<void> {
  await send('mouseMoved', way[0], false);
  await send('mousePressed', way[0], true);
  await move(...way.slice(1));
}

/** With the button down. */
export async function move(...way: readonly Point[]): Promise<void> {
  for (const at of way) await send('mouseMoved', at, true);
}

export const release = (at: Point): Promise<unknown> => send('mouseReleased', at, true);
