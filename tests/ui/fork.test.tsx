/** A live run forked from its settings, on the page with the real engine. */
import { afterAll, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { cleanup } from 'vitest-browser-react';
import { whatChangedFirst } from '../../src/store/record/run_difference.ts';
import { formatNumber } from '../../src/ui/parts/format.ts';
import { comparable, liveConfig, openLivePage, type LiveEngine } from '../support/live_page.tsx';

const SOON = { timeout: 60_000 };
const config = { ...liveConfig(), promptsPerUpdate: 2, promptsPerMinibatch: 1 };
let engine: LiveEngine;
afterAll(async () => {
  await cleanup();
  await engine.close();
});

const textOf = (selector: string): string =>
  (document.querySelector(selector)?.textContent ?? '').replace(/\s+/g, ' ');

test('a changed setting offers to fork now or to start again; the fork goes on from there, and Compare names its parent and what differs first', async () => {
  const open = await openLivePage(config);
  const { lab } = open;
  ({ engine } = open);
  await expect.poll(() => lab.transport.getState().prepared, SOON).toBe(true);
  await page.getByRole('button', { name: 'Train live' }).first().click();
  await expect.poll(() => lab.run.getState().status, SOON).toBe('finished');
  lab.selection.select({ update: 1 }); // its weights are replayed
  const parent = lab.run.getState().header!.date;

  await userEvent.keyboard('s');
  const offers = () => [...document.querySelectorAll('.draft-actions button')].map((button) => button.textContent); // prettier-ignore
  expect(offers()).toEqual([]);
  const rate = page.getByRole('spinbutton', { name: /Learning rate/ });
  const faster = 2 * config.optimiser.learningRate;
  await rate.fill(String(faster));
  await userEvent.keyboard('{Enter}');
  await expect
    .poll(offers)
    .toEqual(['Fork now, after update 1', 'Start again with the same seed', 'Undo changes']);
  const channels = { ...config, model: { ...config.model, channels: 2 * config.model.channels } };
  lab.transport.setDraft(channels);
  const forkNow = page.getByRole('button', { name: 'Fork now, after update 1' });
  await expect.element(forkNow).toBeDisabled();
  expect(textOf('.draft-actions')).toContain(
    'model.channels cannot change at a fork: the weights of the parent have its shape.',
  );
  const { optimiser } = config;
  lab.transport.setDraft({ ...config, optimiser: { ...optimiser, learningRate: faster } });
  const from = engine.events.length;
  await forkNow.click();
  const started = await engine.next('run-started', from);
  expect(started).toMatchObject({
    origin: { kind: 'forked', run: parent, update: 1 },
    config: { optimiser: { learningRate: faster } },
  });
  await expect.poll(() => lab.run.getState().status, SOON).toBe('finished');
  const forked = comparable(engine.events.slice(from));
  expect(forked.find(({ kind }) => kind === 'update-started')).toMatchObject({ update: 2 });

  // what lies before the fork is the parent's
  const [{ title, record }] = lab.shelf.getState().runs;
  expect(record.getState().header!.date).toBe(parent);
  lab.selection.select({ view: 'tree', update: 1 });
  await expect
    .poll(() => document.body.textContent)
    .toContain(`Update 1 is before the fork, which goes on from update 1: it is in run ${title}.`);

  lab.selection.select({ view: 'compare', compared: 'runs', update: null });
  await expect
    .poll(() => document.body.textContent)
    .toContain('A was forked from B after update 1: up to there it is B');
  expect(document.body.textContent).toContain('Learning rate');
  const [first] = whatChangedFirst(lab.run.getState(), record.getState());
  expect(first).toMatchObject({ update: 2, token: expect.any(Number) as number });
  const { a, b, prompt, node, token } = first;
  const numbers = `of update 2, prompt ${prompt + 1}, n${node}, token ${token! + 1}: A ${formatNumber(a as number, 4)}, B ${formatNumber(b as number, 4)}`;
  await expect.poll(() => document.body.textContent.replace(/\s+/g, ' ')).toContain(numbers);
});
