/** A wide fan-out is stacked; the keyboard reaches the stack and opens it, drawn as SVG or on a canvas. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import type { Lab } from '../../src/store/lab/lab.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { ROOT, nodeId, type TurnNode } from '../../src/units.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { SVG_LIMIT } from '../../src/ui/drawing/TreeDrawing.tsx';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

const FIRST_TURNS = 12; // eight stand by themselves
const SHOWN = 8;

let lab: Lab;

beforeEach(async () => {
  lab = await scriptedLab();
});
afterEach(() => cleanup());

/** One more update, with one tree of `count` turns: twelve first ones, each with a chain below it. */
function wideTree(count: number): readonly RunEvent[] {
  const { tree } = liveTree(lab);
  const template = tree.nodes[tree.nodes[ROOT]!.children[0]] as TurnNode;
  const at = { update: 3, prompt: 0 };
  const nodes = Array.from({ length: count }, (_, index): RunEvent => {
    const parent = Math.max(ROOT, index + 1 - FIRST_TURNS);
    const node = { ...template, id: nodeId(index + 1), parent: nodeId(parent), children: [], ending: null };
    return { kind: 'node', ...at, node };
  });
  return [{ kind: 'update-started', update: 3, prompts: [{ ...tree.prompt, index: 0 }] }, ...nodes];
}

async function opened(count: number): Promise<void> {
  lab.run.apply(wideTree(count));
  lab.selection.select({ view: 'tree', update: 3, prompt: 0, node: nodeId(SHOWN) });
  await render(<App lab={lab} />);
  await expect.poll(() => document.querySelectorAll('[data-stack="0"]').length).toBe(1);
}

/** The item that a screen reader is at, on either drawing. */
function current(): Element | null {
  const active = document.activeElement;
  const id = active?.getAttribute('aria-activedescendant');
  return id ? document.getElementById(id) : (active?.closest('[role=treeitem]') ?? null);
}
const spoken = (): string => current()?.getAttribute('aria-label') ?? '';

test.each([
  ['SVG', 36],
  ['a canvas', 720],
])(
  'on %s the arrows reach a stack, Enter opens it, and the first of its turns is selected',
  async (_, count) => {
    await opened(count);
    const turns = (count * (FIRST_TURNS - SHOWN)) / FIRST_TURNS;
    expect(document.querySelectorAll('canvas.tree-canvas')).toHaveLength(count > SVG_LIMIT ? 1 : 0);
    const start = document.querySelector<HTMLElement>('.spoken-tree, .tree-frame g[tabindex="0"]')!;
    start.focus();
    await expect.poll(spoken).toContain(`n${SHOWN} `);
    await userEvent.keyboard('{ArrowDown}');
    await expect.poll(spoken).toBe(`… 4 more after root, ${turns} turns; Enter opens them`);
    expect(current()?.getAttribute('aria-expanded')).toBe('false');
    expect(lab.selection.getState().node).toBe(SHOWN);
    await userEvent.keyboard('{ArrowUp}');
    await expect.poll(spoken).toContain(`n${SHOWN} `);
    await userEvent.keyboard('{End}{Enter}');
    await expect.poll(spoken).toContain(`n${SHOWN + 1} `);
    expect(lab.selection.getState().node).toBe(SHOWN + 1);
    expect(document.querySelectorAll('[data-stack]')).toHaveLength(0);
    await userEvent.keyboard('{ArrowDown}');
    await expect.poll(spoken).toContain(`n${SHOWN + 2} `);
  },
);

test('Right and Enter open a turn that is folded, and Left leads from a stack to its parent', async () => {
  await opened(36);
  lab.selection.select({ node: nodeId(1) });
  document.querySelector<SVGElement>('[data-node="1"]')!.focus();
  for (const key of ['{ArrowRight}', '{Enter}']) {
    await userEvent.keyboard('c');
    await expect.poll(() => current()?.getAttribute('aria-expanded')).toBe('false');
    await userEvent.keyboard(key);
    await expect.poll(() => current()?.getAttribute('aria-expanded')).toBe('true');
    expect(lab.selection.getState().node).toBe(1);
  }
  await userEvent.keyboard('{End}');
  await expect.poll(spoken).toMatch(/^… 4 more/);
  await userEvent.keyboard('{ArrowLeft}');
  await expect.poll(spoken).toMatch(/^root/);
});

test('focus stays in the tree when opening a stack makes it too large for SVG', async () => {
  await opened(480); // 320 on screen, then all
  document.querySelector<SVGElement>('.tree-frame g[tabindex="0"]')!.focus();
  await userEvent.keyboard('{End}{Enter}');
  await expect.poll(() => document.querySelectorAll('canvas.tree-canvas').length).toBe(1);
  await expect.poll(spoken).toContain(`n${SHOWN + 1} `);
});

test('a click on a stack opens it and leaves the selected turn alone', async () => {
  await opened(36);
  const stack = document.querySelector<SVGElement>('[data-stack="0"]')!;
  stack.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  await expect.poll(() => document.querySelectorAll('[data-stack]').length).toBe(0);
  expect(lab.selection.getState().node).toBe(SHOWN);
});
