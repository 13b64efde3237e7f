/** Where a lesson and the editor of an example stand in the page; their code is fetched when they are opened. */
import { LESSON_LIST } from '../../store/place/selection.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { LazyPart } from '../parts/Boundary.tsx';

const loadPanel = () => import('./LessonPanel.tsx');
const loadEditor = () => import('./ExampleBar.tsx');

export function LessonDock() {
  const isOpen = useSelection((selection) => selection.lesson !== null);
  if (!isOpen) return null;
  return (
    <aside className="lesson-dock" aria-label="Lessons">
      <LazyPart name="The lesson" load={loadPanel} props={{}} />
    </aside>
  );
}

export function ExampleDock() {
  const example = useSelection((selection) => selection.example);
  if (example === null) return null;
  return <LazyPart name="The editor of the example" load={loadEditor} props={{ text: example }} />;
}

export function LessonsButton() {
  const { selection } = useLab();
  const isOpen = useSelection((state) => state.lesson !== null);
  return (
    <button
      type="button"
      className="quiet small"
      aria-expanded={isOpen}
      onClick={() => selection.select({ lesson: isOpen ? null : LESSON_LIST })}
    >
      Lessons
    </button>
  );
}
