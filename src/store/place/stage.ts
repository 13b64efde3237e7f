/**
 * How the page is set up for a room: presented on a projector, with controls that a teacher's link hides, with questions that it
 * asks. In the address beside the selection (`&present=1&hide=tree,.rollout.picks&ask=…`), and no part of it: a lesson's steps leave it.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { shorten } from '../../units.ts';
import type { Guess } from '../lesson/prediction.ts';

/** What can be hidden beside single settings, by its name in addresses. The order is that of the teacher's list. */
export const CONTROLS = {
  train: { group: 'Views', words: 'Train' },
  tree: { group: 'Views', words: 'Tree' },
  credit: { group: 'Views', words: 'Credit' },
  loss: { group: 'Views', words: 'Loss' },
  compare: { group: 'Views', words: 'Compare' },
  profile: { group: 'Views', words: 'Profile' },
  runs: { group: 'Views', words: 'Runs' },
  experiments: { group: 'Views', words: 'Experiments' },
  play: { group: 'Run', words: 'Play and pause' },
  live: { group: 'Run', words: 'Train live' },
  step: { group: 'Run', words: 'One update, one phase' },
  reset: { group: 'Run', words: 'Reset' },
  speed: { group: 'Run', words: 'Speed of the recorded run' },
  updates: { group: 'Run', words: 'Choice of the update' },
  settings: { group: 'Settings', words: 'All settings' },
  preset: { group: 'Settings', words: 'Preset' },
  algorithm: { group: 'Settings', words: 'Algorithm' },
  weights: { group: 'Settings', words: 'Starting weights' },
  prompts: { group: 'In the views', words: 'Choice of the prompt' },
  search: { group: 'In the views', words: 'Search of a tree' },
  growth: { group: 'In the views', words: 'Growth replay' },
  hand: { group: 'In the views', words: 'Turns by hand' },
  expansion: { group: 'In the views', words: 'Candidates of the expansion' },
  steps: { group: 'In the views', words: 'Credit steps' },
  rules: { group: 'In the views', words: 'Credit rules' },
  rewards: { group: 'In the views', words: 'Rewards as a what-if' },
  influence: { group: 'In the views', words: 'Influence of leaves' },
  places: { group: 'In the views', words: 'Places in the loss' },
  clip: { group: 'In the views', words: 'Clip as a what-if' },
  questions: { group: 'In the views', words: 'Questions about the rollouts' },
  lessons: { group: 'Page', words: 'Lessons' },
  link: { group: 'Page', words: 'Copy link' },
  export: { group: 'Page', words: 'Export' },
  files: { group: 'Page', words: 'Opening and saving of files' },
  theme: { group: 'Page', words: 'Theme' },
} as const;

export type ControlName = keyof typeof CONTROLS;

/** A control, or one setting: a dot and its path below the algorithm, as `.rollout.picks`. */
export type HiddenName = ControlName | `.${string}`;

/** @param path dotted, into RunConfig */
export const settingName = (path: string): `.${string}` => `.${path.replace(/^algorithm\./, '')}`;

/** A question of the teacher; with a number of the lab as its answer where it names one. */
export interface TaughtQuestion {
  readonly ask: string;
  readonly of: string; // an expression, as in lessons; '' for an answer in words
}

export interface Stage {
  readonly presented: boolean;
  readonly hidden: readonly HiddenName[];
  readonly questions: readonly TaughtQuestion[];
  readonly home: string; // the hash that it came with, which the questions are about
  readonly answers: Readonly<Record<number, Guess | string>>; // of the person, by question; no part of the address
  readonly ignored: readonly string[]; // what the address held of this that nobody understands
}

export const PLAIN_STAGE: Stage = {
  presented: false,
  hidden: [],
  questions: [],
  home: '',
  answers: {},
  ignored: [],
};

const isControl = (name: string): name is ControlName => Object.hasOwn(CONTROLS, name);
const isHiddenName = (name: string): name is HiddenName =>
  isControl(name) || /^(\.[A-Za-z][A-Za-z0-9]{0,39}){1,3}$/.test(name);

/** Parts of an address, in order; none of a plain page. */
export function encodeStage({
  presented,
  hidden,
  questions,
}: Pick<Stage, 'presented' | 'hidden' | 'questions'>): readonly string[] {
  return [
    ...(presented ? ['present=1'] : []),
    ...(hidden.length > 0 ? [`hide=${hidden.join(',')}`] : []),
    ...questions.map(
      ({ ask, of }) => `ask=${[ask, ...(of === '' ? [] : [of])].map(encodeURIComponent).join(',')}`,
    ),
  ];
}

function questionOf(text: string): TaughtQuestion | null {
  try {
    const [ask, of = '', ...rest] = text.split(',').map(decodeURIComponent);
    return ask.trim() === '' || rest.length > 0 ? null : { ask, of };
  } catch {
    return null; // a broken escape
  }
}

export const STAGE_FIELDS: readonly string[] = ['present', 'hide', 'ask'];

/** Reads its parts of a hash of any origin; the selection reads the others. */
export function decodeStage(hash: string): Stage {
  let stage: Stage = { ...PLAIN_STAGE, home: hash };
  const miss = (text: string): void =>
    void (stage = { ...stage, ignored: [...stage.ignored, shorten(text)] });
  for (const part of hash.replace(/^#v1&/, '').split('&')) {
    const [field, ...rest] = part.split('=');
    const text = rest.join('=');
    if (field === 'present') stage = { ...stage, presented: text === '1' };
    if (field === 'hide') {
      const names = text.split(',');
      stage = { ...stage, hidden: [...new Set([...stage.hidden, ...names.filter(isHiddenName)])] };
      names.filter((name) => !isHiddenName(name)).forEach((name) => miss(`hide=${name}`));
    }
    if (field === 'ask') {
      const question = questionOf(text);
      if (question) stage = { ...stage, questions: [...stage.questions, question] };
      else miss(part);
    }
  }
  return stage;
}

export interface StageStore extends StoreApi<Stage> {
  readonly present: (on: boolean) => void;
  /** Shows again what a teacher's link hides. */
  readonly showAll: () => void;
  readonly answer: (question: number, answer: Guess | string) => void;
  readonly dismiss: () => void;
}

export function createStageStore(initial: Stage = PLAIN_STAGE): StageStore {
  const store = createStore<Stage>(() => initial);
  return {
    ...store,
    present: (presented) => store.setState({ presented }),
    showAll: () => store.setState({ hidden: [] }),
    answer: (question, answer) =>
      store.setState(({ answers }) => ({ answers: { ...answers, [question]: answer } })),
    dismiss: () => store.setState({ ignored: [] }),
  };
}
