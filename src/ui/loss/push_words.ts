/** Which way the step pushes a token, in words: by all rows that share it, since it is computed once for all of them. */
import type { LossToken, LossTurn } from '../../store/loss_reading.ts';
import type { NetWeight } from '../../store/net_weight.ts';
import type { LossConfig } from '../../units.ts';
import { countWords, formatSigned } from '../format.ts';
import { CLIP_WORDS, hasRatio, turnState } from './loss_words.ts';

const DIGITS = 6;

/** What is left of pushes that cancel, by their size: rounding. */
const CANCELLED = 1e-9;

/** ∂loss/∂logProb below zero pushes a token up. */
const way = (dlogProb: number): string => (dlogProb < 0 ? 'more likely' : 'less likely');

/** Why a row gives a token nothing. */
function silence({ clipState }: LossToken, turn: LossTurn, config: LossConfig): string {
  if (clipState !== 0) return CLIP_WORDS[clipState];
  return hasRatio(config) ? 'the advantage is zero' : turnState(turn, config);
}

/** The net push of the rows that share the token, and this row's share of it where there are several. */
export function pushWords(token: LossToken, turn: LossTurn, net: NetWeight, config: LossConfig): string {
  const size = net.rows.reduce((sum, { dlogProb }) => sum + Math.abs(dlogProb), 0);
  if (net.rows.length < 2)
    return token.dlogProb === 0
      ? `No push: ${silence(token, turn, config)}.`
      : `The step makes this token ${way(token.dlogProb)} here.`;
  const share =
    token.dlogProb === 0
      ? `This row has no share: ${silence(token, turn, config)}.`
      : `This row’s share, ${formatSigned(token.dlogProb, DIGITS)}, would make it ${way(token.dlogProb)}.`;
  const rows = `${countWords(net.rows.length, 'row')} share it`;
  if (size === 0) return `No push: ${rows}, and none pushes it. ${share}`;
  if (Math.abs(net.dlogProb) <= CANCELLED * size) return `No net push: ${rows}, and they cancel. ${share}`;
  return `The step makes this token ${way(net.dlogProb)} here: ${rows}, net ∂L/∂logπ ${formatSigned(net.dlogProb, DIGITS)}. ${share}`;
}
