/** The honesty check of a step: what its gradient promised, and what its mini-batch did when it was scored again. */
import type { CheckedStep } from '../../store/inspection.ts';
import type { NodeId } from '../../units.ts';
import { useInspection, useLab, useRun, useTransport } from '../binding.ts';
import { formatCount, formatNumber, formatSetting, formatShare, formatSigned } from '../format.ts';
import { Fact } from '../Fact.tsx';

const WIDTH = 240;
const HEIGHT = 140;
const SHOWN = 600; // points; more would only overlap

/** A token whose own change is told. */
interface Place {
  readonly prompt: number;
  readonly leaf: NodeId;
  readonly position: number; // in the row
}

interface Point {
  readonly push: number;
  readonly change: number; // nats
}

const pointsOf = ({ rows }: CheckedStep): readonly Point[] =>
  rows
    .flatMap(({ push, before, after }) =>
      push.map((value, index) => ({ push: value, change: after[index] - before[index] })),
    )
    .filter(({ push }) => push !== 0);

const extentOf = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);

/** Pushes to the right, changes upwards; quadrants where both agree are named. */
function Scatter({ step }: { readonly step: CheckedStep }) {
  const all = pointsOf(step);
  const every = Math.ceil(all.length / SHOWN);
  const points = all.filter((_, index) => index % every === 0);
  const [pushes, changes] = [extentOf(points.map(({ push }) => push)), extentOf(points.map(({ change }) => change))]; // prettier-ignore
  const x = (push: number): number => (WIDTH / 2) * (1 + (0.95 * push) / pushes);
  const y = (change: number): number => (HEIGHT / 2) * (1 - (0.95 * change) / changes);
  const label = `${formatCount(step.pushed)} tokens: push against change of log-probability, ${formatShare(step.followed)} on the side they were pushed to`;
  return (
    <svg className="step-scatter" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
      <path d={`M0 ${HEIGHT / 2}H${WIDTH}M${WIDTH / 2} 0V${HEIGHT}`} />
      {points.map(({ push, change }, index) => (
        <circle key={index} cx={x(push)} cy={y(change)} r={2} />
      ))}
    </svg>
  );
}

function Own({ step, place }: { readonly step: CheckedStep; readonly place: Place }) {
  const row = step.rows.find(({ prompt, leaf }) => prompt === place.prompt && leaf === place.leaf);
  const index = row?.tokenIndex.indexOf(place.position) ?? -1;
  if (!row || index < 0) return null;
  const change = row.after[index] - row.before[index];
  return (
    <Fact name="this token: push, then log-probability">
      {formatSigned(row.push[index], 6)}, {formatSigned(change, 5)} nats
    </Fact>
  );
}

function Step({ step, place }: { readonly step: CheckedStep; readonly place: Place | null }) {
  const actual = step.lossAfter - step.lossBefore;
  return (
    <div className="checked-step">
      <h4>Mini-batch {step.minibatch + 1}</h4>
      <dl className="facts">
        <Fact name="predicted change of the loss g·Δθ">{formatSigned(step.predicted, 6)}</Fact>
        <Fact name="actual change, scored again">{formatSigned(actual, 6)}</Fact>
        <Fact name="through the tokens’ own changes">{formatSigned(step.throughTokens, 6)}</Fact>
        <Fact name="size of the step |Δθ|">{formatSetting(step.parameterChange, 3)}</Fact>
        <Fact name="correlation of push and change">{formatNumber(step.correlation, 3)}</Fact>
        <Fact name="moved as pushed">
          {formatShare(step.followed)} of {formatCount(step.pushed)} tokens
        </Fact>
        {place && <Own step={step} place={place} />}
      </dl>
      <Scatter step={step} />
    </div>
  );
}

export function StepCheck({ place, update }: { readonly place: Place; readonly update: number }) {
  const { transport } = useLab();
  const answer = useInspection((state) => state.stepCheck);
  const engine = useTransport((shown) => shown.engine.kind);
  const waiting = useTransport((shown) => shown.checkingSteps);
  const live = useTransport((shown) => shown.source === 'live');
  const finished = useRun((run) => run.status === 'finished');
  return (
    <section className="step-check" aria-label="Predicted and actual change">
      <h3>Did the step do what it promised?</h3>
      {answer && (
        <p className="small soft">
          Update {answer.update}. The prediction is first order: the gradient times the change that the
          optimiser made. The actual change is of the same rows, advantages and old log-probabilities, scored
          again after the step. They part where the step is large, or where a clip or the curvature cuts in. A
          single token may move against its push, since all tokens share the parameters.
        </p>
      )}
      {answer?.steps.map((step) => (
        <Step key={step.minibatch} step={step} place={answer.update === update ? place : null} />
      ))}
      {answer?.steps.length === 0 && <p className="small">Update {answer.update} took no step.</p>}
      <p>
        <button
          type="button"
          disabled={engine !== 'ready' || waiting || (live && finished)}
          onClick={() => transport.checkSteps()}
        >
          {waiting ? 'Waiting for the next step …' : 'Check the next update’s steps'}
        </button>{' '}
        <span className="small soft">
          {engine === 'unavailable' ? 'This needs WebGPU.' : 'The run stays the same, bit for bit.'}
        </span>
      </p>
    </section>
  );
}
