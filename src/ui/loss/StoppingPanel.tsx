/** "Are rollouts taught to stop?": at each turn, how loud the rows are that answer there and that go on, and how they are pushed. */
import { useMemo } from 'react';
import {
  failureTrees,
  otherReduction,
  pullToStop,
  stoppingOf,
  type Choice,
  type StoppingTurn,
} from '../../store/loss/stopping.ts';
import type { UpdateState } from '../../store/record/run_state.ts';
import type { LossConfig } from '../../units.ts';
import { formatCount, formatNumber, formatSigned } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { failureSentence, hasRatio, REDUCTION_WORDS, stoppingSentence } from './loss_words.ts';

function ChoiceCells({ choice }: { readonly choice: Choice }) {
  return (
    <>
      <td>{formatCount(choice.rows)}</td>
      <td>{formatNumber(choice.loudness)}</td>
      <td>{formatSigned(choice.push, 3)}</td>
    </>
  );
}

interface TurnRowProps {
  readonly at: StoppingTurn;
  readonly other: StoppingTurn | null; // under the other reduction
}

function TurnRow({ at, other }: TurnRowProps) {
  return (
    <tr>
      <th scope="row">{at.turn}</th>
      <ChoiceCells choice={at.answering} />
      <ChoiceCells choice={at.goingOn} />
      <ChoiceCells choice={at.failing} />
      <td>{formatSigned(pullToStop(at), 3)}</td>
      {other && <td>{formatSigned(pullToStop(other), 3)}</td>}
    </tr>
  );
}

const CHOICES = ['answer here', 'go on', 'end without an answer'];

export function StoppingPanel({
  update,
  config,
}: {
  readonly update: UpdateState;
  readonly config: LossConfig;
}) {
  const asked = hasRatio(config) ? otherReduction(config.reduction) : null;
  const own = useMemo(() => stoppingOf(update, null), [update]);
  const other = useMemo(() => (asked ? stoppingOf(update, asked) : null), [update, asked]);
  const failures = useMemo(() => failureTrees(update), [update]);
  return (
    <section className="panel" aria-label="Are rollouts taught to stop?">
      <h2>
        <Label>Lazy collapse: are rollouts taught to stop?</Label>
      </h2>
      <p className="small">
        {stoppingSentence(own, other, asked)} {failureSentence(failures)}
      </p>
      <div className="scroll-table" tabIndex={0} role="region" aria-label="Who stops, by turn">
        <table className="stopping">
          <thead>
            <tr>
              <th scope="col" rowSpan={2}>
                <Label>turn</Label>
              </th>
              {CHOICES.map((choice) => (
                <th key={choice} scope="colgroup" colSpan={3}>
                  {choice}
                </th>
              ))}
              <th scope="colgroup" colSpan={asked ? 2 : 1}>
                pushes, answering − going on
              </th>
            </tr>
            <tr>
              {CHOICES.flatMap((choice) =>
                ['rows', 'weight', 'push'].map((name) => (
                  <th key={`${choice} ${name}`} scope="col">
                    <Label>{name}</Label>
                  </th>
                )),
              )}
              <th scope="col">{REDUCTION_WORDS[config.reduction]}</th>
              {asked && <th scope="col">{REDUCTION_WORDS[asked]}</th>}
            </tr>
          </thead>
          <tbody>
            {own.map((at, index) => (
              <TurnRow key={at.turn} at={at} other={other?.[index] ?? null} />
            ))}
          </tbody>
        </table>
      </div>
      <p className="small soft">
        All mini-batches of the update together. Weight: of a token, 1 is the mean of its mini-batch. Push:
        −∂L/∂logπ of a token at such weights, mean over the rows; above 0 the choice becomes likelier.
        Advantages and clips are the run’s own in both last columns.
      </p>
    </section>
  );
}
