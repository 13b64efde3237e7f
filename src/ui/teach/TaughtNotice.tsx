/** What a teacher's link does to the page, and the way back; its questions below the view. */
import { VIEWS, type View } from '../../store/place/selection.ts';
import { CONTROLS } from '../../store/place/stage.ts';
import { useStage, useLab, useSelection } from '../parts/binding.ts';
import { LazyPart } from '../parts/Boundary.tsx';
import { countWords } from '../parts/format.ts';

export function TaughtNotice() {
  const { stage } = useLab();
  const count = useStage(({ hidden }) => hidden.length);
  const ignored = useStage((state) => state.ignored);
  if (count === 0 && ignored.length === 0) return null;
  return (
    <div className="notice" role="status">
      <p>
        {count > 0 && `Your teacher’s link hides ${countWords(count, 'control')}.`}
        {ignored.length > 0 &&
          ` It asks for something that this version does not know, which was left out: ${ignored.join(', ')}.`}
      </p>
      {count > 0 && (
        <button type="button" className="small" onClick={stage.showAll}>
          Show all
        </button>
      )}
      {ignored.length > 0 && (
        <button type="button" className="small" onClick={stage.dismiss}>
          Dismiss
        </button>
      )}
    </div>
  );
}

/** In place of a view that the link hides, whatever led there: a link, an alarm, a lesson's step, the address. */
export function HiddenView({ view }: { readonly view: View }) {
  const { stage, selection } = useLab();
  const hidden = useStage((state) => state.hidden);
  const [other] = VIEWS.filter((each) => !hidden.includes(each));
  return (
    <div className="empty" role="status">
      <p>Your teacher’s link hides the {CONTROLS[view].words} view, where this leads.</p>
      <div className="bar">
        {other && (
          <button type="button" onClick={() => selection.select({ view: other })}>
            Show the {CONTROLS[other].words} view
          </button>
        )}
        <button type="button" onClick={stage.showAll}>
          Show all that is hidden
        </button>
      </div>
    </div>
  );
}

const loadQuestions = () => import('./Questions.tsx');

/** A lesson asks its own. */
export function QuestionsDock() {
  const hasQuestions = useStage(({ questions }) => questions.length > 0);
  const inLesson = useSelection(({ lesson }) => lesson !== null);
  if (!hasQuestions || inLesson) return null;
  return (
    <aside className="questions-dock" aria-label="Your teacher’s questions">
      <LazyPart name="The questions" load={loadQuestions} props={{}} />
    </aside>
  );
}
