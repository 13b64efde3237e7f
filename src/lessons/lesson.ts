/**
 * What a lesson is made of: data, one file each, in a folder for each language. Its text holds terms of the glossary and numbers
 * that the lab computes; README.md says how they are written.
 */
import * as v from 'valibot';

const words = v.pipe(v.string(), v.trim(), v.minLength(1));
const expression = words; // store/lesson/expression.ts reads it
const because = v.exactOptional(words); // said with the answer: the step that makes the difference

/** Asked before the lab shows the answer; truths are expressions, except of a choice between sentences. */
const prediction = v.variant('kind', [
  v.strictObject({
    kind: v.literal('number'),
    ask: words,
    of: expression,
    tolerance: v.pipe(v.number(), v.minValue(0)), // a guess no further off than this is right
    because,
  }),
  v.strictObject({ kind: v.literal('sign'), ask: words, of: expression, because }),
  v.strictObject({
    kind: v.literal('ranking'), // greatest first
    ask: words,
    items: v.pipe(v.array(v.strictObject({ label: words, of: expression })), v.minLength(2), v.readonly()),
    because,
  }),
  v.strictObject({
    kind: v.literal('choice'),
    ask: words,
    options: v.pipe(v.array(words), v.minLength(2), v.readonly()),
    right: v.pipe(v.number(), v.integer(), v.minValue(0)), // place among the options, from 0
    because,
  }),
]);

/** Something to do in the lab; done when the selection has all fields of an address, or a number of the lab is this. */
const task = v.variant('kind', [
  v.strictObject({ kind: v.literal('choose'), ask: words, done: words }),
  v.strictObject({ kind: v.literal('reach'), ask: words, of: expression, value: v.number() }),
]);

/** Where the lab stands: fields of an address, as `view=credit&node=3`; of credit, a step by what it finds. */
const place = { at: v.exactOptional(v.string(), ''), credit: v.exactOptional(words) };

/** Names of parts of the page, ui/lessons/looked_at.ts. */
const look = v.exactOptional(v.pipe(v.array(words), v.readonly()));

const step = v.strictObject({
  title: words,
  text: v.pipe(v.array(words), v.minLength(1), v.readonly()), // paragraphs
  ...place,
  look,
  predict: v.exactOptional(prediction),
  reveal: v.exactOptional(v.strictObject({ ...place, look })), // where the lab goes when the prediction is answered
  task: v.exactOptional(task),
  notes: v.exactOptional(v.pipe(v.array(words), v.readonly())), // for who presents it: not on the page
});

const lesson = v.strictObject({
  title: words,
  outcome: words, // what one will know at the end
  minutes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(20)),
  run: v.exactOptional(words), // 'recorded', or a file of the site; where `at` has an example, that is on screen
  at: v.exactOptional(v.string(), ''), // of every step; a step's own fields go before
  steps: v.pipe(v.array(step), v.minLength(1), v.readonly()),
});

export type LessonData = v.InferInput<typeof lesson>;
export type Lesson = Readonly<v.InferOutput<typeof lesson>>;
export type LessonStep = Lesson['steps'][number];
export type PredictionData = v.InferOutput<typeof prediction>;
export type TaskData = v.InferOutput<typeof task>;

/** The run that a lesson is about where it names none and shows no example. */
export const RECORDED = 'recorded';

/** @throws valibot's ValiError naming the field */
export const parseLesson = (data: unknown): Lesson => v.parse(lesson, data);

/** A term of the field: its words, and what it is. */
export interface Term {
  readonly title: string;
  readonly text: string; // may hold links to other terms
}
export type Glossary = Readonly<Record<string, Term>>;
