/** The Experiments view: its words and numbers against values counted here, and the ways from a point to its run. */
import { afterEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import shipped from '../../docs/results/experiments/reduction/reduction.experiment.json?raw';
import table from '../../docs/results/experiments/table_1/table_1.experiment.json?raw';
import { writeRecording } from '../../src/files/recording.ts';
import { readRecording } from '../../src/files/recording.ts';
import { isLogged } from '../../src/protocol/protocol.ts';
import { NO_EXPERIMENTS, type ShippedExperiment } from '../../src/store/experiment/held.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { NO_KEEPER, NO_TAB, type KeptEntry } from '../../src/store/lab/kept.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { findings } from '../support/axe.ts';
import { configOf, entryOf } from '../support/kept_runs.tsx';
import { scriptedLog } from '../support/scripted_lab.ts';
import { smallTargets } from '../support/targets.ts';

interface Shipped {
  readonly runs: readonly {
    readonly id: string;
    readonly date: string;
    readonly heldOut: {
      readonly after: { readonly exactMatch: number; readonly right?: { readonly sampled: string } };
    };
  }[];
}
const { runs } = JSON.parse(shipped) as Shipped;
const scoresOf = (arm: string): readonly number[] =>
  runs.filter(({ id }) => id.startsWith(`${arm}-`)).map(({ heldOut }) => heldOut.after.exactMatch);
const dateOf = (id: string): string => runs.find((run) => run.id === id)!.date;

afterEach(async () => {
  await cleanup();
  await page.viewport(1280, 800);
});

const nameIn = (text: string): string => (JSON.parse(text) as { experiment: { name: string } }).experiment.name; // prettier-ignore

async function open(kept: readonly string[] = [], text = shipped, others: readonly ShippedExperiment[] = []) {
  const log = await scriptedLog();
  const bytes = await writeRecording(log.filter(isLogged));
  const config = configOf(log);
  const entries = kept.map((id): KeptEntry => entryOf(config, id, { created: dateOf(id) }));
  const keeper = {
    ...NO_KEEPER,
    list: () => Promise.resolve(entries),
    open: () => Promise.resolve(new Blob([bytes])),
  };
  const tools = {
    ...NO_EXPERIMENTS,
    shipped: () =>
      Promise.resolve(
        others.concat({ file: 'shown.json', name: nameIn(text), question: 'Shown?', runs: 15, planned: 15 }),
      ),
    shippedText: (file: string) =>
      file === 'shown.json' ? Promise.resolve(text) : Promise.reject(new Error(`${file}: status 404`)),
  };
  const read = (file: Blob) => readRecording(file);
  const lab = createLab(() => undefined, `#v1&view=experiments&experiment=${encodeURIComponent(`shipped ${nameIn(text)}`)}`, read, null, {}, { keeper, tab: NO_TAB, experiments: tools }); // prettier-ignore
  lab.transport.receive(log.filter(({ kind }) => kind === 'ready'));
  await lab.kept.refresh();
  const screen = await render(<App lab={lab} />);
  await expect.element(page.getByRole('region', { name: 'Answer' })).toBeVisible();
  return { lab, screen };
}

const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;
const cells = (row: string): readonly string[] => {
  const all = [...document.querySelectorAll('[aria-label="Arms in numbers"] tbody tr')];
  const own = all.find((each) => each.querySelector('th')!.textContent.startsWith(row))!;
  return [...own.querySelectorAll('td')].map(({ textContent }) => textContent);
};

/** What the points of the strips say by the labels of the axis under them, and by their words; and whether one hides another. */
function readStrips() {
  const groups = [...document.querySelectorAll('.exp-strips > [role="group"]')];
  return groups.map((group) => {
    const labels = [...group.querySelectorAll<HTMLElement>('.exp-strip-axis .exp-strip-ground > span')];
    const [first, last] = [labels[0], labels.at(-1)!].map((label) => ({ at: parseFloat(label.style.left), says: Number(label.textContent) })); // prettier-ignore
    const points = [...group.querySelectorAll<HTMLElement>('.exp-strip-point')];
    const boxes = points.map((point) => point.getBoundingClientRect());
    return {
      off: Math.max(
        ...points.map((point) => {
          const share = (parseFloat(point.style.left) - first.at) / (last.at - first.at);
          const said = Number(/: (\d\.\d+)/.exec(point.ariaLabel!)![1]);
          return Math.abs(first.says + share * (last.says - first.says) - said);
        }),
      ),
      isHidden: boxes.some((one, i) => boxes.some((other, j) => j > i && Math.hypot(one.x - other.x, one.y - other.y) < 12)), // prettier-ignore
      span: last.says - first.says,
    };
  });
}

test('answer, means, survival and p are what one counts from the runs by hand', async () => {
  const { screen } = await open();
  const [rows, tokens, grpo] = ['at2po_rows', 'at2po_tokens', 'grpo'].map(scoresOf);
  for (const [title, scores] of [['AT²PO, mean over rows', rows], ['AT²PO, mean over tokens', tokens], ['GRPO', grpo]] as const) {
    const [count, iqm, , average] = cells(title);
    expect(count).toBe('5');
    expect(iqm).toBe(mean(scores.toSorted((a, b) => a - b).slice(1, 4)).toFixed(3)); // a fifth each side and a twentieth: three of five
    expect(average).toBe(mean(scores).toFixed(3));
  }
  // All 32 patterns of signs of the five differences.
  const p = (first: readonly number[], second: readonly number[]): number => {
    const differences = second.map((score, at) => score - first[at]);
    const patterns = Array.from({ length: 32 }, (_, bits) => mean(differences.map((d, at) => ((bits >> at) & 1 ? d : -d))));
    return patterns.filter((each) => Math.abs(each) >= Math.abs(mean(differences)) - 1e-12).length / 32;
  };
  const [least, most] = [p(rows, tokens), p(rows, grpo)].toSorted((a, b) => a - b);
  const adjusted = [Math.min(1, 2 * least), Math.min(1, Math.max(2 * least, most))];
  await page.getByText('Differences in numbers', { exact: true }).click();
  const shownP = [...document.querySelectorAll('[aria-label="Differences in numbers"] tbody tr')].map((row) => Number(row.querySelectorAll('td')[4].textContent));
  expect(shownP.toSorted((a, b) => a - b)).toEqual(adjusted.map((each) => Number(each.toFixed(3))));
  const answer = page.getByRole('region', { name: 'Answer' }).element().textContent;
  expect(answer).toContain(`${mean(tokens) >= mean(rows) ? '+' : '−'}${Math.abs(mean(tokens) - mean(rows)).toFixed(3)} in the mean`);
  expect(answer).toMatch(/5 seeds cannot reach p = 0\.05 among 2 comparisons/);
  // Survival: rings, pictures and the table count the same.
  const rings = document.querySelectorAll('.exp-strip-point[data-collapsed="true"]').length;
  const survived = ['AT²PO, mean over rows', 'AT²PO, mean over tokens', 'GRPO'].map((title) => parseInt(cells(title)[4]));
  expect(rings).toBe(15 - survived.reduce((sum, count) => sum + count, 0));
  expect(document.querySelectorAll('.exp-cell-turn')).toHaveLength(rings);
  expect(rings).toBeGreaterThan(0);
  expect(document.querySelectorAll('.exp-strip-point')).toHaveLength(15);
  const [strips, ...others] = readStrips();
  expect([strips.isHidden, others]).toEqual([false, []]);
  expect(strips.off).toBeLessThan(0.001);
  expect(await findings(screen.container)).toEqual([]);
  await page.viewport(390, 844);
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(390);
  expect(smallTargets(screen.container)).toEqual([]);
}); // prettier-ignore

test('a point leads to its run, a turn to the update at which it came; what is not kept says so', async () => {
  const { lab } = await open(['grpo-1', 'at2po_rows-2']);
  const score = scoresOf('grpo')[0].toFixed(3);
  await page.getByRole('button', { name: `GRPO, seed 1: ${score}`, exact: true }).click();
  await expect.poll(() => lab.selection.getState().view).toBe('train');
  expect(lab.run.getState().updates.length).toBeGreaterThan(0);
  lab.selection.select({ view: 'experiments' });
  const turned = page.getByRole('button', { name: /^turned at/ }).first();
  await expect.element(turned).toBeVisible();
  const update = Number(turned.element().textContent.replace('turned at ', ''));
  await turned.click();
  await expect.poll(() => lab.selection.getState().update).toBe(update);
  lab.selection.select({ view: 'experiments', update: null });
  await expect.element(turned).toBeVisible();
  await page.getByRole('button', { name: /^GRPO, seed 2: / }).first().click(); // prettier-ignore
  await expect.element(page.getByText('Run grpo-2 is not kept in this browser')).toBeVisible();
});

test('scores by data set are counted from single answers', async () => {
  await open([], table);
  await expect.element(page.getByRole('region', { name: 'Scores by data set' })).toBeVisible();
  const { runs: all } = JSON.parse(table) as Shipped;
  const share = (arm: string, task: string, from: number): string => {
    const own = all.filter(({ id }) => id.startsWith(`${arm}-${task}-`));
    return mean(own.map(({ heldOut }) => mean([...heldOut.after.right!.sampled.slice(from, from + 300)].map(Number)))).toFixed(3);
  };
  const heads = [...document.querySelectorAll('[aria-label="Scores by data set"] thead th')].map(({ textContent }) => textContent);
  const rows = [...document.querySelectorAll('[aria-label="Scores by data set"] tbody tr')];
  const cell = (row: number, head: string): string => rows[row].children[heads.indexOf(head)].textContent.slice(0, 5);
  expect(rows).toHaveLength(7);
  expect(cell(0, 'multi_hop, musique')).toBe(share('at2po', 'multi_hop', 600));
  expect(cell(6, 'multi_hop, bamboogle')).toBe(share('tree_grpo', 'multi_hop', 900));
  expect(cell(3, 'single_hop, popqa')).toBe(share('dapo', 'single_hop', 600));
  expect(cell(0, 'multi_hop, musique')).not.toBe(cell(6, 'multi_hop, musique'));
  const strips = readStrips(); // an axis a task
  expect(strips.map(({ isHidden }) => isHidden)).toEqual([false, false]);
  for (const { off, span } of strips) {
    expect(off).toBeLessThan(0.001);
    expect(span).toBeGreaterThan(0.0999);
  }
  await page.viewport(390, 844);
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(390);
}); // prettier-ignore

test('a shipped experiment is read when it is chosen; one that cannot be read says so, and the others stay', async () => {
  const missing = { file: 'gone.json', name: 'gone', question: 'Is it gone?', runs: 4, planned: 6 };
  const { lab } = await open([], shipped, [missing]);
  const list = page.getByRole('region', { name: 'Experiments', exact: true });
  await expect.element(list.getByText('shipped; 4 of 6 runs')).toBeVisible();
  await list.getByRole('button', { name: /^Is it gone/ }).click();
  await expect.element(page.getByText(/gone\.json: status 404/)).toBeVisible();
  expect(lab.selection.getState().experiment).toBe('shipped gone');
  await list.getByRole('button', { name: /^Shown/ }).click();
  await expect.element(page.getByRole('region', { name: 'Answer' })).toBeVisible();
});

test('several tasks are put together in the form: a run of each method, seed and task', async () => {
  await open();
  const form = page.getByRole('region', { name: 'New experiment' });
  await expect.element(form.getByText('10 runs, one after another')).toBeVisible();
  await form.getByRole('button', { name: 'Another task' }).click();
  await expect.element(form.getByText('20 runs, one after another')).toBeVisible();
  await form.getByRole('button', { name: 'Another task' }).click();
  await expect.element(form.getByText('30 runs, one after another')).toBeVisible();
  const taken = [...form.element().querySelectorAll('select')].map(({ value }) => value).filter((value) => ['musique', 'hotpot', '2wiki'].includes(value));
  expect(new Set(taken).size).toBe(3); // none twice
  await form.getByRole('button', { name: /^Leave .* out$/ }).first().click();
  await expect.element(form.getByText('20 runs, one after another')).toBeVisible();
}); // prettier-ignore

test('a new experiment is started in two presses; what cannot be trained says why', async () => {
  const { lab } = await open();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect.element(page.getByText(/This page trains no experiments/)).toBeVisible();
  const report = { what: 'No adapter', where: 'a', got: 'none', wanted: 'one', next: 'c' };
  lab.transport.engineUnavailable(report);
  await expect.element(page.getByText(/No experiment is trained here: No adapter/)).toBeVisible();
  await expect.element(page.getByRole('region', { name: 'Answer' })).toBeVisible(); // it can be read
});
