/** The turns of a tree in sentences, told by the run's own environment. Records of other trainers keep their text. */
import { isPosed } from '../../algo/tree/tree.ts';
import { tellerOf } from '../../env/words.ts';
import { ROOT, type NodeId, type ToldTurn, type TurnNode } from '../../units.ts';
import { pathTo, recipeOf, tokenText } from './reading.ts';
import type { RunState, TreeState } from './run_state.ts';

/** A stretch of a node's tokens: what the policy wrote, or what the tool answered. */
interface Stretch {
  readonly node: NodeId;
  readonly isTurn: boolean;
  readonly tokens: readonly number[];
}

/** A step that RAPO copied counts as said, though it is not trained on. */
function stretchesOf({ id, tokens, mask, retrieved, lastGenerationLength }: TurnNode): readonly Stretch[] {
  const copied = retrieved ? tokens.length - lastGenerationLength : Infinity;
  const found: { node: NodeId; isTurn: boolean; tokens: number[] }[] = [];
  tokens.forEach((token, place) => {
    const isTurn = mask[place] === 1 || place >= copied;
    const last = found.at(-1);
    if (last?.isTurn === isTurn) last.tokens.push(token);
    else found.push({ node: id, isTurn, tokens: [token] });
  });
  return found;
}

/** What the tool answered to the last turn of a node: it opens the turns that follow. */
function answerAfter(tree: Pick<TreeState, 'nodes'>, { children }: TurnNode): readonly Stretch[] {
  const [first] = children.flatMap((child) => tree.nodes[child] ?? []);
  const opening = first && stretchesOf(first)[0];
  return opening && !opening.isTurn ? [opening] : [];
}

/**
 * The turns from the root to a node, each under the node in which it ends; a turn that is cut into several nodes stands
 * under the last. Empty where no environment of ours can tell them.
 */
export function tellPath(
  run: Pick<RunState, 'header' | 'texts'>,
  tree: Pick<TreeState, 'nodes' | 'prompt'>,
  node: NodeId,
): ReadonlyMap<NodeId, readonly ToldTurn[]> {
  const told = new Map<NodeId, ToldTurn[]>();
  const tell = recipeOf(run) && run.header?.environment && tellerOf(run.header.environment.name);
  const last = tree.nodes[node];
  if (!tell || !last || node === ROOT || !isPosed(tree.prompt)) return told;
  const turns: Stretch[] = [];
  const observations: (readonly number[])[] = [];
  for (const stretch of [...pathTo(tree, node).flatMap(stretchesOf), ...answerAfter(tree, last)]) {
    const open = turns.at(-1);
    if (!stretch.isTurn) observations.push(stretch.tokens);
    else if (open && turns.length > observations.length)
      turns[turns.length - 1] = { ...stretch, tokens: [...open.tokens, ...stretch.tokens] };
    else turns.push(stretch);
  }
  const words = (ids: readonly number[]): readonly string[] => ids.map((id) => tokenText(run.texts, id));
  const { dataset, seed, tokens, answer } = tree.prompt;
  tell({
    ...{ dataset, seed, question: words(tokens), answer: words(answer), ending: last.ending },
    turns: turns.map((turn) => words(turn.tokens)),
    observations: observations.map(words),
  }).forEach((turn, place) => {
    if (turn.sentence === '') return;
    const { node: at } = turns[place];
    told.set(at, [...(told.get(at) ?? []), turn]);
  });
  return told;
}

const actions = new WeakMap<TurnNode, string>(); // of nodes, which are never written on

/** What a turn does, in a few words; of a node with several turns, all of them. Computed once a node. */
export function actionOf(
  run: Pick<RunState, 'header' | 'texts'>,
  tree: Pick<TreeState, 'nodes' | 'prompt'>,
  node: TurnNode,
): string {
  const known = actions.get(node);
  if (known !== undefined) return known;
  const told = tellPath(run, tree, node.id).get(node.id) ?? [];
  const words = told.map(({ action, fate }) => (fate === 'lucky' ? `${action}, lucky` : action)).join(' → ');
  actions.set(node, words);
  return words;
}
