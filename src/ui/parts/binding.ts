/** The store's slices in React: `useRun(selector)` and its sisters re-render when the selected value changes. */
import { creditRulesOf } from '../../store/credit/credit.ts';
import { createContext, useContext, useMemo } from 'react';
import { useStore } from 'zustand';
import type { InspectionState } from '../../store/ask/inspection.ts';
import { worthOf, type TreeWorth } from '../../store/credit/advantage_range.ts';
import type { ArrivalState } from '../../store/lab/arrival.ts';
import type { KeptState } from '../../store/lab/kept.ts';
import type { Lab } from '../../store/lab/lab.ts';
import type { TransportState } from '../../store/lab/transport.ts';
import type { Selection } from '../../store/place/selection.ts';
import type { HiddenName, Stage } from '../../store/place/stage.ts';
import type { PlayerState } from '../../store/record/player.ts';
import {
  contextLengthOf,
  joinerOf,
  questionOf,
  recipeOf,
  selectedTree,
  selectedUpdate,
  tokenText,
} from '../../store/record/reading.ts';
import type { RunState, TreeState, UpdateState } from '../../store/record/run_state.ts';
import { actionOf, tellPath } from '../../store/record/told.ts';
import type { CreditConfig, NodeId, RecordedPrompt, RunConfig, ToldTurn, TurnNode } from '../../units.ts';
import { sentence } from './format.ts';

const LabContext = createContext<Lab | null>(null);
export const LabProvider = LabContext.Provider;

/** The slices themselves, for actions: `useLab().selection.select({ … })`. */
export function useLab(): Lab {
  const lab = useContext(LabContext);
  if (!lab) throw new Error('useLab outside LabProvider: wrap the tree in <LabProvider value={lab}>.');
  return lab;
}

/** Selectors must return stored values or primitives: a new object each time renders without end. */
export const useRun = <T>(selector: (run: RunState) => T): T => useStore(useLab().run, selector);
export const useSelection = <T>(selector: (selection: Selection) => T): T =>
  useStore(useLab().selection, selector);
export const usePlayer = <T>(selector: (player: PlayerState) => T): T => useStore(useLab().player, selector);
export const useTransport = <T>(selector: (transport: TransportState) => T): T =>
  useStore(useLab().transport, selector);

export const useInspection = <T>(selector: (inspection: InspectionState) => T): T =>
  useStore(useLab().inspection, selector);

export const useArrival = <T>(selector: (arrival: ArrivalState) => T): T =>
  useStore(useLab().arrival, selector);

export const useKept = <T>(selector: (kept: KeptState) => T): T => useStore(useLab().kept, selector);

export const useStage = <T>(selector: (stage: Stage) => T): T => useStore(useLab().stage, selector);

/** A teacher's link hides it: it is not drawn, and its keys do nothing. */
export const useIsHidden = (name: HiddenName): boolean => useStage(({ hidden }) => hidden.includes(name));

/** The update under the cursor, or null before the first. */
export function useUpdate(): UpdateState | null {
  const update = useSelection((selection) => selection.update);
  return useRun((run) => selectedUpdate(run, { update }));
}

/**
 * A value of the update under the cursor, null before the first. Renders when that value changes; `useUpdate` does with
 * every event of the update.
 */
export function useOfUpdate<T>(read: (update: UpdateState | null) => T): T {
  const update = useSelection((selection) => selection.update);
  return useRun((run) => read(selectedUpdate(run, { update })));
}

/** Number of the update under the cursor; 0 before the first. */
export const useUpdateNumber = (): number => useOfUpdate((update) => update?.update ?? 0);

/** The tree under the cursor, or null before the first update. */
export function useTree(): TreeState | null {
  const update = useSelection((selection) => selection.update);
  const prompt = useSelection((selection) => selection.prompt);
  return useRun((run) => selectedTree(run, { update, prompt }));
}

/** Token texts by id; empty before a run. */
export const useVocabulary = (): readonly string[] => useRun((run) => run.texts);

/** How tokens of the record read as a person would write them: no tags, marks closed up. The one spelling of a question. */
export function useSentence(): (ids: readonly number[]) => string {
  const texts = useVocabulary();
  const joiner = useRun(joinerOf);
  return useMemo(
    () => (ids) =>
      sentence(
        ids.map((id) => tokenText(texts, id)),
        joiner,
      ),
    [texts, joiner],
  );
}

/** What a prompt asks, as a person would write it. */
export function useQuestion(): (prompt: RecordedPrompt) => string {
  const read = useSentence();
  return (prompt) => read(questionOf(prompt));
}

/** Sentences of the turns on the way to a node, by node; empty where no environment of ours can tell them. */
export function useTold(
  tree: TreeState | null,
  node: NodeId | null,
): ReadonlyMap<NodeId, readonly ToldTurn[]> {
  const header = useRun((run) => run.header);
  const texts = useVocabulary();
  return useMemo(
    () =>
      tree && node !== null
        ? tellPath({ header, texts }, tree, node)
        : new Map<NodeId, readonly ToldTurn[]>(),
    [header, texts, tree, node],
  );
}

/** What each turn of a tree does, in a few words; '' where no environment of ours can tell. */
export function useActions(tree: TreeState): (node: TurnNode) => string {
  const header = useRun((run) => run.header);
  const texts = useVocabulary();
  return useMemo(() => (node) => actionOf({ header, texts }, tree, node), [header, texts, tree]);
}

/** A part of the run's recipe; null before a run, and where the record has none. */
export const useRecipe = <T>(read: (config: RunConfig) => T): T | null =>
  useRun((run) => {
    const config = recipeOf(run);
    return config && read(config);
  });

/** The rules that trained the run; where the record names none, those that the person chose, or default ones. Null before a run. */
export function useCreditRules(): CreditConfig | null {
  const header = useRun((run) => run.header);
  const valueRule = useSelection((selection) => selection.valueRule);
  const advantageRule = useSelection((selection) => selection.advantageRule);
  const leafNormalisation = useSelection((selection) => selection.leafNormalisation);
  return useMemo(
    () => creditRulesOf({ header }, { valueRule, advantageRule, leafNormalisation }),
    [header, valueRule, advantageRule, leafNormalisation],
  );
}

/** Tokens at which a row is cut. */
export const useContextLength = (): number => useRun(contextLengthOf);

/** The run moves: the engine works, or the recording plays. */
export function useIsPlaying(): boolean {
  const source = useTransport((transport) => transport.source);
  const recorded = usePlayer((player) => player.playing);
  const status = useRun((run) => run.status);
  return source === 'live'
    ? status === 'running' || status === 'preparing'
    : source === 'recorded' && recorded;
}

// What the turns of a tree are worth, in React.

const NO_TREES: UpdateState['trees'] = [];
const NO_WORTH: TreeWorth = { values: null, advantages: null };

/** @param update that the tree is of; the one on screen where it is not given */
export function useWorth(tree: TreeState | null, update?: number): TreeWorth {
  const shown = useUpdateNumber();
  const own = useCreditRules();
  const trees = useRun((run) => run.updates[(update ?? shown) - 1]?.trees ?? NO_TREES);
  const isTrained = useRun((run) => recipeOf(run) !== null);
  return useMemo(
    () => (tree && own ? worthOf(tree, own, trees, isTrained) : NO_WORTH),
    [tree, own, trees, isTrained],
  );
}
