/** What a step of a lesson asks of a person: a prediction, a thing to do, a look at a part of the page. */
import { useStore } from 'zustand';
import type { PredictionData, TaskData } from '../../lessons/lesson.ts';
import { evaluate, type Ground } from '../../store/lesson/expression.ts';
import { questionOf } from '../../store/lesson/worksheet.ts';
import { isChosen } from '../../store/lesson/lesson.ts';
import { useLab } from '../parts/binding.ts';
import { PredictionCard } from '../parts/PredictionCard.tsx';
import { goToPart, partOf } from './looked_at.ts';
import { formatQuantity, Passage } from './Passage.tsx';

const kindOf = (data: PredictionData, ground: Ground) =>
  data.kind === 'choice'
    ? 'plain'
    : evaluate(data.kind === 'ranking' ? data.items[0].of : data.of, ground).kind;

export function Prediction({
  data,
  ground,
}: {
  readonly data: PredictionData;
  readonly ground: Ground | null;
}) {
  const { lessons } = useLab();
  const revealed = useStore(lessons, (state) => state.revealed);
  const question = ground && questionOf(data, ground);
  if (!ground || !question) return <p className="small soft">The lab is on its way there …</p>;
  const kind = kindOf(data, ground);
  return (
    <PredictionCard
      ask={<Passage text={data.ask} ground={ground} />}
      question={question}
      format={(value) => formatQuantity({ value, kind })}
      because={data.because === undefined ? undefined : <Passage text={data.because} ground={ground} />}
      revealed={revealed}
      showsItself={false} // Space and the button beside it do
      onReveal={lessons.reveal}
    />
  );
}

/** Done by what the store says, not by which button was pressed. */
export function useIsDone(task: TaskData | undefined): boolean {
  const { selection, run } = useLab();
  const here = useStore(selection);
  const state = useStore(run);
  if (!task) return false;
  if (task.kind === 'choose') return isChosen(task.done, here);
  const { value } = evaluate(task.of, { run: state, selection: here });
  return value !== null && Math.abs(value - task.value) < 1e-9;
}

export function Task({ task, ground }: { readonly task: TaskData; readonly ground: Ground | null }) {
  const isDone = useIsDone(task);
  return (
    <div className="lesson-task" data-done={isDone}>
      <p>
        <span className="heading">To do:</span> <Passage text={task.ask} ground={ground} />
      </p>
      <p role="status" className="task-state">
        {isDone ? '✓ Done.' : ''}
      </p>
    </div>
  );
}

/** Names what is ringed on the page, and leads there. */
export function LookAt({ parts }: { readonly parts: readonly string[] }) {
  if (parts.length === 0) return null;
  return (
    <p className="look-at small">
      <span className="soft">Look at</span>{' '}
      {parts.map((name) => (
        <button key={name} type="button" className="quiet small" onClick={() => goToPart(name)}>
          ◎ {partOf(name)?.words ?? name}
        </button>
      ))}
    </p>
  );
}
