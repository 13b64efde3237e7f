/** What a teacher gives out: a run, a place, a lesson or questions, and what is hidden. The link, and its QR code. */
import { useEffect, useRef, useState } from 'react';
import { lessonsOf } from '../../lessons/catalogue.ts';
import { fewestNames, taughtLink, type TaughtLink } from '../../store/export/taught_link.ts';
import { LONGEST_LINK } from '../../store/export/link.ts';
import { parseLesson } from '../../lessons/lesson.ts';
import { viewsOf } from '../../store/lesson/lesson.ts';
import { VIEWS, type View } from '../../store/place/selection.ts';
import { CONTROLS, settingName, type HiddenName } from '../../store/place/stage.ts';
import { useLab, useRun, useSelection, useUpdateNumber } from '../parts/binding.ts';
import { copyText } from '../drawing/save_file.ts';
import { capital, countWords, formatCount } from '../parts/format.ts';
import { readQuantity } from './Questions.tsx';
import QrCode from './QrCode.tsx';
import './teach.css';

const LESSONS = lessonsOf('en');

interface PartProps {
  readonly link: TaughtLink;
  readonly change: (part: Partial<TaughtLink>) => void;
}

function Place({ link, change }: PartProps) {
  const ready = useRun((run) => run.ready);
  return (
    <fieldset>
      <legend className="heading">What it opens</legend>
      <div className="bar">
        <label>
          Lesson{' '}
          <select
            value={link.lesson ?? ''}
            onChange={({ target }) => change({ lesson: target.value || null, step: 0 })}
          >
            <option value="">none</option>
            {LESSONS.map(({ name, number }) => (
              <option key={name} value={name}>
                {number} {name.replaceAll('_', ' ')}
              </option>
            ))}
          </select>
        </label>
        {link.lesson === null && (
          <>
            <label>
              Run{' '}
              <select
                value={link.preset ?? ''}
                onChange={({ target }) => change({ preset: target.value || null })}
              >
                <option value="">the run on screen</option>
                {ready?.presets.map(({ name, title }) => (
                  <option key={name} value={name}>
                    train {title}
                  </option>
                ))}
              </select>
            </label>
            {link.preset !== null && (
              <label>
                Seed{' '}
                <input
                  type="number"
                  min={0}
                  max={4294967295}
                  value={link.seed}
                  onChange={({ target }) =>
                    Number.isInteger(target.valueAsNumber) &&
                    change({ seed: Math.max(0, target.valueAsNumber) })
                  }
                />
              </label>
            )}
            <label>
              View{' '}
              <select
                value={link.view}
                onChange={({ target }) => change({ view: VIEWS[target.selectedIndex], step: 0 })}
              >
                {VIEWS.map((view) => (
                  <option key={view} value={view}>
                    {capital(view)}
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
        {(link.lesson !== null || link.view === 'credit') && (
          <label>
            {link.lesson === null ? 'Credit steps done' : 'Step'}{' '}
            <input
              type="number"
              min={link.lesson === null ? 0 : 1}
              max={9999}
              value={link.step + (link.lesson === null ? 0 : 1)}
              onChange={({ target }) => {
                const step = target.valueAsNumber - (link.lesson === null ? 0 : 1);
                if (Number.isInteger(step) && step >= 0) change({ step });
              }}
            />
          </label>
        )}
        <label>
          <input
            type="checkbox"
            checked={link.presented}
            onChange={({ target }) => change({ presented: target.checked })}
          />{' '}
          in the presenter
        </label>
      </div>
    </fieldset>
  );
}

const GROUPS = ['Views', 'Run', 'Settings', 'In the views', 'Page'] as const;

/** Views that the link leads to, which it cannot hide: the one that it opens at, or those of its lesson. */
function useShownViews({ lesson, view }: TaughtLink): readonly View[] {
  const [loaded, setLoaded] = useState<{ readonly name: string; readonly views: readonly View[] } | null>(
    null,
  );
  useEffect(() => {
    const entry = LESSONS.find(({ name }) => name === lesson);
    let isGone = false;
    entry?.load().then(
      (file) => isGone || setLoaded({ name: entry.name, views: viewsOf(parseLesson(file.default)) }),
      () => undefined, // the lesson itself says what keeps it away
    );
    return () => void (isGone = true);
  }, [lesson]);
  if (lesson === null) return [view];
  return loaded?.name === lesson ? loaded.views : VIEWS;
}

function HiddenList({ link, change }: PartProps) {
  const shown = useShownViews(link);
  const knobs = useRun((run) => run.ready?.knobs);
  const { hidden } = link;
  const toggle = (names: readonly HiddenName[], off: boolean): void =>
    change({
      hidden: off ? [...new Set([...hidden, ...names])] : hidden.filter((name) => !names.includes(name)),
    });
  const named = Object.entries(CONTROLS) as [
    keyof typeof CONTROLS,
    (typeof CONTROLS)[keyof typeof CONTROLS],
  ][];
  const controls = named.map(([name, { group, words }]) => ({ name, group, words }));
  const settings = [
    ...new Map((knobs ?? []).map(({ path, title }) => [settingName(path), title])).entries(),
  ].map(([name, words]) => ({ name, group: 'Single settings', words }));
  const all = [...controls, ...settings];
  return (
    <fieldset>
      <legend className="heading">What it hides: {countWords(fewestNames(hidden).length, 'control')}</legend>
      {[...GROUPS, ...(settings.length > 0 ? ['Single settings'] : [])].map((group) => {
        const entries = all.filter(
          (entry) => entry.group === group && !shown.some((view) => view === entry.name), // it opens there
        );
        const isAll = entries.every(({ name }) => hidden.includes(name));
        return (
          <div key={group} role="group" aria-label={group} className="hide-group">
            <label className="heading">
              <input
                type="checkbox"
                checked={isAll}
                onChange={() =>
                  toggle(
                    entries.map(({ name }) => name),
                    !isAll,
                  )
                }
              />{' '}
              {group}
            </label>
            {entries.map(({ name, words }) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={hidden.includes(name)}
                  onChange={({ target }) => toggle([name], target.checked)}
                />{' '}
                {words}
              </label>
            ))}
          </div>
        );
      })}
    </fieldset>
  );
}

function QuestionList({ link, change }: PartProps) {
  const { run } = useLab();
  const selection = useSelection((state) => state);
  const [ask, setAsk] = useState('');
  const [of, setOf] = useState('');
  const quantity = of === '' ? null : readQuantity(of, { run: run.getState(), selection });
  const isUnknown = of !== '' && quantity === null;
  const add = (): void => {
    change({ questions: [...link.questions, { ask: ask.trim(), of: of.trim() }] });
    setAsk('');
    setOf('');
  };
  if (link.lesson !== null) return null; // it has its own
  return (
    <fieldset>
      <legend className="heading">What it asks</legend>
      <ol>
        {link.questions.map((question, at) => (
          <li key={at}>
            {question.ask} {question.of !== '' && <code>{question.of}</code>}{' '}
            <button
              type="button"
              className="small"
              onClick={() => change({ questions: link.questions.filter((_, place) => place !== at) })}
            >
              Remove
            </button>
          </li>
        ))}
      </ol>
      <div className="bar">
        <label>
          Question <input type="text" value={ask} onChange={({ target }) => setAsk(target.value)} />
        </label>
        <label>
          number of the lab that answers it{' '}
          <input
            type="text"
            placeholder="value of n1, or nothing"
            value={of}
            aria-invalid={isUnknown}
            onChange={({ target }) => setOf(target.value)}
          />
        </label>
        <button type="button" disabled={ask.trim() === '' || isUnknown} onClick={add}>
          Add
        </button>
      </div>
      <p className="small soft" role="status">
        {isUnknown
          ? 'The lab knows no such number. Examples: value of n1, advantage of n3, leaves, value of root under leaf_mean.'
          : quantity
            ? `On this screen the lab says ${quantity.value ?? 'nothing yet'}.`
            : 'Without a number the answer is words, for the worksheet.'}
      </p>
    </fieldset>
  );
}

export default function TeacherDialog({ onClose }: { readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { selection, run } = useLab();
  const newest = useUpdateNumber();
  const [link, setLink] = useState<TaughtLink>(() => {
    const { view, creditFrame, lesson, lessonStep } = selection.getState();
    const isLesson = LESSONS.some(({ name }) => name === lesson);
    const seed = run.getState().header?.config?.seed ?? 1;
    const step = isLesson ? lessonStep : creditFrame;
    return {
      preset: null,
      seed,
      view,
      lesson: isLesson ? lesson : null,
      step,
      presented: false,
      hidden: [],
      questions: [],
    };
  });
  const [said, setSaid] = useState('');
  useEffect(() => dialog.current?.showModal(), []);
  const change = (part: Partial<TaughtLink>): void => {
    setLink((before) => ({ ...before, ...part }));
    setSaid('');
  };
  const { ready } = run.getState();
  const base = `${location.origin}${location.pathname}${location.search}`;
  const href = taughtLink(link, selection.getState(), newest || null, ready, base);
  const copy = (): void =>
    void copyText(href).then((isCopied) =>
      setSaid(isCopied ? 'Link copied.' : 'The browser refused to copy; copy it from the field.'),
    );
  return (
    <dialog ref={dialog} className="teach-dialog" aria-labelledby="teach-title" onClose={onClose}>
      <form method="dialog" className="section-head">
        <h2 id="teach-title">Teacher’s link</h2>
        <button type="submit">Close</button>
      </form>
      <Place link={link} change={change} />
      <QuestionList link={link} change={change} />
      <HiddenList link={link} change={change} />
      <div className="bar">
        <input readOnly value={href} aria-label="Link" onFocus={({ target }) => target.select()} />
        <button type="button" className="primary" onClick={copy}>
          Copy link
        </button>
      </div>
      <p className="small soft" role="status">
        {said || `${formatCount(href.length)} characters.`}
        {href.length > LONGEST_LINK && ' Some programs cut what is longer than 2,000: hide or ask less.'}
      </p>
      <QrCode text={href} />
    </dialog>
  );
}
