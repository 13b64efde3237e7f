/** The honesty check of a step: what its gradient promised, and what its mini-batch did when it was scored again. */
import type { CheckedStep } from '../../store/inspection.ts';
import type { NodeId } from '../../units.ts';
import { useInspection, useLab, useRun, useTransport } from '../binding.ts';
import { countWords, formatNumber, formatSetting, formatShare, formatSigned } from '../format.ts';
import { Fact } from '../Fact.tsx';
import { useRunGround } from '../run_ground.ts';
import { checkOffer } from './step_check_words.ts';
import { StepScatter } from './StepScatter.tsx';

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
