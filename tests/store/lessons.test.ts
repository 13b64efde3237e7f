/** Every lesson as data: its addresses are understood, its terms exist, its expressions compute on the run that it is about. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { readRecording } from '../../src/files/recording.ts';
import { lessonsOf, loadGlossary } from '../../src/lessons/catalogue.ts';
import { LABEL_TERMS, termIn } from '../../src/lessons/label_terms.ts';
import { EXAMPLES } from '../../src/lessons/examples.ts';
import { parseLesson, RECORDED, type Glossary, type Lesson } from '../../src/lessons/lesson.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { exampleEvents, parseExample, writeExample } from '../../src/store/lesson/example.ts';
import { evaluate, parseExpression, QUANTITIES } from '../../src/store/lesson/expression.ts';
import { creditCursor, stateOf } from '../../src/store/lesson/lesson.ts';
import { parsePassage, termName } from '../../src/store/lesson/passage.ts';
import { createRunStore } from '../../src/store/record/run.ts';
import type { RunState } from '../../src/store/record/run_state.ts';
import { decodeSelection } from '../../src/store/place/address.ts';
import type { Selection } from '../../src/store/place/selection.ts';
import { partOf } from '../../src/ui/lessons/looked_at.ts';
import { oracle } from '../support/lesson_oracle.ts';

const ENTRIES = lessonsOf('en');
const lessons = await Promise.all(
  ENTRIES.map(async ({ name, number, load }) => ({
    name,
    number,
    lesson: parseLesson((await load()).default),
  })),
);
let glossary: Glossary;
interface Run {
  readonly events: readonly RunEvent[];
  readonly state: RunState;
}
const runs = new Map<string, Run>();

async function runOf(events: AsyncIterable<RunEvent>): Promise<Run> {
  const record = createRunStore();
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  record.apply(all);
  return { events: all, state: record.getState() };
}

const exampleRuns = new Map<string, RunState>();
function ofExample(text: string): RunState {
  const record = createRunStore();
  record.apply(exampleEvents(parseExample(text)));
  exampleRuns.set(text, exampleRuns.get(text) ?? record.getState());
  return exampleRuns.get(text)!;
}

beforeAll(async () => {
  glossary = await loadGlossary('en');
  const files = lessons.map(({ lesson }) => lesson.run ?? RECORDED);
  for (const name of new Set(files)) {
    const file = name === RECORDED ? 'recorded-instant.ndjson.members' : name;
    runs.set(name, await runOf(readRecording(new Blob([readFileSync(`public/${file}`)]))));
  }
});

/** Logs hold six digits of a number. */
const toleranceOf = (want: number): number => 1e-6 + 1e-5 * Math.abs(want);

/** The text of a step, prediction, task and notes included. */
const textsOf = ({ text, predict, task, notes }: Lesson['steps'][number]): readonly string[] => [
  ...text,
  ...(notes ?? []),
  ...[predict?.ask, predict?.because, task?.ask].flatMap((part) => part ?? []),
];

/** What a step asks the lab for. */
const expressionsOf = (step: Lesson['steps'][number]): readonly string[] => [
  ...textsOf(step).flatMap((text) =>
    parsePassage(text).flatMap((part) => (part.kind === 'number' ? [part.expression] : [])),
  ),
  ...(step.predict === undefined || step.predict.kind === 'choice'
    ? []
    : step.predict.kind === 'ranking'
      ? step.predict.items.map(({ of }) => of)
      : [step.predict.of]),
  ...(step.task?.kind === 'reach' ? [step.task.of] : []),
];

const groundOf = (lesson: Lesson, selection: Selection): RunState =>
  selection.example === null ? runs.get(lesson.run ?? RECORDED)!.state : ofExample(selection.example);

/** The state of a step, on the run that it is about. */
function sceneOf(lesson: Lesson, name: string, at: number, revealed = false) {
  const { example } = decodeSelection(`#v1&${[lesson.at, lesson.steps[at].at].filter(Boolean).join('&')}`);
  const run = groundOf(lesson, { example } as Selection); // of it, only the example is read
  return { run, selection: stateOf(lesson, name, at, run, revealed) };
}

test('there are lessons, numbered without a gap in no two ways', () => {
  expect(lessons.length).toBeGreaterThanOrEqual(2);
  const numbers = lessons.map(({ number }) => number);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(new Set(lessons.map(({ name }) => name)).size).toBe(lessons.length);
});

describe.each(lessons)('lesson $number, $name', ({ name, lesson }) => {
  test('its addresses are understood, and their places are there', () => {
    lesson.steps.forEach((step, at) => {
      for (const revealed of [false, true]) {
        const { run, selection } = sceneOf(lesson, name, at, revealed);
        expect(selection.ignored, step.title).toEqual([]);
        const tree = run.updates[(selection.update ?? run.updates.length) - 1].trees[selection.prompt];
        for (const id of [selection.node, selection.leaf])
          if (id !== null) expect(tree.nodes[id]).toBeDefined();
        const cursor = (revealed ? step.reveal?.credit : undefined) ?? step.credit;
        if (cursor !== undefined) expect(creditCursor(cursor, run, selection)).toBe(selection.creditFrame);
      }
      for (const part of [...(step.look ?? []), ...(step.reveal?.look ?? [])])
        expect(partOf(part), part).not.toBeNull();
      if (step.predict?.kind === 'choice') expect(step.predict.options[step.predict.right]).toBeDefined();
    });
  });

  test('its terms are in the glossary', () => {
    for (const text of lesson.steps.flatMap(textsOf))
      for (const part of parsePassage(text))
        if (part.kind === 'term') expect(glossary[part.term], part.term).toBeDefined();
  });

  test('its expressions compute, and are what a plain recursion gives', () => {
    lesson.steps.forEach((step, at) => {
      const scene = sceneOf(lesson, name, at);
      const { events } = runs.get(lesson.run ?? RECORDED)!;
      for (const text of expressionsOf(step)) {
        const { value } = evaluate(text, scene);
        const want = oracle(text, scene.selection, events);
        expect(want, `${step.title}: the oracle knows ${text}`).toBeDefined();
        if (want === undefined || value === null) throw new Error(`${step.title}: ${text} is ${value}`);
        const off = Math.abs(value - want);
        expect(off, `${step.title}: ${text} is ${value}, want ${want}`).toBeLessThan(toleranceOf(want));
      }
    });
  });

  test('it types no number that the lab can compute', () => {
    for (const step of lesson.steps)
      for (const text of textsOf(step))
        for (const part of parsePassage(text))
          if (part.kind === 'words') expect(part.words, step.title).not.toMatch(/[+−]\d|\d\.\d/);
  });
});

test('labels know every term of the glossary by a name, and no other', () => {
  expect(LABEL_TERMS.toSorted()).toEqual(Object.keys(glossary).toSorted());
});

test.each([
  ['advantage A', 'advantage', 'advantage'],
  ['Clip band', 'clip', 'Clip band'], // the longest name, as it is written
  ['mean turn ratio', 'turn_ratio', 'turn ratio'],
  ['turn 2', 'turn', 'turn'],
  ['Turn n9', 'turn', 'Turn'],
  ['turns pushed up', null, ''], // an ordinary word beside others
  ['K', 'k', 'K'],
  ['kernel', 'kernel', 'kernel'],
  ['a', null, ''], // a symbol has one way to be written
  ['overrewarded', null, ''], // within a word
  ['KL, ppo_kl', 'ppo_kl', 'ppo_kl'],
])('the label “%s” names %s', (label, term, words) => {
  const found = termIn(label);
  expect(found?.term ?? null).toBe(term);
  expect(found ? label.slice(found.from, found.to) : '').toBe(words);
});

test('the glossary’s own links lead to terms', () => {
  for (const { text } of Object.values(glossary))
    for (const part of parsePassage(text))
      if (part.kind === 'term') expect(glossary[part.term], part.term).toBeDefined();
  expect(termName('Turn advantage')).toBe('turn_advantage');
});

test('every example is written as it reads, and is a record that the guard takes', async () => {
  for (const { text } of EXAMPLES) {
    expect(writeExample(parseExample(text))).toBe(text);
    const events = exampleEvents(parseExample(text));
    const lines = [
      JSON.stringify({ format: 'turnwise-run', version: 2 }),
      ...events.map((event) => JSON.stringify(event)),
      JSON.stringify({ kind: 'end', events: events.length }),
    ];
    const read: RunEvent[] = [];
    for await (const event of readRecording(new Blob([lines.join('\n')]))) read.push(event);
    expect(read).toEqual(events);
  }
});

test.each([
  ['value of n1 of n2', 'value of n1 of n2'],
  ['hope of n1', 'hope of n1'],
  ['value', 'value'],
  ['leaves of n1', 'leaves of n1'],
  ['value of n1 under magic', 'magic'],
])('what nobody can compute is refused: %s', (text, got) => {
  expect(() => parseExpression(text)).toThrow(JSON.stringify(got));
});

test('every quantity can be asked for', () => {
  for (const text of QUANTITIES) expect(parseExpression(text).kind, text).toBeTruthy();
});
