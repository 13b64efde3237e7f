/** Predict first: what the next stride of the stepper will show is asked before it is shown; then the guess beside the truth. */
import { useState, type ReactNode } from 'react';
import type { CreditFrame, FormulaPart, StepperStep } from '../../store/credit/credit_steps.ts';
import { mistakenFor, stepQuestion, tokensOf, type StepQuestion } from '../../store/credit/step_questions.ts';
import type { Guess } from '../../store/lesson/prediction.ts';
import { PREDICTIONS, type PredictionKind } from '../../store/place/selection.ts';
import { pathTokens } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useLab, useSelection, useVocabulary } from '../parts/binding.ts';
import { countWords, formatCount, formatNumber, formatSetting, formatSigned } from '../parts/format.ts';
import { PredictionCard } from '../parts/PredictionCard.tsx';
import { Transcript } from '../parts/Transcript.tsx';
import { askOf, sentenceOf, subjectOf } from './sentences.ts';

const KIND_TITLES: Readonly<Record<PredictionKind, string>> = {
  number: 'a number',
  sign: 'a sign',
  ranking: 'an order',
  choice: 'a choice',
};

export function PredictSwitch() {
  const { selection } = useLab();
  const predict = useSelection((state) => state.predict);
  return (
    <label>
      predict{' '}
      <select
        className="small"
        aria-label="Predict first"
        value={predict ?? ''}
        onChange={({ target }) =>
          selection.select({ predict: PREDICTIONS[target.selectedIndex - 1] ?? null })
        }
      >
        <option value="">no</option>
        {PREDICTIONS.map((kind) => (
          <option key={kind} value={kind}>
            {KIND_TITLES[kind]}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A stride that is answered, and still on screen. */
interface Answered {
  readonly steps: readonly StepperStep[];
  readonly from: number; // cursors
  readonly to: number;
}

/** Where the stepper stands between a question and the next. */
export interface Predicting {
  readonly kind: PredictionKind;
  readonly from: number; // of the stride that is asked about, or was
  readonly to: number;
  readonly revealed: boolean;
  readonly reveal: () => void;
  /** From an answer to the next question; from a question to its card. */
  readonly goOn: () => void;
}

/**
 * @param after where the next stride ends
 * @returns null where nothing is asked: the switch is off
 */
export function usePredicting(
  steps: readonly StepperStep[],
  { cursor }: Pick<CreditFrame, 'cursor'>,
  after: number,
): Predicting | null {
  const { selection } = useLab();
  const kind = useSelection((state) => state.predict);
  const [answered, setAnswered] = useState<Answered | null>(null);
  if (kind === null) return null;
  const stands = answered !== null && answered.steps === steps && answered.to === cursor ? answered : null;
  return {
    kind,
    from: stands ? stands.from : cursor,
    to: stands ? stands.to : after,
    revealed: stands !== null,
    reveal: () => {
      setAnswered({ steps, from: cursor, to: after });
      selection.select({ creditFrame: after });
    },
    goOn: () => {
      if (stands) setAnswered(null);
      else document.querySelector<HTMLElement>('.predict-step :is(input, button)')?.focus();
    },
  };
}

/** The live formula as text. */
const formulaText = (formula: readonly FormulaPart[]): string =>
  formula.map((part) => (part.kind === 'text' ? part.text : formatNumber(part.value, 3))).join('');

/** The step that makes the difference, and where a wrong number comes from. */
function Why({
  asked,
  steps,
  guess,
}: {
  readonly asked: StepQuestion;
  readonly steps: readonly StepperStep[];
  readonly guess: Guess | null;
}) {
  // prettier-ignore
  const { step, at } = asked;
  const mistaken = mistakenFor(steps, asked, guess);
  const tokens = step.phase === 'tokens' ? ` ${countWords(tokensOf(step.row), 'token')}: ` : ' ';
  return (
    <>
      {mistaken && (
        <p>
          Your number is {subjectOf(mistaken.step)}, found in step {mistaken.at}.
        </p>
      )}
      <p>
        Step {at} makes the difference:{tokens}
        <span className="number">{formulaText(step.formula)}</span>
      </p>
      <p>{sentenceOf(step)}</p>
    </>
  );
}

interface PredictStepProps {
  readonly state: TreeState;
  readonly steps: readonly StepperStep[];
  readonly predicting: Predicting;
}

/** What the leaf says, where its reward is asked: no number of it. */
function Words({ state, step }: { readonly state: TreeState; readonly step: StepperStep }) {
  const texts = useVocabulary();
  return (
    <Transcript
      tokens={pathTokens(state, step.node, texts)}
      showPrompt
      decorate={({ text }) => ({ title: text.trim() })}
    />
  );
}

export function PredictStep({ state, steps, predicting }: PredictStepProps) {
  const { kind, from, to, revealed, reveal } = predicting;
  const asked = stepQuestion(steps, from, to, kind, { nameOf: nodeName, format: formatSigned });
  if (!asked)
    return (
      <section className="panel predict-step" aria-label="Predict first">
        <p className="small soft">
          Every step is shown: step back, or choose another tree or rule, to be asked again.
        </p>
      </section>
    );
  const { step, question } = asked;
  const tolerance = question.kind === 'number' && question.tolerance > 0 ? ` (± ${formatSetting(question.tolerance, 2)} counts as right)` : ''; // prettier-ignore
  const isCount = step.phase === 'tokens' && question.kind === 'number';
  const ask: ReactNode = (
    <>
      <p>
        <strong>{askOf(asked)}</strong>
        <span className="soft">{tolerance}</span>
      </p>
      {step.phase === 'reward' && <Words state={state} step={step} />}
    </>
  );
  return (
    <section className="panel predict-step" aria-label="Predict first">
      <h2>Predict first: step {asked.at}</h2>
      <PredictionCard
        key={`${kind} ${from} ${to}`}
        ask={ask}
        question={question}
        format={isCount ? formatCount : formatSigned}
        because={(guess) => <Why asked={asked} steps={steps} guess={guess} />}
        revealed={revealed}
        onReveal={reveal}
      />
    </section>
  );
}
