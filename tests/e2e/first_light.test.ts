/**
 * The main job, on the real page with the real engine: something moves at once, a first visitor finds the way to a
 * changed rule, two updates are trained live,
 * a tree is opened, credit is stepped to its end and back, a token's loss is read.
 */
import { beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';

const WAIT = { timeout: 100_000, interval: 100 }; // below a test's own limit, so that it says what it waited for
const text = (selector: string): string => document.querySelector(selector)?.textContent ?? '';
const texts = (selector: string): string =>
  [...document.querySelectorAll(selector)].map((entry) => entry.textContent).join(' ');
const count = (selector: string): number => document.querySelectorAll(selector).length;
const press = async (name: string): Promise<void> => {
  const all = [...document.querySelectorAll('button')].filter((entry) => entry.checkVisibility());
  const button = all.find((entry) => entry.textContent.trim() === name);
  if (!button) throw new Error(`no button says "${name}"; there are: ${buttons()}`);
  await userEvent.click(button);
};
const buttons = (): string =>
  [...document.querySelectorAll('button')].map((entry) => entry.textContent).join(' | ');
const spoken = (): string => texts('[role=status]');

beforeAll(async () => {
  document.head.prepend(Object.assign(document.createElement('base'), { href: `${location.origin}/` }));
  document.body.replaceChildren(Object.assign(document.createElement('div'), { id: 'root' }));
  await import('../../src/main.tsx');
});

test('a recorded run is on screen and moving before anything is pressed', async () => {
  await expect.poll(() => text('.header h1'), WAIT).toContain('Turnwise');
  await expect.poll(() => text('.badge'), WAIT).toMatch(/Recorded run/);
  await expect.poll(() => count('main svg path'), WAIT).toBeGreaterThan(10);
  const before = document.querySelector('main')?.innerHTML;
  await expect.poll(() => document.querySelector('main')?.innerHTML, WAIT).not.toBe(before);
  expect(count('.error-banner')).toBe(0);
});

/** A tree of the batch with leaves. */
const grown = (): Element | undefined =>
  [...document.querySelectorAll('.tree-button')].find((tree) =>
    /grown|dead|\d of \d/.test(tree.querySelector('.tree-caption')?.textContent ?? ''),
  );

/** Clicks and choices that a first-time visitor makes. */
async function visit(): Promise<number> {
  let actions = 0;
  const click = async (element: Element | null | undefined): Promise<void> => {
    if (!element) throw new Error(`nothing to click; there are: ${buttons()}`);
    actions += 1;
    await userEvent.click(element);
  };
  const named = (pattern: RegExp): Element | undefined =>
    [...document.querySelectorAll('button')].find((entry) => pattern.test(entry.textContent.trim()));
  await expect.poll(spoken, WAIT).toMatch(/Update \d+ done/);
  await click(named(/^Pause$/));
  // A pause may fall into the first moments of the next update, whose trees are roots: one goes back to the one before.
  if (grown() === undefined) await userEvent.keyboard('[[');
  await expect.poll(grown, WAIT).toBeDefined();
  await click(grown());
  await expect.poll(() => text('.prompt-bar'), WAIT).toMatch(/update \d+/);
  if (!/update 1\b/.test(text('.prompt-bar'))) await userEvent.keyboard('[['); // it may grow still
  await expect.poll(() => count('[role=treeitem]'), WAIT).toBeGreaterThan(5);
  await click(named(/Credit$/));
  await expect.poll(() => text('.step-sentence'), WAIT).toContain('Nothing is known yet');
  await click(named(/^Next/));
  await expect.poll(() => text('.step-sentence')).not.toContain('Nothing is known yet');
  const rule = document.querySelector<HTMLSelectElement>('.rules select');
  const own = rule?.value;
  const other = [...(rule?.options ?? [])].find(({ value, disabled }) => !disabled && value !== own)?.value;
  if (!rule || own === undefined || other === undefined) throw new Error('there is no rule to change');
  const before = text('.credit-view');
  actions += 1;
  await userEvent.selectOptions(rule, other);
  await expect.poll(() => text('.credit-view')).not.toBe(before);
  // Put back, so that what follows starts from the run's own rule and the first frame.
  await userEvent.selectOptions(rule, own);
  await userEvent.keyboard('{Home}');
  await userEvent.keyboard('f');
  return actions;
}

test('a first visit goes from watching to a changed rule in five actions, with no dead end', async () => {
  expect(await visit()).toBe(5);
  expect(count('.error-banner')).toBe(0);
  await press('1Train');
  await expect.poll(() => count('.tree-button')).toBeGreaterThan(0);
});

test('two updates are trained live', async () => {
  await expect.poll(() => text('.badge'), WAIT).toMatch(/engine ready/);
  await press('Train live');
  await expect.poll(() => text('.badge'), WAIT).toMatch(/Live on/);
  await expect.poll(buttons, WAIT).toContain('Pause');
  await press('Pause');
  await press('One update');
  await expect.poll(spoken, WAIT).toMatch(/Update [12] done, exact match \d+ %\./); // 2 where the pause came late
  await press('One update');
  await expect.poll(spoken, WAIT).toMatch(/Update [23] done, exact match \d+ %\./);
  expect(count('.error-banner')).toBe(0);
});

test('a tree of the second update shows its turns and why they were expanded', async () => {
  await userEvent.keyboard('2');
  await expect.poll(() => text('.prompt-bar'), WAIT).toMatch(/update [23]\b/);
  // M + L·K leaves and the turns above them
  expect(count('[role=treeitem]')).toBeGreaterThan(11);
  expect(count('.candidates tbody tr')).toBeGreaterThanOrEqual(1);
  expect(count('.candidates tr[data-picked=true]')).toBeGreaterThanOrEqual(1);
});

test('credit steps to the end and back to the first frame', async () => {
  await userEvent.keyboard('3');
  await expect.poll(() => text('.step-sentence'), WAIT).toContain('Nothing is known yet');
  const first = text('.tree-drawing');
  await userEvent.keyboard('{End}');
  await expect.poll(() => text('.step-sentence')).toMatch(/tokens? in \d+ turns? get their turn’s advantage/);
  const [cursor, length] = text('.credit-view output').split('/').map(Number);
  expect(cursor).toBe(length);
  await userEvent.keyboard('{ArrowLeft}'.repeat(length));
  await expect.poll(() => text('.step-sentence')).toContain('Nothing is known yet');
  expect(text('.tree-drawing')).toBe(first);
});

test('the loss view shows a token’s log-probabilities and the gradient norms of the step', async () => {
  await userEvent.keyboard('4');
  await expect.poll(() => texts('.facts'), WAIT).toMatch(/old log-probability−?\d+\.\d{4} nats/);
  expect(count('.turn-lane tbody tr')).toBeGreaterThanOrEqual(1);
  expect(Number(text('.norms tfoot td'))).toBeGreaterThan(0);
});
