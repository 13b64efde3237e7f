/** For a class: the presenter read as the last row reads it, the second window, what a teacher's link hides, its code, the worksheet. */
import jsQR from 'jsqr';
import { afterEach, describe, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { evaluate } from '../../src/store/lesson/expression.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import { formatSigned } from '../../src/ui/parts/format.ts';
import { formatQuantity } from '../../src/ui/lessons/Passage.tsx';
import { NotesPage } from '../../src/ui/present/NotesPage.tsx';
import { App } from '../../src/ui/shell/App.tsx';
import { findings } from '../support/axe.ts';
import { scriptedLab, scriptedLog, liveTree } from '../support/scripted_lab.ts';
import { smallTargets } from '../support/targets.ts';

let lab: Lab;

async function show(opened: Lab, isFrame = false): Promise<void> {
  lab = opened;
  const container = Object.assign(document.createElement('div'), { id: 'root' });
  document.body.append(container);
  await render(<App lab={lab} isFrame={isFrame} />, { container });
}

/** The scripted run, at the first tree that has credit to show. */
async function open(fields = ''): Promise<void> {
  const opened = await scriptedLab(`#v1&update=1${fields}`);
  const { tree } = liveTree(opened);
  opened.selection.select({ prompt: tree.prompt.index });
  await show(opened);
}

/** The same with an engine that lists its settings. */
async function openReady(fields: string): Promise<void> {
  const opened = createLab(() => undefined, `#v1&update=1${fields}`);
  const log = await scriptedLog();
  opened.transport.receive(log.filter(({ kind }) => kind === 'ready'));
  opened.run.apply(log);
  await show(opened);
}

afterEach(async () => {
  await cleanup();
  document.querySelectorAll('#root, #notes').forEach((element) => element.remove());
  await page.viewport(1280, 800);
});

const slide = (): HTMLElement => document.querySelector<HTMLElement>('.presenter')!;
const text = (): string => slide().textContent;
const press = (key: string): Promise<void> => userEvent.keyboard(key);

function* textsIn(
  root: Element,
): Generator<{ readonly element: Element; readonly words: string; readonly box: DOMRect }> {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const words = node.nodeValue?.trim() ?? '';
    if (!element || words === '' || !element.checkVisibility() || element.closest('.visually-hidden'))
      continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    yield { element, words, box: range.getBoundingClientRect() };
  }
}

/** What the last row cannot read or reach, a sentence each. */
function unfit(): readonly string[] {
  const found: string[] = [];
  for (const { element, words, box } of textsIn(slide())) {
    const px = parseFloat(getComputedStyle(element).fontSize);
    if (px < 24) found.push(`“${words}” has ${px} px`);
    if (box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1)
      found.push(`“${words}” lies outside: ${box.right.toFixed()} × ${box.bottom.toFixed()}`);
  }
  for (const button of slide().querySelectorAll('button')) {
    const { width, height, right, bottom } = button.getBoundingClientRect();
    if (width < 44 || height < 44) found.push(`“${button.textContent}” has ${width} × ${height}`);
    if (right > innerWidth || bottom > innerHeight) found.push(`“${button.textContent}” lies outside`);
  }
  for (const part of slide().querySelectorAll('.slide-says, .slide-figure, .slide-row, .slide-body'))
    if (part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1)
      found.push(
        `${part.className} is cut: ${part.scrollWidth} × ${part.scrollHeight} in ${part.clientWidth} × ${part.clientHeight}`,
      );
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
  return found;
}

const SIZES = [
  [1280, 720],
  [1920, 1080],
] as const;

describe('the presenter', () => {
  test.each(['train', 'tree', 'credit', 'loss', 'compare'] as const)(
    'of %s can be read from the last row',
    async (view) => {
      await open(`&view=${view}`);
      await press('P');
      await expect.poll(slide).toBeTruthy();
      for (const [width, height] of SIZES) {
        await page.viewport(width, height);
        await expect.poll(() => slide().querySelector('svg, .slide-row')).toBeTruthy();
        await expect.poll(unfit).toEqual([]);
        expect([...textsIn(slide())].length).toBeGreaterThan(8); // there is something to read
        for (let step = 0; step < 3; step += 1) await press('{PageDown}');
        await expect.poll(unfit).toEqual([]);
      }
      expect(document.querySelector('.header, .example-bar, .notice')).toBeNull();
    },
  );

  test('credit goes on and back by a clicker, by arrows and by Space, as the stepper does', async () => {
    await open('&view=credit&stride=number&present=1');
    await expect.element(page.getByText('Nothing is known yet')).toBeVisible();
    const cursor = (): number => lab.selection.getState().creditFrame;
    for (const [key, after] of [
      ['{PageDown}', 1],
      ['{ArrowRight}', 2],
      [' ', 3],
      ['{ArrowLeft}', 2],
      ['{PageUp}', 1],
      ['{Shift>} {/Shift}', 0],
    ] as const) {
      // prettier-ignore
      await press(key);
      expect(cursor(), key).toBe(after);
    }
    const { tree } = liveTree(lab);
    expect(rolloutTree(tree)).not.toBeNull();
    await press(' ');
    const leaf = tree.leaves[0];
    await expect
      .poll(text)
      .toContain(`Leaf n${leaf} earned a reward of ${String(tree.rewards![leaf]).replace('-', '−')}`);
  });

  test.each(['dark', 'light'])('opened by a link it has the theme that is remembered: %s', async (theme) => {
    localStorage.setItem('turnwise-theme', theme);
    delete document.documentElement.dataset.theme;
    await open('&view=tree&present=1');
    await expect.poll(() => document.documentElement.dataset.theme).toBe(theme);
    localStorage.removeItem('turnwise-theme');
  });

  test('predict first: what is asked is not shown, hands are split beside the truth, and the clicker goes on from a field', async () => {
    await open('&view=credit&stride=number&predict=number&present=1');
    await expect.poll(slide).toBeTruthy();
    await page.viewport(1280, 720);
    const { tree } = liveTree(lab);
    const [leaf, second] = tree.leaves;
    const cursor = (): number => lab.selection.getState().creditFrame;
    await expect.poll(text).toContain(`What is the reward of leaf n${leaf}?`);
    expect(text()).not.toMatch(/earned a reward|The lab:/);
    await expect.poll(unfit).toEqual([]);
    const truth = formatSigned(tree.rewards![leaf]);
    const said = page.getByRole('textbox', { name: 'a number that somebody says' });
    for (const number of ['0,37', String(tree.rewards![leaf])]) {
      await said.fill(number);
      await press('{Enter}');
    }
    await page.getByRole('spinbutton', { name: 'Hands for +0.37' }).fill('1');
    await page.getByRole('spinbutton', { name: `Hands for ${truth}` }).fill('3');
    expect(cursor()).toBe(0);
    await press('{PageDown}'); // out of the field of the last hands
    await expect.poll(text).toContain(`The lab: ${truth}`);
    expect(text()).toContain(`${truth} ✓3 hands75 %`);
    expect(text()).toContain('3 of 4 hands are right.');
    expect(text()).toContain(`Leaf n${leaf} earned a reward of`);
    expect(cursor()).toBe(1);
    await expect.poll(unfit).toEqual([]);
    expect(await findings(slide())).toEqual([]);
    await press('{PageUp}');
    await expect.poll(text).not.toContain('The lab:');
    expect(cursor()).toBe(0);
    await press('{PageDown}');
    await press('{PageDown}');
    await expect.poll(text).toContain(`What is the reward of leaf n${second}?`);
    expect(cursor()).toBe(1);
    lab.selection.select({ predict: 'ranking', stride: 'phase' });
    await expect.poll(() => slide().querySelectorAll('.hands tr').length).toBeGreaterThan(1);
    expect(slide().querySelector('.hands th')!.textContent).toMatch(/^A {2}first: n\d+/);
    await expect.poll(unfit).toEqual([]);
  });

  test('the pointer is the focus, wide enough to be seen', async () => {
    await open('&view=credit&phase=3&present=1');
    await expect.poll(() => slide()?.querySelectorAll('[data-point]').length).toBeGreaterThan(4);
    await press('{ArrowDown}');
    const points = [...slide().querySelectorAll('[data-point]')];
    expect(document.activeElement).toBe(points[0]);
    expect(parseFloat(getComputedStyle(points[0]).outlineWidth)).toBeGreaterThanOrEqual(6);
    await press('{ArrowUp}');
    expect(document.activeElement).toBe(points.at(-1));
    expect(await findings(slide())).toEqual([]);
  });

  test('B makes it black, any step or Esc brings it back, Esc leaves; the run is held', async () => {
    lab = createLab(() => undefined, '#v1&view=train');
    lab.player.add(
      (await scriptedLog()).filter(({ kind }) => kind !== 'ready') as Parameters<typeof lab.player.add>[0],
    );
    lab.player.play();
    await show(lab);
    await press('P');
    await expect.poll(slide).toBeTruthy();
    expect(lab.player.getState().playing).toBe(false);
    await press('b');
    expect(getComputedStyle(slide().querySelector('.slide-black')!).backgroundColor).toBe('rgb(0, 0, 0)');
    await press('{Escape}');
    expect(slide().querySelector('.slide-black')).toBeNull();
    await press('{Escape}');
    await expect.poll(() => document.querySelector('.header')).toBeTruthy();
    expect(lab.stage.getState().presented).toBe(false);
  });

  test.each(['averaging', 'turn_advantage'])(
    'lesson %s fits page by page, to its end and back',
    async (name) => {
      await page.viewport(1280, 720);
      await show(createLab(() => undefined, `#v1&lesson=${name}&present=1`));
      await expect.poll(() => slide()?.querySelector('.slide-says h2')?.textContent).toBeTruthy();
      const steps = lab.lessons.getState().lesson!.steps;
      const seen = new Set<string>();
      for (let pressed = 0; pressed < 80; pressed += 1) {
        seen.add(slide().querySelector('.slide-says h2')!.textContent);
        await expect.poll(() => text().includes('…')).toBe(false);
        for (const field of slide().querySelectorAll<HTMLInputElement>('.hands input'))
          await userEvent.fill(field, '3'); // the split takes room too
        expect(unfit(), slide().querySelector('.slide-says')!.textContent).toEqual([]);
        if (slide().querySelector<HTMLButtonElement>('.primary')!.disabled) break;
        const before = slide().innerHTML;
        await press('{PageDown}');
        await expect.poll(() => slide().innerHTML !== before).toBe(true);
      }
      expect([...seen]).toEqual(steps.map(({ title }) => title));
      for (
        let pressed = 0;
        pressed < 80 && !slide().querySelector<HTMLButtonElement>('.slide-foot button')!.disabled;
        pressed += 1
      ) {
        await press('{PageUp}');
        await new Promise(requestAnimationFrame);
      }
      await expect.poll(() => lab.selection.getState().lessonStep).toBe(0);
    },
  );

  test('the second window says what is shown and what comes next, and moves it', async () => {
    await open('&view=tree&growth=1&present=1');
    await expect.poll(slide).toBeTruthy();
    const container = Object.assign(document.createElement('div'), { id: 'notes' });
    document.body.append(container);
    await render(<NotesPage />, { container });
    const notes = (): string => container.textContent;
    const says = (): string => slide().querySelector('.slide-says [role="status"]')!.textContent;
    await expect.poll(notes).toContain(says());
    const [, ahead] = /Next(.*?)◀/.exec(notes())!;
    expect(ahead.length).toBeGreaterThan(10);
    container.querySelectorAll('button')[1].click();
    await expect.poll(says).toBe(ahead);
    await expect.poll(notes).toContain('growth 2 of');
    container.querySelectorAll('button')[2].click();
    await expect.poll(() => slide().querySelector('.slide-black')).toBeTruthy();
    await expect.poll(notes).toContain('The projector is black');
    lab.stage.present(false);
    await expect.poll(notes).toContain('Nothing is presented');
  });

  test('until a lesson’s own run is there, no other run’s curve stands under its title', async () => {
    const waits: Parameters<typeof createLab>[2] = async function* () {
      await new Promise(() => undefined);
      yield* [];
    };
    const made = createLab(() => undefined, '#v1&lesson=lazy_collapse&present=1', waits);
    made.transport.receive((await scriptedLog()).filter(({ kind }) => kind === 'ready'));
    made.run.apply(await scriptedLog());
    await show(made);
    await expect.poll(() => slide()?.querySelector('.slide-says h2')?.textContent).toBeTruthy();
    const figure = slide().querySelector('.slide-figure')!;
    expect(figure.textContent).toBe('The run that it is about is loading …');
    expect(figure.querySelector('svg, canvas')).toBeNull();
  });

  test('a presenter’s link to a lesson’s step shows the values that the step has come to', async () => {
    const made = createLab(() => undefined, '#v1&lesson=averaging&step=3&present=1');
    await show(made);
    const figure = (): string => document.querySelector('.slide-figure')?.textContent ?? '';
    await expect.poll(() => lab.lessons.getState().ground).toBeTruthy();
    const value = evaluate('value of n1', lab.lessons.groundAt(3)!);
    await expect.poll(figure).toContain(`n1 V ${formatQuantity(value)}`);
    const { creditFrame } = lab.selection.getState();
    expect(creditFrame).toBeGreaterThan(0);
    await userEvent.keyboard('p');
    await userEvent.keyboard('p');
    expect(lab.selection.getState()).toMatchObject({ creditFrame, view: 'credit' });
    await expect.poll(figure).toContain(`n1 V ${formatQuantity(value)}`);
  });

  test('the second window has the notes of a lesson’s step, its answer and what comes next', async () => {
    await show(createLab(() => undefined, '#v1&lesson=averaging&step=3&present=1'));
    await expect.poll(() => lab.lessons.getState().ground).toBeTruthy();
    const container = Object.assign(document.createElement('div'), { id: 'notes' });
    document.body.append(container);
    await render(<NotesPage />, { container });
    const [step, next] = lab.lessons.getState().lesson!.steps.slice(3);
    if (step.predict?.kind !== 'number') throw new Error('Step 4 of the lesson asks for no number.');
    const quantity = evaluate(step.predict.of, lab.lessons.groundAt(3)!);
    const notes = (): string => container.textContent;
    await expect.poll(notes).toContain(step.notes![0]);
    expect(notes()).toContain(`The answer: ${formatQuantity(quantity)}`);
    const goOn = (): void => container.querySelectorAll('button')[1].click(); // a key would be heard by both windows of this page
    goOn();
    await expect.poll(text).toContain('Show'); // the question, after one page of text
    goOn();
    await expect.poll(notes).toContain(next.title);
    expect(text()).not.toContain(step.notes![0]); // the room does not read it
  });
});

describe('a frame in another page', () => {
  /** With an engine that rests until somebody asks for it. */
  async function frame(fields: string) {
    const asked: string[] = [];
    const made = createLab(({ kind }) => asked.push(kind), `#v1&${fields}`, undefined, undefined, {
      restart: () => asked.push('restart'),
      rests: true,
    });
    await show(made, true);
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
    await openReady('&view=train&hide=tree,play,step,live,updates,.optimiser.learningRate,preset,export');
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
    await open('&view=loss&hide=loss,train');
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
    await show(createLab(() => undefined, '#v1&lesson=averaging&hide=credit'));
    await expect.element(page.getByText('Your teacher’s link hides the Credit view, where this leads.')).toBeVisible(); // prettier-ignore
    expect(document.querySelector('.phases')).toBeNull();
    await expect.element(page.getByRole('heading', { name: 'A small tree' })).toBeVisible();
  });

  test('the dialog hides no view that its lesson needs', async () => {
    await openReady('&view=tree');
    await page.getByText('Export', { exact: true }).click();
    await page.getByRole('button', { name: 'Teacher’s link' }).click();
    await page.getByRole('dialog').getByRole('combobox', { name: 'Lesson' }).selectOptions('averaging');
    const views = (): readonly string[] => [...document.querySelectorAll('.hide-group[aria-label="Views"] label:not(.heading)')].map(({ textContent }) => textContent.trim()); // prettier-ignore
    await expect.poll(views).toEqual(['Train', 'Tree', 'Loss', 'Compare', 'Profile', 'Runs']);
  });

  test('is made in a dialog; its code reads as the link', async () => {
    await openReady('&view=credit');
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
    await openReady(`&view=credit&ask=${encodeURIComponent('How many leaves?')},leaves&ask=Why`);
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
  await show(createLab(() => undefined, '#v1&lesson=averaging'));
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
