/** "The loss reads 0.00: is it learning?", answered with this mini-batch's numbers. */
import { useMemo } from 'react';
import { lossBalance, type LossBalance } from '../../store/loss/batch_reading.ts';
import type { NetWeight } from '../../store/loss/net_weight.ts';
import type { MinibatchState, UpdateState } from '../../store/record/run_state.ts';
import type { LossConfig } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useLab } from '../parts/binding.ts';
import {
  countWords,
  formatCount,
  formatCredit,
  formatNumber,
  formatShare,
  formatSigned,
} from '../parts/format.ts';
import { Fact } from '../parts/parts.tsx';
import { Label } from '../parts/Term.tsx';
import { QuestionsButton } from '../questions/QuestionsButton.tsx';
import { isLearning, whyTheLoss } from './loss_words.ts';

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
      <h2>
        <Label>{`The loss reads ${formatSigned(balance.loss)}. Is it learning?`}</Label>
      </h2>
      <p>
        <strong>{isLearning(balance)}</strong> {whyTheLoss(balance)}
      </p>
      <QuestionsButton />
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

// How often the token is counted, and how often computed: the rows that share it, and the sum of their pushes.

export function NetWeightPanel({ net }: { readonly net: NetWeight }) {
  const { selection } = useLab();
  return (
    <section className="panel" aria-label="Net weight">
      <h2>
        Net weight{' '}
        <span className="soft">
          <Label>of this token’s prefix</Label>
        </span>
      </h2>
      <p className="small">
        Computed once, counted in <strong>{countWords(net.rows.length, 'row')}</strong> of the prompt’s{' '}
        {net.rowsOfTree}: rows that begin with the same tokens share one prediction here, and each adds its
        own push to it.
      </p>
      <div className="scroll-table" tabIndex={0} role="region" aria-label="Rows that count this token">
        <table className="net-weight">
          <thead>
            <tr>
              <th scope="col">
                <Label>row</Label>
              </th>
              <th scope="col">
                <Label>weight w</Label>
              </th>
              <th scope="col">
                <Label>A</Label>
              </th>
              <th scope="col">w·A</th>
              <th scope="col">
                <Label>∂L/∂logπ</Label>
              </th>
            </tr>
          </thead>
          <tbody>
            {net.rows.map(({ leaf, weight, advantage, signed, dlogProb }) => (
              <tr key={leaf}>
                <td>
                  <button
                    type="button"
                    className="quiet link"
                    onClick={() => selection.select({ leaf, node: leaf })}
                  >
                    {nodeName(leaf)}
                  </button>
                </td>
                <td>{formatNumber(weight, 6)}</td>
                <td>{formatCredit(advantage)}</td>
                <td>{formatSigned(signed, 6)}</td>
                <td>{formatSigned(dlogProb, 6)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">net</th>
              <td>{formatNumber(net.weight, 6)}</td>
              <td></td>
              <td>{formatSigned(net.signed, 6)}</td>
              <td>{formatSigned(net.dlogProb, 6)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}
