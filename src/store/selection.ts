/** What the person looks at. Every view reads and writes this one selection; it mirrors to the address. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { AdvantageRule, NodeId, ValueRule } from '../units.ts';

export const VIEWS = ['train', 'tree', 'credit', 'loss', 'compare', 'profile'] as const;
export type View = (typeof VIEWS)[number];

export interface Pin {
  readonly update: number;
  readonly prompt: number;
  readonly node: NodeId;
}

/** What a turn's number and colour stand for in the Tree view. */
export const TREE_COLOURS = ['entropy', 'value', 'advantage', 'reward'] as const;
export type TreeColour = (typeof TREE_COLOURS)[number];

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
  readonly view: View;
  readonly update: number | null; // null follows the newest
  readonly prompt: number; // Prompt.index
  readonly node: NodeId | null;
  readonly leaf: NodeId | null; // null: the best leaf
  readonly token: number | null; // place in the leaf's row, prompt included, from 0
  readonly creditFrame: number; // cursor into the credit trace, from 0
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
  readonly hovered: NodeId | null; // preview; not part of the address
}

export const INITIAL_SELECTION: Selection = {
  view: 'train',
  update: null,
  prompt: 0,
  node: null,
  leaf: null,
  token: null,
  creditFrame: 0,
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
  hovered: null,
};

export interface SelectionStore extends StoreApi<Selection> {
  /**
   * Changes the selection. What lies below a changed level is cleared unless given: a new update or
   * prompt forgets node, leaf, token, growth, credit frame and what-if; a new leaf forgets the token.
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
};

export function selectIn(selection: Selection, change: Partial<Selection>): Selection {
  const changed = (key: keyof Selection): boolean => key in change && change[key] !== selection[key];
  const cleared = {
    ...(changed('update') || changed('prompt') ? BELOW_PROMPT : {}),
    ...(changed('leaf') ? { token: null } : {}),
  };
  return { ...selection, ...cleared, ...change };
}

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

export function createSelectionStore(initial: Partial<Selection> = {}): SelectionStore {
  const store = createStore<Selection>(() => ({ ...INITIAL_SELECTION, ...initial }));
  return { ...store, select: (change) => store.setState(selectIn(store.getState(), change), true) };
}
