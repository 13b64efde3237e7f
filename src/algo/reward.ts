/** Rewards: what the environment pays for each path of a tree. */
import type {
  Environment,
  NodeId,
  NodeTable,
  Prompt,
  RolloutTree,
  TokenId,
  Trajectory,
  TurnNode,
} from '../units.ts';
import { pathTo, responseLimit } from './tree.ts';
import type { TreeNodes } from './tree.ts';
import type { CreditStep } from './trace.ts';

export interface LeafRewards {
  readonly byNode: NodeTable<number | null>; // null where the node is not a row of the batch; dimensionless
  readonly trace: readonly CreditStep[]; // in row order
}

/** Consecutive tokens of one node with the same mask. */
function pieces(node: TurnNode, length: number): readonly { mask: number; tokens: TokenId[] }[] {
  const runs: { mask: number; tokens: TokenId[] }[] = [];
  for (let place = 0; place < length; place += 1) {
    const last = runs.at(-1);
    if (last?.mask === node.mask[place]) last.tokens.push(node.tokens[place]);
    else runs.push({ mask: node.mask[place], tokens: [node.tokens[place]] });
  }
  return runs;
}

/**
 * The path to a leaf as rewards see it: cut to the response limit, as the row that is trained on. A path that
 * loses its end to the cut ended by 'length', whatever it said there (released code: the reward reads the cut row).
 * @param limit R, response tokens
 */
export function trajectoryOf(tree: TreeNodes, leaf: NodeId, limit: number): Trajectory {
  const turns: (readonly TokenId[])[] = [];
  const observations: (readonly TokenId[])[] = [];
  let room = limit;
  for (const id of pathTo(tree, leaf)) {
    const node = tree.nodes[id];
    for (const piece of pieces(node, Math.max(0, Math.min(room, node.tokens.length)))) {
      (piece.mask === 0 ? observations : turns).push(piece.tokens);
    }
    room -= node.tokens.length;
  }
  return { turns, observations, ending: room < 0 ? 'length' : (tree.nodes[leaf].ending ?? 'length') };
}

/** What scoring needs of an environment. */
export interface Scorer {
  readonly contextLength: Environment['contextLength'];
  reward(prompt: Prompt, trajectory: Trajectory): number;
}

/** Scores every row of a tree. Rewards are whatever the environment pays; nothing is clipped or normalised here. */
export function scoreLeaves(tree: RolloutTree, env: Scorer): LeafRewards {
  const limit = responseLimit(tree.prompt, env.contextLength);
  const byNode: (number | null)[] = tree.nodes.map(() => null);
  const trace = tree.leaves.map((leaf): CreditStep => {
    const reward = env.reward(tree.prompt, trajectoryOf(tree, leaf, limit));
    byNode[leaf] = reward;
    const terms = [{ node: leaf, weight: 1, value: reward }];
    return {
      kind: 'reward',
      node: leaf,
      parent: tree.nodes[leaf].parent,
      terms,
      statistics: null,
      result: reward,
    };
  });
  return { byNode, trace };
}
