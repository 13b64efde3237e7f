/** What was done by hand, in words. */
import { countWords } from '../format.ts';
import type { AskedPolicy, Intervention } from '../../store/interventions.ts';
import type { NodeId, TokenId } from '../../units.ts';
import { FILE_IS_GONE, trainAgainWords, type RunGround } from '../run_ground.ts';
import { nodeName } from './encodings.ts';

/** Exactly whose words the new turns are. */
export function policyWords({ parameters, update, stepped, status }: AskedPolicy): string {
  if (parameters === 'starting') return 'the run’s starting policy';
  if (status === 'finished') return `the policy after update ${update}`;
  if (stepped) return `the policy in update ${update}, with the steps taken so far`;
  return update === 1 ? 'the run’s starting policy' : `the policy after update ${update - 1}`;
}

/** Whose words they will be. */
export const policyExpected = (source: 'recorded' | 'live'): string =>
  source === 'live'
    ? 'The live policy writes the new words, as it stands when asked.'
    : 'The run’s starting policy writes the new words; the recording holds no weights.';

export interface AgainOffer {
  readonly possible: boolean;
  readonly note: string;
}

/** The policy that grew the tree on screen, where it is gone and can be had by training again; null elsewhere. */
export function againOffer(ground: RunGround): AgainOffer | null {
  const { engine, live, finished, byHand, update } = ground;
  if (update < 2 || (live && !finished) || engine === 'unavailable') return null; // the starting policy grew the first
  if (!live && byHand)
    return {
      possible: false,
      note: `${FILE_IS_GONE}: the policy of update ${update} cannot be trained again.`,
    };
  return {
    possible: engine === 'ready',
    note: `For the policy that grew this tree: ${trainAgainWords(ground)}`,
  };
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
