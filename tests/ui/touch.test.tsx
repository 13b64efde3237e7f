/** Fingers, as the browser sees them: touches are given to it by the DevTools protocol, not to the page as events. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { devtools } from '../support/devtools.ts';
import { cleanup, render } from 'vitest-browser-react';
import type { Lab } from '../../src/store/lab/lab.ts';
import { ROOT } from '../../src/units.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatNumber } from '../../src/ui/parts/format.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

interface Finger {
  readonly x: number; // px of the tree's frame
  readonly y: number;
}

let lab: Lab;

beforeEach(async () => {
  lab = await scriptedLab();
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'tree', update: 1, prompt: tree.prompt.index });
  await render(<App lab={lab} />);
  await expect.poll(() => camera().zoom).toBe(1); // home: until its frame is measured the drawing is smaller
});
afterEach(() => cleanup());

const frame = (): DOMRect => document.querySelector('.tree-frame')!.getBoundingClientRect();

/** The camera, read off the drawing. */
function camera() {
  const text = document.querySelector('.tree-drawing > g')?.getAttribute('transform') ?? '';
  const [x, y, zoom] = [...text.matchAll(/-?[\d.]+(?:e-?\d+)?/g)].map(Number);
  return { x, y, zoom };
}

/** In px of the outer page: the test's page is a frame of it, which may be scaled. */
function outside({ x, y }: Finger): Finger {
  const outer = window.frameElement?.getBoundingClientRect() ?? { left: 0, top: 0, width: innerWidth };
  const scale = outer.width / innerWidth;
  const { left, top } = frame();
  return { x: outer.left + scale * (left + x), y: outer.top + scale * (top + y) };
}

async function touch(type: 'touchStart' | 'touchMove' | 'touchEnd', ...fingers: Finger[]): Promise<void> {
  const touchPoints = fingers.map((finger, id) => ({ ...outside(finger), id }));
  await devtools('Input.dispatchTouchEvent', { type, touchPoints });
}

test('two fingers zoom the tree about the point between them', async () => {
  const before = camera();
  const middle = { x: 200, y: 120 };
  const place = (at: ReturnType<typeof camera>) => (middle.x - at.x) / at.zoom;
  const apart = (by: number): [Finger, Finger] => [
    { x: middle.x - by, y: middle.y },
    { x: middle.x + by, y: middle.y },
  ];
  await touch('touchStart', ...apart(30));
  for (const by of [40, 50, 60]) await touch('touchMove', ...apart(by));
  await touch('touchEnd');
  await expect.poll(() => camera().zoom / before.zoom).toBeCloseTo(2, 1);
  expect(Math.abs(place(camera()) - place(before))).toBeLessThan(6);
});

test('one finger drags the tree, and selects nothing by it', async () => {
  await touch('touchStart', { x: 170, y: 120 }, { x: 230, y: 120 });
  await touch('touchMove', { x: 100, y: 120 }, { x: 300, y: 120 }); // larger than its frame, so that it can move
  await touch('touchEnd');
  const before = camera();
  await touch('touchStart', { x: 220, y: 150 });
  for (const by of [20, 40, 60]) await touch('touchMove', { x: 220 - by, y: 150 - by / 2 });
  await touch('touchEnd');
  await expect.poll(() => camera().x - before.x).toBeCloseTo(-60, 0);
  expect(camera().zoom).toBe(before.zoom);
  expect(lab.selection.getState().node).toBe(null);
});

/**
 * A finger that comes and goes, with the tremor of a hand. The click that a browser makes of it does not come in a frame
 * of a test page, so it is given here; what the drawing made of the touches before decides whether it counts.
 */
async function tapAt({ x, y }: Finger): Promise<void> {
  await touch('touchStart', { x, y });
  await touch('touchMove', { x: x + 1, y: y + 1 });
  await touch('touchEnd');
  const { left, top } = frame();
  const at = { clientX: left + x, clientY: top + y };
  const target = document.elementFromPoint(at.clientX, at.clientY);
  target?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, ...at }));
}

function tap(target: Element): Promise<void> {
  const { left, top, width, height } = target.getBoundingClientRect();
  return tapAt({ x: left + width / 2 - frame().left, y: top + height / 2 - frame().top });
}

test('a tap selects a turn, and its numbers stand in the panel', async () => {
  const { tree } = liveTree(lab);
  const [first, second] = tree.nodes[ROOT]!.children;
  for (const id of [second, first]) {
    await tap(document.querySelector(`.tree-drawing [data-node="${id}"] > .ring`)!);
    await expect.poll(() => lab.selection.getState().node).toBe(id);
    const panel = document.querySelector(`section[aria-label="Turn n${id}"]`);
    expect(panel?.textContent).toContain(`${formatNumber(tree.nodes[id]!.turnSurprisal, 3)} nats per token`);
  }
});

test('after a pinch a tap still selects, and after a drag too', async () => {
  const { tree } = liveTree(lab);
  const [first] = tree.nodes[ROOT]!.children;
  await touch('touchStart', { x: 170, y: 120 }, { x: 230, y: 120 });
  await touch('touchMove', { x: 160, y: 120 }, { x: 240, y: 120 });
  await touch('touchEnd');
  await touch('touchStart', { x: 220, y: 150 });
  for (const by of [10, 20]) await touch('touchMove', { x: 220 + by, y: 150 + by });
  await touch('touchEnd');
  expect(lab.selection.getState().node).toBe(null);
  await tap(document.querySelector(`.tree-drawing [data-node="${first}"] > .ring`)!);
  await expect.poll(() => lab.selection.getState().node).toBe(first);
});
