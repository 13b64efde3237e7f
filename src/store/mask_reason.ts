/** Why a token of a path carries no loss, or a trained-on token no push. Pure. */
import type { LossConfig, NodeId } from '../units.ts';
import type { LossToken } from './loss_reading.ts';
import { isDead, pathTo } from './reading.ts';
import type { TreeState } from './run_state.ts';

export const MASK_REASONS = ['prompt', 'environment', 'retrieved', 'cut', 'dropped', 'unused'] as const;
export type MaskReason = (typeof MASK_REASONS)[number];

/**
 * Why the token at a position of a leaf's path is in no loss.
 * @param scored whether the leaf has a row in a mini-batch
 * @param contextLength tokens of prompt and response together: rows are cut there
 */
export function maskReason(
  tree: TreeState,
  leaf: NodeId,
  position: number,
  scored: boolean,
  contextLength: number,
): MaskReason {
  const promptLength = tree.prompt.tokens.length;
  if (position < promptLength) return 'prompt';
  let start = promptLength;
  for (const { tokens, mask, retrieved, lastGenerationLength } of pathTo(tree, leaf)) {
    const place = position - start;
    start += tokens.length;
    if (place >= tokens.length) continue;
    if (mask[place] === 0)
      return retrieved && place >= tokens.length - lastGenerationLength ? 'retrieved' : 'environment';
    if (tree.dropped) return 'dropped';
    return scored && position >= contextLength ? 'cut' : 'unused';
  }
  return 'cut'; // beyond the end of the path
}

export const SILENCES = ['clip', 'format-mask', 'dead', 'zero-advantage', 'no-loss'] as const;
export type Silence = (typeof SILENCES)[number];

/**
 * Why a trained-on token gets no push; null where it gets one.
 * @param credited its advantage before the format mask
 */
export function silenceOf(
  { dlogProb, clipState, advantage }: LossToken,
  tree: TreeState,
  config: LossConfig,
  credited: number,
): Silence | null {
  if (dlogProb !== 0) return null;
  if (clipState !== 0) return 'clip';
  if (config.surrogate !== 'clip' && config.surrogate !== 'gate') return 'no-loss';
  if (advantage !== 0) return 'no-loss'; // rounded away
  if (config.formatMask && credited < 0) return 'format-mask';
  return isDead(tree) ? 'dead' : 'zero-advantage';
}
