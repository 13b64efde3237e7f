/** Chains of the search world with given words: groups of rows whose grades are known by hand. */
import { CHAINS } from '../../src/algo/catalogue/defaults.ts';
import { growTrees } from '../../src/algo/rollouts/turn_tree.ts';
import { pathTo } from '../../src/algo/tree/tree.ts';
import { decodeTokens, encodeWords, searchEnvironment } from '../../src/env/search/search.ts';
import type { Generation, NodeId, Prompt, RolloutTree, TurnSampler } from '../../src/units.ts';

/** Says the given turns, row by row: `rows[branch][turn]`, words joined by spaces. */
const reciting = (rows: readonly (readonly string[])[]): TurnSampler => ({
  generate: (requests) =>
    Promise.resolve(
      requests.map(({ context, key }): Generation => {
        const turn = decodeTokens(context).filter((word) => word === '<result>').length;
        const started =
          turn === 0
            ? key.node - 1
            : chainOf(
                requests.map((request) => request.key.node),
                key.node,
                rows,
                turn,
              );
        const tokens = encodeWords(rows[started][turn].split(' '));
        return { tokens, logProb: tokens.map(() => -0.5), entropy: tokens.map(() => 0.5), finish: 'stop' };
      }),
    ),
});

/** The n-th node of a round belongs to the n-th row that is still going on. */
const chainOf = (
  nodes: readonly number[],
  node: number,
  rows: readonly (readonly string[])[],
  turn: number,
): number =>
  rows.flatMap((row, index) => (row.length > turn ? [index] : []))[
    nodes.toSorted((a, b) => a - b).indexOf(node)
  ];

/** One group: a chain per entry, each a list of turns of which all but the last call a tool. */
export async function searchGroup(
  prompt: Prompt,
  rows: readonly (readonly string[])[],
): Promise<RolloutTree> {
  const config = { ...CHAINS, initialBranches: rows.length, leavesPerTree: rows.length };
  const key = { seed: 1, update: 1 };
  const [tree] = await growTrees(reciting(rows), searchEnvironment, [prompt], config, key);
  return tree;
}

/** The leaf of each chain, by branch: rows stand in breadth-first order, shorter chains first. */
export const leavesByBranch = (tree: RolloutTree): readonly NodeId[] =>
  tree.leaves.toSorted((a, b) => pathTo(tree, a)[1] - pathTo(tree, b)[1]);

/** Turns in the words of the search world. */
export const say = {
  search: (entity: string, relation: string): string =>
    `<think> plan </think> <search> ${entity} ${relation} </search>`,
  compare: (first: string, second: string): string =>
    `<think> plan </think> <calc> ${first} ${second} </calc>`,
  answer: (word: string): string => `<think> plan </think> <answer> ${word} </answer>`,
};

/** The answer of a prompt, and a word that is not. */
export function answersOf(prompt: Prompt): {
  readonly right: string;
  readonly wrong: string;
  readonly other: string;
} {
  const [right] = decodeTokens(prompt.answer);
  const [wrong, other] = ['Ana', 'Ben', 'Cleo'].filter((word) => word !== right);
  return { right, wrong, other };
}
