/** What the engine is asked about one token of a row. Pure. */
import { tokenMeanWeight } from '../algo/penalties.ts';
import type { TokenQuestion } from '../train/protocol.ts';
import type { NodeId, RunConfig, TokenId } from '../units.ts';
import { lossRowOf } from './loss_reading.ts';
import { pathTo } from './reading.ts';
import type { TreeState, UpdateState } from './run_state.ts';

const rowTokens = (tree: TreeState, leaf: NodeId): readonly TokenId[] => [
  ...tree.prompt.tokens,
  ...pathTo(tree, leaf).flatMap(({ tokens }) => tokens),
];

/**
 * Rows of a tree share a prediction where they share the tokens before it, so the gradient at its logits is the sum
 * over those rows of the mini-batch.
 * @param position in the leaf's row, prompt included, from 0
 * @returns null where the loss did not score that token
 */
export function tokenQuestion(
  config: RunConfig,
  update: UpdateState,
  tree: TreeState,
  leaf: NodeId,
  position: number,
): TokenQuestion | null {
  const prompt = tree.prompt.index;
  const found = lossRowOf(update, prompt, leaf);
  if (!found?.row.tokenIndex.includes(position)) return null;
  const { rows } = found.minibatch;
  const tokens = rowTokens(tree, leaf).slice(0, position + 1);
  const sharing = rows.flatMap((row) => {
    const scored = row.prompt === prompt ? row.tokenIndex.indexOf(position) : -1;
    if (scored < 0) return [];
    const own = rowTokens(tree, row.leaf);
    return tokens.every((token, index) => own[index] === token) ? [row.dlogProb[scored]] : [];
  });
  const scoredCount = rows.reduce((sum, { tokenIndex }) => sum + tokenIndex.length, 0);
  const { entropyCoefficient } = config.algorithm.loss;
  return {
    config,
    update: update.update,
    prompt,
    leaf,
    tokens,
    dlogProb: sharing.reduce((sum, dlogProb) => sum + dlogProb, 0),
    dentropy: -entropyCoefficient * tokenMeanWeight(scoredCount) * sharing.length + 0, // no −0
    readers: sharing.length,
  };
}
