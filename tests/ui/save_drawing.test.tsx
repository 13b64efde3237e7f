/** Drawings as files, read back: numbers of the file against the store's, and the run that it says it is of. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { worthOf } from '../../src/store/credit/advantage_range.ts';
import { creditRulesOf } from '../../src/store/credit/credit.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { leavesOf, metricSeries } from '../../src/store/record/reading.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatSigned } from '../../src/ui/parts/format.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { savedFiles } from '../support/kept_runs.tsx';
import { liveTree, scriptedLog } from '../support/scripted_lab.ts';
import { stepCheckOf } from '../support/step_check.ts';
import { lossRowOf } from '../../src/store/loss/loss_reading.ts';
import { still } from '../support/still.ts';

let lab: Lab;
let saved: ReturnType<typeof savedFiles>;

beforeEach(async () => {
  saved = savedFiles();
  lab = createLab(() => undefined, '', readRecording);
  lab.run.apply(await scriptedLog());
  const { update, tree } = liveTree(lab);
  lab.selection.select({ update: update.update, prompt: tree.prompt.index });
});
afterEach(() => {
  vi.restoreAllMocks();
  return cleanup();
});

/** The file that a menu saves. */
async function save(
  menu: Element | null | undefined,
  kind: 'SVG' | 'PNG',
): Promise<{ name: string; blob: Blob }> {
  const before = saved.length;
  menu!.querySelector('summary')!.click();
  [...menu!.querySelectorAll('button')].find(({ textContent }) => textContent === kind)!.click();
  await expect.poll(() => saved.length).toBe(before + 1);
  return saved[before];
}

const menus = (within: string): Element[] => [...document.querySelectorAll(`${within} .save-drawing`)];

async function svg(menu: Element | undefined): Promise<Document> {
  const file = new DOMParser().parseFromString(await (await save(menu, 'SVG')).blob.text(), 'image/svg+xml');
  expect(file.querySelector('parsererror')).toBe(null);
  expect(new XMLSerializer().serializeToString(file)).not.toMatch(/var\(|color-mix|class=|data-/);
  return file;
}

const stampOf = (file: Document): string => file.querySelector('desc')!.textContent;
const number = (element: Element, name: string): number => Number(element.getAttribute(name));

/** Value of a height of the drawing, by the labels of its axis. */
function scaleOf(chart: Element): (y: number) => number {
  const ticks = [...chart.querySelectorAll('text[text-anchor=end]')].map((tick) => ({ y: number(tick, 'y') - 4, value: parseFloat(tick.textContent) / (tick.textContent.includes('%') ? 100 : 1) })); // prettier-ignore
  const [a, b] = [ticks[0], ticks.at(-1)!];
  return (y) => a.value + ((y - a.y) * (b.value - a.value)) / (b.y - a.y);
}

test('curves as a file have the values of every update, by the axis in the file, and say which run they are of', async () => {
  await render(<App lab={lab} />);
  lab.selection.select({ view: 'train' });
  await expect.poll(() => menus('.curves')).toHaveLength(1);
  const file = await svg(menus('.curves')[0]);
  const run = lab.run.getState();
  for (const [title, key] of [
    ['Exact match', 'exactMatch'],
    ['Entropy, nats', 'entropy'],
    ['Clip fraction', 'clipFraction'],
    ['Dead trees', 'deadTrees'],
  ] as const) {
    // prettier-ignore
    const chart = [...file.querySelectorAll('g')].find((group) => group.firstElementChild?.textContent === title)!;
    const [, d] = /d="M([^"]+)"/.exec(chart.querySelector('g')!.innerHTML)!;
    const read = d.split('L').map((point) => scaleOf(chart)(Number(point.split(' ')[1])));
    const values = metricSeries(run, key).filter((value) => value !== null);
    expect(read, title).toHaveLength(values.length);
    for (const [index, value] of values.entries()) expect(read[index], title).toBeCloseTo(value, 9);
  }
  const { config, date } = run.header!;
  expect(stampOf(file)).toMatch(
    new RegExp(`preset ${config!.preset}.*seed ${config!.seed}\nvalues at update`),
  );
  expect(stampOf(file)).toContain(`Turnwise, run of ${date}`);
});

test('a batch as a file has a drawing and a caption of every tree', async () => {
  await render(<App lab={lab} />);
  lab.selection.select({ view: 'train' });
  const { update } = liveTree(lab);
  await expect.poll(() => document.querySelectorAll('.tree-button').length).toBe(update.trees.length);
  const file = await svg(menus('.batch')[0]);
  const leaves = update.trees.map((tree) => leavesOf(tree).length);
  expect(file.querySelectorAll('svg svg')).toHaveLength(update.trees.length);
  const words =
    [...file.documentElement.children].at(-1 - stampOf(file).split('\n').length) ?? file.documentElement;
  const said = [...words.querySelectorAll('text')].map(({ textContent }) => textContent).join(' ');
  for (const [index, tree] of update.trees.entries())
    expect(said).toMatch(tree.rewards && !tree.dropped ? new RegExp(`\\b${index + 1} (dead|\\d+ of ${leaves[index]})`) : /./); // prettier-ignore
  expect(stampOf(file)).toContain(`update ${update.update}, ${update.trees.length} trees`);
});

test('the credit drawing as a picture has twice the pixels of the drawing, and is not blank', async () => {
  await render(<App lab={lab} />);
  lab.selection.select({ view: 'credit', creditFrame: 1e6 });
  await expect.poll(() => menus('.credit-view')).toHaveLength(1);
  await still(); // the drawing has come to know the size of its frame
  const { name, blob } = await save(menus('.credit-view')[0], 'PNG');
  expect(name).toMatch(/^tree-update1-.*\.png$/);
  const file = await svg(menus('.credit-view')[0]);
  expect(stampOf(file)).toMatch(/credit by \w+ and \w+, step \d+/);
  const { update, tree } = liveTree(lab);
  const { advantages } = worthOf(tree, creditRulesOf(lab.run.getState())!, update.trees, true);
  const texts = [...file.querySelectorAll('g > g > text')].map(({ textContent }) => textContent).join(' ');
  const known = advantages!.flatMap((range) => range ?? []);
  expect(known.length).toBeGreaterThan(4);
  for (const advantage of known) expect(texts).toContain(formatSigned(advantage));
  const bitmap = await createImageBitmap(blob);
  expect([bitmap.width, bitmap.height]).toEqual(['width', 'height'].map((side) => Math.ceil(2 * number(file.documentElement, side)))); // prettier-ignore
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const colours = new Set(
    new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer),
  );
  expect(colours.size).toBeGreaterThan(10);
});

test('compared runs and trees beside each other say which run each is; the points of a checked step are in its file', async () => {
  const log = (await scriptedLog()).map((event) => event.kind === 'run-started' ? { ...event, date: '2026-11-01' } : event); // prettier-ignore
  await lab.shelf.open(new File([await writeRecording(log)], 'other.ndjson.gz'));
  await render(<App lab={lab} />);
  lab.selection.select({ view: 'compare', compared: 'runs' });
  await expect.poll(() => menus('.compare-runs')).toHaveLength(3);
  const [, tree, curves] = menus('.compare-runs');
  expect(stampOf(await svg(tree))).toMatch(/update \d+, prompt 1.*advantages\nTurnwise, run of 2026-11-01, from other\.ndjson\.gz/); // prettier-ignore
  expect(stampOf(await svg(curves))).toMatch(/^A: .*\nB: .*\nvalues at update \d+\nTurnwise$/);
  const { update, tree: state } = liveTree(lab);
  const { row } = lossRowOf(update, state.prompt.index, state.leaves[0])!;
  const predicted = row.logProb.map((_, index) => 0.01 * (index + 1));
  lab.selection.select({ view: 'loss', leaf: state.leaves[0] });
  lab.inspection.setState({ stepCheck: stepCheckOf(row, predicted, row.logProb) });
  await expect.poll(() => menus('.step-figure')).toHaveLength(1);
  const points = [...(await svg(menus('.step-figure')[0])).querySelectorAll('circle')].map((point) => number(point, 'cx')); // prettier-ignore
  expect(points).toHaveLength(predicted.length);
  const step = points[1] - points[0];
  points.slice(1).forEach((x, index) => expect(x - points[index]).toBeCloseTo(step, 6)); // as the predictions
});
