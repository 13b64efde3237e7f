/** No drawing without its words, and nothing for the mouse alone. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import type { Lab } from '../../src/store/lab/lab.ts';
import { lossRowOf } from '../../src/store/loss/loss_reading.ts';
import { metricSeries } from '../../src/store/record/reading.ts';
import { VIEWS } from '../../src/store/place/selection.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatNumber, formatShare, formatSigned } from '../../src/ui/parts/format.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';
import { stepCheckOf } from '../support/step_check.ts';

let lab: Lab;

beforeEach(async () => {
  lab = await scriptedLab();
  const { update, tree } = liveTree(lab);
  lab.selection.select({ update: update.update, prompt: tree.prompt.index });
  await render(<App lab={lab} />);
});
afterEach(() => cleanup());

const main = (): HTMLElement => document.querySelector('main')!;
const ICON = 30; // px; what is smaller stands for a word beside it

/** A button that says in words what it shows, such as how the leaves of a tree end. */
const isSpoken = (place: Element): boolean =>
  place.matches('button') && /\d leaves|\d leaf/.test(place.textContent);

/** A drawing that is hidden from readers, with nothing in its panel that says the same. */
function isMute(drawing: Element): boolean {
  if (drawing.closest('[role=img][aria-label], [role=tree][aria-label]')) return false;
  const { width, height } = drawing.getBoundingClientRect();
  if (Math.max(width, height) <= ICON) return drawing.closest('[aria-hidden=true]') === null;
  if (drawing.closest('.minimap')) return false; // the tree itself stands beside it
  const place = drawing.closest('button, figure, tr, section');
  return !place || !(place.matches('tr') || isSpoken(place) || place.querySelector('table'));
}

describe.each(VIEWS)('in %s', (view) => {
  beforeEach(async () => {
    lab.selection.select({ view, creditFrame: 1e6 });
    await expect
      .poll(() => document.querySelector('nav [aria-current=page]')?.textContent?.toLowerCase())
      .toContain(view);
  });

  test('every drawing has a name, or a table or a sentence that says the same', () => {
    const mute = [...main().querySelectorAll('svg, canvas')].filter((drawing) => isMute(drawing));
    expect(mute.map((drawing) => drawing.outerHTML.slice(0, 120))).toEqual([]);
  });

  test('whatever looks as if it could be clicked is reached by keys', () => {
    const pointed = [...main().querySelectorAll<HTMLElement>('*')].filter(
      (element) => element.checkVisibility() && getComputedStyle(element).cursor === 'pointer',
    );
    const mouseOnly = pointed.filter(
      (element) => !element.closest('button, a, summary, input, select, label, [tabindex], [role=tree]'),
    );
    expect(mouseOnly.map((element) => element.outerHTML.slice(0, 120))).toEqual([]);
  });
});

test('every curve is named by a sentence with its first and its last number', async () => {
  const run = lab.run.getState();
  const charts = (): Element[] => [...main().querySelectorAll('.chart')];
  await expect.poll(() => charts().length).toBe(main().querySelectorAll('.curves figure').length); // what draws them is fetched
  const names = charts().map((chart) => chart.getAttribute('aria-label') ?? '');
  const share = (key: Parameters<typeof metricSeries>[1]): readonly string[] =>
    metricSeries(run, key).map((value) => formatShare(value));
  const said = (title: string, label: string, [first, last]: readonly string[]): void =>
    expect(names.find((name) => name.startsWith(title))).toContain(
      `${label} ${first} at update 1, ${last} at update 2`,
    );
  said('Exact match', 'rollouts', share('exactMatch'));
  said('Dead trees', 'dead', share('deadTrees'));
  said('Clip fraction', 'clipped', share('clipFraction'));
  const entropy = metricSeries(run, 'entropy');
  said(
    'Entropy in nats',
    'tokens',
    entropy.map((value) => formatNumber(value, value !== null && value < 0.1 ? 4 : 2)),
  );
});

test('the points of a checked step stand in a table too', async () => {
  const { update, tree } = liveTree(lab);
  const leaf = tree.leaves[0];
  const { row } = lossRowOf(update, tree.prompt.index, leaf)!;
  const { tokenIndex, logProb: before } = row;
  const predicted = before.map((_, index) => 0.01 * (index + 1));
  const after = before.map((value, index) => value - 0.002 * index);
  lab.selection.select({ view: 'loss', leaf });
  lab.inspection.setState({ stepCheck: stepCheckOf(row, predicted, after) });
  const lines = (): readonly (readonly (string | null)[])[] =>
    [...main().querySelectorAll('.step-figure tbody tr')].map((line) =>
      [...line.children].map((cell) => cell.textContent),
    );
  await expect.poll(() => lines().length).toBe(tokenIndex.length);
  const from = tree.prompt.index + 1;
  expect(lines()).toEqual(
    tokenIndex.map((position, index) => [
      `prompt ${from}, n${leaf}, token ${position}`,
      formatSigned(predicted[index], 5),
      formatSigned(after[index] - before[index], 5),
    ]),
  );
});
