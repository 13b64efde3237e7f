/** For a class, outside its room: a frame in a course page, what a teacher's link hides, its code, the worksheet. */
import jsQR from 'jsqr';
import { afterEach, describe, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { evaluate } from '../../src/store/lesson/expression.ts';
import { formatQuantity } from '../../src/ui/lessons/Passage.tsx';
import { findings } from '../support/axe.ts';
import { clearPage, show, showReady, showScripted } from '../support/shown_lab.tsx';
import { smallTargets } from '../support/targets.ts';

let lab: Lab;
afterEach(clearPage);

const slide = (): HTMLElement => document.querySelector<HTMLElement>('.presenter')!;
const press = (key: string): Promise<void> => userEvent.keyboard(key);

describe('a frame in another page', () => {
  /** With an engine that rests until somebody asks for it. */
  async function frame(fields: string) {
    const asked: string[] = [];
    const made = createLab(({ kind }) => asked.push(kind), `#v1&${fields}`, undefined, undefined, {
      restart: () => asked.push('restart'),
      rests: true,
    });
    lab = await show(made, true);
    return asked;
  }
  const bar = (): string => document.querySelector('.frame-bar')!.textContent;

  test.each([
    ['lesson=averaging', 'Credit, lesson: Averaging up the tree', 'A small tree'],
    ['example=0.5(0.5=1,0.5=0),0.5=0&view=tree', 'Tree, a small tree', 'n2'],
  ])('%s says what it shows and starts nothing', async (fields, words, content) => {
    const asked = await frame(fields);
    await expect.poll(bar).toContain(words);
    await expect.poll(() => document.getElementById('root')!.textContent).toContain(content);
    await expect.poll(() => document.querySelectorAll('.tree-drawing [data-node]').length).toBeGreaterThan(3);
    expect(document.getElementById('root')!.textContent).not.toMatch(/engine (is )?starting/i);
    expect(document.querySelector('.header')).toBeNull();
    expect(asked).toEqual([]);
    await page.getByRole('button', { name: 'Start the engine' }).click();
    await expect.poll(bar).toContain('Engine starting …');
    expect(asked).toContain('restart');
  });

  test('of a run says what will come, and why nothing can be trained yet', async () => {
    await frame('view=profile&update=3');
    await expect.poll(bar).toContain('Profile, update 3');
    await expect.element(page.getByText('The engine is not started: the button below the view starts it.')).toBeVisible(); // prettier-ignore
    expect(document.getElementById('root')!.textContent).not.toMatch(/engine (is )?starting/i);
    lab.transport.trainLive();
    await expect.poll(bar).toContain('Engine starting …');
    expect(lab.transport.getState().awaiting).toBe(true);
  });
});

/** The text of a QR code as a camera reads it. */
async function readCode(svg: SVGElement): Promise<string | undefined> {
  const side = 900;
  const copy = svg.cloneNode(true) as SVGElement;
  copy.setAttribute('width', String(side));
  copy.setAttribute('height', String(side));
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const image = new Image(side, side);
  image.src = `data:image/svg+xml,${encodeURIComponent(copy.outerHTML)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
  const pixels = canvas.getContext('2d')!;
  pixels.drawImage(image, 0, 0, side, side);
  return jsQR(pixels.getImageData(0, 0, side, side).data, side, side)?.data;
}

describe('a teacher’s link', () => {
  test('hides controls wholly: not in the page, not by a key; and says the way back', async () => {
    lab = await showReady(
      '&view=train&hide=tree,play,step,live,updates,.optimiser.learningRate,preset,export',
    );
    const names = (): readonly string[] => [...document.querySelectorAll('button, summary, input')].map((element) => element.textContent || element.id); // prettier-ignore
    await expect.element(page.getByText('Your teacher’s link hides 8 controls.')).toBeVisible();
    await press('s');
    await expect.element(page.getByRole('complementary', { name: 'Settings' })).toBeVisible();
    const knobs = (): readonly string[] =>
      [...document.querySelectorAll('.knob > label')].map((label) => label.textContent);
    expect(knobs().length).toBeGreaterThan(4);
    expect(document.querySelector('.pickers')!.textContent.startsWith('Algorithm')).toBe(true);
    expect(knobs().filter((label) => /learning rate/i.test(label))).toEqual([]);
    expect(
      names().filter((name) => /Tree|Play|Resume|One update|One phase|Train live|Export|scrubber/.test(name)),
    ).toEqual([]);
    const before = { ...lab.selection.getState() };
    for (const key of ['2', '[[', ' ', 'u', 'k']) await press(key);
    expect(lab.selection.getState()).toEqual(before);
    await press('?');
    const keys = document.querySelector('.key-help')!.textContent;
    expect(keys).not.toMatch(/Tree view|one update|pause|update before/);
    expect(keys).toContain('Credit view');
    document.querySelector<HTMLDialogElement>('.key-help')!.close();
    await page.getByRole('button', { name: 'Show all', exact: true }).click();
    await expect.poll(() => names().some((name) => name.includes('Tree'))).toBe(true);
    expect(knobs().filter((label) => /learning rate/i.test(label)).length).toBe(1);
    await press('2');
    expect(lab.selection.getState().view).toBe('tree');
  });

  test('what it hides is reached by no way: a link, a lesson’s step, the presenter; one sentence says why, and the way back', async () => {
    lab = await showScripted('&view=loss&hide=loss,train');
    const why = 'Your teacher’s link hides the Loss view, where this leads.';
    await expect.element(page.getByText(why)).toBeVisible();
    expect(document.querySelector('.token-strip, .turn-lane')).toBeNull();
    await press('P');
    await expect.poll(() => slide()?.textContent).toContain(why);
    expect(slide().querySelector('.slide-row')).toBeNull();
    await press('{Escape}');
    await page.getByRole('button', { name: 'Show the Tree view' }).click(); // the first that is not hidden
    await expect.element(page.getByRole('tree')).toBeVisible();
    lab.selection.select({ view: 'loss' }); // an alarm's example, a link within the page
    await expect.element(page.getByText(why)).toBeVisible();
    await page.getByRole('button', { name: 'Show all that is hidden' }).click();
    await expect.poll(() => document.querySelector('.turn-lane')).toBeTruthy();
  });

  test('a lesson whose view is hidden says so, and stays', async () => {
    lab = await show(createLab(() => undefined, '#v1&lesson=averaging&hide=credit'));
    await expect.element(page.getByText('Your teacher’s link hides the Credit view, where this leads.')).toBeVisible(); // prettier-ignore
    expect(document.querySelector('.phases')).toBeNull();
    await expect.element(page.getByRole('heading', { name: 'A small tree' })).toBeVisible();
  });

  test('the dialog hides no view that its lesson needs', async () => {
    lab = await showReady('&view=tree');
    await page.getByText('Export', { exact: true }).click();
    await page.getByRole('button', { name: 'Teacher’s link' }).click();
    await page.getByRole('dialog').getByRole('combobox', { name: 'Lesson' }).selectOptions('averaging');
    const views = (): readonly string[] => [...document.querySelectorAll('.hide-group[aria-label="Views"] label:not(.heading)')].map(({ textContent }) => textContent.trim()); // prettier-ignore
    await expect.poll(views).toEqual(['Train', 'Tree', 'Loss', 'Compare', 'Profile', 'Runs', 'Experiments']);
  });

  test('is made in a dialog; its code reads as the link', async () => {
    lab = await showReady('&view=credit');
    await page.getByText('Export', { exact: true }).click();
    await page.getByRole('button', { name: 'Teacher’s link' }).click();
    const dialog = page.getByRole('dialog');
    await expect.element(dialog.getByRole('combobox', { name: 'View' })).toHaveValue('credit');
    await dialog.getByRole('textbox', { name: 'Question' }).fill('Why?');
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByRole('checkbox', { name: 'Growth replay' }).click();
    await dialog.getByRole('checkbox', { name: 'in the presenter' }).click();
    const field = (): string =>
      document.querySelector<HTMLInputElement>('.teach-dialog input[readonly]')!.value;
    await expect.poll(field).toMatch(/view=credit.*&present=1&hide=growth&ask=Why%3F$/);
    await expect.poll(() => readCode(document.querySelector<SVGElement>('.teach-dialog .qr')!)).toBe(field());
    expect(await findings(document.querySelector('.teach-dialog')!)).toEqual([]);
    expect(smallTargets(document.querySelector('.teach-dialog')!)).toEqual([]);
  });

  test('asks its questions on a phone; the worksheet has the answer and the lab’s number', async () => {
    await page.viewport(390, 844);
    lab = await showReady(`&view=credit&ask=${encodeURIComponent('How many leaves?')},leaves&ask=Why`);
    const { value } = evaluate('leaves', { run: lab.run.getState(), selection: lab.selection.getState() });
    await page.getByRole('textbox', { name: 'Your guess, a number' }).fill('3');
    await page.getByRole('button', { name: 'Answer' }).click();
    await expect.element(page.getByText('The lab:')).toBeVisible();
    await page.getByRole('textbox', { name: 'Why' }).fill('because of the tree');
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(390);
    expect(smallTargets(document.querySelector('.questions-dock')!)).toEqual([]);
    await page.getByText('Export', { exact: true }).click();
    await page.getByRole('button', { name: 'Worksheet' }).click();
    const sheet = page.getByRole('article');
    await expect.element(sheet).toHaveTextContent(`Your answer: 3 ${value === 3 ? '✓' : '✕'}`);
    await expect.element(sheet).toHaveTextContent(`The lab: ${value}`);
    await expect.element(sheet).toHaveTextContent('Your answer: because of the tree');
    expect(document.querySelector('.worksheet')!.scrollWidth).toBeLessThanOrEqual(390);
  });
});

test('the worksheet of a lesson has the lab’s numbers, before anything is answered', async () => {
  lab = await show(createLab(() => undefined, '#v1&lesson=averaging'));
  await expect.poll(() => lab.lessons.getState().ground).toBeTruthy();
  await page.getByText('Export', { exact: true }).click();
  await page.getByRole('button', { name: 'Worksheet' }).click();
  await expect.element(page.getByRole('article')).toBeVisible();
  const { groundAt } = lab.lessons;
  const lesson = lab.lessons.getState().lesson!;
  const rows = [...document.querySelectorAll('.sheet > ol > li')];
  expect(rows.length).toBe(lesson.steps.length);
  let checked = 0;
  lesson.steps.forEach(({ predict }, at) => {
    if (predict?.kind !== 'number') return;
    expect(rows[at].querySelector('.sheet-lab')!.textContent).toBe(`The lab: ${formatQuantity(evaluate(predict.of, groundAt(at)!))}`); // prettier-ignore
    checked += 1;
  });
  expect(checked).toBeGreaterThan(2);
});
