/** Rows that are only scored, and scores batch by batch. */
import { NODEWISE } from '../../algo/advantage/method.ts';
import { packTrees } from '../../algo/batch.ts';
import type { RolloutTree, TokenBatch, TokenScores, TrainablePolicy } from '../../units.ts';
import type { Run } from './stage.ts';

/** Every row of the trees, tree by tree, each in leaf order; advantages are 0. */
export const packToScore = (trees: readonly RolloutTree[], contextLength: number): TokenBatch =>
  packTrees(
    trees,
    trees.map((tree) => ({ ...NODEWISE, byNode: tree.nodes.map(() => 0), trace: [] })),
    contextLength,
  );

/** Batch by batch; a pause holds between two. */
export async function scoreAll(
  { transport, config }: Run,
  policy: TrainablePolicy,
  batches: readonly TokenBatch[],
): Promise<readonly TokenScores[]> {
  const scores: TokenScores[] = [];
  for (const batch of batches) {
    await transport.gate();
    scores.push(await policy.score(batch, config.temperature)); // one at a time: they share buffers
  }
  return scores;
}
