/** Which turns of a tree a search finds. Pure. */
import type { TreeState } from '../../store/run_state.ts';
import type { TreeQuery } from '../../store/selection.ts';
import type { NodeId, TurnNode } from '../../units.ts';
import { rewardClass, type RewardClass } from '../scales.ts';
import type { Nodes } from './drawn_tree.ts';

export const EMPTY_QUERY: TreeQuery = { text: '', tag: '', reward: '', low: null, high: null };
export const REWARD_CLASSES: readonly RewardClass[] = ['correct', 'partial', 'wrong', 'malformed'];

const OPENING_TAG = /^<([a-z_]+)>$/;

/** What a search may ask for as a tag: words of the grammar, then the ways that paths of this tree ended. */
export function tagsOf(nodes: Nodes, vocabulary: readonly string[]): readonly string[] {
  const words = vocabulary.flatMap((word) => OPENING_TAG.exec(word)?.[1] ?? []);
  const endings = nodes.flatMap((node) => node?.ending ?? []);
  return [...new Set([...words, ...endings])];
}

/** The words of a turn, tool results included, as they are read. */
const wordsOf = (node: TurnNode, vocabulary: readonly string[]): readonly string[] =>
  node.tokens.map((id) => vocabulary[id] ?? `#${id}`);

function matches(node: TurnNode, tree: TreeState, query: TreeQuery, vocabulary: readonly string[]): boolean {
  const { text, tag, reward, low, high } = query;
  if (low !== null && node.turnEntropy < low) return false;
  if (high !== null && node.turnEntropy > high) return false;
  if (reward !== '' && (node.ending === null || rewardClass(tree.rewards?.[node.id]) !== reward))
    return false;
  if (tag === '' && text === '') return true;
  const words = wordsOf(node, vocabulary);
  if (tag !== '' && node.ending !== tag && !words.includes(`<${tag}>`)) return false;
  return text === '' || words.join(' ').toLowerCase().includes(text.toLowerCase());
}

/**
 * @param nodes those on screen
 * @returns ids in order of creation; null where the query asks for nothing. The question itself is never found.
 */
export function findTurns(
  tree: TreeState,
  nodes: Nodes,
  query: TreeQuery | null,
  vocabulary: readonly string[],
): readonly NodeId[] | null {
  if (!query) return null;
  const { text, tag, reward, low, high } = query;
  if (text === '' && tag === '' && reward === '' && low === null && high === null) return null;
  return nodes.flatMap((node) =>
    node && node.parent !== null && !node.pruned && matches(node, tree, query, vocabulary) ? [node.id] : [],
  );
}

/** The match after (`step` 1) or before (−1) a node in the order given; round the end to the start. */
export function nextMatch(found: readonly NodeId[], from: NodeId | null, step: 1 | -1): NodeId | null {
  if (found.length === 0) return null;
  const at = from === null ? -1 : found.indexOf(from);
  if (at < 0) return step === 1 ? found[0] : found[found.length - 1];
  return found[(at + step + found.length) % found.length];
}
