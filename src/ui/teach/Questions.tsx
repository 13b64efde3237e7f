/** The questions of a teacher's link: a number is held against the lab's, words are kept for the worksheet. */
import { useMemo } from 'react';
import { evaluate, type Ground, type Quantity } from '../../store/lesson/expression.ts';
import { TAUGHT_TOLERANCE } from '../../store/lesson/worksheet.ts';
import { decodeSelection } from '../../store/place/address.ts';
import type { TaughtQuestion } from '../../store/place/stage.ts';
import { formatQuantity } from '../lessons/Passage.tsx';
import { useLab, useRun, useStage } from '../parts/binding.ts';
import { PredictionCard } from '../parts/PredictionCard.tsx';
import '../lessons/lessons.css';
import './teach.css';

/** Where the questions of the link read their numbers: the place that it led to. */
export function useTaughtGround(): Ground {
  const home = useStage((stage) => stage.home);
  const run = useRun((state) => state);
  return useMemo(() => ({ run, selection: decodeSelection(home) }), [home, run]);
}

/** Null where the link asks for something that this version does not know. */
export function readQuantity(of: string, ground: Ground): Quantity | null {
  try {
    return evaluate(of, ground);
  } catch {
    return null;
  }
}

interface QuestionProps {
  readonly question: TaughtQuestion;
  readonly at: number;
  readonly ground: Ground;
}

function TaughtCard({ question: { ask, of }, at, ground }: QuestionProps) {
  const { stage } = useLab();
  const answer = useStage(({ answers }) => answers[at]);
  const quantity = of === '' ? null : readQuantity(of, ground);
  if (of !== '' && quantity && quantity.value === null)
    return <p className="small soft">The lab is on its way to question {at + 1} …</p>;
  if (!quantity || quantity.value === null)
    return (
      <label className="taught-words">
        {ask}
        <textarea
          rows={2}
          value={typeof answer === 'string' ? answer : ''}
          onChange={({ target }) => stage.answer(at, target.value)}
        />
      </label>
    );
  return (
    <PredictionCard
      ask={ask}
      question={{ kind: 'number', truth: quantity.value, tolerance: TAUGHT_TOLERANCE }}
      format={(value) => formatQuantity({ value, kind: quantity.kind })}
      revealed={answer !== undefined}
      onReveal={(guess) => stage.answer(at, guess ?? '')}
    />
  );
}

export default function Questions() {
  const questions = useStage((stage) => stage.questions);
  const ground = useTaughtGround();
  return (
    <section className="taught-questions" aria-labelledby="taught-title">
      <h2 id="taught-title">Your teacher’s questions</h2>
      <ol>
        {questions.map((question, at) => (
          <li key={at}>
            <TaughtCard question={question} at={at} ground={ground} />
          </li>
        ))}
      </ol>
    </section>
  );
}
