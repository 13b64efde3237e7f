/**
 * Turns that a person asks for: a path is retraced, so that the environment stands where it stood, and new turns go on
 * from there to their leaves, with the functions that grow every tree.
 */
import type { Environment, NodeOrigin, Prompt, RolloutTree, SampledNode, TurnSampler } from '../../units.ts';
import {
  RolloutError,
  checkSizes,
  close,
  complete,
  roomLeft,
  settle,
  startTrees,
  stepOf,
} from './growing.ts';
import type { Forest, Growing } from './growing.ts';

/** A turn that stands already, as far as going on after it must know it. */
export type PathTurn = Pick<
  SampledNode,
  'tokens' | 'mask' | 'depth' | 'tree' | 'turnSurprisal' | 'lastGenerationLength' | 'retrieved'
>;

/** What the new turns begin with: a result, and whatever was sampled before the generation that is made again. */
export type TurnOpening = Pick<SampledNode, 'tokens' | 'mask' | 'logProb' | 'entropy' | 'depth'>;

export interface ByHand {
  readonly prompt: Prompt;
  readonly path: readonly PathTurn[]; // first turn to the one that the new turns follow; [] for first turns
  readonly opening: TurnOpening | null; // null: what the environment answers to the path
  readonly tree: number; // TurnNode.tree of the new turns
  readonly count: number; // new turns beside one another
}

const PLAYED: NodeOrigin = { kind: 'by-hand', intervention: 0, edited: false }; // the asker numbers them

/** Where a node's tokens change between what was said on the path and what the world put there. */
function pieces({ tokens, mask }: Pick<SampledNode, 'tokens' | 'mask'>, said: (place: number) => boolean) {
  const starts = tokens.flatMap((_, place) =>
    place === 0 || said(place) !== said(place - 1) ? [place] : [],
  );
  return starts.map((start, index) => {
    const end = starts[index + 1] ?? tokens.length;
    return { said: said(start), tokens: tokens.slice(start, end), mask: mask.slice(start, end) };
  });
}

function mismatch<State>({ tree, node }: Growing<State>, got: string, wanted: string): RolloutError {
  const where = `prompt ${tree.prompt.index}, turn ${node.id} of the path`;
  return new RolloutError('The environment does not answer as it did when the tree grew', where, got, wanted);
}

/** Puts tokens that stand already on a node; between two turns of one node the environment is asked for its state. */
async function retell<State>(
  growing: Growing<State>,
  turn: PathTurn,
  env: Environment<State>,
): Promise<void> {
  const { node } = growing;
  const copied = turn.retrieved ? turn.tokens.length - turn.lastGenerationLength : Infinity; // a stored step counts as said
  node.tokens.length = 0;
  node.mask.length = 0;
  for (const piece of pieces(turn, (place) => turn.mask[place] === 1 || place >= copied)) {
    if (!piece.said && node.unread > 0) {
      const transition = await stepOf(growing, env);
      if (transition.kind !== 'notice') throw mismatch(growing, transition.kind, 'notice');
      node.state = transition.state;
      node.unread = 0;
    }
    node.tokens.push(...piece.tokens);
    node.mask.push(...piece.mask);
    if (piece.said) node.unread += piece.tokens.length;
  }
}

/** Lets turns of a depth follow a node: its call is answered, or its turn goes on in its children. */
async function openEnd<State>(growing: Growing<State>, depth: number, forest: Forest<State>): Promise<void> {
  const { tree, node } = growing;
  if (node.parent === null) return; // the question is open from the start
  if (depth === node.depth) return tree.cut(node);
  const transition = await stepOf(growing, forest.env);
  if (transition.kind !== 'observe') throw mismatch(growing, transition.kind, 'observe');
  settle(growing, transition, forest);
}

/** @returns the last node of the path, its end open for turns of `depth` */
async function retrace<State>(asked: ByHand, depth: number, forest: Forest<State>): Promise<Growing<State>> {
  const [tree] = startTrees([asked.prompt], forest);
  let at: Growing<State> = { tree, node: tree.root };
  for (const turn of asked.path) {
    await openEnd(at, turn.depth, forest);
    at = { tree, node: tree.follow(at.node, PLAYED, turn.tree) };
    await retell(at, turn, forest.env);
    at.node.turnSurprisal = turn.turnSurprisal;
  }
  await openEnd(at, depth, forest);
  return at;
}

/** One of the new turns, before its first token is sampled. */
async function begin<State>(
  { tree, node }: Growing<State>,
  { opening, tree: index }: ByHand,
  forest: Forest<State>,
): Promise<Growing<State>> {
  const growing = { tree, node: tree.follow(node, PLAYED, index) };
  if (!opening) return growing;
  const { turnSurprisal } = growing.node;
  await retell(growing, { ...opening, tree: index, turnSurprisal, lastGenerationLength: 0 }, forest.env);
  growing.node.logProb.splice(0, Infinity, ...opening.logProb);
  growing.node.entropy.splice(0, Infinity, ...opening.entropy);
  return growing;
}

/**
 * @param policy its key decides the words: nodes have the ids of the tree that is returned
 * @returns the path alone, node 1 to path.length, and after it the new turns with all that followed
 * @throws RolloutError if policy or environment break their contract, or the environment answers the path otherwise
 */
export async function growByHand<State>(
  policy: TurnSampler,
  env: Environment<State>,
  asked: ByHand,
): Promise<RolloutTree> {
  checkSizes({ count: asked.count });
  const forest: Forest<State> = { policy, env, observer: {} };
  const before = asked.path.at(-1);
  const depth = asked.opening?.depth ?? (before ? before.depth + 1 : 0);
  const last = await retrace(asked, depth, forest);
  const fresh: Growing<State>[] = [];
  for (let index = 0; index < asked.count; index += 1) fresh.push(await begin(last, asked, forest));
  const growing = fresh.filter((path) => roomLeft(path, env) > 0);
  for (const path of fresh.filter((one) => !growing.includes(one))) {
    path.node.ending = 'length';
    close(path, forest);
  }
  await complete(growing, forest);
  return last.tree.build();
}
