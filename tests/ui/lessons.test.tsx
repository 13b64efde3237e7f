/** Every lesson over the real page: forward to the end, back to the start exactly, and each number that it states against its source. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { readInWorker } from '../../src/files/file_reader.ts';
import { lessonsOf } from '../../src/lessons/catalogue.ts';
import { parseLesson, type Lesson } from '../../src/lessons/lesson.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { evaluate } from '../../src/store/lesson/expression.ts';
import { stateOf } from '../../src/store/lesson/lesson.ts';
import { INITIAL_SELECTION, type Selection } from '../../src/store/place/selection.ts';
import { encodeSelection } from '../../src/store/place/address.ts';
import { selectedTree } from '../../src/store/record/reading.ts';
import { elementOf } from '../../src/ui/lessons/looked_at.ts';
import { formatQuantity } from '../../src/ui/lessons/Passage.tsx';
import { App } from '../../src/ui/shell/App.tsx';
import { findings } from '../support/axe.ts';
import { oracle } from '../support/lesson_oracle.ts';
import { smallTargets } from '../support/targets.ts';

const lessons = await Promise.all(
  lessonsOf('en').map(async ({ name, load }) => ({ name, lesson: parseLesson((await load()).default) })),
);
const RECORDING = 'recorded-instant.ndjson.members';
const runs = new Map<string, RunEvent[]>(); // by file of the site

beforeAll(async () => {
  for (const file of new Set([RECORDING, ...lessons.flatMap(({ lesson }) => lesson.run ?? [])])) {
    const events: RunEvent[] = [];
    for await (const event of readInWorker(new URL(`/${file}`, location.href).href)) events.push(event);
    runs.set(file, events);
  }
});

let lab: Lab;

async function open(hash = ''): Promise<void> {
  lab = createLab(() => undefined, hash, readInWorker);
  lab.player.add(runs.get(RECORDING)!);
  lab.player.finish();
  const container = Object.assign(document.createElement('div'), { id: 'root' });
  document.body.append(container);
  await render(<App lab={lab} />, { container });
}

afterEach(async () => {
  await cleanup();
  document.getElementById('root')?.remove();
  await page.viewport(1280, 800);
});

const root = (): HTMLElement => document.getElementById('root') as HTMLElement;
const panel = (): HTMLElement => root().querySelector<HTMLElement>('.lesson')!;
const heading = (): string => root().querySelector('.lesson-text h3')?.textContent ?? '';
const step = (): number => lab.selection.getState().lessonStep;

/** All that the lab shows, without the pointer. */
const stateNow = (): Selection => ({ ...lab.selection.getState(), hovered: null });

async function arrive(lesson: Lesson, at: number): Promise<void> {
  await expect.poll(heading).toContain(lesson.steps[at].title);
  await expect.poll(() => lab.lessons.getState().ground?.step).toBe(at);
  await expect.poll(() => selectedTree(lab.run.getState(), stateNow())).not.toBeNull(); // an old update may be read back first
  await expect.poll(() => panel().querySelector('.lesson-number')?.textContent).not.toBe('…');
}

/** Each number in the text, as printed, by its expression. */
const stated = (): readonly (readonly [string, string])[] =>
  [...panel().querySelectorAll<HTMLElement>('data.lesson-number')].map((element) => [
    element.title,
    element.textContent,
  ]);

function checkNumbers(name: string, lesson: Lesson, at: number): number {
  const { record } = lab.lessons.getState().ground!;
  const run = record.getState();
  const selection = stateOf(lesson, name, at, run);
  let checked = 0;
  for (const [expression, text] of stated()) {
    const quantity = evaluate(expression, { run, selection });
    expect(text, expression).toBe(formatQuantity(quantity));
    const want = oracle(expression, selection, runs.get(lesson.run ?? RECORDING));
    expect(text, expression).toBe(formatQuantity({ ...quantity, value: want ?? null }));
    checked += 1;
  }
  return checked;
}

async function isRinged(parts: readonly string[], where: string): Promise<void> {
  for (const part of parts)
    await expect
      .poll(() => elementOf(part)?.hasAttribute('data-looked-at'), { message: `${where}: ${part}` })
      .toBe(true);
}

describe.each(lessons)('lesson $name', ({ name, lesson }) => {
  test('goes to its end by Space and back to its start, exactly', async () => {
    await open('#v1&view=tree');
    lab.lessons.open(name);
    const seen: Selection[] = [];
    let checked = 0;
    for (let at = 0; at < lesson.steps.length; at += 1) {
      await arrive(lesson, at);
      const run = lab.lessons.getState().ground!.record.getState();
      expect(stateNow()).toEqual(stateOf(lesson, name, at, run));
      seen.push(stateNow());
      checked += checkNumbers(name, lesson, at);
      await isRinged(lesson.steps[at].look ?? [], lesson.steps[at].title);
      if (lesson.steps[at].predict) {
        await userEvent.keyboard(' ');
        await expect.element(page.getByText('The lab:')).toBeVisible();
        checked += checkNumbers(name, lesson, at);
        expect(stateNow()).toEqual(stateOf(lesson, name, at, run, true)); // prettier-ignore
        await isRinged(lesson.steps[at].reveal?.look ?? [], lesson.steps[at].title);
      }
      await userEvent.keyboard(' ');
    }
    await expect.poll(heading).toBe('The end');
    expect(checked).toBeGreaterThan(5);
    await userEvent.keyboard('{Shift>} {/Shift}');
    await expect.poll(heading).toContain(lesson.steps[lesson.steps.length - 1].title);
    for (let at = lesson.steps.length - 2; at >= 0; at -= 1) {
      await userEvent.keyboard('{Shift>} {/Shift}');
      await arrive(lesson, at);
      expect(stateNow()).toEqual(seen[at]);
    }
  });
});

const AVERAGING = lessons.find(({ name }) => name === 'averaging')!;
const place = (): string => encodeSelection({ ...lab.selection.getState(), run: null, recipe: null });

test('any step can be jumped to, a reload stays in it, and leaving gives the own place back', async () => {
  await open('#v1&view=loss&prompt=2&clip=0.1,0.2');
  lab.lessons.open('averaging');
  await arrive(AVERAGING.lesson, 0);
  await page.getByRole('combobox', { name: 'Step of the lesson' }).selectOptions('5');
  await arrive(AVERAGING.lesson, 5);
  const [address, shown] = [encodeSelection(lab.selection.getState()), stateNow()];
  await page.getByRole('button', { name: 'Leave' }).click();
  expect(place()).toBe('#v1&view=loss&prompt=2&clip=0.1,0.2');
  expect(lab.run.shown()).not.toBe(lab.lessons.getState().record);
  await cleanup();
  document.getElementById('root')?.remove();
  await open(address);
  await arrive(AVERAGING.lesson, 5);
  expect(stateNow()).toEqual(shown);
});

test('who explores within a step comes back to it exactly, and numbers of the text stay the step’s', async () => {
  await open();
  lab.lessons.open('averaging', 2);
  await arrive(AVERAGING.lesson, 2);
  const before = stateNow();
  lab.selection.select({ valueRule: 'leaf_mean', view: 'tree' });
  const leaf = lab.run.getState().updates[0].trees[0].leaves[0];
  lab.selection.select({ whatIf: [{ leaf, reward: -1 }] });
  lab.lessons.goTo(3);
  await arrive(AVERAGING.lesson, 3);
  checkNumbers('averaging', AVERAGING.lesson, 3);
  lab.lessons.goTo(2);
  await arrive(AVERAGING.lesson, 2);
  expect(stateNow()).toEqual(before);
});

test('a guess stands beside the truth, and the lab goes to the step that makes the difference', async () => {
  await open();
  lab.lessons.open('averaging', 2);
  await arrive(AVERAGING.lesson, 2);
  await page.getByRole('textbox', { name: 'Your guess, a number' }).fill('0.5');
  await userEvent.keyboard('{Enter}');
  const answer = page.getByRole('status').filter({ hasText: 'Your guess' });
  await expect.element(answer).toHaveTextContent('Your guess: +0.50 ✕ not quite');
  await expect.element(answer).toHaveTextContent('The lab: +0.67');
  expect(document.activeElement?.textContent).toContain('Your guess');
  await expect
    .poll(() => root().querySelector('.step-sentence')?.textContent)
    .toContain('Turn n1 takes +0.67');
  lab.lessons.goTo(6);
  await arrive(AVERAGING.lesson, 6);
  await page.getByRole('button', { name: 'weight of n3 up' }).click();
  await page.getByRole('button', { name: 'Answer' }).click();
  await expect.element(page.getByText('✓ right')).toBeVisible();
});

test('a task is done when the lab says so, by whatever way', async () => {
  await open();
  const at = AVERAGING.lesson.steps.findIndex(({ task }) => task);
  lab.lessons.open('averaging', at);
  await arrive(AVERAGING.lesson, at);
  await expect.element(page.getByRole('button', { name: /^Skip/ })).toBeVisible();
  lab.selection.select({ node: lab.run.getState().updates[0].trees[0].nodes[3]!.id });
  await page.getByRole('spinbutton', { name: 'surprisal' }).fill('0.1');
  await expect.element(page.getByText('✓ Done.')).toBeVisible();
  expect(lab.selection.getState().example).toBe('0.5(0.1=1,0.1=0),0.5=0');
  const dock = page.getByRole('complementary', { name: 'Lessons' });
  await expect.element(dock.getByRole('button', { name: /^Next/ })).toBeVisible();
});

test('a lesson that there is not is named with the ways out', async () => {
  await open('#v1&lesson=hope');
  const alert = page.getByRole('alert');
  await expect
    .element(alert)
    .toHaveTextContent('There is no such lesson. the address: got "hope", wanted one of');
  await page.getByRole('button', { name: 'Leave' }).click();
  await expect.poll(() => root().querySelector('.lesson-dock')).toBeNull();
});

/** What a screen reader finds of the panel: roles and names in order. */
const names = (role: string): readonly string[] =>
  page
    .getByRole(role as 'button')
    .elements()
    .filter((element) => panel().contains(element))
    .map((element) => element.textContent.trim());

test('a whole lesson by keyboard, as a screen reader has it, and axe finds nothing in any step', async () => {
  await open();
  const lessonsButton = page.getByRole('button', { name: 'Lessons' });
  (lessonsButton.element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  await expect.element(page.getByRole('region', { name: 'Lessons' })).toBeVisible();
  await expect.poll(() => document.activeElement?.id).toBe('lessons-title');
  while (!document.activeElement?.textContent.includes(AVERAGING.lesson.title)) await userEvent.tab();
  await userEvent.keyboard('{Enter}');
  const { lesson } = AVERAGING;
  for (let at = 0; at < lesson.steps.length; at += 1) {
    await arrive(lesson, at);
    if (at === 0) await expect.poll(() => document.activeElement?.tagName).toBe('H2');
    expect(panel().getAttribute('aria-labelledby')).not.toBeNull();
    const spoken = panel().querySelector('[role=status].lesson-text')!;
    expect(spoken.textContent).toContain(
      `Step ${at + 1} of ${lesson.steps.length}: ${lesson.steps[at].title}`,
    );
    expect(names('heading')).toContain(spoken.querySelector('h3')!.textContent);
    expect(await findings(root()), lesson.steps[at].title).toEqual([]);
    const { predict } = lesson.steps[at];
    if (predict) {
      await userEvent.keyboard(' ');
      await expect.element(page.getByText('The lab:')).toBeVisible();
      expect(await findings(root()), lesson.steps[at].title).toEqual([]);
    }
    await userEvent.keyboard(' ');
  }
  await expect.poll(heading).toBe('The end');
});

test('a term is explained in place by keyboard, links to others, and Esc closes it where it was opened', async () => {
  await open();
  lab.lessons.open('averaging', 2);
  await arrive(AVERAGING.lesson, 2);
  await expect.poll(() => document.activeElement?.closest('.lesson')).toBeTruthy(); // as it opens, its title has the focus
  const term = page.getByRole('button', { name: 'child-mean', exact: true });
  (term.element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  const note = page.getByRole('note').filter({ hasText: 'child_mean' });
  await expect.element(note).toHaveTextContent('Every child counts alike');
  expect(await findings(root())).toEqual([]);
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => root().querySelector('.term-note:popover-open')).toBeNull();
  expect(document.activeElement).toBe(term.element());
  expect(step()).toBe(2);
});

test.each([
  [1280, 800],
  [1920, 1080],
  [390, 844],
])(
  'at %i × %i the lesson covers nothing that it rings, and nothing scrolls sideways',
  async (width, height) => {
    await page.viewport(width, height);
    await open();
    lab.lessons.open('averaging', 2);
    await arrive(AVERAGING.lesson, 2);
    await expect.poll(() => root().querySelector('[data-looked-at]')).not.toBeNull();
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    if (width > 960) expect(document.documentElement.scrollHeight).toBeLessThanOrEqual(innerHeight);
    const covered = (): number => {
      const dock = root().querySelector('.lesson-dock')!.getBoundingClientRect();
      const ringed = root().querySelector('[data-looked-at]')!.getBoundingClientRect();
      return Math.min(ringed.bottom, ringed.top + 100) - dock.top;
    };
    await expect.poll(covered).toBeLessThanOrEqual(1); // it is brought into sight a frame later
    expect(smallTargets(panel()).filter((line) => !line.includes('term-link'))).toEqual([]);
  },
);

test('on a phone without WebGPU each step shows what it points at above the dock, whatever comes above it, until the person acts', async () => {
  await page.viewport(390, 844);
  await open();
  const report = { what: 'No adapter', where: 'a', got: 'no adapter', wanted: 'b', next: 'c' };
  lab.transport.setState({ engine: { kind: 'unavailable', report } });
  lab.lessons.open('turn_clip', 0);
  const { lesson } = lessons.find(({ name }) => name === 'turn_clip')!;
  const box = (part: string): DOMRect | undefined => elementOf(part)?.getBoundingClientRect();
  const isSeen = (part: string): boolean => {
    const dock = root().querySelector('.lesson-dock')!.getBoundingClientRect();
    const { top, bottom } = box(part) ?? { top: Infinity, bottom: 0 };
    return bottom > 0 && Math.min(bottom, top + 80) <= dock.top + 1;
  };
  for (const [at, { look }] of lesson.steps.entries()) {
    lab.lessons.goTo(at);
    await arrive(lesson, at);
    await expect.poll(() => isSeen(look![0]), { message: `step ${at + 1}: ${look![0]}` }).toBe(true);
  }
  expect(root().querySelector('.notice')).toBeNull(); // the header says that nothing trains here
  const part = lesson.steps.at(-1)!.look![0];
  // Held, too, where it is drawn anew.
  const drawn = elementOf(part)!;
  const { view } = lab.selection.getState();
  lab.selection.select({ view: view === 'tree' ? 'train' : 'tree' });
  await expect.poll(() => drawn.isConnected).toBe(false);
  lab.selection.select({ view });
  await expect.poll(() => isSeen(part)).toBe(true);
  document.documentElement.style.overflowAnchor = 'none'; // some browsers have none, and at the top none has any
  const push = Object.assign(document.createElement('div'), { style: 'height: 1500px' });
  document.getElementById('view')!.before(push);
  await expect.poll(() => isSeen(part)).toBe(true);
  push.remove();
  await expect.poll(() => isSeen(part)).toBe(true);
  document.body.dispatchEvent(new WheelEvent('wheel', { bubbles: true }));
  scrollTo(0, 0);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  expect(scrollY).toBe(0); // the person's own way
  document.documentElement.style.overflowAnchor = '';
});

test('a small tree is edited, undone and closed; its credit is that of the recursion', async () => {
  await open('#v1&view=tree');
  lab.lessons.showExample('0.5(=1,=0),=0');
  await expect.element(page.getByRole('region', { name: 'Example' })).toBeVisible();
  const text = (): string | null => lab.selection.getState().example;
  const tree = () => lab.run.getState().updates[0].trees[0];
  const select = (id: number): void => lab.selection.select({ node: tree().nodes[id]!.id });
  select(1);
  await page.getByRole('button', { name: '+ leaf' }).click();
  expect(text()).toBe('0.5(=1,=0,0.5=0),=0');
  expect(lab.selection.getState().node).toBe(4);
  await page.getByRole('spinbutton', { name: 'reward' }).fill('1');
  await expect.poll(text).toBe('0.5(=1,=0,0.5=1),=0');
  await page.getByRole('button', { name: '+ turn' }).click();
  expect(text()).toBe('0.5(=1,=0,0.5(0.5(0.5=0))),=0');
  await page.getByRole('button', { name: 'Undo' }).click();
  expect(text()).toBe('0.5(=1,=0,0.5=1),=0');
  select(3);
  await page.getByRole('button', { name: 'Remove' }).click();
  expect(text()).toBe('0.5(=1,0.5=1),=0');
  lab.selection.select({
    view: 'credit',
    creditFrame: 10_000,
    valueRule: 'leaf_mean',
    advantageRule: 'diff_parent',
  });
  for (const id of [1, 2, 3, 4]) {
    const want = oracle(`advantage of n${id}`, {
      ...{ example: text()!, valueRule: 'leaf_mean', advantageRule: 'diff_parent' },
    });
    await expect
      .poll(() => root().querySelector(`[role=treeitem][data-node="${id}"]`)?.getAttribute('aria-label'))
      .toContain(`A ${formatQuantity({ value: want!, kind: 'signed' })}`);
  }
  expect(await findings(root())).toEqual([]);
  await page.getByRole('button', { name: 'Close the example' }).click();
  expect(place()).toBe('#v1&view=tree');
  expect(INITIAL_SELECTION.example).toBeNull();
});

test('the curve beside a lesson’s step is the one that the step speaks of, at the update and with the value that it states', async () => {
  await open('#v1&lesson=turn_clip&step=7&present=1');
  const figure = (): Element | null => document.querySelector('.slide-figure .figure-curve svg');
  await expect.poll(() => figure()?.getAttribute('aria-label')).toBe('Clip fraction by update');
  const stated = evaluate('clipped share of update 20', lab.lessons.groundAt(7)!);
  const { metrics } = lab.run.getState().updates[19];
  expect(stated?.value).toBe(metrics!.clipFraction);
  expect(root().textContent).toContain(`in update 20 it is ${formatQuantity(stated)}`);
  const places = (part: string, name: string): number[] =>
    [...figure()!.querySelectorAll(part)].map((element) => Number(element.getAttribute(name)));
  const [zero, , most] = places('g line', 'y1');
  const [cy] = places('circle', 'cy');
  const drawn = Math.max(...lab.run.getState().updates.map((update) => update.metrics?.clipFraction ?? 0));
  expect(((zero - cy) / (zero - most)) * drawn).toBeCloseTo(stated.value!, 6);
});
