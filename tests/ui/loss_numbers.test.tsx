/** The loss on screen against the numbers that the trainer logged, on every kind of run. */
import { afterEach, describe, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { lossRowOf } from '../../src/store/loss/loss_reading.ts';
import type { MinibatchState, UpdateState } from '../../src/store/record/run_state.ts';
import { isLogged, type LossRow, type EngineEvent } from '../../src/protocol/protocol.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatCount, formatNumber, formatRatio, formatSigned } from '../../src/ui/parts/format.ts';
import type { LossConfig } from '../../src/units.ts';
import { RUN_SOURCES } from '../support/run_sources.ts';
import { scriptedLog } from '../support/scripted_lab.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

let screen: RenderResult;

afterEach(() => cleanup());

const all = (selector: string): readonly Element[] => [...screen.container.querySelectorAll(selector)];
const fact = (name: string): string =>
  all('.facts > div')
    .find((entry) => entry.querySelector('dt')?.textContent === name)
    ?.querySelector('dd')?.textContent ?? '';
const tokenAt = (position: number): Element => all('button.token')[position];

interface Shown {
  readonly update: UpdateState;
  readonly minibatch: MinibatchState;
  readonly row: LossRow;
}

/** Opens the row of the last mini-batch, whose ratios have moved, that `wants`. */
async function open(
  log: readonly EngineEvent[],
  show: (typeof RUN_SOURCES)[number][1],
  wants: (row: LossRow) => boolean = () => true,
): Promise<Shown> {
  const lab = createLab(() => undefined);
  show(lab, log.filter(isLogged));
  const [update] = lab.run.getState().updates;
  const { prompt, leaf } = update.minibatches.at(-1)!.rows.find(wants)!;
  lab.selection.select({ view: 'loss', update: 1, prompt });
  lab.selection.select({ leaf });
  screen = await render(<App lab={lab} />);
  return { update, ...lossRowOf(update, prompt, leaf)! };
}

const ratioOf = ({ turnLogRatio, turnIndex }: LossRow, index: number): number =>
  Math.exp(turnLogRatio[turnIndex[index]]);

/** As a token says it: the trainer's number, and whether it counts as above or below. */
const COLOURS: Readonly<Record<string, (row: LossRow, index: number) => readonly [string, number]>> = {
  loss: ({ tokenLoss }, at) => [formatSigned(tokenLoss[at], 3), tokenLoss[at]],
  gradient: ({ dlogProb }, at) => [formatSigned(dlogProb[at], 5), dlogProb[at]],
  weight: ({ weight }, at) => [formatNumber(weight[at], 6), 0],
  advantage: ({ advantage }, at) => [formatSigned(advantage[at]), advantage[at]],
  'turn ratio': (row, at) => [formatRatio(ratioOf(row, at)), ratioOf(row, at) - 1],
  'log-ratio': ({ logProb, oldLogProb }, at) => [
    ...([formatSigned(logProb[at] - oldLogProb[at], 4), logProb[at] - oldLogProb[at]] as const),
  ],
  'log-prob': ({ logProb }, at) => [formatNumber(logProb[at], 3), 0],
  surprisal: ({ logProb }, at) => [formatNumber(-logProb[at], 3), 0],
  entropy: ({ entropy }, at) => [formatNumber(entropy[at], 3), 0],
};

describe.each(RUN_SOURCES)('on %s', (_, show) => {
  test('each of nine colours says the trainer’s number of every token, and its sign without colour', async () => {
    const { row } = await open(await scriptedLog(), show);
    const names = all('[aria-label="Colour tokens by"] button').map((button) => button.textContent);
    expect(names.toSorted()).toEqual(Object.keys(COLOURS).toSorted());
    for (const [name, numberOf] of Object.entries(COLOURS)) {
      await screen.getByRole('button', { name, exact: true }).click();
      row.tokenIndex.forEach((position, index) => {
        const [number, sign] = numberOf(row, index);
        const token = tokenAt(position);
        expect(token.getAttribute('aria-label')).toContain(`${name} `);
        expect(token.getAttribute('aria-label')?.endsWith(` ${number}`)).toBe(true);
        expect(token.getAttribute('data-sign')).toBe(sign > 0 ? 'plus' : sign < 0 ? 'minus' : null);
      });
    }
  });

  test('a chosen token says its log-probability when sampled and now, their difference, its weight and its gradient', async () => {
    const moved = ({ logProb, oldLogProb }: LossRow): number =>
      logProb.findIndex((now, at) => Math.abs(now - oldLogProb[at]) > 1e-3);
    const { row } = await open(await scriptedLog(), show, (one) => moved(one) >= 0);
    const at = moved(row);
    (tokenAt(row.tokenIndex[at]) as HTMLElement).click();
    const [old, now] = [row.oldLogProb[at], row.logProb[at]];
    expect(formatNumber(old, 4)).not.toBe(formatNumber(now, 4));
    await expect.poll(() => fact('old log-probability')).toContain(`${formatNumber(old, 4)} nats (p ${formatNumber(Math.exp(old), 3)})`); // prettier-ignore
    expect(fact('new log-probability')).toContain(`${formatNumber(now, 4)} nats (p ${formatNumber(Math.exp(now), 3)})`); // prettier-ignore
    expect(fact('log-ratio of the token')).toContain(formatSigned(now - old, 4));
    expect(fact('turn ratio s')).toContain(formatRatio(ratioOf(row, at)));
    expect(fact('weight w')).toBe(formatNumber(row.weight[at], 6));
    expect(fact('loss of the token')).toBe(formatSigned(row.tokenLoss[at], 4));
    expect(fact('row’s share of ∂L/∂logπ')).toBe(formatSigned(row.dlogProb[at], 6));
  });

  test('“is it learning?” counts the mini-batch’s pushed tokens, and its halves add up to the loss', async () => {
    const { minibatch } = await open(await scriptedLog(), show);
    const pushes = minibatch.rows.flatMap(({ dlogProb }) => dlogProb);
    const of = `of ${formatCount(pushes.length)} in rows`;
    expect(fact('tokens pushed up')).toContain(`${formatCount(pushes.filter((d) => d < 0).length)} ${of}`);
    expect(fact('pushed down')).toContain(`${formatCount(pushes.filter((d) => d > 0).length)} ${of}`);
    expect(fact('not pushed')).toContain(formatCount(pushes.filter((d) => d === 0).length));
    const half = (sign: string): number => Number(fact(`Σ w·ℓ of tokens with ℓ ${sign} 0`).replace('−', '-'));
    expect(half('<') + half('>')).toBeCloseTo(minibatch.loss!, 3);
    expect(fact('Σ |∂L/∂logπ|')).toBe(
      formatNumber(
        pushes.reduce((sum, d) => sum + Math.abs(d), 0),
        4,
      ),
    );
    expect(fact('gradient norm')).toBe(formatNumber(minibatch.step!.gradientNorm, 4));
  });

  test('norms of the layers are listed, and their squares add up to the square of the step’s norm', async () => {
    const { minibatch } = await open(await scriptedLog(), show);
    const norms = all('table.norms tbody td:nth-child(2)').map((cell) => Number(cell.textContent));
    expect(norms.length).toBeGreaterThan(2);
    expect(Math.hypot(...norms)).toBeCloseTo(minibatch.step!.gradientNorm, 3);
  });

  test('the distributions count each ratio in its bin, draw the band where it lies and say what is outside', async () => {
    const { minibatch } = await open(await scriptedLog(), show);
    const { clipLow, clipHigh } = smallConfig().algorithm.loss;
    const ratios = minibatch.rows.flatMap(({ turnLogRatio }) => turnLogRatio.map(Math.exp));
    const [figure] = all('.spread figure');
    const outside = ratios.filter((ratio) => ratio < 1 - clipLow || ratio > 1 + clipHigh).length;
    expect(figure.querySelector('figcaption')?.textContent).toContain(
      `${ratios.length} turns, from ${formatRatio(Math.min(...ratios))} to ${formatRatio(Math.max(...ratios))}; ${outside} lie outside`,
    );
    const [low, high] = [...figure.querySelectorAll('svg text')].map((label) => Number(label.textContent));
    const at = (ratio: number): number => (360 * (ratio - low)) / (high - low);
    const band = figure.querySelector('.in-band')!;
    const [x, width] = [Number(band.getAttribute('x')), Number(band.getAttribute('width'))];
    expect(Math.abs(x - at(1 - clipLow))).toBeLessThan(2);
    expect(Math.abs(x + width - at(1 + clipHigh))).toBeLessThan(2);
    for (const line of figure.querySelectorAll('tbody tr')) {
      const [from, to, count] = [...line.querySelectorAll('td')].map((cell) => Number(cell.textContent));
      const [sure, near] = [1, -1].map(
        (way) => ratios.filter((r) => r >= from + way * 1e-4 && r < to - way * 1e-4).length,
      );
      expect(count).toBeGreaterThanOrEqual(sure); // the table rounds its ends
      expect(count).toBeLessThanOrEqual(near);
    }
  });
});

test('masked text is hatched: every token without a loss but the question’s, and no other', async () => {
  const severalTurns = ({ turnLogRatio }: LossRow): boolean => turnLogRatio.length > 1; // a tool has answered
  const { row } = await open(await scriptedLog(), RUN_SOURCES[0][1], severalTurns);
  expect(all('button.token[data-source=environment]').length).toBeGreaterThan(0);
  all('button.token').forEach((token, position) => {
    const hatched = getComputedStyle(token).backgroundImage.includes('repeating-linear-gradient');
    expect(hatched).toBe(
      !row.tokenIndex.includes(position) && token.getAttribute('data-source') !== 'prompt',
    );
  });
});

/** A run with a band so narrow that some turns leave it. */
const NARROW = 2e-4;
let narrow: Promise<readonly EngineEvent[]> | null = null;
function narrowLog(): Promise<readonly EngineEvent[]> {
  const { algorithm } = smallConfig();
  const loss: LossConfig = { ...algorithm.loss, clipLow: NARROW, clipHigh: NARROW };
  return (narrow ??= scriptedRun(smallConfig({ algorithm: { ...algorithm, loss } })));
}

/** Turns whose tokens the trainer gave no gradient though they have an advantage. */
const silentTurns = (row: LossRow): readonly boolean[] =>
  row.turnLogRatio.map((_, turn) => {
    const first = row.turnIndex.indexOf(turn);
    return row.advantage[first] !== 0 && row.dlogProb[first] === 0;
  });

test('the turn lane says clipped, with a mark, exactly where the trainer let no gradient through, and draws the ratio outside the band', async () => {
  const log = await narrowLog();
  const { row } = await open(log, RUN_SOURCES[1][1], (one) => silentTurns(one).includes(true));
  const lines = all('.turn-lane tbody tr');
  expect(all('.turn-lane th').map((head) => head.textContent)).toContain(
    `band [${formatRatio(1 - NARROW)}, ${formatRatio(1 + NARROW)}]`,
  );
  silentTurns(row).forEach((silent, turn) => {
    const ratio = Math.exp(row.turnLogRatio[turn]);
    const state = lines[turn].querySelector('.state')?.textContent;
    const side = ratio > 1 ? 'above' : 'below';
    expect(state).toBe(silent ? `⊘ clipped ${side}: no gradient` : 'not clipped');
    const inside = lines[turn].querySelector('.band-inside')!;
    const x = Number(/^M([\d.]+)/.exec(lines[turn].querySelector('.band-ratio')!.getAttribute('d')!)?.[1]);
    const from = Number(inside.getAttribute('x'));
    expect(x >= from && x <= from + Number(inside.getAttribute('width'))).toBe(
      ratio >= 1 - NARROW && ratio <= 1 + NARROW,
    );
  });
  const position = row.tokenIndex[row.turnIndex.indexOf(silentTurns(row).indexOf(true))];
  (tokenAt(position) as HTMLElement).click();
  await expect
    .poll(() => screen.container.querySelector('section[aria-label="Why no push"]')?.textContent)
    .toContain('Its ratio is clipped');
});

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/** What the table of stopping is to say, straight from the logged rows: per turn, of those that answer there and of those that go on. */
function stoppingCells(
  { minibatches, trees }: UpdateState,
  byTokens: boolean,
): readonly (readonly string[])[] {
  const steps = minibatches.flatMap(({ rows }) => {
    const tokens = rows.flatMap(({ weight }) => weight);
    const middle = tokens.reduce((sum, weight) => sum + weight, 0) / tokens.length;
    return rows.flatMap((row) =>
      row.turnLogRatio.map((_, turn) => {
        const own = row.turnIndex.flatMap((of, at) => (of === turn ? [at] : []));
        const first = own[0]; // all tokens of a row weigh alike under these two
        const isLast = turn === row.turnLogRatio.length - 1;
        const ended = trees[row.prompt].nodes[row.leaf]?.ending === 'answer' ? 'answer' : 'fail';
        const loud = row.weight[first] / middle;
        const term = mean(own.map((at) => -row.dlogProb[at] / row.weight[at]))!;
        return { turn, kind: isLast ? ended : 'on', loud, push: byTokens ? term : term * loud };
      }),
    );
  });
  return Array.from({ length: Math.max(...steps.map(({ turn }) => turn)) + 1 }, (_, turn) =>
    ['answer', 'on'].flatMap((kind) => {
      const own = steps.filter((step) => step.turn === turn && step.kind === kind);
      const [loud, push] = [own.map((step) => step.loud), own.map((step) => step.push)].map(mean);
      return [formatCount(own.length), formatNumber(loud), formatSigned(push, 3)];
    }),
  );
}

test.each(['at2po', 'grpo'] as const)(
  'who is taught to stop under %s: the table says what the rows say, and what another reduction would',
  async (name) => {
    const log =
    name === 'at2po' ? await scriptedLog() : await scriptedRun(withAlgorithm(smallConfig(), algorithms.grpo.config)); // prettier-ignore
    const { update } = await open(log, RUN_SOURCES[1][1]);
    const table = (): readonly (readonly string[])[] =>
    all('table.stopping tbody tr').map((line) => [...line.querySelectorAll('td')].map((cell) => cell.textContent ?? '')); // prettier-ignore
    await expect.poll(() => table().length).toBeGreaterThan(1);
    const lines = table();
    expect(lines.map((cells) => cells.slice(0, 6))).toEqual(stoppingCells(update, false));
    const heads = all('table.stopping thead tr:last-child th').slice(-2).map((head) => head.textContent); // prettier-ignore
    const [rows, tokens] = ['mean over rows', 'mean over tokens'];
    expect(heads).toEqual(name === 'at2po' ? [rows, tokens] : [tokens, rows]);
    if (name === 'grpo') return;
    stoppingCells(update, true).forEach((cells, turn) => {
      const [answering, goingOn] = [cells[2], cells[5]].map((text) => Number(text.replace('−', '-')));
      const said = Number(lines[turn][10].replace('−', '-'));
      if (Number.isNaN(answering) || Number.isNaN(goingOn)) expect(lines[turn][10]).toBe('–');
      else expect(Math.abs(said - (answering - goingOn))).toBeLessThan(0.0016); // three numbers are rounded
    });
  },
);
