/** The words of a row coloured by one quantity of the loss; hatched where there is none. */
import { useMemo } from 'react';
import type { LossReading, LossToken, LossTurn } from '../../store/loss/loss_reading.ts';
import { maskReason } from '../../store/loss/net_weight.ts';
import { TOKEN_COLOURS, type TokenColour as TokenEncoding } from '../../store/place/selection.ts';
import type { PathToken } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { LossConfig, NodeId, RatioLevel } from '../../units.ts';
import { useContextLength, useLab, useSelection } from '../parts/binding.ts';
import { creditGlyph, formatNumber, formatRatio, formatSigned } from '../parts/format.ts';
import { creditShade, entropyShade } from '../parts/scales.ts';
import { Transcript, type TokenDecoration } from '../parts/Transcript.tsx';
import { Label } from '../parts/Term.tsx';
import { LEVEL_WORDS, MASK_WORDS } from './loss_words.ts';

// How the token strip is coloured: one quantity of the loss at a time, with its scale and its words.

export const ENCODING_WORDS: Readonly<Record<TokenEncoding, string>> = {
  loss: 'loss of the token before its weight',
  gradient: 'this row’s share of ∂loss/∂log-probability, weight included; minus pushes the token up',
  weight: 'share of the token in the loss',
  advantage: 'advantage of the token’s turn',
  ratio: 'importance ratio that the loss sees, above or below 1',
  'log-ratio': 'log-probability now minus when sampled, nats',
  'log-prob': 'log-probability of the sampled token, nats; the darker, the likelier',
  surprisal: '−log-probability of the sampled token, nats',
  entropy: 'entropy of the whole next-token distribution, nats',
};

/** The name on a button: the ratio is of a token, a turn or a row. */
export const encodingName = (encoding: TokenEncoding, level: RatioLevel): string =>
  encoding === 'ratio' ? `${LEVEL_WORDS[level]} ratio` : encoding;

export function quantityOf(token: LossToken, encoding: TokenEncoding): number {
  switch (encoding) {
    case 'loss':
      return token.tokenLoss;
    case 'gradient':
      return token.dlogProb;
    case 'weight':
      return token.weight;
    case 'advantage':
      return token.advantage;
    case 'ratio':
      return token.ratio;
    case 'log-ratio':
      return token.logRatio;
    case 'log-prob':
      return token.logProb;
    case 'surprisal':
      return -token.logProb;
    case 'entropy':
      return token.entropy;
  }
  return encoding satisfies never;
}

const DIGITS: Readonly<Record<TokenEncoding, number>> = {
  loss: 3,
  gradient: 5,
  weight: 6,
  advantage: 2,
  ratio: 4,
  'log-ratio': 4,
  'log-prob': 3,
  surprisal: 3,
  entropy: 3,
};
const UNSIGNED: readonly TokenEncoding[] = ['entropy', 'surprisal', 'weight', 'log-prob'];
const isUnsigned = (encoding: TokenEncoding): boolean => UNSIGNED.includes(encoding);

/** What the shade is proportional to: ratios count from 1, log-probabilities as probabilities. */
function strengthOf(token: LossToken, encoding: TokenEncoding): number {
  if (encoding === 'ratio') return token.ratio - 1;
  return encoding === 'log-prob' ? Math.exp(token.logProb) : quantityOf(token, encoding);
}

/** Largest strength of a row, for its scale; 1 when all are zero. */
export const tokenExtent = (turns: readonly LossTurn[], encoding: TokenEncoding): number =>
  Math.max(
    ...turns.flatMap((turn) => turn.tokens.map((token) => Math.abs(strengthOf(token, encoding)))),
    0,
  ) || 1;

/** Shade and words of one token. */
export function decorateToken(
  token: LossToken,
  encoding: TokenEncoding,
  extent: number,
  level: RatioLevel,
): TokenDecoration {
  const strength = strengthOf(token, encoding);
  const background = isUnsigned(encoding) ? entropyShade(strength, extent) : creditShade(strength, extent);
  const title = `${encodingName(encoding, level)} ${formatQuantity(quantityOf(token, encoding), encoding)}`;
  if (isUnsigned(encoding) || strength === 0) return { background, title };
  return { background, title, sign: strength > 0 ? 'plus' : 'minus' };
}

export function formatQuantity(value: number, encoding: TokenEncoding): string {
  const digits = DIGITS[encoding];
  if (encoding === 'ratio') return `${creditGlyph(value - 1, digits)} ${formatRatio(value)}`.trim();
  if (isUnsigned(encoding)) return formatNumber(value, digits);
  return `${creditGlyph(value, digits)} ${formatSigned(value, digits)}`.trim();
}

interface TokenStripProps {
  readonly tree: TreeState;
  readonly leaf: NodeId;
  readonly reading: LossReading | null; // null: the row is in no mini-batch
  readonly config: LossConfig;
  readonly tokens: readonly PathToken[];
  readonly byPosition: ReadonlyMap<number, LossToken>;
  readonly selected: number | null; // position
}

export function TokenStrip({ tree, leaf, reading, config, tokens, byPosition, selected }: TokenStripProps) {
  const { selection } = useLab();
  const contextLength = useContextLength();
  const encoding = useSelection(({ tokenColour }) => tokenColour);
  const decorate = useMemo(() => {
    const extent = tokenExtent(reading?.turns ?? [], encoding);
    return (token: PathToken): TokenDecoration => {
      const scored = byPosition.get(token.position);
      if (!scored) {
        const reason = maskReason(tree, leaf, token.position, reading !== null, contextLength);
        return { title: `${token.text}: no loss, ${MASK_WORDS[reason].short}`, masked: reason !== 'prompt' };
      }
      const decoration = decorateToken(scored, encoding, extent, config.ratioLevel);
      return { ...decoration, title: `${token.text}: ${decoration.title}` };
    };
  }, [tree, leaf, reading, encoding, byPosition, contextLength, config]);
  return (
    <>
      <div className="bar" role="group" aria-label="Colour tokens by">
        <span className="heading">Colour tokens by</span>
        {TOKEN_COLOURS.map((option) => (
          <button
            key={option}
            type="button"
            aria-pressed={option === encoding}
            onClick={() => selection.select({ tokenColour: option })}
          >
            <Label>{encodingName(option, config.ratioLevel)}</Label>
          </button>
        ))}
      </div>
      <p className="small soft">
        {ENCODING_WORDS[encoding]}. Purple and dotted below is under zero, orange with a line above is over
        zero; hatched text carries no loss: select it to read why.
      </p>
      <Transcript
        tokens={tokens}
        selected={selected}
        onSelect={(at) => selection.select({ token: at, node: tokens[at]?.node ?? null })}
        decorate={decorate}
      />
    </>
  );
}
