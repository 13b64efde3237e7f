import { afterEach, beforeEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { expansionWhatIf } from '../../src/store/credit/expansion_what_if.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { isDead } from '../../src/store/record/reading.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatNumber } from '../../src/ui/parts/format.ts';
import { colourResolver } from '../../src/ui/drawing/encodings.ts';
import { ROOT, nodeId, type TurnNode } from '../../src/units.ts';
import { seriousFindings } from '../support/axe.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let lab: Lab;
let screen: RenderResult;

afterEach(() => cleanup());

beforeEach(async () => {
  lab = await scriptedLab();
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'tree', update: 1, prompt: tree.prompt.index });
  screen = await render(<App lab={lab} />);
});

const all = (selector: string): Element[] => [...screen.container.querySelectorAll(selector)];
const nodeCount = (): number => all('.tree-view [data-node]').length;
const world = (): string => all('.tree-drawing > g')[0].getAttribute('transform') ?? '';

/** A first turn that goes on, and how many turns stand below it. */
function openTurn() {
  const { tree } = liveTree(lab);
  const below = (id: number): number =>
    (tree.nodes[id]?.children ?? []).reduce((sum, child) => sum + 1 + below(child), 0);
  const id = tree.nodes[ROOT]!.children.find((child) => below(child) > 1)!;
  return { tree, id, below: below(id) };
}

test('a turn folds with the number of those it hides, and the search or a link opens it again', async () => {
  const { tree, id, below } = openTurn();
  const before = nodeCount();
  lab.selection.select({ node: id });
  await userEvent.keyboard('c');
  await expect.poll(nodeCount).toBe(before - below);
  expect(screen.container.querySelector(`[data-node="${id}"]`)?.textContent).toContain(`${below} hidden`);
  expect(screen.container.querySelector(`[data-node="${id}"]`)?.getAttribute('aria-expanded')).toBe('false');
  lab.selection.select({ node: tree.nodes[id]!.children[0] });
  await expect.poll(nodeCount).toBe(before);
});

test('the search rings what it finds, counts it, and n goes from match to match', async () => {
  const { tree } = liveTree(lab);
  const searches = lab.run.getState().header!.environment!.vocabulary.indexOf('<search>');
  const calls = tree.nodes.filter((node) => node?.tokens.some((token) => token === searches));
  await screen.getByRole('combobox', { name: 'Tag or ending' }).selectOptions('search');
  await expect.poll(() => all('[data-found="true"]').length).toBe(calls.length);
  expect(lab.selection.getState().find?.tag).toBe('search');
  (document.activeElement as HTMLElement).blur();
  await userEvent.keyboard('n');
  expect(lab.selection.getState().node).toBe(calls[0]!.id);
  await userEvent.keyboard('n');
  expect(lab.selection.getState().node).toBe(calls[1]!.id);
  await expect.element(screen.getByText(`2 of ${calls.length}`)).toBeInTheDocument();
});

test('the panel says who would be picked under another penalty, number by number', async () => {
  const { tree } = liveTree(lab);
  const config = lab.run.getState().header!.config!;
  const own = config.algorithm.rollout;
  const record = tree.expansions[tree.expansions.length - 1];
  const rule = { ...own, siblingPenalty: 0.4 };
  const { candidates, threshold } = expansionWhatIf(
    record,
    rule,
    { seed: config.seed, update: 1 },
    tree.prompt.index,
  );
  await screen.getByRole('spinbutton', { name: 'α' }).fill('0.4');
  const ranked = candidates.toSorted((a, b) => a.rank - b.rank);
  const cells = (): string[][] =>
    all('.candidates tbody tr:not(.threshold)').map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''),
    );
  await expect.poll(() => cells()[0].length).toBe(7);
  expect(cells().map((row) => [row[1], row[4], row[6].includes('✓')])).toEqual(
    ranked.map(({ node, score, pickCount }) => [
      node === ROOT ? 'root' : `n${node}`,
      formatNumber(score, 3),
      pickCount > 0,
    ]),
  );
  if (threshold !== null)
    expect(all('.threshold')[0].textContent).toBe(`threshold ${formatNumber(threshold, 3)}`);
});

test('Shift and click pins a second turn; both stand side by side with their own numbers', async () => {
  const { tree } = liveTree(lab);
  const [first, second] = tree.nodes[ROOT]!.children;
  const click = (id: number, shiftKey: boolean): void => {
    screen.container
      .querySelector(`[data-node="${id}"]`)
      ?.dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey }));
  };
  click(first, false);
  click(second, true);
  expect(lab.selection.getState()).toMatchObject({
    node: first,
    pinned: { update: 1, prompt: tree.prompt.index, node: second },
  });
  const entropy = (label: string): string =>
    screen.container.querySelector(`[aria-label="${label}"] .facts dd`)?.textContent ?? '';
  await expect
    .poll(() => entropy(`Turn n${first}`))
    .toContain(formatNumber(tree.nodes[first]!.turnSurprisal, 3));
  expect(entropy(`Pinned turn n${second}`)).toContain(formatNumber(tree.nodes[second]!.turnSurprisal, 3));
});

test('the batch marks dead trees, filters them, and opens the one clicked', async () => {
  const { update } = liveTree(lab);
  await screen.getByRole('button', { name: 'batch', exact: true }).click();
  const dead = update.trees.filter(isDead).length;
  await expect.poll(() => all('.multiples .tree-button').length).toBe(update.trees.length);
  expect(all('.multiples [data-dead="true"]')).toHaveLength(dead);
  await screen.getByRole('button', { name: `live ${update.trees.length - dead}` }).click();
  expect(all('.multiples .tree-button')).toHaveLength(update.trees.length - dead);
  expect(await seriousFindings(screen.container)).toEqual([]);
  all('.multiples .tree-button')[0].dispatchEvent(new MouseEvent('click', { bubbles: true }));
  await expect.poll(() => all('.tree-drawing').length).toBe(1);
  expect(lab.selection.getState()).toMatchObject({
    batch: false,
    prompt: update.trees.find((tree) => !isDead(tree))!.prompt.index,
  });
});

test('keys zoom the tree, and it stays in the frame', async () => {
  const before = world();
  await userEvent.keyboard('+');
  await expect.poll(world).not.toBe(before);
  expect(Number(/scale\(([^)]+)/.exec(world())?.[1])).toBeGreaterThan(
    Number(/scale\(([^)]+)/.exec(before)?.[1]),
  );
  await userEvent.keyboard('0');
  await expect.poll(() => Number(/scale\(([^)]+)/.exec(world())?.[1])).toBeLessThanOrEqual(1);
});

test('says honestly that every question was asked once', async () => {
  lab.selection.select({ beside: true });
  await expect.element(screen.getByText(/asked the question once/)).toBeInTheDocument();
});

test('the exported file is SVG by itself: every turn, no variables, the run below', async () => {
  const { tree } = liveTree(lab);
  const saved: Blob[] = [];
  const createObjectURL = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (blob: Blob): string => {
    saved.push(blob);
    return 'data:,';
  };
  try {
    await screen.getByText('Save as').click();
    await screen.getByRole('button', { name: 'SVG' }).click();
    await expect.poll(() => saved.length).toBe(1);
  } finally {
    URL.createObjectURL = createObjectURL;
  }
  const text = await saved[0].text();
  const file = new DOMParser().parseFromString(text, 'image/svg+xml');
  expect(file.querySelector('parsererror')).toBe(null);
  const titles = [...file.querySelectorAll('g > title')].map((title) => title.textContent);
  expect(titles).toHaveLength(tree.nodes.filter((node) => node && !node.pruned).length);
  for (const node of tree.nodes)
    if (node && node.parent !== null && !node.pruned)
      expect(titles).toContainEqual(
        expect.stringContaining(`n${node.id} ${formatNumber(node.turnSurprisal)}`),
      );
  expect(text).not.toMatch(/var\(|color-mix|class=/);
  expect(text).toContain(`seed ${lab.run.getState().header!.config!.seed}`);
  expect(text).toContain(`update 1, prompt ${tree.prompt.index + 1}`);
});

/** One more update, with one tree of `count` turns: too many for SVG. */
function largeUpdate(count: number): readonly RunEvent[] {
  const { tree } = liveTree(lab);
  const template = tree.nodes[tree.nodes[ROOT]!.children[0]] as TurnNode;
  const at = { update: 3, prompt: 0 };
  const nodes = Array.from({ length: count }, (_, index): RunEvent => {
    const id = index + 1;
    const node: TurnNode = {
      ...template,
      id: nodeId(id),
      parent: nodeId(Math.floor(index / 4)),
      children: [],
      turnSurprisal: id / 1000,
      ending: id * 4 >= count ? 'answer' : null,
    };
    return { kind: 'node', ...at, node };
  });
  return [{ kind: 'update-started', update: 3, prompts: [{ ...tree.prompt, index: 0 }] }, ...nodes];
}

test('a tree of a thousand turns is painted; a click and the arrow keys select, and a reader hears where', async () => {
  lab.run.apply(largeUpdate(1000));
  lab.selection.select({ update: 3, prompt: 0 });
  await expect.poll(() => all('canvas.tree-canvas').length).toBe(1);
  expect(all('.tree-drawing')).toHaveLength(0);
  const spoken = (): HTMLElement => screen.container.querySelector<HTMLElement>('.spoken-tree')!;
  spoken().focus();
  await userEvent.keyboard('{ArrowRight}{ArrowDown}');
  expect(lab.selection.getState().node).toBe(2);
  await expect.poll(() => spoken().querySelectorAll('[aria-selected="true"]').length).toBe(1);
  const item = document.getElementById(spoken().getAttribute('aria-activedescendant') ?? '');
  expect(item?.getAttribute('aria-label')).toContain('n2 0.00');
  expect([item?.getAttribute('aria-posinset'), item?.getAttribute('aria-setsize')]).toEqual(['2', '4']);
  const canvas = screen.container.querySelector<HTMLCanvasElement>('canvas.tree-canvas')!;
  await userEvent.keyboard('{ArrowUp}'); // the first row comes back into the frame
  await expect.poll(() => spoken().getAttribute('aria-activedescendant')).toMatch(/-1$/);
  const { left, top } = canvas.getBoundingClientRect();
  for (let y = 4; y < 60; y += 4)
    // the root is the first row of the first column
    canvas.dispatchEvent(
      new MouseEvent('click', { bubbles: true, clientX: left + 32 * 0.6, clientY: top + y }),
    );
  await expect.poll(() => lab.selection.getState().node).toBe(ROOT);
  await expect.poll(() => inkOf(canvas)).toBeGreaterThan(100);
  expect(await seriousFindings(screen.container)).toEqual([]);
});

/** Pixels of a canvas that are not empty. */
function inkOf(canvas: HTMLCanvasElement): number {
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  return data.reduce((sum, value, index) => sum + (index % 4 === 3 && value > 0 ? 1 : 0), 0);
}

test('colours for canvas and file are plain, and follow the page’s variables', () => {
  const theme = document.documentElement.dataset.theme ?? 'light';
  const colour = colourResolver(theme);
  expect(colour('color-mix(in srgb, red 50%, blue)')).toMatch(/^#(7f|80)00(7f|80)$/);
  expect(colour('var(--surface)')).toMatch(/^#[0-9a-f]{6}$/);
});
