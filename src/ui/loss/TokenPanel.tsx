/** One token: every number between its log-probability and its gradient, in the formula of the loss. */
import type { LossToken, LossTurn } from '../../store/loss/loss_reading.ts';
import type { MaskReason, NetWeight } from '../../store/loss/net_weight.ts';
import type { LossConfig, NodeId } from '../../units.ts';
import {
  countWords,
  formatCredit,
  formatNats,
  formatNumber,
  formatRatio,
  formatSigned,
} from '../parts/format.ts';
import { Fact } from '../parts/parts.tsx';
import { Label } from '../parts/Term.tsx';
import {
  CLIP_WORDS,
  gradientFormula,
  hasRatio,
  LEVEL_WORDS,
  lossFormula,
  MASK_WORDS,
  outsideBand,
  pushWords,
  type Formula,
} from './loss_words.ts';
import { TokenPush } from './TokenPush.tsx';

interface TokenPanelProps {
  readonly text: string;
  readonly token: LossToken;
  readonly turn: LossTurn;
  readonly net: NetWeight; // over the rows that share the token
  readonly config: LossConfig;
  readonly leaf: NodeId; // of the row
}

const probability = (logProb: number): string => formatNumber(Math.exp(logProb), 3);

function FormulaLine({ formula, result }: { readonly formula: Formula; readonly result: string }) {
  return (
    <p className="formula">
      <span className="symbols">{formula.symbols}</span>
      <span className="live">
        {formula.live === null ? '' : `= ${formula.live} `}= <strong>{result}</strong>
      </span>
    </p>
  );
}

function RatioFacts({ token, config }: Pick<TokenPanelProps, 'token' | 'config'>) {
  const level = LEVEL_WORDS[config.ratioLevel];
  const [low, high] = token.band;
  return (
    <>
      {config.ratioLevel !== 'token' && (
        <Fact name={`log-ratio of the ${level}`}>{formatSigned(token.levelLogRatio, 4)} nats</Fact>
      )}
      <Fact name={`${level} ratio s`}>{formatRatio(token.ratio)}</Fact>
      {config.surrogate === 'clip' && (
        <Fact name="clip band">
          [{formatRatio(low)}, {formatRatio(high)}]: {CLIP_WORDS[token.clipState]}
        </Fact>
      )}
    </>
  );
}

export function TokenPanel({ text, token, turn, net, config, leaf }: TokenPanelProps) {
  const outside = outsideBand(token, config);
  return (
    <section className="panel" aria-label="Token">
      <h2>
        <Label>Token</Label> <code>{text}</code> <span className="soft">in turn {turn.turn + 1}</span>
      </h2>
      <dl className="facts">
        <Fact name="old log-probability">
          {formatNats(token.oldLogProb, 4)} (p {probability(token.oldLogProb)})
        </Fact>
        <Fact name="new log-probability">
          {formatNats(token.logProb, 4)} (p {probability(token.logProb)})
        </Fact>
        <Fact name="log-ratio of the token">{formatSigned(token.logRatio, 4)} nats</Fact>
        {hasRatio(config) && <RatioFacts token={token} config={config} />}
        <Fact name="advantage A">{formatCredit(token.advantage, 3)}</Fact>
        <Fact name="weight w">{formatNumber(token.weight, 6)}</Fact>
        <Fact name="loss of the token">{formatSigned(token.tokenLoss, 4)}</Fact>
        <Fact name="row’s share of ∂L/∂logπ">{formatSigned(token.dlogProb, 6)}</Fact>
        <Fact name="net ∂L/∂logπ">
          {formatSigned(net.dlogProb, 6)}, of {countWords(net.rows.length, 'row')}
        </Fact>
        <Fact name="entropy">{formatNats(token.entropy, 3)}</Fact>
      </dl>
      {outside && <p className="small outside-band">{outside}</p>}
      <FormulaLine formula={lossFormula(token, config)} result={formatSigned(token.tokenLoss, 4)} />
      <FormulaLine formula={gradientFormula(token, config)} result={formatSigned(token.dlogProb, 6)} />
      <p className="small soft">
        {pushWords(token, turn, net, config)}
        {config.klCoefficient !== 0 && ' The gradient also holds the KL term.'}
      </p>
      <TokenPush token={token} leaf={leaf} />
    </section>
  );
}

// A token that is in no loss, and why.

export function MaskedToken({ text, reason }: { readonly text: string; readonly reason: MaskReason }) {
  const { short, sentence } = MASK_WORDS[reason];
  return (
    <section className="panel" aria-label="Token">
      <h2>
        <Label>Token</Label> <code>{text}</code> <span className="soft">carries no loss: {short}</span>
      </h2>
      <p className="small">{sentence}</p>
      <p className="small soft">
        Weight 0 in this row; it counts neither in the loss nor in the row’s length n.
      </p>
    </section>
  );
}
