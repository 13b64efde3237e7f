/** The lesson beside the lab: a text, the person acts or presses Space, the lab moves. And the list to choose from. */
import { useEffect, useId, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { lessonsOf, type LessonEntry } from '../../lessons/catalogue.ts';
import { EXAMPLES } from '../../lessons/examples.ts';
import { parseLesson, type Lesson } from '../../lessons/lesson.ts';
import { LESSON_LIST } from '../../store/place/selection.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { messageOf } from '../parts/Boundary.tsx';
import { countWords } from '../parts/format.ts';
import { useKeys } from '../shell/keys.tsx';
import { Passage, useGround } from './Passage.tsx';
import { LookAt, Prediction, Task, useIsDone } from './StepActs.tsx';
import { useLook, useRing } from './looked_at.ts';
import './lessons.css';

const ENTRIES = lessonsOf('en');

// The list.

type Loaded = LessonEntry & { readonly lesson: Lesson };

function LessonList() {
  const { lessons, selection } = useLab();
  const [loaded, setLoaded] = useState<readonly Loaded[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    head.current?.focus({ preventScroll: true });
    Promise.all(
      ENTRIES.map(async (entry) => ({ ...entry, lesson: parseLesson((await entry.load()).default) })),
    ).then(setLoaded, (error: unknown) => setFailure(messageOf(error)));
  }, []);
  const close = (): void => selection.select({ lesson: null });
  useKeys([{ key: 'Escape', label: 'close the list of lessons', run: close }]);
  return (
    <section className="lesson lesson-list" aria-labelledby="lessons-title">
      <header className="lesson-head">
        <h2 id="lessons-title" ref={head} tabIndex={-1}>
          Lessons
        </h2>
        <button type="button" className="quiet small" onClick={close}>
          Close
        </button>
      </header>
      {failure !== null && <p role="alert">The lessons could not be loaded: {failure}</p>}
      <ol>
        {loaded?.map(({ name, number, lesson }) => (
          <li key={name} value={number}>
            <button type="button" className="lesson-choice" onClick={() => lessons.open(name)}>
              <strong>
                {number} {lesson.title}
              </strong>{' '}
              <span className="small soft">{countWords(lesson.minutes, 'minute')}</span>
            </button>
            <p className="small soft">{lesson.outcome}</p>
          </li>
        ))}
      </ol>
      <h3 className="heading">Small trees to play with</h3>
      <div className="bar">
        {EXAMPLES.map(({ title, text }) => (
          <button key={title} type="button" className="small" onClick={() => lessons.showExample(text)}>
            {title}
          </button>
        ))}
      </div>
    </section>
  );
}

// The lesson.

interface PlayerProps {
  readonly lesson: Lesson;
  readonly name: string;
}

/** The person went elsewhere in the lab: the way back to what the text is about. */
function Astray() {
  const { lessons, run } = useLab();
  const record = useStore(lessons, (state) => state.record);
  const shown = useStore(run, () => run.shown());
  if (!record || record === shown) return null;
  return (
    <p role="status" className="small">
      Another run is on screen.{' '}
      <button type="button" className="small" onClick={() => lessons.again()}>
        Back to the lesson’s
      </button>
    </p>
  );
}

function Player({ lesson, name }: PlayerProps) {
  const { lessons } = useLab();
  const ground = useGround();
  const at = Math.min(
    useSelection((selection) => selection.lessonStep),
    lesson.steps.length - 1,
  );
  const revealed = useStore(lessons, (state) => state.revealed);
  const [ended, setEnded] = useState(false);
  const step = lesson.steps[at];
  const isDone = useIsDone(step.task);
  const head = useRef<HTMLHeadingElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const title = useId();
  useEffect(() => head.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    if (body.current) body.current.scrollTop = 0;
  }, [at]);
  const look = useLook();
  useRing(look, `${name} ${at} ${revealed}`);
  const isLast = at === lesson.steps.length - 1;
  const waits = step.predict !== undefined && !revealed;
  const next = (): void => {
    if (waits) lessons.reveal();
    else if (isLast) setEnded(true);
    else lessons.goTo(at + 1);
  };
  const back = (): void => {
    if (ended) setEnded(false);
    else lessons.goTo(at - 1);
  };
  useKeys([
    { key: ' ', label: 'next step of the lesson', first: true, run: next },
    { key: ' ', shift: true, label: 'step of the lesson before', first: true, run: back },
    { key: 'PageDown', label: 'next step of the lesson', first: true, run: next },
    { key: 'PageUp', label: 'step of the lesson before', first: true, run: back },
  ]);
  const number = ENTRIES.find((entry) => entry.name === name)?.number ?? 0;
  const following = ENTRIES.find((entry) => entry.number > number);
  const steps = lesson.steps.length;
  return (
    <section className="lesson" aria-labelledby={title}>
      <header className="lesson-head">
        <h2 id={title} ref={head} tabIndex={-1}>
          <span className="soft">Lesson {number}</span> {lesson.title}
        </h2>
        <select
          aria-label="Step of the lesson"
          className="small"
          value={at}
          onChange={(event) => {
            setEnded(false);
            lessons.goTo(Number(event.target.value));
          }}
        >
          {lesson.steps.map((entry, index) => (
            <option key={index} value={index}>
              {index + 1}/{steps} {entry.title}
            </option>
          ))}
        </select>
        <button type="button" className="quiet small" onClick={() => lessons.open(LESSON_LIST)}>
          All lessons
        </button>
        <button type="button" className="small" onClick={lessons.leave}>
          Leave
        </button>
      </header>
      <div className="lesson-body" ref={body}>
        <div className="lesson-text" role="status" aria-atomic="true">
          {ended ? (
            <>
              <h3>The end</h3>
              <p>{lesson.outcome}</p>
            </>
          ) : (
            <>
              <h3>
                <span className="visually-hidden">
                  Step {at + 1} of {steps}:{' '}
                </span>
                {step.title}
              </h3>
              {step.text.map((text, index) => (
                <p key={index}>
                  <Passage text={text} ground={ground} />
                </p>
              ))}
            </>
          )}
        </div>
        <div className="lesson-acts">
          {!ended && step.predict && <Prediction key={at} data={step.predict} ground={ground} />}
          {!ended && step.task && <Task task={step.task} ground={ground} />}
          {!ended && <LookAt parts={look} />}
          {!ended && !ground && <p className="small soft">The run that it is about is loading …</p>}
          <Astray />
        </div>
      </div>
      <footer className="lesson-foot">
        <button type="button" onClick={back} disabled={at === 0 && !ended} aria-keyshortcuts="Shift+Space">
          ◀ Back
        </button>
        {ended ? (
          <>
            {following && (
              <button type="button" className="primary" onClick={() => lessons.open(following.name)}>
                Lesson {following.number} ▶
              </button>
            )}
            <button type="button" onClick={lessons.leave}>
              Back to my own place
            </button>
          </>
        ) : (
          <button
            type="button"
            className={waits || (step.task && !isDone) ? '' : 'primary'}
            onClick={next}
            aria-keyshortcuts="Space"
          >
            {waits ? 'Show me' : step.task && !isDone ? 'Skip' : 'Next'} ▶ <kbd aria-hidden="true">Space</kbd>
          </button>
        )}
        <progress
          className="lesson-progress"
          value={at + 1}
          max={steps}
          aria-label="Steps of the lesson done"
        />
      </footer>
    </section>
  );
}

export default function LessonPanel() {
  const { lessons } = useLab();
  const { name, lesson, failure } = useStore(lessons);
  const isList = useSelection((selection) => selection.lesson === LESSON_LIST);
  if (isList) return <LessonList />;
  if (failure)
    return (
      <section className="lesson" aria-label="Lesson">
        <p role="alert">
          <strong>{failure.what}.</strong> {failure.where}: got {failure.got}, wanted {failure.wanted}.{' '}
          {failure.next}
        </p>
        <div className="bar">
          <button type="button" onClick={() => lessons.open(LESSON_LIST)}>
            All lessons
          </button>
          <button type="button" onClick={lessons.leave}>
            Leave
          </button>
        </div>
      </section>
    );
  if (!lesson || name === null)
    return (
      <section className="lesson" aria-label="Lesson">
        <p role="status">The lesson is loading …</p>
      </section>
    );
  return <Player key={name} lesson={lesson} name={name} />;
}
