/** Rows that are only scored, and scores batch by batch. */
import { NODEWISE } from '../../algo/advantage/method.ts';
import { packTrees } from '../../algo/batch.ts';
import type { RolloutTree, TokenBatch, TokenScores, TrainablePolicy } from '../../units.ts';

/** Every row of the trees, tree by tree, each in leaf order; advantages are 0. */
export const packToScore = (trees: readonly RolloutTree[], contextLength: number): TokenBatch =>
  packTrees(
    trees,
    trees.map((tree) => ({ ...NODEWISE, byNode: tree.nodes.map(() => 0), trace: [] })),
    contextLength,
  );

export async function scoreAll(
  policy: TrainablePolicy,
  batches: readonly TokenBatch[],
  temperature: number,
): Promise<readonly TokenScores[]> {
  const scores: TokenScores[] = [];
  for (const batch of batches) scores.push(await policy.score(batch, temperature)); // one at a time: they share buffers
  return scores;
}
