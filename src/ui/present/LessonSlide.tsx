/** A step of a lesson on the projector: its text page by page, then its question, then the answer, beside the view's figure. */
import { useState } from 'react';
import { useStore } from 'zustand';
import type { Lesson } from '../../lessons/lesson.ts';
import { plainWords, questionOf } from '../../store/lesson/worksheet.ts';
import { evaluate } from '../../store/lesson/expression.ts';
import { formatQuantity, Passage, useGround } from '../lessons/Passage.tsx';
import { useLab, useSelection } from '../parts/binding.ts';
import { truthWords } from '../parts/PredictionCard.tsx';
import type { ErrorReport } from '../../units.ts';
import { AskClass } from './AskClass.tsx';
import { pagesOf } from './pages.ts';
import type { Scene } from './scene.tsx';
import { Slide } from './Slide.tsx';

const LINES = 11; // of a page, its heading not counted
const WIDTH = 40; // characters of a line

interface LessonSlideProps {
  readonly lesson: Lesson;
  readonly scene: Scene; // of the view that the step shows
}

/** Until the lesson's own run is there, no other stands in its place. */
function Awaited({ failure }: { readonly failure: ErrorReport | null }) {
  return (
    <p role="status">
      {failure ? `${failure.what}. ${failure.next}` : 'The run that it is about is loading …'}
    </p>
  );
}

export function LessonSlide({ lesson, scene }: LessonSlideProps) {
  const { lessons } = useLab();
  const at = Math.min(useSelection(({ lessonStep }) => lessonStep), lesson.steps.length - 1); // prettier-ignore
  const revealed = useStore(lessons, (state) => state.revealed);
  const ground = useGround();
  const failure = useStore(lessons, (state) => state.failure);
  const [turned, setTurned] = useState({ step: at, page: 0 });
  const step = lesson.steps[at];
  const { predict } = step;
  const pages = pagesOf(step.text, LINES, WIDTH);
  const last = pages.length - (predict ? 0 : 1); // the question is a page of its own
  const page = revealed && predict ? last : turned.step === at ? Math.min(turned.page, last) : 0;
  const isAsking = predict !== undefined && page === last;
  const turn = (to: number): void => setTurned({ step: at, page: to });
  const following = lesson.steps[at + 1];
  const next = (): void => {
    if (page < last) turn(page + 1);
    else if (predict && !revealed) lessons.reveal();
    else if (following) lessons.goTo(at + 1);
  };
  const back = (): void => {
    if (page > 0 && !revealed) turn(page - 1);
    else if (revealed) lessons.again(false);
    else lessons.goTo(at - 1);
  };
  const words = (text: string): string => plainWords(text, ground, formatQuantity);
  const question = predict && ground ? questionOf(predict, ground) : null;
  const kind = predict && ground && predict.kind !== 'choice' ? evaluate(predict.kind === 'ranking' ? predict.items[0].of : predict.of, ground).kind : 'plain'; // prettier-ignore
  const write = (value: number): string => formatQuantity({ value, kind });
  const isOver = page === last && (!predict || revealed) && !following;
  return (
    <Slide
      title={lesson.title}
      place={`${at + 1} of ${lesson.steps.length}`}
      figure={ground ? scene.figure : <Awaited failure={failure} />}
      says={
        <>
          <h2>{step.title}</h2>
          {isAsking ? (
            <AskClass
              key={at}
              ask={<Passage text={predict.ask} ground={ground} plain />}
              because={
                predict.because !== undefined && (
                  <p tabIndex={0} data-point>
                    <Passage text={predict.because} ground={ground} plain />
                  </p>
                )
              }
              format={write}
              {...{ question, revealed }}
            />
          ) : (
            <div role="status">
              {pages[page].map((text) => (
                <p key={text} tabIndex={0} data-point>
                  <Passage text={text} ground={ground} plain />
                </p>
              ))}
            </div>
          )}
        </>
      }
      now={[
        ...step.text.map(words),
        ...(predict ? [`Asks: ${words(predict.ask)}`] : []),
        ...(question ? [`The answer: ${truthWords(question, write)}`] : []),
        ...(step.task ? [`In the lab, where Esc leads: ${words(step.task.ask)}`] : []),
        ...(step.notes ?? []).map(words),
      ]}
      ahead={
        page < last
          ? 'The rest of this step.'
          : predict && !revealed
            ? 'The answer.'
            : following
              ? `${following.title}: ${words(following.text[0])}`
              : 'The lesson is over.'
      }
      next={isOver ? null : { words: isAsking && !revealed ? 'Show' : 'Next', run: next }}
      previous={at === 0 && page === 0 ? null : { words: 'Back', run: back }}
    />
  );
}
