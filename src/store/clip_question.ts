/**
 * What another clip band would have made of a mini-batch: the loss of src/algo once more, on the log-probabilities that
 * the trainer had. Only the loss and its gradient on log-probabilities change; the ratios are those of the run. Pure.
 */
import { policyLoss, segmentsOf, type PolicyLoss } from '../algo/loss.ts';
import { loggedLoss } from '../algo/row_tokens.ts';
import type { LossConfig } from '../units.ts';
import type { MinibatchState } from './run_state.ts';

export interface ClipAnswer {
  readonly loss: number; // of the mini-batch under the asked band
  readonly clippedTokens: number; // under the asked band: those whose clip state is not 0
  readonly flippedTokens: number; // whose clip state differs from the run's
  readonly flippedGroups: number; // runs of tokens with one ratio (tokens, turns or rows) that hold a flipped token
  readonly silenced: number; // tokens that lose their gradient
  readonly freed: number; // tokens that get one
  readonly groups: number;
  readonly tokens: number;
  readonly push: number; // Σ |∂loss/∂logProb| under the asked band
}

const push = ({ dlogProb }: PolicyLoss): number => dlogProb.reduce((sum, d) => sum + Math.abs(d), 0);

/**
 * @param config the run's; its surrogate must be 'clip', the only one with a band
 * @param asked ε_low and ε_high
 */
export function askClip(
  minibatch: MinibatchState,
  config: LossConfig,
  asked: Pick<LossConfig, 'clipLow' | 'clipHigh'>,
): ClipAnswer {
  const { tokens, extras } = loggedLoss(minibatch.rows);
  const [own, other] = [config, { ...config, ...asked }].map((each) => policyLoss(tokens, each, extras));
  const places = own.clipState.map((_, s) => s);
  const flipped = places.filter((s) => own.clipState[s] !== other.clipState[s]);
  const { start, index } = segmentsOf(tokens, config.ratioLevel);
  return {
    loss: other.loss,
    clippedTokens: other.clipState.filter((state) => state !== 0).length,
    flippedTokens: flipped.length,
    flippedGroups: new Set(flipped.map((s) => index[s])).size,
    silenced: flipped.filter((s) => own.dlogProb[s] !== 0 && other.dlogProb[s] === 0).length,
    freed: flipped.filter((s) => own.dlogProb[s] === 0 && other.dlogProb[s] !== 0).length,
    groups: start.length - 1,
    tokens: places.length,
    push: push(other),
  };
}
