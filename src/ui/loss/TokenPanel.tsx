/** One token: every number between its log-probability and its gradient, in the formula of the loss. */
import type { LossToken, LossTurn } from '../../store/loss_reading.ts';
import type { LossConfig } from '../../units.ts';
import { formatCredit, formatNats, formatNumber, formatRatio, formatSigned } from '../format.ts';
import { Fact } from '../Fact.tsx';
import { CLIP_WORDS } from './TurnLane.tsx';

interface TokenPanelProps {
  readonly text: string;
  readonly token: LossToken;
  readonly turn: LossTurn;
  readonly config: LossConfig;
}

const probability = (logProb: number): string => formatNumber(Math.exp(logProb), 3);

export function TokenPanel({ text, token, turn, config }: TokenPanelProps) {
  const clipped = Math.min(Math.max(turn.turnRatio, 1 - config.clipLow), 1 + config.clipHigh);
  return (
    <section className="panel" aria-label="Token">
      <h2>
        Token <code>{text}</code> <span className="soft">in turn {turn.turn + 1}</span>
      </h2>
      <dl className="facts">
        <Fact name="old log-probability">
          {formatNats(token.oldLogProb, 4)} (p {probability(token.oldLogProb)})
        </Fact>
        <Fact name="new log-probability">
          {formatNats(token.logProb, 4)} (p {probability(token.logProb)})
        </Fact>
        <Fact name="log-ratio of the token">{formatSigned(token.logRatio, 4)} nats</Fact>
        <Fact name="log-ratio of the turn">{formatSigned(turn.turnLogRatio, 4)} nats</Fact>
        <Fact name="turn ratio s">{formatRatio(turn.turnRatio)}</Fact>
        <Fact name="clip band">
          [{formatRatio(1 - config.clipLow)}, {formatRatio(1 + config.clipHigh)}]:{' '}
          {CLIP_WORDS[turn.clipState]}
        </Fact>
        <Fact name="advantage A">{formatCredit(token.advantage, 3)}</Fact>
        <Fact name="weight 1/(B·n)">{formatNumber(token.weight, 6)}</Fact>
        <Fact name="loss of the token">{formatSigned(token.tokenLoss, 4)}</Fact>
        <Fact name="gradient ∂L/∂logπ">{formatSigned(token.dlogProb, 6)}</Fact>
        <Fact name="entropy">{formatNats(token.entropy, 3)}</Fact>
      </dl>
      <p className="formula">
        <span className="symbols">ℓ = max(−A·s, −A·clip(s))</span>
        <span className="live">
          = max({formatSigned(-token.advantage * turn.turnRatio, 4)},{' '}
          {formatSigned(-token.advantage * clipped, 4)}) = <strong>{formatSigned(token.tokenLoss, 4)}</strong>
        </span>
      </p>
      <p className="formula">
        <span className="symbols">∂L/∂logπ = −w·A·s{turn.clipState === 0 ? '' : '·0'}</span>
        <span className="live">
          = −{formatNumber(token.weight, 6)} · ({formatSigned(token.advantage, 3)}) ·{' '}
          {formatRatio(turn.turnRatio)}
          {turn.clipState === 0 ? '' : ' · 0'} = <strong>{formatSigned(token.dlogProb, 6)}</strong>
        </span>
      </p>
      <p className="small soft">
        {token.dlogProb === 0
          ? turn.clipState === 0
            ? 'No push: the advantage is zero.'
            : `No push: ${CLIP_WORDS[turn.clipState]}.`
          : token.dlogProb < 0
            ? 'The step makes this token more likely here.'
            : 'The step makes this token less likely here.'}
        {config.klCoefficient !== 0 && ' The gradient also holds the KL term.'}
      </p>
    </section>
  );
}
