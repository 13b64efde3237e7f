/** "The loss reads 0.00: is it learning?", answered with this mini-batch's numbers. */
import { useMemo } from 'react';
import { lossBalance, type LossBalance } from '../../store/batch_reading.ts';
import type { MinibatchState, UpdateState } from '../../store/run_state.ts';
import type { LossConfig } from '../../units.ts';
import { formatCount, formatNumber, formatShare, formatSigned } from '../format.ts';
import { Fact } from '../Fact.tsx';
import { isLearning, whyTheLoss } from './balance_words.ts';

export function BalancePanel(props: {
  readonly update: UpdateState;
  readonly minibatch: MinibatchState;
  readonly config: LossConfig;
}) {
  const { update, minibatch, config } = props;
  const balance = useMemo<LossBalance>(
    () => lossBalance(update, minibatch, config),
    [update, minibatch, config],
  );
  const { tokens } = balance;
  return (
    <section className="panel" aria-label="Is it learning?">
      <h2>The loss reads {formatSigned(balance.loss)}. Is it learning?</h2>
      <p>
        <strong>{isLearning(balance)}</strong> {whyTheLoss(balance)}
      </p>
      <dl className="facts">
        <Fact name="tokens pushed up">
          {formatCount(balance.pushedUp)} of {formatCount(tokens)} in rows
        </Fact>
        <Fact name="pushed down">
          {formatCount(balance.pushedDown)} of {formatCount(tokens)} in rows
        </Fact>
        <Fact name="not pushed">
          {formatCount(balance.silent)} ({formatShare(tokens === 0 ? 0 : balance.silent / tokens)}), of them{' '}
          {formatCount(balance.clipped)} clipped
        </Fact>
        <Fact name="Σ w·ℓ of tokens with ℓ < 0">{formatSigned(balance.gain, 4)}</Fact>
        <Fact name="Σ w·ℓ of tokens with ℓ > 0">{formatSigned(balance.cost, 4)}</Fact>
        <Fact name="Σ w·A">{formatSigned(balance.signedAdvantage, 5)}</Fact>
        <Fact name="loss Σ w·ℓ">{formatSigned(balance.loss, 5)}</Fact>
        <Fact name="Σ |∂L/∂logπ|">{formatNumber(balance.push, 4)}</Fact>
        <Fact name="gradient norm">{formatNumber(balance.gradientNorm, 4)}</Fact>
        <Fact name="dead prompts">
          {balance.deadPrompts} of {balance.prompts}
        </Fact>
      </dl>
    </section>
  );
}
