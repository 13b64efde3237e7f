/** What a teacher's link carries: every control by itself, all of them, questions; and what it leaves alone. */
import { describe, expect, test } from 'vitest';
import { createLab } from '../../src/store/lab/lab.ts';
import {
  fewestNames,
  hidableNames,
  taughtLink,
  type TaughtLink,
} from '../../src/store/export/taught_link.ts';
import { LONGEST_LINK } from '../../src/store/export/link.ts';
import { lessonRows, taughtRows, worksheetMarkdown } from '../../src/store/lesson/worksheet.ts';
import { lessonsOf } from '../../src/lessons/catalogue.ts';
import { parseLesson } from '../../src/lessons/lesson.ts';
import { decodeSelection, mirrorSelection } from '../../src/store/place/address.ts';
import { INITIAL_SELECTION } from '../../src/store/place/selection.ts';
import {
  CONTROLS,
  decodeStage,
  encodeStage,
  settingName,
  type HiddenName,
} from '../../src/store/place/stage.ts';
import { configOf } from '../../src/store/record/run_name.ts';
import { roomyLabels } from '../../src/ui/present/FigureTree.tsx';
import { pagesOf } from '../../src/ui/present/pages.ts';
import type { PlacedNode } from '../../src/ui/drawing/tree_layout.ts';
import { nodeId } from '../../src/units.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

const PLAIN: TaughtLink = {
  ...{ preset: null, seed: 1, view: 'credit', lesson: null, step: 0, presented: false },
  ...{ hidden: [], questions: [] },
};
const BASE = 'https://teacher.example/lab/';
const log = await scriptedLog();
const lab = createLab(() => undefined);
lab.transport.receive(log.filter(({ kind }) => kind === 'ready'));
lab.run.apply(log);
const { ready } = lab.run.getState();
const knobs = ready!.knobs;
const all = hidableNames(knobs);
const linkOf = (part: Partial<TaughtLink>): string =>
  taughtLink({ ...PLAIN, ...part }, lab.selection.getState(), 2, ready, BASE);
const hashOf = (href: string): string => href.slice(BASE.length);

describe('the link', () => {
  test.each(all)('hides %s, and says nothing else', (name) => {
    const stage = decodeStage(hashOf(linkOf({ hidden: [name] })));
    expect(stage.hidden).toEqual([name]);
    expect(stage.ignored).toEqual([]);
    expect(decodeSelection(hashOf(linkOf({ hidden: [name] }))).ignored).toEqual([]);
  });

  test('stays below what mail programs pass on, whatever is hidden, at a place with a run and a question', () => {
    const questions = [
      {
        ask: 'What is the value of the root, and why is it not the mean of the leaves?',
        of: 'value of root',
      },
    ];
    const sets: readonly (readonly HiddenName[])[] = [
      all,
      all.filter((name) => name !== 'settings'),
      ...all.map((one) => all.filter((name) => name !== one && name !== 'settings')),
    ];
    for (const hidden of sets) expect(linkOf({ hidden, questions }).length).toBeLessThan(LONGEST_LINK);
    expect(linkOf({ hidden: all.filter((name) => name !== 'settings') }).length).toBeGreaterThan(300); // it carries them
  });

  test('names a hidden panel once, not its settings', () => {
    expect(fewestNames(['tree', 'settings', '.rollout.picks', 'preset'])).toEqual(['tree', 'settings']);
    expect(fewestNames(['preset', '.rollout.picks'])).toEqual(['preset', '.rollout.picks']);
  });

  test('every setting of the engine has a name of its own', () => {
    const names = knobs.map(({ path }) => settingName(path));
    const twice = names.filter((name, at) => names.indexOf(name) !== at);
    expect(twice).toEqual([]);
  });

  test('opens the place on screen, its newest update held', () => {
    const selection = decodeSelection(hashOf(linkOf({ view: 'loss' })));
    expect(selection).toMatchObject({ view: 'loss', update: 2, run: lab.selection.getState().run });
  });

  test('of a preset and a seed names a run that the student can train', () => {
    const preset = ready!.presets[0];
    const selection = decodeSelection(hashOf(linkOf({ preset: preset.name, seed: 77, view: 'tree' })));
    expect(selection).toMatchObject({ view: 'tree', update: 1 });
    expect(configOf(lab.run.getState(), selection.run!, selection.recipe ?? [])).toEqual({
      ...preset.config,
      seed: 77,
    });
  });

  test('of a lesson opens its step and asks nothing of its own', () => {
    const hash = hashOf(
      linkOf({ lesson: 'averaging', step: 3, questions: [{ ask: 'a', of: '' }], presented: true }),
    );
    expect(hash).toBe('#v1&lesson=averaging&step=3&present=1');
    expect(decodeStage(hash)).toMatchObject({ presented: true, questions: [] });
  });

  test('carries questions through any characters', () => {
    const questions = [
      { ask: 'A & B, 50 % <b>= “ü”?', of: 'value of n1 under leaf_mean' },
      { ask: 'Why?', of: '' },
    ];
    expect(decodeStage(hashOf(linkOf({ questions }))).questions).toEqual(questions);
  });
});

test('what an address holds that nobody knows is named and left out', () => {
  const stage = decodeStage('#v1&hide=tree,nothing,.a..b&ask=%E0%A4%A&ask=a,b,c&present=1');
  expect(stage.hidden).toEqual(['tree']);
  expect(stage.ignored).toEqual(['hide=nothing', 'hide=.a..b', 'ask=%E0%A4%A', 'ask=a,b,c']);
  expect(stage.presented).toBe(true);
});

test('a page that nobody set up has nothing in its address, and every control has words', () => {
  expect(encodeStage({ presented: false, hidden: [], questions: [] })).toEqual([]);
  for (const { group, words } of Object.values(CONTROLS)) expect(`${group}${words}`).not.toBe('');
});

test('the address goes on saying what is hidden while the person moves', async () => {
  const page = createLab(() => undefined, '#v1&view=tree&hide=growth&ask=Why');
  const written: string[] = [];
  const bar = {
    location: { hash: '', pathname: '/', search: '' },
    history: {
      pushState: (_: unknown, __: string, url: string) => void written.push(url),
      replaceState: (_: unknown, __: string, url: string) => void written.push(url),
    },
  };
  const stop = mirrorSelection(page.selection, bar, { stage: page.stage, delayMs: 0 });
  page.selection.select({ view: 'credit' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(written.at(-1)).toBe('/#v1&view=credit&hide=growth&ask=Why');
  page.stage.showAll();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(written.at(-1)).toBe('/#v1&view=credit&ask=Why');
  stop();
});

describe('a worksheet', () => {
  const write = ({ value }: { readonly value: number | null }): string =>
    value === null ? '–' : value.toFixed(2);

  test('of questions holds the guess against the lab’s number', () => {
    const ground = { run: lab.run.getState(), selection: { ...INITIAL_SELECTION, update: 1 } };
    const questions = [
      { ask: 'How many leaves?', of: 'leaves' },
      { ask: 'Why?', of: '' },
    ];
    const leaves = lab.run.getState().updates[0].trees[0].leaves.length;
    const rows = taughtRows(questions, { 0: leaves, 1: 'because' }, ground, '#v1&view=tree&update=1', write);
    expect(rows.map(({ lab: said, answer, isRight, hash }) => [said, answer, isRight, hash])).toEqual([
      [leaves.toFixed(2), leaves.toFixed(2), true, '#v1&view=tree&update=1'],
      [null, 'because', null, '#v1&view=tree&update=1'],
    ]);
    const wrong = taughtRows(questions, { 0: leaves + 1 }, ground, '', write);
    expect(wrong.map(({ isRight }) => isRight)).toEqual([false, null]);
    const text = worksheetMarkdown('T', rows, BASE, true);
    expect(text).toContain(`The lab: ${leaves.toFixed(2)}`);
    expect(text).toContain(`(<${BASE}#v1&view=tree&update=1>)`);
    expect(worksheetMarkdown('T', wrong, BASE, false)).not.toContain('The lab');
  });

  test('of a lesson has every step, and a line for what was not answered', async () => {
    const lesson = parseLesson(
      (
        await lessonsOf('en')
          .find(({ name }) => name === 'averaging')!
          .load()
      ).default,
    );
    const rows = lessonRows(lesson, () => null, {}, write);
    expect(rows.map(({ title }) => title)).toEqual(lesson.steps.map(({ title }) => title));
    expect(worksheetMarkdown(lesson.title, rows, BASE, true)).toContain('Your answer: \\_');
  });
});

describe('pages of a slide', () => {
  test('every step of every lesson is cut into pages that fit, and nothing of it is lost', async () => {
    for (const { name, load } of lessonsOf('en')) {
      const lesson = parseLesson((await load()).default);
      for (const { text } of lesson.steps) {
        const pages = pagesOf(text, 11, 40);
        expect(pages.flat().join(' '), name).toBe(text.join(' '));
        for (const page of pages) {
          const lines = page.reduce((sum, words) => sum + Math.ceil(words.replace(/\[\[(?:[^\][|]+\|)?|\]\]|[{}]/g, '').length / 40) + 0.5, 0); // prettier-ignore
          expect(lines, `${name}: ${page.join(' ')}`).toBeLessThanOrEqual(11);
        }
      }
    }
  });

  test('a long paragraph is cut after a sentence, never within a mark', () => {
    const sentence = 'A [[turn. Of|turn]] has {value of n1} words and more of them.';
    const pages = pagesOf([Array.from({ length: 12 }, () => sentence).join(' ')], 6, 40);
    expect(pages.length).toBeGreaterThan(1);
    for (const piece of pages.flat()) expect(piece.split('[[').length).toBe(piece.split(']]').length);
  });
});

test('a label takes the longest of its forms that covers no mark and no label, those of the step first', () => {
  const place = (id: number, x: number, y: number) => ({ id: nodeId(id), x, y }) as PlacedNode;
  const order = [place(1, 0, 10), place(2, 60, 10), place(3, 0, 15)];
  const boxOf = ({ x, y }: PlacedNode, label: string) => ({ left: x + 5, right: x + 5 + 10 * label.length, top: y - 4, bottom: y + 4 }); // prettier-ignore
  const marks = order.map(({ x, y }) => ({ left: x - 4, right: x + 4, top: y - 4, bottom: y + 4 }));
  const forms = ({ id }: PlacedNode): readonly string[] => [`n${id} +0.5`, '+0.5', `n${id}`];
  const within = { left: -10, right: 95, top: 0, bottom: 100 };
  // n1 whole would cover the mark of n2; n2 would leave the frame; n3 has no room beside n1
  expect([...roomyLabels(order, forms, boxOf, marks, within)]).toEqual([[1, '+0.5'], [2, 'n2']]); // prettier-ignore
});
