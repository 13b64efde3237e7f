/** Copies of a tree that a person changes: what the engine is asked, and what comes of its answer. Pure. */
import type { TurnOpening } from '../../algo/rollouts/by_hand.ts';
import { isPosed, isSampled, leavesBelow, withoutNodes } from '../../algo/tree/tree.ts';
import type { InterventionAnswer, InterventionQuestion } from '../../protocol/protocol.ts';
import {
  LabError,
  nodeId,
  shorten,
  tokenId,
  type CreditConfig,
  type NodeId,
  type RolloutConfig,
  type TokenId,
  type SampledNode,
  type TurnNode,
} from '../../units.ts';
import { OWN_CREDIT, recredit } from '../credit/credit.ts';
import { pathTo, rolloutTree } from '../record/reading.ts';
import type { TreeState } from '../record/run_state.ts';

// A tool result as a person types it: words of the environment's vocabulary. Pure.

/** A word that the environment does not know. */
export class UnknownWordError extends LabError {
  constructor(word: string, place: number, nearest: readonly string[]) {
    super('UnknownWordError', {
      what: `The environment has no word “${shorten(word)}”`,
      where: `word ${place + 1} of the observation`,
      got: shorten(word),
      wanted: 'a word of its vocabulary',
      next: `The nearest: ${nearest.join(', ')}.`,
    });
  }
}

/** An observation without a word would make two turns one. */
export class EmptyObservationError extends LabError {
  constructor() {
    super('EmptyObservationError', {
      what: 'An observation has at least one word',
      where: 'the observation',
      got: 'nothing',
      wanted: 'words of the vocabulary, with a space between them',
      next: 'Write a word: without one, the turn before and the turn after would be read as one.',
    });
  }
}

/** Least number of letters to put in, leave out or change. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
}

/** Words of the vocabulary nearest to one that is not in it; equal distances by id. */
export function nearestWords(word: string, vocabulary: readonly string[], count = 3): readonly string[] {
  const typed = word.toLowerCase();
  return vocabulary
    .map((entry) => ({ entry, distance: editDistance(typed, entry.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ entry }) => entry);
}

/**
 * @returns tokens of the words, in order
 * @throws UnknownWordError with the nearest words, EmptyObservationError
 */
export function parseObservation(text: string, vocabulary: readonly string[]): readonly TokenId[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) throw new EmptyObservationError();
  return words.map((word, place) => {
    const id = vocabulary.indexOf(word);
    if (id < 0) throw new UnknownWordError(word, place, nearestWords(word, vocabulary));
    return tokenId(id);
  });
}

/** Words that the last, unfinished word may become; none after a space or a whole word. */
export function completions(text: string, vocabulary: readonly string[], count = 6): readonly string[] {
  const typed = /\S+$/.exec(text)?.[0] ?? '';
  if (typed === '' || vocabulary.includes(typed)) return [];
  const begins = vocabulary.filter((word) => word.toLowerCase().startsWith(typed.toLowerCase()));
  return begins.slice(0, count);
}

/** Tokens of the tool result that opens a turn; none for first turns, or where a turn goes on in the middle. */
export function observationOf({ tokens, mask, retrieved }: TurnNode): readonly TokenId[] {
  const sampled = mask.indexOf(1);
  return retrieved ? [] : tokens.slice(0, sampled < 0 ? tokens.length : sampled);
}

/** Where new turns stand: in a turn's place once more, after it, or in its place after another tool result. */
export type HandAction = 'again' | 'after' | 'edit';

export interface HandWish {
  readonly action: HandAction;
  readonly node: NodeId;
  readonly count: number; // new turns beside one another
  readonly seed: number; // uint32
  readonly observation?: readonly TokenId[]; // of an edit
}

/** A tree can be changed by hand once its rows are chosen and scored. */
export const isReady = (tree: TreeState): boolean => tree.rewards !== null && rolloutTree(tree) !== null;

/** The node that new turns hang from; null where the wish cannot be. */
export function anchorOf(
  tree: TreeState,
  { action, node }: Pick<HandWish, 'action' | 'node'>,
): NodeId | null {
  const turn = tree.nodes[node];
  if (!turn || turn.pruned) return null;
  if (turn.parent === null) return action === 'edit' ? null : node; // a first turn more
  if (action === 'after') return turn.ending === null ? node : null;
  if (action === 'edit' && observationOf(turn).length === 0) return null;
  return turn.parent;
}

/** The turn as far as it stood before the generation that is made again. */
function openingOf(turn: SampledNode): TurnOpening {
  const { tokens, mask, logProb, entropy, depth } = turn;
  const kept = <T>(list: readonly T[]): readonly T[] =>
    list.slice(0, Math.max(0, tokens.length - turn.lastGenerationLength));
  return { tokens: kept(tokens), mask: kept(mask), logProb: kept(logProb), entropy: kept(entropy), depth };
}

const editedOpening = ({ depth }: TurnNode, tokens: readonly TokenId[]): TurnOpening => {
  const zeros = tokens.map(() => 0);
  return { tokens, mask: zeros, logProb: zeros, entropy: zeros, depth };
};

/** A node that was cut in the middle of its turn has no answer: what follows goes on with that turn. */
function openingAfter(tree: TreeState, { id, depth }: TurnNode): TurnOpening | null {
  const isCut = tree.nodes.some((node) => node?.parent === id && node.depth === depth);
  return isCut && id !== 0 ? { tokens: [], mask: [], logProb: [], entropy: [], depth } : null;
}

/** @returns what the engine is asked; null where the wish cannot be */
export function handQuestion(
  tree: TreeState,
  of: Pick<InterventionQuestion, 'config' | 'update'>,
  { action, node, count, seed, observation = [] }: HandWish,
): InterventionQuestion | null {
  const turn = tree.nodes[node];
  const anchor = anchorOf(tree, { action, node });
  if (!turn || anchor === null) return null;
  const path = pathTo(tree, anchor).slice(1);
  const { prompt } = tree;
  if (!isPosed(prompt) || !isSampled(turn) || !path.every(isSampled)) return null; // nothing of ours to go on from
  const isAfter = anchor === node;
  const opening = isAfter
    ? openingAfter(tree, turn)
    : action === 'edit'
      ? editedOpening(turn, observation)
      : openingOf(turn);
  return { ...of, prompt, path, opening, tree: turn.tree, node, count, seed };
}

const filled = <T>(table: readonly (T | null)[], length: number): (T | null)[] =>
  Array.from({ length }, (_, id) => table[id] ?? null);

/** New nodes have signals that nobody measured: no belief, and no reward of their own. */
function widenedSignals({ signals, nodes }: TreeState, more: number): TreeState['signals'] {
  if (!signals) return signals;
  const length = nodes.length + more;
  const { belief, stepReward } = signals;
  return {
    ...signals,
    belief: belief && filled(belief, length),
    stepReward: stepReward && filled(stepReward, length).map((reward) => reward ?? 0),
  };
}

export interface Grown {
  readonly tree: TreeState; // credit is that of the tree before
  readonly added: readonly NodeId[]; // the new turns asked for, without what followed
}

/** @param by number of the intervention and whether it rewrote a tool result */
export function withTurns(
  tree: TreeState,
  anchor: NodeId,
  { first, nodes, rewards }: Pick<InterventionAnswer, 'first' | 'nodes' | 'rewards'>,
  by: { readonly intervention: number; readonly edited: boolean },
): Grown {
  const move = (id: NodeId): NodeId => nodeId(id - first + tree.nodes.length);
  const isHead = ({ parent }: TurnNode): boolean => parent === null || parent < first;
  const fresh = nodes.map((node): TurnNode => ({
    ...node,
    id: move(node.id),
    parent: isHead(node) ? anchor : move(node.parent as NodeId), // not null: checked
    children: node.children.map(move),
    origin: { kind: 'by-hand', intervention: by.intervention, edited: by.edited && isHead(node) },
  }));
  const added = nodes.filter(isHead).map(({ id }) => move(id));
  const old = tree.nodes.map((node) =>
    node?.id === anchor ? { ...node, children: [...node.children, ...added] } : node,
  );
  const all = [...old, ...fresh];
  const scored = [...filled(tree.rewards ?? [], tree.nodes.length), ...rewards];
  const steps = fresh.map(({ id }) => ({ kind: 'node', node: id }) as const);
  const grown = {
    ...tree,
    nodes: all,
    growth: [...tree.growth, ...steps],
    leaves: leavesBelow({ nodes: all as readonly TurnNode[] }), // whole: isReady was asked
    rewards: scored,
    signals: widenedSignals(tree, fresh.length),
  };
  return { tree: grown, added };
}

/** The branches that the picks of a turn made in one round: its re-sampled siblings, or the ways on after it. */
export function branchesOfPick(tree: TreeState, iteration: number, picked: NodeId): readonly NodeId[] {
  return tree.nodes.flatMap((node) => {
    if (!node || node.pruned) return [];
    const { origin, parent } = node;
    if (origin.kind === 'expansion')
      return origin.iteration === iteration && origin.resampled === picked ? [node.id] : [];
    return origin.kind === 'branch' && origin.iteration === iteration && parent === picked ? [node.id] : [];
  });
}

/** These nodes, all below them, and what was sampled or copied again from one of them. */
function closure(tree: TreeState, tops: readonly NodeId[]): ReadonlySet<NodeId> {
  const gone = new Set(tops);
  for (const node of tree.nodes) {
    // a node comes after its parent and after what it was sampled from
    if (!node) continue;
    const { origin, parent } = node;
    const source =
      origin.kind === 'expansion' ? origin.resampled : origin.kind === 'duplicate' ? origin.of : null;
    if ((parent !== null && gone.has(parent)) || (source !== null && gone.has(source))) gone.add(node.id);
  }
  return gone;
}

/**
 * Takes turns out of the group, with all that came of them, and whatever is left without an end.
 * @returns null where no path would be left
 */
export function withoutTurns(tree: TreeState, tops: readonly NodeId[]): TreeState | null {
  const gone = new Set(closure(tree, tops));
  const standing = (id: NodeId): boolean => tree.nodes[id]?.pruned === false && !gone.has(id);
  for (const node of tree.nodes.toReversed())
    if (node && node.parent !== null && node.ending === null && !node.children.some(standing))
      gone.add(node.id);
  const nodes = withoutNodes(tree.nodes, gone);
  const leaves = tree.leaves.filter((leaf) => !gone.has(leaf));
  if (leaves.length === 0) return null;
  const rewards = tree.rewards?.map((reward, id) => (gone.has(nodeId(id)) ? null : reward)) ?? null;
  return { ...tree, nodes, leaves, rewards };
}

/** The tree with credit by the run's own rules; `own` is the tree it was copied from, and gives way to it. */
export function withCredit(
  tree: TreeState,
  own: TreeState,
  rules: CreditConfig,
  trees: readonly TreeState[],
): TreeState {
  const beside = trees.map((state) => (state.prompt.index === own.prompt.index ? tree : state));
  const credit = recredit(tree, rules, OWN_CREDIT, beside);
  if (!credit) return { ...tree, credit: null };
  return {
    ...tree,
    credit: {
      prompt: tree.prompt.index,
      valueRule: credit.config.valueRule,
      advantageRule: credit.config.advantageRule,
      normalised: credit.normalised.byNode,
      values: credit.values.byNode,
      advantages: credit.advantages.byNode,
    },
  };
}

/** What expanding one more turn means under a shape: K times by a rule that has a K, else once. */
export function forcedExpansion({ shape, picks }: RolloutConfig): Pick<HandWish, 'action' | 'count'> {
  if (shape === 'turn_tree') return { action: 'again', count: picks };
  return { action: 'after', count: shape === 'continuation_tree' ? picks : 1 };
}
