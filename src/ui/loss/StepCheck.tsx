/** The honesty check of a step: what its gradient promised, and what its mini-batch did when it was scored again. */
import { useRef } from 'react';
import type { CheckedStep } from '../../store/ask/inspection.ts';
import type { NodeId } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { SavePage } from '../drawing/SaveDrawing.tsx';
import { useInspection, useLab, useRun, useTransport } from '../parts/binding.ts';
import { countWords, formatNumber, formatSetting, formatShare, formatSigned } from '../parts/format.ts';
import { Fact } from '../parts/parts.tsx';
import {
  ENGINE_WORDS,
  FILE_IS_GONE,
  forkStartIsElsewhere,
  trainAgainWords,
  useRunGround,
  type RunGround,
} from '../parts/run_ground.ts';
import { Label } from '../parts/Term.tsx';

// How the check of a step is asked for, by what is on screen: a live run that goes on, one that is over, a recording.

export interface CheckOffer {
  readonly how: 'next' | 'again' | null; // null: it cannot be asked for
  readonly button: string;
  readonly note: string;
}

const NEXT = 'Check the next update’s steps';

/** What can be asked for and why; a step is checked while it is taken, since nobody keeps the weights on both sides. */
export function checkOffer(ground: RunGround): CheckOffer {
  const { engine, live, finished, byHand, forkedAfter, update } = ground;
  const again = `Train again to update ${update} and check it`;
  if (engine === 'unavailable')
    return { how: null, button: live ? NEXT : again, note: 'Scoring the rows again needs WebGPU.' };
  if (engine !== 'ready') return { how: null, button: live ? NEXT : again, note: ENGINE_WORDS[engine] };
  if (live && !finished) return { how: 'next', button: NEXT, note: 'The run stays the same, bit for bit.' };
  if (!live && byHand)
    return {
      how: null,
      button: again,
      note: `${FILE_IS_GONE}: train from that file and check as it runs.`,
    };
  if (!live && forkedAfter !== null)
    return {
      how: null,
      button: again,
      note: `${forkStartIsElsewhere(forkedAfter)}: resume it from Runs and check the update that comes next.`,
    };
  const why = live ? 'The run is over' : 'A recording holds no weights';
  return {
    how: 'again',
    button: again,
    note: `${why}, so the step has to be taken once more: ${trainAgainWords(ground)}`,
  };
}

// Predicted against actual change of log-probability, a point a token.

const WIDTH = 240;
const HEIGHT = 180;
const INSET = 0.95; // of the half axes
const SHOWN = 600; // points; more would only overlap

interface Point {
  readonly name: string; // where the token stands
  readonly predicted: number; // nats
  readonly actual: number; // nats
}

const pointsOf = ({ rows }: CheckedStep): readonly Point[] =>
  rows.flatMap(({ prompt, leaf, tokenIndex, predicted, before, after }) =>
    predicted.map((value, index) => ({
      name: `prompt ${prompt + 1}, ${nodeName(leaf)}, token ${tokenIndex[index]}`,
      predicted: value,
      actual: after[index] - before[index],
    })),
  );

/** What is drawn, in numbers. */
function Table({ points }: { readonly points: readonly Point[] }) {
  return (
    <details className="small">
      <summary>as a table</summary>
      <div className="scroll-table" tabIndex={0} role="region" aria-label="Tokens of the checked step">
        <table>
          <thead>
            <tr>
              <th scope="col">
                <Label>token</Label>
              </th>
              <th scope="col">predicted</th>
              <th scope="col">actual</th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ name, predicted, actual }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{formatSigned(predicted, 5)}</td>
                <td>{formatSigned(actual, 5)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** One scale on both axes, so that a kept promise lies on the diagonal. */
export function StepScatter({ step }: { readonly step: CheckedStep }) {
  const figure = useRef<HTMLElement>(null);
  const update = useInspection(({ stepCheck }) => stepCheck?.update ?? 0);
  const all = pointsOf(step);
  const every = Math.max(1, Math.ceil(all.length / SHOWN));
  const points = all.filter((_, index) => index % every === 0);
  const extent = all.reduce(
    (most, { predicted, actual }) => Math.max(most, Math.abs(predicted), Math.abs(actual)),
    Number.MIN_VALUE,
  );
  const x = (value: number): number => (WIDTH / 2) * (1 + (INSET * value) / extent);
  const y = (value: number): number => (HEIGHT / 2) * (1 - (INSET * value) / extent);
  const label = `${countWords(all.length, 'token')}: predicted change of log-probability to the right, actual change upwards, correlation ${formatNumber(step.forecastCorrelation, 3)}`;
  return (
    <figure ref={figure} className="step-figure">
      <svg className="step-scatter" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
        <path d={`M0 ${HEIGHT / 2}H${WIDTH}M${WIDTH / 2} 0V${HEIGHT}`} />
        <path className="promise" d={`M${x(-extent)} ${y(-extent)}L${x(extent)} ${y(extent)}`} />
        {points.map(({ name, predicted, actual }) => (
          <circle key={name} cx={x(predicted)} cy={y(actual)} r={2} />
        ))}
      </svg>
      <figcaption className="small soft">
        Right: predicted, up: actual, both to {formatSigned(extent, 4)} nats. On the dashed line a token did
        what was promised.
        {every > 1 && ` One in ${every} of ${countWords(all.length, 'token')} is drawn.`}
        <SavePage
          name={`checked step update${update}`}
          about={[`update ${update}, mini-batch ${step.minibatch + 1}`, label]}
          box={figure}
        />
      </figcaption>
      <Table points={points} />
    </figure>
  );
}

/** A token whose own change is told. */
interface Place {
  readonly prompt: number;
  readonly leaf: NodeId;
  readonly position: number; // in the row
}

function Own({ step, place }: { readonly step: CheckedStep; readonly place: Place }) {
  const row = step.rows.find(({ prompt, leaf }) => prompt === place.prompt && leaf === place.leaf);
  const index = row?.tokenIndex.indexOf(place.position) ?? -1;
  if (!row || index < 0) return null;
  return (
    <>
      <Fact name="this token: row’s share of −∂L/∂logπ">{formatSigned(row.push[index], 6)}</Fact>
      <Fact name="this token: predicted change">{formatSigned(row.predicted[index], 5)} nats</Fact>
      <Fact name="this token: actual change">
        {formatSigned(row.after[index] - row.before[index], 5)} nats
      </Fact>
    </>
  );
}

function Step({ step, place }: { readonly step: CheckedStep; readonly place: Place | null }) {
  const actual = step.lossAfter - step.lossBefore;
  return (
    <div className="checked-step">
      <h4>Mini-batch {step.minibatch + 1}</h4>
      <dl className="facts">
        <Fact name="predicted change of the loss g·Δθ">{formatSigned(step.predicted, 6)}</Fact>
        <Fact name="the same, token by token">{formatSigned(step.predictedThroughTokens, 6)}</Fact>
        <Fact name="actual change, scored again">{formatSigned(actual, 6)}</Fact>
        <Fact name="through the tokens’ own changes">{formatSigned(step.throughTokens, 6)}</Fact>
        <Fact name="size of the step |Δθ|">{formatSetting(step.parameterChange, 3)}</Fact>
        <Fact name="correlation of predicted and actual">{formatNumber(step.forecastCorrelation, 3)}</Fact>
        <Fact name="correlation of push by row and change">{formatNumber(step.correlation, 3)}</Fact>
        <Fact name="moved as their row pushes">
          {formatShare(step.followed)} of {countWords(step.pushed, 'token')}
        </Fact>
        {place && <Own step={step} place={place} />}
      </dl>
      <StepScatter step={step} />
    </div>
  );
}

/** Asks for the check, in the way that the run on screen allows, and says which. */
function Ask({ update }: { readonly update: number }) {
  const { transport } = useLab();
  const waiting = useTransport((shown) => shown.checkingSteps);
  const trainingTo = useTransport((shown) => shown.trainingTo);
  const now = useRun((run) => run.update);
  const offer = checkOffer(useRunGround(update));
  const wait = trainingTo === null ? 'Waiting for the next step …' : `At update ${now} of ${trainingTo} …`;
  return (
    <p>
      <button
        type="button"
        disabled={offer.how === null || waiting}
        onClick={() => (offer.how === 'again' ? transport.checkStepsAgain(update) : transport.checkSteps())}
      >
        {waiting ? wait : offer.button}
      </button>{' '}
      <span className="small soft">{offer.note}</span>
    </p>
  );
}

export function StepCheck({ place, update }: { readonly place: Place; readonly update: number }) {
  const answer = useInspection((state) => state.stepCheck);
  return (
    <section className="step-check" aria-label="Predicted and actual change">
      <h3>Did the step do what it promised?</h3>
      {answer && (
        <p className="small soft">
          Update {answer.update}. Predictions are first order: for the loss the gradient times the change Δθ
          that the optimiser made; for each token the slope of its log-probability along Δθ, measured by
          scoring the rows a quarter of the step ahead and behind. The actual change is of the same rows,
          advantages and old log-probabilities, scored again after the step. They part where the step is
          large, or where a clip or the curvature cuts in. A single token may move against its push, since all
          tokens share the parameters.
        </p>
      )}
      {answer?.steps.map((step) => (
        <Step key={step.minibatch} step={step} place={answer.update === update ? place : null} />
      ))}
      {answer?.steps.length === 0 && <p className="small">Update {answer.update} took no step.</p>}
      <Ask update={update} />
    </section>
  );
}
