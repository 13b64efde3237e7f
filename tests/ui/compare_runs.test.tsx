/** Runs side by side as a person reads them: under each title the numbers of that metric, each of the update it says. */
import { afterEach, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { createRunStore, type RunStore } from '../../src/store/record/run.ts';
import type { RunEvent, UpdateMetrics } from '../../src/protocol/protocol.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatIn } from '../../src/ui/parts/curve_data.ts';
import { METRICS, START, updateEvents } from '../support/sample_log.ts';

let lab: Lab;
let screen: RenderResult;

afterEach(() => cleanup());

const logOf = (...updates: readonly Partial<UpdateMetrics>[]): readonly RunEvent[] => [
  START,
  ...updates.flatMap((metrics, index) => updateEvents(index + 1, { ...METRICS, ...metrics })),
];

function recordOf(events: readonly RunEvent[]): RunStore {
  const record = createRunStore();
  record.apply(events);
  return record;
}

/** A run on screen and another beside it. */
async function show(own: readonly RunEvent[], kept: readonly RunEvent[]): Promise<void> {
  lab = createLab(() => undefined);
  lab.run.apply(own);
  lab.shelf.keep(recordOf(kept));
  lab.selection.select({ view: 'compare', compared: 'runs' });
  screen = await render(<App lab={lab} />);
}

/** Read-outs of a chart by its title: "A 71 %", "B 2 %". */
const readouts = (title: string): readonly string[] => {
  const chart = [...screen.container.querySelectorAll('.compare-runs .curves figcaption')].find((caption) =>
    caption.querySelector('.heading')?.textContent.startsWith(title),
  );
  return [...(chart?.querySelectorAll('.readout') ?? [])].map((readout) => readout.textContent);
};

const ADMITS = { unknown: 0.25, reliability: 0.7, entropy: 0.31, clipFraction: 0.71, ppoKl: 0.0952 };
const PLAIN = { unknown: 0, reliability: 0.5, entropy: 0.0952, clipFraction: 0.02, ppoKl: 0.0002 };

test('run B’s numbers stand under their own titles where only run A admits that it does not know', async () => {
  await show(logOf(ADMITS), logOf(PLAIN));
  await expect.poll(() => readouts('Entropy')).toEqual(['A 0.31', `B ${formatIn('nats', 0.0952)}`]);
  expect(readouts('Clip fraction')).toEqual(['A 71 %', 'B 2 %']);
  expect(readouts('KL')).toEqual(['A 0.0952', 'B 0.0002']);
  expect(readouts('Admissions')).toEqual(['A 25 %', 'B 0 %']);
  expect(readouts('Reliability')).toEqual(['A 70 %', 'B 50 %']);
  const note = screen.getByRole('note', { name: 'How sure is it' }); // they are of no experiment
  await expect.element(note).toHaveTextContent(/^One run each: a difference in their curves may be chance/);
});

test('a run that is read at another update says at which', async () => {
  await show(logOf(PLAIN, PLAIN, { ...PLAIN, clipFraction: 0.3 }), logOf({ clipFraction: 0.5 }));
  await expect.poll(() => readouts('Clip fraction')).toEqual(['A 30 %', 'B 50 % at update 1']);
  await expect.element(screen.getByRole('heading', { name: 'values at update 3' })).toBeVisible();
  lab.selection.select({ update: 1 });
  await expect.poll(() => readouts('Clip fraction')).toEqual(['A 2 %', 'B 50 %']);
  await expect.element(screen.getByRole('heading', { name: 'values at update 1' })).toBeVisible();
});

/** Whether a chart has painted anything of a CSS colour. */
function isPainted(figure: Element, colour: string): boolean {
  const canvas = figure.querySelector('canvas');
  const [red, green, blue] = colour.match(/[\d.]+/g)!.map(Number);
  const { data } = canvas!.getContext('2d')!.getImageData(0, 0, canvas!.width, canvas!.height);
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] === 255 && Math.hypot(data[at] - red, data[at + 1] - green, data[at + 2] - blue) < 8)
      return true;
  return false;
}

test('a third run that is kept later is drawn, in a line of its own', async () => {
  await show(logOf(PLAIN, PLAIN), logOf(PLAIN, PLAIN));
  await expect.poll(() => readouts('KL').length).toBe(2);
  lab.shelf.keep(recordOf(logOf({ ...PLAIN, ppoKl: 0.5 }, { ...PLAIN, ppoKl: 0.5 })));
  await expect.poll(() => readouts('KL')).toEqual(['A 0.0002', 'B 0.0002', 'C 0.50']);
  const figure = [...screen.container.querySelectorAll('.compare-runs .curves figure')].find((one) =>
    one.textContent.startsWith('KL'),
  )!;
  const lines = [...figure.querySelectorAll('figcaption path')].map((line) => getComputedStyle(line));
  expect(new Set(lines.map(({ stroke, strokeDasharray }) => `${stroke} ${strokeDasharray}`)).size).toBe(3);
  await expect.poll(() => isPainted(figure, lines[2].stroke)).toBe(true);
});
