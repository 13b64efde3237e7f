/** A question put to a class: hands go up for A, B, C, or for a number that somebody says; the answer beside how they were split. */
import { useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { isRight, type Question } from '../../store/lesson/prediction.ts';
import { Hands } from '../parts/Hands.tsx';
import { handsOptions, truthWords } from '../parts/PredictionCard.tsx';

interface AskClassProps {
  readonly ask: ReactNode;
  readonly question: Question | null; // null: its numbers are not there yet
  readonly format: (value: number) => string;
  readonly because: ReactNode; // said with the answer
  readonly revealed: boolean;
}

/** Give it a key that changes with the question: hands belong to one. */
export function AskClass({ ask, question, format, because, revealed }: AskClassProps) {
  const options = question ? handsOptions(question) : [];
  const box = useRef<HTMLDivElement>(null);
  const [isFull, setFull] = useState(false); // the answer needs the question's room
  useLayoutEffect(() => {
    const says = box.current?.closest('.slide-says');
    if (revealed && says && says.scrollHeight > says.clientHeight + 1) setFull(true);
  }, [revealed, question]);
  return (
    <div ref={box} role="status" className="slide-asks" data-full={isFull && revealed}>
      <div className="slide-ask" tabIndex={0} data-point>
        {ask}
      </div>
      {question && (
        <Hands
          options={options.map((option, at) => ({
            ...option,
            words: `${String.fromCharCode(65 + at)}  ${option.words}`,
          }))}
          isRight={question.kind === 'number' ? (value) => isRight(question, value) : null}
          format={format}
          revealed={revealed}
        />
      )}
      {revealed && (
        <>
          <p tabIndex={0} data-point>
            The lab: <strong className="number">{question ? truthWords(question, format) : '…'}</strong>
          </p>
          {because}
        </>
      )}
    </div>
  );
}
