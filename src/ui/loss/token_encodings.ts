/** How the token strip is coloured: one quantity of the loss at a time, with its scale and its words. */
import type { LossToken, LossTurn } from '../../store/loss_reading.ts';
import { creditGlyph, formatNumber, formatSigned } from '../format.ts';
import { creditShade, entropyShade } from '../scales.ts';
import type { TokenDecoration } from '../transcript/Transcript.tsx';

export const TOKEN_ENCODINGS = [
  'loss',
  'gradient',
  'advantage',
  'log-ratio',
  'entropy',
  'surprisal',
] as const;
export type TokenEncoding = (typeof TOKEN_ENCODINGS)[number];

export const ENCODING_WORDS: Readonly<Record<TokenEncoding, string>> = {
  loss: 'loss of the token before its weight',
  gradient: '∂loss/∂log-probability, weight included; minus pushes the token up',
  advantage: 'advantage of the token’s turn',
  'log-ratio': 'log-probability now minus when sampled, nats',
  entropy: 'entropy of the whole next-token distribution, nats',
  surprisal: '−log-probability of the sampled token, nats',
};

export function quantityOf(token: LossToken, encoding: TokenEncoding): number {
  switch (encoding) {
    case 'loss':
      return token.tokenLoss;
    case 'gradient':
      return token.dlogProb;
    case 'advantage':
      return token.advantage;
    case 'log-ratio':
      return token.logRatio;
    case 'entropy':
      return token.entropy;
    case 'surprisal':
      return -token.logProb;
  }
  return encoding satisfies never;
}

const DIGITS: Readonly<Record<TokenEncoding, number>> = {
  loss: 3,
  gradient: 5,
  advantage: 2,
  'log-ratio': 4,
  entropy: 3,
  surprisal: 3,
};
const isUnsigned = (encoding: TokenEncoding): boolean => encoding === 'entropy' || encoding === 'surprisal';

/** Largest |quantity| of a row, for its scale; 1 when all are zero. */
export const tokenExtent = (turns: readonly LossTurn[], encoding: TokenEncoding): number =>
  Math.max(
    ...turns.flatMap((turn) => turn.tokens.map((token) => Math.abs(quantityOf(token, encoding)))),
    0,
  ) || 1;

/** Shade and words of one token. */
export function decorateToken(token: LossToken, encoding: TokenEncoding, extent: number): TokenDecoration {
  const value = quantityOf(token, encoding);
  const background = isUnsigned(encoding) ? entropyShade(value, extent) : creditShade(value, extent);
  const title = `${encoding} ${formatQuantity(value, encoding)}`;
  if (isUnsigned(encoding) || value === 0) return { background, title };
  return { background, title, sign: value > 0 ? 'plus' : 'minus' };
}

export function formatQuantity(value: number, encoding: TokenEncoding): string {
  const digits = DIGITS[encoding];
  if (isUnsigned(encoding)) return formatNumber(value, digits);
  return `${creditGlyph(value, digits)} ${formatSigned(value, digits)}`.trim();
}
