/** What was done by hand, in words. */
import { useStore } from 'zustand';
import {
  handKey,
  isReady,
  type AskedPolicy,
  type HandTree,
  type Intervention,
  type InterventionsState,
} from '../../store/ask/interventions.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { NodeId, TokenId } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useLab, useRun, useSelection, useTransport, useTree } from '../parts/binding.ts';
import { countWords } from '../parts/format.ts';
import { ENGINE_WORDS } from '../parts/run_ground.ts';

/** Exactly whose words the new turns are. */
export function policyWords({ parameters, update, stepped, status }: AskedPolicy): string {
  if (parameters === 'starting') return 'the run’s starting policy';
  if (parameters === 'replayed') return `the policy after update ${update}, which grew this tree`;
  if (status === 'finished') return `the policy after update ${update}`;
  if (stepped) return `the policy in update ${update}, with the steps taken so far`;
  return update === 1 ? 'the run’s starting policy' : `the policy after update ${update - 1}`;
}

/**
 * Whose words they will be.
 * @param standsHere the live run answers as it stands
 * @param exact the run is replayed for them; otherwise the live run answers, or the first weights of one that is not live
 */
export function policyExpected(standsHere: boolean, update: number, exact: boolean): string {
  if (standsHere) return 'The live policy writes the new words, as it stands when asked.';
  return exact && update > 1
    ? 'The policy that grew this tree writes the new words.'
    : 'The run’s starting policy writes the new words.';
}

const names = (nodes: readonly NodeId[]): string => nodes.map(nodeName).join(', ');

/** One intervention as a line of the list. */
export function interventionWords(done: Intervention): string {
  if (done.kind === 'veto')
    return `The picks of ${nodeName(done.node)} in round ${done.iteration + 1} vetoed: ${countWords(done.removed.length, 'turn')} taken out.`;
  const { wish, added, expansion, temperature, policy } = done;
  const place = nodeName(wish.node);
  const what = {
    again: expansion ? `${place} expanded` : `${place} sampled again`,
    after: expansion ? `${place} expanded` : `One more way on from ${place}`,
    edit: `The observation of ${place} edited`,
  }[wish.action];
  return `${what}: ${names(added)}. Seed ${wish.seed}, temperature ${temperature}, written by ${policyWords(policy)}.`;
}

export const wordsOf = (tokens: readonly TokenId[], vocabulary: readonly string[]): string =>
  tokens.map((id) => vocabulary[id] ?? `#${id}`).join(' ');

// The copies of trees that a person changes, in React.

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
  if (engine !== 'ready') return ENGINE_WORDS[engine];
  return asking ? 'The policy is writing …' : null;
}
