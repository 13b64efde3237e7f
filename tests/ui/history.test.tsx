import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { userEvent } from 'vitest/browser';
import type { Lab } from '../../src/store/lab/lab.ts';
import { followAddress, mirrorSelection } from '../../src/store/place/address.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let lab: Lab;
let stop: () => void;
const { href } = location;

beforeEach(async () => {
  lab = await scriptedLab();
  const ends = [mirrorSelection(lab.selection, window), followAddress(lab.selection, window)];
  stop = () => ends.forEach((end) => end());
  await render(<App lab={lab} />);
});
afterEach(() => {
  stop();
  history.replaceState(null, '', href);
  return cleanup();
});

const current = (): string => document.querySelector('nav [aria-current=page]')?.textContent ?? '';
const hash = (): string => location.hash;
const chosenNode = (): string | undefined =>
  document.querySelector<HTMLElement>('[role=treeitem][aria-selected=true]')?.dataset['node'];

test('the browser’s Back and Forward walk from view to view and from turn to turn', async () => {
  const { tree } = liveTree(lab);
  const [first] = tree.nodes[0]!.children;
  await userEvent.keyboard('2');
  await expect.poll(hash).toContain('view=tree');
  lab.selection.select({ update: 1, prompt: tree.prompt.index });
  await expect.poll(hash).toContain('update=1');
  document
    .querySelector<SVGElement>(`[data-node="${first}"]`)!
    .dispatchEvent(new MouseEvent('click', { bubbles: true }));
  await expect.poll(hash).toContain(`node=${first}`);
  await userEvent.keyboard('3');
  await expect.poll(hash).toContain('view=credit');

  history.back();
  await expect.poll(current).toContain('Tree');
  await expect.poll(chosenNode).toBe(String(first));
  history.back();
  await expect.poll(chosenNode).toBe(undefined);
  expect(current()).toContain('Tree');
  history.forward();
  await expect.poll(chosenNode).toBe(String(first));
  history.forward();
  await expect.poll(current).toContain('Credit');
  expect(lab.selection.getState()).toMatchObject({ view: 'credit', update: 1, node: first });
});
