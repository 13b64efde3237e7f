import { afterEach, beforeEach, expect, test } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import type { Lab } from '../../src/store/lab.ts';
import { lossRowOf, layerNorms } from '../../src/store/loss_reading.ts';
import type { TreeState, UpdateState } from '../../src/store/run_state.ts';
import type { LossRow } from '../../src/train/protocol.ts';
import { App } from '../../src/ui/App.tsx';
import { formatNumber, formatRatio, formatSigned } from '../../src/ui/format.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';
import { seriousFindings } from '../support/axe.ts';

let lab: Lab;
let tree: TreeState;
let update: UpdateState;
let row: LossRow;
let screen: RenderResult;

afterEach(() => cleanup());

beforeEach(async () => {
  lab = await scriptedLab();
  ({ update, tree } = liveTree(lab));
  const leaf = tree.leaves[0];
  lab.selection.select({ view: 'loss', update: 1, prompt: tree.prompt.index });
  lab.selection.select({ leaf });
  row = lossRowOf(update, tree.prompt.index, leaf)!.row;
  screen = await render(<App lab={lab} />);
});

const fact = (name: string): string =>
  [...screen.container.querySelectorAll('.facts > div')]
    .find((entry) => entry.querySelector('dt')?.textContent === name)
    ?.querySelector('dd')?.textContent ?? '';

test('the turn lane shows each turn’s ratio and advantage as the trainer had them', () => {
  const rows = [...screen.container.querySelectorAll('.turn-lane tbody tr')];
  expect(rows).toHaveLength(row.turnLogRatio.length);
  rows.forEach((line, turn) => {
    const cells = [...line.querySelectorAll('td')].map((cell) => cell.textContent);
    const first = row.turnIndex.indexOf(turn);
    expect(cells[1]).toBe(String(row.turnIndex.filter((index) => index === turn).length));
    expect(cells[2]).toContain(formatSigned(row.advantage[first]));
    expect(cells[3]).toBe(formatRatio(Math.exp(row.turnLogRatio[turn])));
  });
});

test('a chosen token shows old and new log-probability, loss and gradient', async () => {
  const last = row.tokenIndex.length - 1;
  const token = screen.container.querySelectorAll<HTMLButtonElement>('button.token')[row.tokenIndex[last]];
  token.click();
  await expect.poll(() => fact('old log-probability')).toContain(formatNumber(row.oldLogProb[last], 4));
  expect(fact('new log-probability')).toContain(formatNumber(row.logProb[last], 4));
  expect(fact('loss of the token')).toBe(formatSigned(row.tokenLoss[last], 4));
  expect(fact('gradient ∂L/∂logπ')).toBe(formatSigned(row.dlogProb[last], 6));
});

test('environment text is hatched and says that it carries no loss', () => {
  const masked = [...screen.container.querySelectorAll('button.token[data-source=environment]')];
  expect(masked.length).toBeGreaterThan(0);
  for (const token of masked) expect(token.getAttribute('aria-label')).toContain('no loss, environment text');
});

test('colouring by gradient puts each token’s gradient in words', async () => {
  await screen.getByRole('button', { name: 'gradient', exact: true }).click();
  const tokens = screen.container.querySelectorAll('button.token');
  row.tokenIndex.forEach((position, index) => {
    expect(tokens[position].getAttribute('aria-label')).toContain(formatSigned(row.dlogProb[index], 5));
  });
});

test('gradient norms of every layer are listed with their total', () => {
  const { step } = lossRowOf(update, tree.prompt.index, tree.leaves[0])!.minibatch;
  const cells = [...screen.container.querySelectorAll('.norms tbody tr')].map((line) => [
    line.querySelector('th')?.textContent,
    line.querySelector('td')?.textContent,
  ]);
  expect(cells).toEqual(
    layerNorms(step!.gradientNorms).map(({ name, norm }) => [name, formatNumber(norm, 4)]),
  );
  expect(screen.container.querySelector('.norms tfoot td')?.textContent).toBe(
    formatNumber(step!.gradientNorm, 4),
  );
});

test('axe finds nothing serious in the Loss view', async () => {
  expect(await seriousFindings(screen.container)).toEqual([]);
});
