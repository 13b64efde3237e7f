/**
 * What a person does to trees by hand. Every change is made to a copy, kept here by run, update and prompt; the run's
 * own trees, its log, its credit and its training never hear of it.
 */
import { creditRulesOf } from '../credit/credit.ts';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { AskedPolicy, InterventionAnswer, InterventionQuestion } from '../../protocol/protocol.ts';
import type { Ask } from '../../train/inspect/index.ts';
import type { ErrorReport, NodeId, TokenId } from '../../units.ts';
import { failureOf } from './inspection.ts';
import type { Selection, SelectionStore } from '../place/selection.ts';
import { recipeOf, selectedTree, selectedUpdate } from '../record/reading.ts';
import type { RunState, TreeState } from '../record/run_state.ts';
import type { RunStore } from '../record/run.ts';
import {
  anchorOf,
  branchesOfPick,
  handQuestion,
  isReady,
  observationOf,
  withCredit,
  withoutTurns,
  withTurns,
  type HandWish,
} from './hand_tree.ts';

export type { AskedPolicy } from '../../protocol/protocol.ts';
export { anchorOf, branchesOfPick, forcedExpansion, isReady, type HandWish } from './hand_tree.ts';
export { completions, observationOf, parseObservation } from './hand_tree.ts';

/** What was done, as the page tells it. */
export type Intervention =
  | {
      readonly kind: 'grown';
      readonly wish: HandWish;
      readonly expansion: boolean; // asked for in the list of candidates
      readonly added: readonly NodeId[]; // the turns asked for
      readonly before: readonly TokenId[]; // of an edit: the tool result as it was
      readonly temperature: number;
      readonly policy: AskedPolicy;
      readonly ms: number;
    }
  | {
      readonly kind: 'veto';
      readonly iteration: number;
      readonly node: NodeId;
      readonly removed: readonly NodeId[];
    };

/** A tree with interventions. */
export interface HandTree {
  readonly own: TreeState; // as the run grew it
  readonly tree: TreeState; // the copy, with its own credit
  readonly done: readonly Intervention[]; // in order
  readonly earlier: readonly TreeState[]; // the copy before each of these
}

interface Pending {
  readonly key: string;
  readonly own: TreeState;
  readonly update: number;
  readonly wish: HandWish;
  readonly expansion: boolean;
  readonly anchor: NodeId;
  readonly question: InterventionQuestion;
}

export interface InterventionsState {
  readonly trees: Readonly<Record<string, HandTree>>;
  readonly shown: boolean; // the Tree view shows the copy, where there is one
  readonly asking: Pending | null;
}

export interface Interventions extends StoreApi<InterventionsState> {
  /** Asks the engine for turns in the tree shown; it comes into the copy with the answer. */
  readonly grow: (wish: HandWish, expansion?: boolean) => void;
  /** Takes out what the picks of a turn made in one round. */
  readonly veto: (iteration: number, node: NodeId) => void;
  readonly undo: () => void;
  readonly discard: () => void;
  readonly show: (shown: boolean) => void;
}

/** Which tree of which run; null where none is shown. */
export function handKey(run: RunState, selection: Pick<Selection, 'update' | 'prompt'>): string | null {
  const update = selectedUpdate(run, selection);
  return run.header && update ? `${run.header.date} ${update.update} ${selection.prompt}` : null;
}

/** The copy of the tree that is selected, shown or not. */
export function handTree(
  { trees }: Pick<InterventionsState, 'trees'>,
  run: RunState,
  selection: Pick<Selection, 'update' | 'prompt'>,
): HandTree | null {
  const key = handKey(run, selection);
  return key === null ? null : (trees[key] ?? null);
}

export interface InterventionParts {
  readonly run: RunStore;
  readonly selection: SelectionStore;
  readonly ask: Ask;
  /** Shows a person what went wrong with a question. */
  readonly report: (failure: ErrorReport) => void;
}

export function createInterventions({ run, selection, ask, report }: InterventionParts): Interventions {
  const store = createStore<InterventionsState>(() => ({ trees: {}, shown: true, asking: null }));
  let waiting = new AbortController();

  const target = () => {
    const [state, at] = [run.getState(), selection.getState()];
    const [key, own, update] = [handKey(state, at), selectedTree(state, at), selectedUpdate(state, at)];
    const config = recipeOf(state); // without one nobody can sample as the run did
    if (key === null || !own || !update || !config || !isReady(own)) return null;
    return { key, own, update: update.update, config };
  };
  const copyOf = (key: string): HandTree | undefined => store.getState().trees[key];
  const put = (key: string, hand: HandTree | null): void => {
    const others = Object.entries(store.getState().trees).filter(([name]) => name !== key);
    store.setState({ trees: Object.fromEntries(hand ? [...others, [key, hand]] : others) });
  };
  /** Lets go of a selected node that this tree does not have. */
  const keepWithin = ({ nodes }: TreeState): void => {
    const { node, hovered } = selection.getState();
    const gone = (id: NodeId | null): boolean => id !== null && id >= nodes.length;
    if (gone(node) || gone(hovered)) selection.select({ node: gone(node) ? null : node, hovered: null });
  };
  /** One more intervention: the copy after it gets credit by the run's rules. */
  const add = (
    { key, own, update }: Pick<Pending, 'key' | 'own' | 'update'>,
    tree: TreeState,
    done: Intervention,
  ): void => {
    const { updates } = run.getState();
    const rules = creditRulesOf(run.getState());
    const known = copyOf(key) ?? { own, tree: own, done: [], earlier: [] };
    const trees = updates[update - 1]?.trees ?? [own];
    const credited = rules ? withCredit(tree, own, rules, trees) : tree;
    const next = { tree: credited, done: [...known.done, done], earlier: [...known.earlier, known.tree] };
    put(key, { own: known.own, ...next });
    store.setState({ shown: true });
  };
  const answer = (asking: Pending, grown: InterventionAnswer): void => {
    const { trees } = store.getState();
    const { key, own, wish, anchor, expansion, question } = asking;
    const copy = trees[key] as HandTree | undefined;
    const base = copy?.tree ?? own;
    const by = { intervention: (copy?.done.length ?? 0) + 1, edited: wish.action === 'edit' };
    const { tree, added } = withTurns(base, anchor, grown, by);
    const turn = base.nodes[wish.node];
    const before = turn && wish.action === 'edit' ? observationOf(turn) : [];
    const { temperature } = question.config;
    const { policy, ms } = grown;
    add(asking, tree, { kind: 'grown', wish, expansion, added, before, temperature, policy, ms });
    store.setState({ asking: null });
    const isHere = handKey(run.getState(), selection.getState()) === key;
    if (isHere && selection.getState().view === 'tree') selection.select({ node: added[0], growth: null });
  };

  /** Other views, and this one when it shows the run's own tree, know nothing of nodes made by hand. */
  const keepSelectionReal = (): void => {
    const at = selection.getState();
    const hand = handTree(store.getState(), run.getState(), at);
    if (!hand) return;
    if (at.leaf !== null && at.leaf >= hand.own.nodes.length) selection.select({ leaf: null });
    keepWithin(at.view === 'tree' && store.getState().shown ? hand.tree : hand.own);
  };
  store.subscribe(keepSelectionReal);
  selection.subscribe(keepSelectionReal);

  const grow: Interventions['grow'] = (wish, expansion = false) => {
    const at = target();
    if (!at || store.getState().asking) return;
    const { key, own, update, config } = at;
    const tree = copyOf(key)?.tree ?? own;
    const anchor = anchorOf(tree, wish);
    const question = handQuestion(tree, { config, update }, wish);
    if (anchor === null || !question) return;
    const asking = { key, own, update, wish, expansion, anchor, question };
    const { signal } = (waiting = new AbortController());
    store.setState({ asking });
    ask({ kind: 'intervene', ...question }, signal).then(
      (grown) => answer(asking, grown),
      (error: unknown) => {
        if (signal.aborted) return; // discarded meanwhile
        const failure = failureOf(error, signal);
        store.setState({ asking: null });
        if (failure) report(failure);
      },
    );
  };
  const veto: Interventions['veto'] = (iteration, node) => {
    const at = target();
    if (!at || store.getState().asking) return;
    const { key, own } = at;
    const tree = copyOf(key)?.tree ?? own;
    const tops = branchesOfPick(tree, iteration, node);
    const rest = tops.length > 0 ? withoutTurns(tree, tops) : null;
    if (!rest) return;
    const removed = rest.nodes.flatMap((turn, id) =>
      turn?.pruned && !tree.nodes[id]?.pruned ? [turn.id] : [],
    );
    const { node: selected } = selection.getState();
    if (selected !== null && removed.includes(selected)) selection.select({ node: node });
    add(at, rest, { kind: 'veto', iteration, node, removed });
  };

  return {
    ...store,
    grow,
    veto,
    undo() {
      const at = target();
      const hand = at && copyOf(at.key);
      if (!hand || store.getState().asking) return;
      const tree = hand.earlier[hand.earlier.length - 1];
      const [done, earlier] = [hand.done.slice(0, -1), hand.earlier.slice(0, -1)];
      put(at.key, done.length > 0 ? { own: hand.own, tree, done, earlier } : null);
      keepWithin(tree);
    },
    discard() {
      const key = handKey(run.getState(), selection.getState());
      if (key === null) return;
      const hand = copyOf(key);
      if (store.getState().asking?.key === key) {
        store.setState({ asking: null });
        waiting.abort();
      }
      put(key, null);
      if (hand) keepWithin(hand.own);
    },
    show: (shown) => store.setState({ shown }),
  };
}
