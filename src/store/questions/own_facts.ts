/** Rollouts of an update as questions read them: what the file says of them, or the same made of trees and loss rows. Pure. */
import {
  ROOT,
  type NodeId,
  type RolloutFacts,
  type TokenCount,
  type TurnFacts,
  type TurnNode,
} from '../../units.ts';
import { leavesOf, pathTo, rewardOf, turnStates } from '../record/reading.ts';
import type { RunHeader, TreeState, UpdateState } from '../record/run_state.ts';
import type { LossRow } from '../../protocol/protocol.ts';

/** A turn on the path of a leaf, and where its tokens begin in the row. */
interface Placed {
  readonly node: TurnNode;
  readonly start: number;
}

function placed(tree: TreeState, leaf: NodeId): readonly Placed[] {
  let start = tree.prompt.tokens.length;
  return pathTo(tree, leaf).map((node) => {
    const own = { node, start };
    start += node.tokens.length;
    return own;
  });
}

const writtenBy = ({ mask }: TurnNode): boolean => mask.includes(1);

/** A tree, and the states of its turns. */
interface Ground {
  readonly tree: TreeState;
  readonly stateOf: ReturnType<typeof turnStates>;
}

/** @param at place of the turn among the nodes of its path */
function turnFacts(ground: Ground, row: LossRow | undefined, all: readonly Placed[], at: number): TurnFacts {
  const { tree } = ground;
  const { node, start } = all[at];
  const index = all.slice(0, at).filter((each) => writtenBy(each.node)).length;
  const { tokens, mask, logProb } = node;
  const scored = new Map(row?.tokenIndex.map((place, token) => [place, token] as const));
  const isScored = (place: number): boolean => scored.has(start + place);
  const places = tokens.map((_, place) => place);
  const countOf = (bit: number, more: number): TokenCount => {
    const own = places.filter((place) => mask[place] === bit);
    return { tokens: own.length + more, inLoss: row ? own.filter(isScored).length : null };
  };
  const trained = places.filter((place) => mask[place] === 1 && (!row || isScored(place)));
  const above = all[at - 1]?.node;
  return {
    ...{ node: node.id, after: node.parent ?? ROOT, state: ground.stateOf(node.parent, node), index },
    calls: node.callCount - (above?.callCount ?? 0),
    read: countOf(0, index === 0 ? tree.prompt.tokens.length : 0),
    written: countOf(1, 0),
    ...{ hasIds: true, endsInLoss: row ? isScored(mask.lastIndexOf(1)) : null },
    reward: tree.signals?.stepReward?.[node.id] ?? null,
    advantage: tree.credit?.advantages[node.id] ?? null,
    sampler: logProb && trained.map((place) => logProb[place]),
    trainer: row ? trained.map((place) => row.oldLogProb[scored.get(start + place)!]) : null,
    boundary: null, // tokens go in as they came out: nothing is rendered again
  };
}

/** Where a record holds words and not tokens, nothing is said of tokens. */
const withoutTokens = (turn: TurnFacts): TurnFacts => ({
  ...turn,
  ...{ read: null, written: null, hasIds: false, endsInLoss: null, sampler: null, trainer: null },
});

function leafFacts(
  ground: Ground,
  leaf: NodeId,
  row: LossRow | undefined,
  isOfTokens: boolean,
): RolloutFacts {
  // prettier-ignore
  const { tree } = ground;
  const all = placed(tree, leaf);
  const turns = all.flatMap(({ node }, at) => (writtenBy(node) ? [at] : []));
  const facts = turns.map((at) => turnFacts(ground, row, all, at));
  const last = all.at(-1)?.node;
  return {
    ...{ prompt: tree.prompt.index, leaf, rows: 1, place: `prompt ${tree.prompt.index + 1}, n${leaf}` },
    ...{ reward: rewardOf(tree, leaf), advantage: null, ending: last?.ending ?? 'unknown' },
    calls: last?.callCount ?? 0,
    turns: isOfTokens ? facts : facts.map(withoutTokens),
  };
}

/** Of each leaf the row of the first mini-batch that holds it. */
function rowsByLeaf({ minibatches }: UpdateState): ReadonlyMap<string, LossRow> {
  const rows = new Map<string, LossRow>();
  for (const row of minibatches.flatMap((each) => each.rows)) {
    const key = `${row.prompt} ${row.leaf}`;
    if (!rows.has(key)) rows.set(key, row);
  }
  return rows;
}

/** A rollout for each leaf, where no file says more. Empty where the update's trees are not at hand. */
export function factsOfUpdate(
  update: UpdateState,
  { tokens }: Pick<RunHeader, 'tokens'>,
): readonly RolloutFacts[] {
  if (update.rollouts) return update.rollouts;
  const rows = rowsByLeaf(update);
  return update.trees.flatMap((tree) => {
    const ground = { tree, stateOf: turnStates() };
    return leavesOf(tree).map((leaf) => leafFacts(ground, leaf, rows.get(`${tree.prompt.index} ${leaf}`), tokens !== 'words')); // prettier-ignore
  });
}
