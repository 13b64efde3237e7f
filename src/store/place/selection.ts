/** What the person looks at. Every view reads and writes this one selection; it mirrors to the address. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { AdvantageRule, NodeId, ValueRule } from '../../units.ts';
import type { ExpansionRule } from '../credit/expansion_what_if.ts';
import type { RecipeChange, RunName } from '../record/run_name.ts';

export const VIEWS = [
  'train',
  'tree',
  'credit',
  'loss',
  'compare',
  'profile',
  'runs',
  'experiments',
] as const;
export type View = (typeof VIEWS)[number];

export interface Pin {
  readonly update: number;
  readonly prompt: number;
  readonly node: NodeId;
}

/** What a turn's number and colour stand for in the Tree view. */
export const TREE_COLOURS = ['entropy', 'value', 'advantage', 'reward'] as const;
export type TreeColour = (typeof TREE_COLOURS)[number];

/** What the words of a row stand out by in the Loss view. */
export const TOKEN_COLOURS = [
  'loss',
  'gradient',
  'weight',
  'advantage',
  'ratio',
  'log-ratio',
  'log-prob',
  'surprisal',
  'entropy',
] as const;
export type TokenColour = (typeof TOKEN_COLOURS)[number];

/** How far one press of Next goes in the credit stepper. */
export const STRIDES = ['number', 'parent', 'level', 'phase'] as const;
export type Stride = (typeof STRIDES)[number];

/** What the credit stepper asks before it shows a step. */
export const PREDICTIONS = ['number', 'sign', 'ranking', 'choice'] as const;
export type PredictionKind = (typeof PREDICTIONS)[number];

/** What the words of a turn stand out by in the Tree view. */
export const WORD_SHADINGS = ['entropy', 'surprisal', 'none'] as const;
export type WordShading = (typeof WORD_SHADINGS)[number];

/** What the Compare view compares: rules on the rollouts shown, or runs. */
export const COMPARED = ['rules', 'runs'] as const;
export type Compared = (typeof COMPARED)[number];

/** Which trees of a batch are shown. */
export const TREE_STATES = ['all', 'live', 'dead', 'dropped', 'clipped', 'parted'] as const;
export type TreeStatus = (typeof TREE_STATES)[number];

/** In which order the trees of a batch stand. */
export const TREE_ORDERS = ['prompt', 'spread', 'entropy', 'disagreement'] as const;
export type TreeOrder = (typeof TREE_ORDERS)[number];

/** What an update can be found by. */
export const UPDATE_SIGNS = ['clipped', 'dead', 'all-dead', 'malformed', 'none-right', 'all-right', 'dropped', 'skipped'] as const; // prettier-ignore
export type UpdateSign = (typeof UPDATE_SIGNS)[number];

export interface BatchFilter {
  readonly status: TreeStatus;
  readonly dataset: string; // '' any
  readonly reward: string; // class that a leaf has; '' any
}

/** A clip band that is asked about in place of the run's. */
export interface ClipWhatIf {
  readonly low: number; // ε, from 0 to 1
  readonly high: number;
}

/** What a person has put away of a tree. */
export interface Folds {
  readonly collapsed: readonly NodeId[]; // what follows them is hidden
  readonly opened: readonly NodeId[]; // their children are never stacked
  readonly unstacked: boolean; // nobody's are
}

/** What a search of a tree asks for; a turn is found if it meets all that is given. */
export interface TreeQuery {
  readonly text: string; // of the turn's tokens, any case; '' any
  readonly tag: string; // a word of the grammar, as `search`, or how the path ended, as `malformed`; '' any
  readonly reward: string; // class of a leaf's reward; '' any
  readonly low: number | null; // nats: least turn entropy
  readonly high: number | null; // nats: most
}

/** A leaf's reward as asked for in a what-if; never reaches training. */
export interface WhatIfReward {
  readonly leaf: NodeId;
  readonly reward: number; // dimensionless
}

export interface Selection {
  readonly lesson: string | null; // name of the lesson that drives the lab; LESSON_LIST: the list of them
  readonly lessonStep: number; // from 0
  readonly example: string | null; // a small tree in place of a run, as lesson/example.ts writes it
  readonly run: RunName | null; // that all below is about; null until a run is there
  readonly recipe: readonly RecipeChange[] | null; // that run's, as changes to its preset; null where it is not known
  readonly view: View;
  readonly update: number | null; // null follows the newest
  readonly prompt: number; // Prompt.index
  readonly node: NodeId | null;
  readonly leaf: NodeId | null; // null: the best leaf
  readonly token: number | null; // place in the leaf's row, prompt included, from 0
  readonly creditFrame: number; // cursor into the credit trace, from 0
  readonly stride: Stride; // of the credit stepper
  readonly predict: PredictionKind | null; // asked before each of its strides is shown; null: nothing is
  readonly hands: boolean; // predictions are put to a class, whose hands are counted
  readonly growth: number | null; // growth steps shown; null shows all
  readonly valueRule: ValueRule | null; // null: the run's own
  readonly advantageRule: AdvantageRule | null; // null: the run's own
  readonly leafNormalisation: boolean | null; // null: the run's own
  readonly againstValue: ValueRule | null; // the second rule of a comparison; null: the first's
  readonly againstAdvantage: AdvantageRule | null; // null: the other of GRPO and the tree's own
  readonly whatIf: readonly WhatIfReward[]; // ascending leaves
  readonly pinned: Pin | null; // second selection, for comparing
  readonly colour: TreeColour; // of the Tree view
  readonly batch: boolean; // the Tree view shows all trees of the update
  readonly beside: boolean; // and the same question's tree of another update
  readonly find: TreeQuery | null; // null: no search
  readonly tokenColour: TokenColour; // of the Loss view
  readonly clip: ClipWhatIf | null; // null: the run's own band
  readonly compared: Compared;
  readonly experiment: string | null; // by id; null: the newest
  readonly onlyPath: boolean; // the Tree view fades all but the way to the node and what follows
  readonly folds: Folds; // of the tree on screen
  readonly shading: WordShading; // of a turn's words
  readonly wholePath: boolean; // words of the whole path, not of the turn alone
  readonly filter: BatchFilter; // of the batch of trees
  readonly order: TreeOrder; // of the batch of trees
  readonly sign: UpdateSign; // of updates that are looked for
  readonly round: number | null; // of expansion, from 0; null: the newest
  readonly expansionRule: ExpansionRule | null; // asked about in place of the run's; null: the run's own
  readonly hovered: NodeId | null; // preview; not part of the address
  readonly placed: boolean; // by the page, in place of what the address asked: no step of the history
  readonly ignored: readonly string[]; // what the address held that nobody understands; not part of it
}

/** In place of a lesson: the list of lessons and examples. */
export const LESSON_LIST = 'list';

const NO_FOLDS: Folds = { collapsed: [], opened: [], unstacked: false };

export const INITIAL_SELECTION: Selection = {
  lesson: null,
  lessonStep: 0,
  example: null,
  run: null,
  recipe: null,
  view: 'train',
  update: null,
  prompt: 0,
  node: null,
  leaf: null,
  token: null,
  creditFrame: 0,
  stride: 'parent',
  predict: null,
  hands: false,
  growth: null,
  valueRule: null,
  advantageRule: null,
  leafNormalisation: null,
  againstValue: null,
  againstAdvantage: null,
  whatIf: [],
  pinned: null,
  colour: 'entropy',
  batch: false,
  beside: false,
  find: null,
  tokenColour: 'loss',
  clip: null,
  compared: 'rules',
  experiment: null,
  onlyPath: false,
  folds: NO_FOLDS,
  shading: 'entropy',
  wholePath: false,
  filter: { status: 'all', dataset: '', reward: '' },
  order: 'prompt',
  sign: 'clipped',
  round: null,
  expansionRule: null,
  hovered: null,
  placed: false,
  ignored: [],
};

export interface SelectionStore extends StoreApi<Selection> {
  /**
   * Changes the selection. Who selects within an update stays in it: a turn, a leaf, a token or a credit step holds the
   * update that is on screen, which the selection followed until then. What lies below a changed level is cleared unless given: a new update,
   * prompt or example forgets node, leaf, token, growth, credit frame, round, folds and what-if; a new leaf forgets the token.
   */
  readonly select: (change: Partial<Selection>) => void;
}

const BELOW_PROMPT = {
  node: null,
  leaf: null,
  token: null,
  creditFrame: 0,
  growth: null,
  hovered: null,
  whatIf: INITIAL_SELECTION.whatIf,
  round: null,
  folds: NO_FOLDS,
};

export function selectIn(selection: Selection, change: Partial<Selection>): Selection {
  const changed = (key: keyof Selection): boolean => key in change && change[key] !== selection[key];
  const cleared = {
    ...(changed('update') || changed('prompt') || changed('example') ? BELOW_PROMPT : {}),
    ...(changed('leaf') ? { token: null } : {}),
  };
  return { ...selection, placed: false, ...cleared, ...change };
}

/** The last update that has to be there to show the selection; null: whatever there is. */
export const lastNeeded = ({ update, pinned }: Pick<Selection, 'update' | 'pinned'>): number | null =>
  update === null && pinned === null ? null : Math.max(update ?? 0, pinned?.update ?? 0);

/** A lesson or an example is on screen in place of the person's own run. */
export const isElsewhere = ({ lesson, example }: Pick<Selection, 'lesson' | 'example'>): boolean =>
  example !== null || (lesson !== null && lesson !== LESSON_LIST);

/** `whatIf` with one leaf's reward set, or taken back by null. */
export function withReward(
  whatIf: readonly WhatIfReward[],
  leaf: NodeId,
  reward: number | null,
): readonly WhatIfReward[] {
  const others = whatIf.filter((entry) => entry.leaf !== leaf);
  const all = reward === null ? others : [...others, { leaf, reward }];
  return all.toSorted((a, b) => a.leaf - b.leaf);
}

/** What is selected within an update, and means another thing in the next. */
const WITHIN_UPDATE = ['node', 'leaf', 'token', 'creditFrame'] as const;

/** @param newest number of the newest update, the one on screen where none is selected; null before the first */
export function createSelectionStore(
  initial: Partial<Selection> = {},
  newest: () => number | null = () => null,
): SelectionStore {
  const store = createStore<Selection>(() => ({ ...INITIAL_SELECTION, ...initial }));
  const select = (change: Partial<Selection>): void => {
    const next = selectIn(store.getState(), change);
    const holds = !('update' in change) && WITHIN_UPDATE.some((key) => change[key]); // node 0 is the question: every update has it
    store.setState(next.update === null && holds ? { ...next, update: newest() } : next, true);
  };
  return { ...store, select };
}
