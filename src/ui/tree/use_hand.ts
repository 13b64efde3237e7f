/** The copies of trees that a person changes, in React. */
import { useStore } from 'zustand';
import { handKey, isReady, type HandTree, type InterventionsState } from '../../store/interventions.ts';
import type { TreeState } from '../../store/run_state.ts';
import { useLab, useRun, useSelection, useTransport, useTree } from '../binding.ts';

export const useInterventions = <T>(selector: (state: InterventionsState) => T): T =>
  useStore(useLab().interventions, selector);

/** The copy of the tree that is selected, shown or not. */
export function useHandTree(): HandTree | null {
  const update = useSelection((selection) => selection.update);
  const prompt = useSelection((selection) => selection.prompt);
  const key = useRun((run) => handKey(run, { update, prompt }));
  return useInterventions(({ trees }) =>
    key === null ? null : ((trees[key] as HandTree | undefined) ?? null),
  );
}

/** The tree of the Tree view: the copy where there is one and it is wanted, else the run's own. */
export function useShownTree(): TreeState | null {
  const own = useTree();
  const hand = useHandTree();
  const shown = useInterventions((state) => state.shown);
  return hand && shown ? hand.tree : own;
}

/** Why no turns can be asked for now, in a sentence; null where they can. */
export function useWhyNot(): string | null {
  const own = useTree();
  const engine = useTransport((transport) => transport.engine.kind);
  const asking = useInterventions((state) => state.asking !== null);
  if (!own || !isReady(own))
    return 'The tree is still growing: turns can be added once its leaves are scored.';
  if (engine === 'unavailable') return 'New turns have to be sampled, and that needs WebGPU.';
  if (engine === 'starting') return 'The engine is starting.';
  return asking ? 'The policy is writing …' : null;
}
