import { afterEach, beforeEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import type { LossRow } from '../../src/protocol/protocol.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { lossBalance } from '../../src/store/loss/batch_reading.ts';
import { askClip, layerNorms, lossRowOf } from '../../src/store/loss/loss_reading.ts';
import { clippedTurns, largestPush, largestPushes } from '../../src/store/loss/loss_places.ts';
import { netWeight } from '../../src/store/loss/net_weight.ts';
import type { TreeState, UpdateState } from '../../src/store/record/run_state.ts';
import { formatNumber, formatRatio, formatSigned } from '../../src/ui/parts/format.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { seriousFindings } from '../support/axe.ts';
import { liveTree, scriptedLab, scriptedLog } from '../support/scripted_lab.ts';

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
  expect(fact('row’s share of ∂L/∂logπ')).toBe(formatSigned(row.dlogProb[last], 6));
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

test('norms of every head are listed by matrix and layer, with the norm of all heads', () => {
  const { headNorms } = lossRowOf(update, tree.prompt.index, tree.leaves[0])!.minibatch.step!;
  const tables = [...screen.container.querySelectorAll('table.head-norms')];
  const cells = tables.map((table) =>
    [...table.querySelectorAll('tbody tr')].map((line) =>
      [...line.querySelectorAll('td')].map((cell) => cell.textContent),
    ),
  );
  const wanted = (['query', 'key', 'value', 'output'] as const).map((matrix) =>
    headNorms.map(({ [matrix]: heads }) =>
      [...heads, Math.hypot(...heads)].map((norm) => formatNumber(norm, 4)),
    ),
  );
  expect(cells).toEqual(wanted);
});

test('a recording made before norms by head were logged says so', async () => {
  const { minibatch } = lossRowOf(update, tree.prompt.index, tree.leaves[0])!;
  expect(minibatch.step!.headNorms).not.toEqual([]);
  lab.run.apply([{ ...minibatch.step!, headNorms: [] }]);
  await expect.poll(() => panel('Gradient norms')).toContain('not in this recording');
});

test('axe finds nothing serious in the Loss view', async () => {
  expect(await seriousFindings(screen.container)).toEqual([]);
});

const panel = (name: string): string =>
  screen.container.querySelector(`section[aria-label="${name}"]`)?.textContent ?? '';
const tokenAt = (position: number): HTMLButtonElement =>
  screen.container.querySelectorAll<HTMLButtonElement>('button.token')[position];

test('a masked token says why it carries no loss', async () => {
  const at = [...screen.container.querySelectorAll('button.token')].findIndex(
    (token) => token.getAttribute('data-source') === 'environment',
  );
  tokenAt(at).click();
  await expect.poll(() => panel('Token')).toContain('carries no loss: environment text');
  tokenAt(0).click();
  await expect.poll(() => panel('Token')).toContain('carries no loss: the question');
});

test('the net weight of a shared token is the sum over the rows that count it', async () => {
  const { loss } = lab.run.getState().header!.config!.algorithm;
  const { minibatch } = lossRowOf(update, tree.prompt.index, row.leaf)!;
  const net = netWeight(minibatch, tree, row.leaf, row.tokenIndex[0], loss);
  tokenAt(row.tokenIndex[0]).click();
  await expect.poll(() => panel('Net weight')).toContain(`${net.rowsOfTree}`);
  const cells = (selector: string): readonly string[] =>
    [...screen.container.querySelectorAll(`.net-weight ${selector}`)].map((cell) => cell.textContent);
  expect(cells('tbody tr')).toHaveLength(net.rows.length);
  expect(cells('tfoot td')).toEqual([
    formatNumber(net.weight, 6),
    '',
    formatSigned(net.signed, 6),
    formatSigned(net.dlogProb, 6),
  ]);
});

test('the step is said to push a shared token as the net of its rows does, and a row’s own share is called so', async () => {
  const { loss } = lab.run.getState().header!.config!.algorithm;
  const shared = update.minibatches.flatMap((minibatch) =>
    minibatch.rows.flatMap(({ prompt, leaf, tokenIndex, dlogProb }) =>
      tokenIndex.map((position, at) => {
        const net = netWeight(minibatch, update.trees[prompt], leaf, position, loss);
        return { prompt, leaf, position, share: dlogProb[at], net };
      }),
    ),
  );
  const against = shared.find(({ share, net }) => share * net.dlogProb < 0)!;
  const { prompt, leaf, position, share, net } = against;
  lab.selection.select({ prompt });
  lab.selection.select({ leaf, token: position });
  const [way, other] = net.dlogProb < 0 ? ['more likely', 'less likely'] : ['less likely', 'more likely'];
  await expect.poll(() => panel('Token')).toContain(`The step makes this token ${way} here`);
  expect(panel('Token')).toContain(`net ∂L/∂logπ ${formatSigned(net.dlogProb, 6)}.`);
  expect(panel('Token')).toContain(`This row’s share, ${formatSigned(share, 6)}, would make it ${other}.`);
  expect(fact('net ∂L/∂logπ')).toBe(`${formatSigned(net.dlogProb, 6)}, of ${net.rows.length} rows`);
  expect(panel('Net weight')).toContain(formatSigned(net.dlogProb, 6));
});

test('a narrower band tells how many turns flip and the loss that would result', async () => {
  const { loss } = lab.run.getState().header!.config!.algorithm;
  const moved = update.minibatches.at(-1)!; // its ratios have moved
  const { prompt, leaf } = moved.rows[0];
  lab.selection.select({ prompt });
  lab.selection.select({ leaf });
  await expect.poll(() => panel('Clip band')).toContain('0 of');
  await screen.getByRole('slider', { name: 'ε low' }).fill('0');
  await screen.getByRole('slider', { name: 'ε high' }).fill('0');
  const answer = askClip(moved, loss, { clipLow: 0, clipHigh: 0 });
  expect(answer.flippedGroups).toBeGreaterThan(0);
  await expect
    .poll(() => panel('Clip band'))
    .toContain(`${answer.flippedGroups} of ${answer.groups} turns flip (${answer.flippedTokens} of`);
  expect(panel('Clip band')).toContain(formatSigned(answer.loss, 5));
});

test('“is it learning?” is answered with the mini-batch’s own gradient norm and halves', () => {
  const { loss } = lab.run.getState().header!.config!.algorithm;
  const { minibatch } = lossRowOf(update, tree.prompt.index, row.leaf)!;
  const balance = lossBalance(update, minibatch, loss);
  expect(panel('Is it learning?')).toContain(
    `Yes: the gradient has norm ${formatNumber(minibatch.step!.gradientNorm, 4)}.`,
  );
  expect(fact('Σ w·ℓ of tokens with ℓ < 0')).toBe(formatSigned(balance.gain, 4));
  expect(fact('Σ w·ℓ of tokens with ℓ > 0')).toBe(formatSigned(balance.cost, 4));
  expect(fact('dead prompts')).toBe(`${balance.deadPrompts} of ${balance.prompts}`);
});

test('the distributions count every ratio and every advantage of the mini-batch', () => {
  const { minibatch } = lossRowOf(update, tree.prompt.index, row.leaf)!;
  const counts = [...screen.container.querySelectorAll('.spread table')].map((table) =>
    [...table.querySelectorAll('td:last-child')].reduce((sum, cell) => sum + Number(cell.textContent), 0),
  );
  expect(counts).toEqual([
    minibatch.rows.reduce((sum, { turnLogRatio }) => sum + turnLogRatio.length, 0),
    minibatch.rows.reduce((sum, { tokenIndex }) => sum + tokenIndex.length, 0),
  ]);
});

test('tokens can be coloured by weight, turn ratio and log-probability too', async () => {
  const wanted: readonly (readonly [string, (index: number) => string])[] = [
    ['weight', (index) => formatNumber(row.weight[index], 6)],
    ['turn ratio', (index) => formatRatio(Math.exp(row.turnLogRatio[row.turnIndex[index]]))],
    ['log-prob', (index) => formatNumber(row.logProb[index], 3)],
  ];
  for (const [name, text] of wanted) {
    await screen.getByRole('button', { name, exact: true }).click();
    row.tokenIndex.forEach((position, index) =>
      expect(tokenAt(position).getAttribute('aria-label')).toContain(text(index)),
    );
  }
});

test('a step that was skipped says its norm as it was, and draws no bar of it', async () => {
  await cleanup();
  const broken = createLab(() => undefined);
  const log = await scriptedLog();
  broken.run.apply(
    log.map((event) =>
      event.kind !== 'step'
        ? event
        : {
            ...event,
            gradientNorm: NaN,
            gradientNorms: Object.fromEntries(Object.keys(event.gradientNorms).map((name) => [name, NaN])),
            skipped: true,
          },
    ),
  );
  broken.selection.select({ view: 'loss', update: 1, prompt: tree.prompt.index });
  broken.selection.select({ leaf: tree.leaves[0] });
  screen = await render(<App lab={broken} />);
  const norms = screen.container.querySelector('section[aria-label="Gradient norms"]');
  const total = norms?.querySelector('tfoot tr')?.textContent;
  expect(total).toContain('not a number');
  expect(total).toContain('not finite: step skipped');
  expect(norms?.querySelectorAll('.norm-bar span')).toHaveLength(0);
});

test('without a leaf the view opens on the token with the largest push of the prompt, and the keys lead on', async () => {
  const config = lab.run.getState().header!.config!.algorithm.loss;
  const pushes = largestPushes(update, config);
  const inPrompt = largestPush(pushes.filter(({ prompt }) => prompt === tree.prompt.index))!;
  lab.selection.select({ leaf: null, token: null, node: null });
  await expect.poll(() => fact('net ∂L/∂logπ')).toContain(formatSigned(inPrompt.net, 6));
  expect(screen.container.querySelector('.leaf-picker [aria-pressed=true]')?.textContent).toContain(
    `n${inPrompt.leaf}`,
  );
  await screen.getByRole('button', { name: /^largest push/ }).click();
  const most = largestPush(pushes)!;
  await expect.poll(() => fact('net ∂L/∂logπ')).toContain(formatSigned(most.net, 6));
  expect(lab.selection.getState()).toMatchObject({
    prompt: most.prompt,
    leaf: most.leaf,
    token: most.position,
  });
  await userEvent.keyboard('d');
  await expect.poll(() => lab.selection.getState().token).not.toBe(most.position);
});

test('clipped turns are marked at leaves and prompts, and one button goes through all of them', async () => {
  await cleanup();
  const narrow = (await scriptedLog()).map(
    (event) =>
    event.kind !== 'run-started'
      ? event
      : { ...event, config: { ...event.config!, algorithm: { ...event.config!.algorithm, loss: { ...event.config!.algorithm.loss, clipLow: 1e-4, clipHigh: 1e-4 } } } }, // prettier-ignore
  );
  lab = createLab(() => undefined);
  lab.run.apply(narrow);
  lab.selection.select({ view: 'loss', update: 1, prompt: tree.prompt.index });
  screen = await render(<App lab={lab} />);
  const live = lab.run.getState().updates[0];
  const { places, turns } = clippedTurns(live, lab.run.getState().header!.config!.algorithm.loss);
  expect(places.length).toBeGreaterThan(1);
  await expect.element(screen.getByText(`${places.length} of ${turns} turns in rows clipped`)).toBeVisible();
  for (const { prompt } of places) {
    const count = places.filter((place) => place.prompt === prompt).length;
    const option = screen.container.querySelectorAll('.prompt-bar option')[prompt];
    expect(option.textContent).toContain(`⊘ ${count} clipped`);
  }
  const visited = new Set<string>();
  for (let press = 0; press < places.length; press += 1) {
    const before = JSON.stringify(lab.selection.getState());
    await userEvent.keyboard('c');
    await expect.poll(() => JSON.stringify(lab.selection.getState())).not.toBe(before);
    const { prompt, leaf, token } = lab.selection.getState();
    visited.add(`${prompt} ${leaf} ${token}`);
    await expect.poll(() => fact('clip band')).toContain('clipped');
    expect(fact('clip band')).not.toContain('not clipped');
    expect(screen.container.querySelector('.leaf-picker [aria-pressed=true]')?.getAttribute('aria-label')).toContain('clipped turn'); // prettier-ignore
  }
  expect(visited.size).toBe(places.length);
});
