/**
 * Lessons and examples over the real lab. The address says which lesson, which step and which small tree; this puts the record
 * that they are about on screen and the lab in the step's state, and gives the person's own place back afterwards.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { RunEvent } from '../../protocol/protocol.ts';
import { LabError, quote, type ErrorReport } from '../../units.ts';
import { RECORDED, parseLesson, type Lesson, type LessonStep } from '../../lessons/lesson.ts';
import { lessonsOf, type LessonEntry } from '../../lessons/catalogue.ts';
import { creditRulesOf, recredit } from '../credit/credit.ts';
import {
  creditSteps,
  phaseEnd,
  phaseStart,
  CREDIT_PHASES,
  type CreditPhase,
} from '../credit/credit_steps.ts';
import type { Transport } from '../lab/transport.ts';
import { decodeSelection } from '../place/address.ts';
import {
  INITIAL_SELECTION,
  isElsewhere,
  LESSON_LIST,
  VIEWS,
  type Selection,
  type SelectionStore,
  type View,
} from '../place/selection.ts';
import { rolloutTree, selectedTree, selectedUpdate } from '../record/reading.ts';
import { readRecord } from '../record/read_record.ts';
import type { RunStore, Screen } from '../record/run.ts';
import type { RunState } from '../record/run_state.ts';
import { exampleEvents, parseExample } from './example.ts';
import type { Guess } from './prediction.ts';

/** Views that a lesson's steps, answers and tasks lead to. */
export function viewsOf(lesson: Lesson): readonly View[] {
  const fields = lesson.steps.flatMap(({ at, reveal, task }) => [
    [at],
    ...(reveal ? [[at, reveal.at]] : []),
    ...(task?.kind === 'choose' ? [[at, task.done]] : []),
  ]);
  const views = fields.map(
    (parts) => decodeSelection(`#v1&${[lesson.at, ...parts].filter(Boolean).join('&')}`).view,
  );
  return VIEWS.filter((view) => views.includes(view));
}

export interface LessonState {
  readonly name: string | null; // of the lesson that is open
  readonly lesson: Lesson | null; // null: none, or it is on its way
  readonly record: RunStore | null; // that it is about, or the example's; null: the person's own
  /** What the numbers of a step are read from, whatever the person makes of the lab meanwhile. */
  readonly ground: { readonly step: number; readonly record: RunStore } | null;
  readonly revealed: boolean; // the step's prediction is answered
  readonly needs: number; // last update that the step shows or asks a number of; 0 none
  readonly answers: Readonly<Record<number, Guess | null>>; // of the open lesson, by step; null: shown without a guess
  readonly failure: ErrorReport | null;
}

export interface Lessons extends StoreApi<LessonState> {
  /** Opens a lesson at a step, or LESSON_LIST. */
  readonly open: (name: string, step?: number) => void;
  readonly goTo: (step: number) => void;
  /** The state of the step again, after the person went elsewhere in the lab; before its answer was shown, or after. */
  readonly again: (revealed?: boolean) => void;
  /** The prediction is answered: the lab goes where the step shows it. */
  readonly reveal: (guess?: Guess | null) => void;
  /** Where the numbers of a step are read; null while its record is not there. */
  readonly groundAt: (step: number) => { readonly run: RunState; readonly selection: Selection } | null;
  /** Shows a small tree, in Credit at first. */
  readonly showExample: (text: string) => void;
  /** Ends lesson and example: the person's own place comes back. */
  readonly leave: () => void;
}

export interface LessonParts {
  readonly run: Screen;
  readonly recorded: RunStore;
  readonly selection: SelectionStore;
  readonly transport: Transport;
  /** Reads a file of the site that holds a run. */
  readonly readFile: (name: string) => AsyncIterable<RunEvent>;
  readonly empty: () => RunStore;
  readonly catalogue?: readonly LessonEntry[];
}

const fieldsOf = (...parts: readonly string[]): Selection =>
  decodeSelection(`#v1&${parts.filter((part) => part !== '').join('&')}`);

/**
 * How far credit has been stepped: 'start', 'end', 'end of value', 'value of n1', 'advantage of root'. A node is found by its first step.
 * @returns null before the tree is there
 */
export function creditCursor(text: string, run: RunState, selection: Selection): number | null {
  const [state, update] = [selectedTree(run, selection), selectedUpdate(run, selection)];
  const own = creditRulesOf(run, selection);
  const tree = state && rolloutTree(state);
  const credit = state && own && update && recredit(state, own, selection, update.trees);
  if (!tree || !credit) return null;
  const steps = creditSteps(tree, credit.rewardSteps, credit, credit.config.advantageRule);
  if (text === 'start') return 0;
  if (text === 'end') return steps.length;
  const [, first, where] = /^(\w+) of (\w+)$/.exec(text) ?? [];
  const phaseOf = (word: string | undefined): CreditPhase | null =>
    CREDIT_PHASES.find((phase) => phase === word) ?? null;
  const whole = phaseOf(where);
  if (whole && first === 'start') return phaseStart(steps, whole);
  if (whole && first === 'end') return phaseEnd(steps, whole);
  const phase = phaseOf(first);
  const node = where === 'root' ? 0 : Number(/^n(\d+)$/.exec(where ?? '')?.[1] ?? NaN);
  const at = steps.findIndex((step) => step.phase === phase && step.node === node);
  if (phase === null || at < 0)
    throw new LabError('CreditPlaceError', {
      what: 'The lesson names a step of credit that is not there',
      where: text,
      got: quote(text),
      wanted: `start, end, start or end of a phase, or a phase of a node: ${CREDIT_PHASES.join(', ')}`,
      next: 'See src/lessons/README.md for how steps of credit are named.',
    });
  return at + 1;
}

/**
 * The state of the lab in a step of a lesson.
 * @param place the step's own, or where its prediction is revealed
 */
export function stateOf(
  lesson: Lesson,
  name: string,
  step: number,
  run: RunState,
  revealed = false,
): Selection {
  const data: LessonStep = lesson.steps[step];
  const shown = revealed ? data.reveal : undefined;
  const selection: Selection = {
    ...fieldsOf(lesson.at, data.at, shown?.at ?? ''),
    lesson: name,
    lessonStep: step,
  };
  const credit = shown?.credit ?? data.credit;
  const cursor = credit === undefined ? selection.creditFrame : creditCursor(credit, run, selection);
  return { ...selection, creditFrame: cursor ?? 0 };
}

/** A step that shows a small tree is about no run. */
const hasExample = (lesson: Lesson, step: number): boolean =>
  fieldsOf(lesson.at, lesson.steps[Math.min(step, lesson.steps.length - 1)].at).example !== null;

/** Whether the selection has all fields of an address: what a task asks for. */
export function isChosen(fields: string, selection: Selection): boolean {
  const wanted = fieldsOf(fields);
  const keys = Object.keys(wanted) as (keyof Selection)[];
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  return keys.every((key) => same(wanted[key], INITIAL_SELECTION[key]) || same(wanted[key], selection[key]));
}

const noLesson = (name: string, catalogue: readonly LessonEntry[]): ErrorReport => ({
  what: 'There is no such lesson',
  where: 'the address',
  got: quote(name),
  wanted: `one of ${catalogue.map((entry) => entry.name).join(', ')}`,
  next: 'Choose one from the list of lessons.',
});

const notRead = (name: string, error: unknown): ErrorReport =>
  error instanceof LabError
    ? error.report
    : {
        what: 'The lesson could not be loaded',
        where: name,
        got: error instanceof Error ? error.message : String(error),
        wanted: 'its file from this site',
        next: 'Look whether you are online and open the lesson again; if the site was renewed, reload the page.',
      };

/** The last update that a step shows, or that one of its expressions names. */
function lastAsked(lesson: Lesson, step: number): number {
  const data = lesson.steps[step];
  const { update } = fieldsOf(lesson.at, data.at, data.reveal?.at ?? '');
  const named = [...JSON.stringify(data).matchAll(/ of update (\d+)/g)].map(([, number]) => Number(number));
  return Math.max(update ?? 0, ...named);
}

const NOTHING: LessonState = {
  name: null,
  lesson: null,
  record: null,
  ground: null,
  revealed: false,
  needs: 0,
  answers: {},
  failure: null,
};

export function createLessons(parts: LessonParts): Lessons {
  const { run, recorded, selection, transport, readFile, empty, catalogue = lessonsOf('en') } = parts;
  const store = createStore<LessonState>(() => NOTHING);
  let own: Selection | null = null; // the person's place of before
  let ground = ''; // key of the record that was put on screen; '' the person's own
  let applied = ''; // key of the step whose state was put
  const files = new Map<string, { readonly record: RunStore; readonly whole: Promise<void> }>();
  let turn = 0; // of what is awaited, the newest counts

  const put = (record: RunStore | typeof RECORDED, key: string): void => {
    ground = key;
    store.setState({ record: record === RECORDED ? recorded : record });
    transport.borrow(record);
  };
  const putBack = (): void => {
    ground = '';
    store.setState({ record: null });
    transport.giveBack();
  };
  const ofExample = (text: string): RunStore => {
    const record = empty();
    record.apply(exampleEvents(parseExample(text)));
    return record;
  };
  /** A record that fills as its file is read. */
  const ofFile = (name: string) => {
    const known = files.get(name);
    if (known) return known;
    const record = empty();
    const whole = readRecord(readFile(name), record).then(({ failure }) => {
      if (failure) throw new LabError('LessonFileError', failure);
    });
    const file = { record, whole };
    files.set(name, file);
    whole.catch(() => {
      files.delete(name);
      if (ground === name) ground = ''; // it is asked for again
    });
    return file;
  };

  /** Puts the record on screen that lesson and example ask for. @param again also where the person has put another there */
  const setGround = async (again = false): Promise<void> => {
    const { example, lessonStep } = selection.getState();
    const { lesson } = store.getState();
    const key = example ?? (lesson && !hasExample(lesson, lessonStep) ? (lesson.run ?? RECORDED) : '');
    const isThere = key === ground && (!again || run.shown() === store.getState().record);
    if (isThere) return;
    if (example !== null) put(ofExample(example), key);
    else if (key === '') putBack();
    else if (key === RECORDED) put(RECORDED, key);
    else {
      const { record, whole } = ofFile(key);
      put(record, key); // at once: no other run stands under the lesson's words
      await whole;
    }
  };

  const keyOf = ({ lesson, lessonStep }: Selection): string => `${lesson ?? ''} ${lessonStep}`;

  /** @param revealed the step's prediction is answered */
  const apply = async (revealed: boolean, again = false): Promise<void> => {
    const { lesson, name } = store.getState();
    if (!lesson || name === null) return;
    const step = Math.min(selection.getState().lessonStep, lesson.steps.length - 1);
    const read = (): Selection =>
      stateOf(lesson, name, step, (store.getState().record ?? run).getState(), revealed);
    const { example } = fieldsOf(lesson.at, lesson.steps[step].at);
    applied = `${name} ${step}`;
    const needs = lastAsked(lesson, step);
    store.setState(revealed ? { revealed, needs } : { revealed, needs, ground: null });
    if (example !== selection.getState().example)
      selection.setState({ ...selection.getState(), example, lessonStep: step }, true);
    await setGround(again);
    if (applied !== `${name} ${step}` || store.getState().revealed !== revealed) return; // the person went on
    const putState = (): void =>
      selection.setState(
        { ...read(), hands: selection.getState().hands, run: null, hovered: null, ignored: [] },
        true,
      );
    putState();
    store.setState({ ground: { step, record: store.getState().record ?? run.shown() } });
    const isThere = (): boolean => selectedTree(run.getState(), selection.getState()) !== null;
    if (isThere()) {
      if (read().creditFrame !== selection.getState().creditFrame) putState(); // the recording came so far just now
      return;
    }
    const stop = run.subscribe(() => {
      if (applied === `${name} ${step}` && !isThere()) return; // the recording is still on its way
      stop();
      if (applied === `${name} ${step}`) putState();
    });
  };

  const load = async (name: string): Promise<void> => {
    const mine = (turn += 1);
    const entry = catalogue.find((each) => each.name === name);
    const { record } = store.getState();
    store.setState({ ...NOTHING, record, name, failure: entry ? null : noLesson(name, catalogue) });
    if (!entry) return;
    try {
      const lesson = parseLesson((await entry.load()).default);
      if (mine !== turn) return;
      store.setState({ lesson });
      await apply(false);
    } catch (error) {
      if (mine === turn || store.getState().name === name) store.setState({ failure: notRead(name, error) });
    }
  };
  const fail = (error: unknown): void => {
    const { name } = store.getState();
    store.setState({ failure: notRead(name ?? 'the example', error) });
  };

  const hear = (state: Selection, before: Selection | null): void => {
    if (before && !isElsewhere(before) && isElsewhere(state)) own = before;
    const { lesson: name } = state;
    if (isElsewhere(state) && state.run !== null) return selection.setState({ run: null, recipe: null }); // of a link: lesson and example say it themselves
    if (name === null || name === LESSON_LIST) {
      applied = '';
      if (store.getState().name !== name) {
        turn += 1;
        store.setState({ ...NOTHING, record: store.getState().record, name });
      }
      setGround().catch(fail);
    } else if (name !== store.getState().name) void load(name);
    else if (keyOf(state) !== applied) apply(false).catch(fail);
    else if (state.example !== before?.example) setGround().catch(fail);
  };
  selection.subscribe((state, before) => hear(state, before));
  hear(selection.getState(), null);

  const goTo = (step: number): void => {
    const { lesson } = store.getState();
    if (!lesson) return;
    selection.setState({ lessonStep: Math.min(Math.max(0, step), lesson.steps.length - 1) });
  };
  return {
    ...store,
    open: (name, step = 0) => selection.select({ lesson: name, lessonStep: step }),
    goTo,
    again: (revealed = store.getState().revealed) => void apply(revealed, true).catch(fail),
    reveal(guess = null) {
      const { answers, revealed } = store.getState();
      const { lessonStep } = selection.getState();
      if (!revealed) store.setState({ answers: { ...answers, [lessonStep]: guess } });
      apply(true).catch(fail);
    },
    groundAt(step) {
      const { lesson, name, record } = store.getState();
      if (!lesson || name === null) return null;
      const { example } = fieldsOf(lesson.at, lesson.steps[step].at);
      const of = example === null ? record : ofExample(example);
      return of && { run: of.getState(), selection: stateOf(lesson, name, step, of.getState()) };
    },
    showExample: (text) =>
      selection.setState({ ...INITIAL_SELECTION, example: text, view: 'credit', update: 1 }, true),
    leave() {
      const place = own;
      own = null;
      if (place) selection.setState({ ...place, lesson: null }, true);
      else {
        selection.setState({ ...INITIAL_SELECTION }, true);
        if (transport.getState().source === 'recorded') transport.replay(); // the page was opened with a lesson: there was no place of before
      }
    },
  };
}
