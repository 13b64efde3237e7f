/** The worksheet of the open lesson, or of a teacher's questions: to print, or as Markdown. */
import { useEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { useStore } from 'zustand';
import {
  lessonRows,
  taughtRows,
  worksheetMarkdown,
  type WorksheetRow,
} from '../../store/lesson/worksheet.ts';
import { formatQuantity } from '../lessons/Passage.tsx';
import { useLab, useStage } from '../parts/binding.ts';
import { saveFile } from '../drawing/save_file.ts';
import { useTaughtGround } from './Questions.tsx';
import './teach.css';

const pageBase = (): string => `${location.origin}${location.pathname}${location.search}`;

interface Sheet {
  readonly title: string;
  readonly rows: readonly WorksheetRow[];
}

function useSheet(): Sheet | null {
  const { lessons, run } = useLab();
  const { lesson, answers } = useStore(lessons);
  const questions = useStage((stage) => stage.questions);
  const given = useStage((stage) => stage.answers);
  const home = useStage((stage) => stage.home);
  const ground = useTaughtGround();
  useStore(run); // a record that is still on its way brings numbers
  if (lesson)
    return { title: lesson.title, rows: lessonRows(lesson, lessons.groundAt, answers, formatQuantity) };
  if (questions.length === 0) return null;
  return {
    title: 'Your teacher’s questions',
    rows: taughtRows(questions, given, ground, home, formatQuantity),
  };
}

function Row({ row, withLab }: { readonly row: WorksheetRow; readonly withLab: boolean }) {
  const { title, text, ask, options, answer, isRight, lab, hash } = row;
  return (
    <li>
      <h3>{title}</h3>
      {text.map((paragraph, at) => (
        <p key={at}>{paragraph}</p>
      ))}
      {ask !== null && (
        <>
          <p className="sheet-ask">{ask}</p>
          {options.length > 0 && (
            <ul>
              {options.map((option) => (
                <li key={option}>{option}</li>
              ))}
            </ul>
          )}
          <p className="sheet-answer">
            Your answer: {answer === null ? <span className="sheet-line" /> : <strong>{answer}</strong>}
            {isRight !== null && (isRight ? ' ✓ right' : ' ✕ not quite')}
          </p>
          {withLab && lab !== null && (
            <p className="sheet-lab">
              The lab: <strong className="number">{lab}</strong>
            </p>
          )}
        </>
      )}
      {hash !== '' && (
        <p className="small">
          <a href={`${pageBase()}${hash}`}>This state in the lab</a>
        </p>
      )}
    </li>
  );
}

export default function Worksheet({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const sheet = useSheet();
  const [withLab, setWithLab] = useState(true);
  useEffect(() => dialog.current?.showModal(), []);
  const save = (): void => {
    if (sheet)
      saveFile(
        'worksheet.md',
        worksheetMarkdown(sheet.title, sheet.rows, pageBase(), withLab),
        'text/markdown',
      );
  };
  return createPortal(
    <dialog
      ref={dialog}
      className="teach-dialog worksheet"
      aria-labelledby="worksheet-title"
      onClose={onClose}
    >
      <form method="dialog" className="section-head no-print">
        <h2>Worksheet</h2>
        <button type="submit">Close</button>
      </form>
      {sheet ? (
        <>
          <div className="bar no-print">
            <label>
              <input
                type="checkbox"
                checked={withLab}
                onChange={({ target }) => setWithLab(target.checked)}
              />{' '}
              with the lab’s answers
            </label>
            <button type="button" onClick={() => window.print()}>
              Print
            </button>
            <button type="button" onClick={save}>
              Save as Markdown
            </button>
          </div>
          <article className="sheet">
            <h2 id="worksheet-title">{sheet.title}</h2>
            <p className="sheet-name">
              Name: <span className="sheet-line" />
            </p>
            <ol>
              {sheet.rows.map((row, at) => (
                <Row key={at} row={row} withLab={withLab} />
              ))}
            </ol>
          </article>
        </>
      ) : (
        <p id="worksheet-title">
          A worksheet is made of a lesson’s steps, or of the questions of a teacher’s link. Open a lesson, or
          make a link with questions and open it.
        </p>
      )}
    </dialog>,
    document.body, // on paper it is all there is
  );
}
