import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import type { Lab } from '../../src/store/lab/lab.ts';
import { lossRowOf } from '../../src/store/loss/loss_reading.ts';
import { tokenQuestion } from '../../src/store/ask/token_question.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatNumber, formatSigned } from '../../src/ui/parts/format.ts';
import type { TokenId } from '../../src/units.ts';
import { seriousFindings } from '../support/axe.ts';
import type { Listener } from '../support/questions.ts';
import { askingLab, liveTree } from '../support/scripted_lab.ts';
import { stepCheckOf } from '../support/step_check.ts';

let lab: Lab;
let listener: Listener;
let screen: RenderResult;

afterEach(() => cleanup());

beforeEach(async () => {
  ({ lab, listener } = await askingLab());
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'loss', update: 1, prompt: tree.prompt.index });
  lab.selection.select({ leaf: tree.leaves[0] });
  lab.selection.select({ token: own().position });
  screen = await render(<App lab={lab} />);
});

const panel = (name: string): Element => screen.container.querySelector(`section[aria-label="${name}"]`)!;
const own = () => {
  const { update, tree } = liveTree(lab);
  const leaf = tree.leaves[0];
  const { row } = lossRowOf(update, tree.prompt.index, leaf)!;
  return { update, tree, leaf, row, position: row.tokenIndex[0] };
};

test('the button asks about the token on screen, and the answer is shown number for number', async () => {
  const { update, tree, leaf, position } = own();
  await screen.getByRole('button', { name: 'Which words were pushed?' }).click();
  const question = tokenQuestion(lab.run.getState().header!.config!, update, tree, leaf, position)!;
  const at = { run: lab.run.getState().header!.date, update: update.update - 1 }; // the weights that grew the tree
  expect(listener.asked.at(-1)?.question).toEqual({ kind: 'inspect-token', ...question, at });
  const chosen = { token: question.tokens.at(-1)!, logProb: -0.2, dlogit: -0.0125 };
  const other = { token: ((chosen.token + 1) % 100) as TokenId, logProb: -2, dlogit: 0.0075 };
  await listener.answer('inspect-token', {
    ...{ update: 1, prompt: tree.prompt.index, leaf, position, readers: 3 },
    ...{ chosen, rank: 1, top: [chosen, other], entropy: 1, parameters: 'current', ms: 5 },
    others: { count: 126, probability: 0.05, dlogit: 0.005 },
  });
  await expect.poll(() => panel('Push on the logits').querySelectorAll('tbody tr').length).toBe(3);
  const cells = [...panel('Push on the logits').querySelectorAll('tbody tr')].map((line) =>
    [...line.querySelectorAll('td.number')].map((cell) => cell.textContent),
  );
  expect(cells).toEqual([
    [formatNumber(Math.exp(-0.2), 4), formatSigned(0.0125, 6)],
    [formatNumber(Math.exp(-2), 4), formatSigned(-0.0075, 6)],
    [formatNumber(0.05, 4), formatSigned(-0.005, 6)],
  ]);
  expect(panel('Push on the logits').textContent).toContain('3 rows');
  expect(await seriousFindings(screen.container)).toEqual([]);
});

test.each([
  ['too small for six digits', 3e-9, '+3.000000'],
  ['none', 0, '0.000000'],
])('pushes that are %s do not read as zeros beside a full bar', async (_, size, first) => {
  const { tree, leaf, position } = own();
  const chosen = { token: 5 as TokenId, logProb: -0.2, dlogit: -size };
  const other = { token: 6 as TokenId, logProb: -2, dlogit: size / 2 };
  await screen.getByRole('button', { name: 'Which words were pushed?' }).click();
  await listener.answer('inspect-token', {
    ...{ update: 1, prompt: tree.prompt.index, leaf, position, readers: 1 },
    ...{ chosen, rank: 1, top: [chosen, other], entropy: 1, parameters: 'current', ms: 5 },
    others: { count: 126, probability: 0.05, dlogit: size / 2 },
  });
  const lines = (): readonly Element[] => [...panel('Push on the logits').querySelectorAll('tbody tr')];
  await expect.poll(() => lines().length).toBe(3);
  expect(lines()[0].querySelectorAll('td.number')[1].textContent).toBe(first);
  for (const line of lines()) {
    const reads = Number(line.querySelectorAll('td.number')[1].textContent.replace('−', '-'));
    const bar = parseFloat(line.querySelector<HTMLElement>('.push-bar span')!.style.width);
    expect(bar > 0).toBe(reads !== 0);
  }
  const words = panel('Push on the logits').textContent;
  expect(words.includes('in 10−9')).toBe(size > 0);
  expect(words.includes('No word is pushed')).toBe(size === 0);
});

test('a question that fails says why on the page, and can be asked again; the run is as it was', async () => {
  const ask = screen.getByRole('button', { name: 'Which words were pushed?' });
  await ask.click();
  await expect.element(screen.getByRole('button', { name: 'Computing …' })).toBeDisabled();
  const { status, eventCount } = lab.run.getState();
  const report = { what: 'No room', where: 'logits', got: 'none', wanted: 'some', next: 'Wait.' };
  await listener.fail('inspect-token', report);
  await expect.element(ask).toBeEnabled();
  expect(lab.run.getState()).toMatchObject({ failure: report, status, eventCount });
});

test('a checked step shows promise, outcome and this token’s change', async () => {
  const { row } = own();
  const after = row.logProb.map((value, index) => value + (index === 0 ? 0.0125 : -0.001));
  const predicted = row.logProb.map((_, index) => (index === 0 ? 0.0135 : -0.0009));
  lab.inspection.setState({ stepCheck: stepCheckOf(row, predicted, after) });
  const text = (): string => panel('Predicted and actual change').textContent ?? '';
  await expect.poll(text).toContain(formatSigned(-0.0105, 6));
  for (const value of [
    formatSigned(-0.01, 6),
    formatSigned(-0.0102, 6),
    formatNumber(0.75, 3),
    formatSigned(-0.0104, 6),
    formatNumber(0.875, 3),
    `${formatSigned(0.0125, 5)} nats`,
    `${formatSigned(0.0135, 5)} nats`,
  ])
    // prettier-ignore
    expect(text()).toContain(value);
  const points = [...panel('Predicted and actual change').querySelectorAll('circle')];
  expect(points).toHaveLength(predicted.length);
  const [first] = points; // 0.0135 is the extent: 0.95 of the half axis to the right; 0.0125 of it up
  expect(Number(first.getAttribute('cx'))).toBeCloseTo(120 * 1.95, 6);
  expect(Number(first.getAttribute('cy'))).toBeCloseTo(90 * (1 - (0.95 * 0.0125) / 0.0135), 6);
  expect(await seriousFindings(screen.container)).toEqual([]);
});
