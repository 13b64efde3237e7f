/** The presenter read as the last row reads it, and its second window. */
import { afterEach, describe, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { evaluate } from '../../src/store/lesson/expression.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import { formatSigned } from '../../src/ui/parts/format.ts';
import { formatQuantity } from '../../src/ui/lessons/Passage.tsx';
import { NotesPage } from '../../src/ui/present/NotesPage.tsx';
import { findings } from '../support/axe.ts';
import { scriptedLog, liveTree } from '../support/scripted_lab.ts';
import { clearPage, show, showScripted } from '../support/shown_lab.tsx';

let lab: Lab;
afterEach(clearPage);

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
      lab = await showScripted(`&view=${view}`);
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
    lab = await showScripted('&view=credit&stride=number&present=1');
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
    lab = await showScripted('&view=tree&present=1');
    await expect.poll(() => document.documentElement.dataset.theme).toBe(theme);
    localStorage.removeItem('turnwise-theme');
  });

  test('predict first: what is asked is not shown, hands are split beside the truth, and the clicker goes on from a field', async () => {
    lab = await showScripted('&view=credit&stride=number&predict=number&present=1');
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
    lab = await showScripted('&view=credit&phase=3&present=1');
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
    lab = await show(lab);
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
      lab = await show(createLab(() => undefined, `#v1&lesson=${name}&present=1`));
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
    lab = await showScripted('&view=tree&growth=1&present=1');
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
    lab = await show(made);
    await expect.poll(() => slide()?.querySelector('.slide-says h2')?.textContent).toBeTruthy();
    const figure = slide().querySelector('.slide-figure')!;
    expect(figure.textContent).toBe('The run that it is about is loading …');
    expect(figure.querySelector('svg, canvas')).toBeNull();
    expect(made.run.getState().updates).toEqual([]); // of the lesson's record, which fills
  });

  test('a presenter’s link to a lesson’s step shows the values that the step has come to', async () => {
    const made = createLab(() => undefined, '#v1&lesson=averaging&step=3&present=1');
    lab = await show(made);
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

  test('each turn of a small tree has its name, above it where beside its number is no room, and no words lie on others', async () => {
    await page.viewport(1280, 720);
    lab = await show(createLab(() => undefined, '#v1&lesson=turn_advantage&present=1'));
    const texts = (): Element[] => [...document.querySelectorAll('.slide-figure .figure-tree text')];
    const words = (): string => texts().map(({ textContent }) => textContent).join(' | '); // prettier-ignore
    for (const name of ['n1', 'n2', 'n3', 'n4', 'n5'])
      await expect.poll(words).toMatch(new RegExp(`(^| )${name}( |$)`));
    expect(words()).toMatch(/\| n1 \|/); // alone, so above
    const boxes = texts().map((text) => text.getBoundingClientRect());
    const covered = boxes.filter(
      (a, at) =>
      boxes.some((b, other) => other > at && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom), // prettier-ignore
    );
    expect(covered).toEqual([]);
  });

  test('the second window has the notes of a lesson’s step, its answer and what comes next', async () => {
    lab = await show(createLab(() => undefined, '#v1&lesson=averaging&step=3&present=1'));
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
