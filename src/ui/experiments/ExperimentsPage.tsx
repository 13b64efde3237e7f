/** Experiments: the queue, and of one of them the answer in words, its numbers with their intervals, and every run. */
import { use, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import type { Experiments } from '../../store/experiment/experiments.ts';
import { fileOfExperiment, missingRuns, reportOf, resultsIn, shippedId, type HeldExperiment, type RunUnderWay } from '../../store/experiment/held.ts'; // prettier-ignore
import { notes, readingOf, sayBudget, secondsLeft, shownRuns, type ShownRun } from '../../store/experiment/reading.ts'; // prettier-ignore
import type { ErrorReport } from '../../units.ts';
import { fileName, saveFile } from '../drawing/save_file.ts';
import { useLab, useSelection, useTransport } from '../parts/binding.ts';
import { countWords, formatMs } from '../parts/format.ts';
import { Reports } from '../parts/parts.tsx';
import { OpenButton } from '../runs/Files.tsx';
import { ArmTable, ComparedTable, DataSetTable, Definitions, Signs } from './Numbers.tsx';
import { NewExperiment } from './NewExperiment.tsx';
import { ScoreStrips, SmallMultiples } from './SeedPlots.tsx';
import './experiments.css';

/** How far an experiment is, in one line. */
function standingWords(held: HeldExperiment, underWay: RunUnderWay | null, isElsewhere: boolean): string {
  const over = resultsIn(held).size;
  const missing = missingRuns(held).length;
  const failed = Object.values(held.runs).filter(({ file, failure }) => !file && failure !== null).length;
  const counts = `${over} of ${countWords(over + missing + failed, 'run')}${failed > 0 ? `, ${failed} failed` : ''}`;
  if (missing === 0) return counts;
  if (!held.isWanted) return held.origin === 'shipped' ? counts : `${counts}; paused`;
  if (isElsewhere) return `${counts}; another tab of this browser trains it`;
  if (underWay?.experiment !== held.id) return `${counts}; waits for its turn`;
  const left = secondsLeft(held, underWay);
  return `${counts}; ${underWay.run} is at update ${underWay.update} of ${underWay.updates}${left === null ? '' : `; about ${formatMs(1000 * left)} left`}`;
}

interface ListProps {
  readonly experiments: Experiments;
  readonly own: readonly HeldExperiment[]; // of this browser, deleted ones among them
  readonly shown: string | null;
  readonly onChoose: (id: string) => void;
}

function Queue({ experiments, own, shown, onChoose }: ListProps) {
  const underWay = useStore(experiments, (state) => state.underWay);
  const isElsewhere = useStore(experiments, (state) => state.isElsewhere);
  const shipped = useStore(experiments, (state) => state.shipped);
  const there = own.filter(({ removed }) => !removed);
  const gone = own.filter(({ removed }) => removed);
  return (
    <section className="panel" aria-label="Experiments">
      <h2>Experiments</h2>
      {there.length + shipped.length === 0 && <p className="empty">None yet. One that you start stands here, and its runs are kept in this browser.</p>}
      <ul className="exp-queue">
        {there.map((held) => (
          <li key={held.id}>
            <button type="button" className="exp-queue-entry" aria-current={held.id === shown} onClick={() => onChoose(held.id)}>
              <span>{held.experiment.question}</span>
              <span className="small soft">
                {held.origin === 'file' && 'from a file; '}
                {standingWords(held, underWay, isElsewhere)}
              </span>
            </button>
          </li>
        ))}
        {shipped.map((each) => (
          <li key={shippedId(each)}>
            <button type="button" className="exp-queue-entry" aria-current={shippedId(each) === shown} onClick={() => onChoose(shippedId(each))}>
              <span>{each.question}</span>
              <span className="small soft">
                shipped; {each.runs} of {countWords(each.planned, 'run')}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <div role="status" hidden={gone.length === 0}>
        {gone.map(({ id, experiment }) => (
          <p key={id} className="small">
            Deleted {experiment.name}; its runs stay under Runs.{' '}
            <button type="button" className="small" onClick={() => experiments.remove(id, false)}>
              Undo
            </button>
          </p>
        ))}
      </div>
    </section>
  ); // prettier-ignore
}

interface DetailProps {
  readonly experiments: Experiments;
  readonly held: HeldExperiment;
}

function Actions({ experiments, held }: DetailProps) {
  const isElsewhere = useStore(experiments, (state) => state.isElsewhere);
  const engine = useTransport((transport) => transport.engine);
  const missing = missingRuns(held).length;
  const failed = Object.values(held.runs).some(({ file, failure }) => !file && failure !== null);
  const canTrain = engine.kind !== 'unavailable';
  return (
    <div className="bar">
      {held.isWanted && missing > 0 && !isElsewhere && (
        <button type="button" onClick={() => experiments.pause(held.id)}>
          Pause
        </button>
      )}
      {!(held.isWanted && missing > 0) && (missing > 0 || failed) && canTrain && (
        <button type="button" onClick={() => experiments.resume(held.id)}>
          {failed && missing === 0 ? 'Try the failed runs again' : 'Train the missing runs'}
        </button>
      )}
      <button
        type="button"
        onClick={() =>
          saveFile(fileName(held.experiment.name, '.experiment.json'), fileOfExperiment(held), 'application/json')
        }
      >
        Save results
      </button>
      {held.origin !== 'shipped' && (
        <button type="button" className="quiet" onClick={() => experiments.remove(held.id, true)}>
          Delete
        </button>
      )}
    </div>
  ); // prettier-ignore
}

/** A run that this browser does not keep, and what can be done. */
function Gone({ experiments, held, run, onClose }: DetailProps & { readonly run: string; readonly onClose: () => void }) {
  const engine = useTransport((transport) => transport.engine);
  return (
    <div role="alert" className="bar">
      <p>
        Run {run} is not kept in this browser, so its trees cannot be shown.
        {engine.kind === 'unavailable' ? '' : ' The same seed gives the same numbers on the same adapter.'}
      </p>
      {engine.kind !== 'unavailable' && (
        <button type="button" className="small" onClick={() => void experiments.draft(held.id, run)}>
          Put it into the settings
        </button>
      )}
      <button type="button" className="small quiet" onClick={onClose}>
        Dismiss
      </button>
    </div>
  );
} // prettier-ignore

function Detail({ experiments, held }: DetailProps) {
  const underWay = useStore(experiments, (state) => state.underWay);
  const isElsewhere = useStore(experiments, (state) => state.isElsewhere);
  const [gone, setGone] = useState<string | null>(null);
  const results = readingOf(held);
  const runs = shownRuns(held, underWay);
  const { experiment } = held;
  const show = (run: string, update: number | null): void => {
    setGone(null);
    void experiments.show(held.id, run, update).then((opened) => setGone(opened === 'gone' ? run : null));
  };
  const progressOf = ({ standing }: ShownRun): string | null =>
    standing === 'under way' && underWay ? `update ${underWay.update} of ${underWay.updates}` : null;
  const over = results.runs;
  const where = `Preset ${experiment.base.preset}${experiment.base.settings.map((text) => `, ${text}`).join('')}; ${sayBudget(experiment.budget)} a run; ${experiment.evaluation.questions} held-out questions per data set, ${experiment.evaluation.score}; seeds ${experiment.seeds.join(', ')}.`;
  const from = over === 0 ? '' : ` ${results.adapters.join(', ')}; ${results.dates.join(', ')}.`;
  return (
    <section className="panel experiment" aria-label={experiment.question}>
      <div className="panel-head">
        <h2>{experiment.question}</h2>
      </div>
      <div className="bar">
        <progress value={over} max={results.planned} aria-label="Runs that are over" />
        <p role="status">{standingWords(held, underWay, isElsewhere)}</p>
      </div>
      <Actions experiments={experiments} held={held} />
      {gone !== null && <Gone experiments={experiments} held={held} run={gone} onClose={() => setGone(null)} />}
      <div className="exp-answer" role="region" aria-label="Answer">
        {results.comparisons.length === 0 && <p>One arm: nothing is compared.</p>}
        {results.comparisons.map(({ arm, sentence }) => (
          <p key={arm}>
            {over > 0 && over < results.planned && <b>So far: </b>}
            {sentence}
          </p>
        ))}
        {over > 0 && notes(results).filter((note) => !note.includes('not there yet')).map((note) => <p key={note}>{note.replaceAll('**', '')}</p>)}
      </div>
      {over > 0 && (
        <>
          <DataSetTable results={results} />
          <ScoreStrips results={results} runs={runs} onShow={show} />
          <ArmTable results={results} />
        </>
      )}
      <SmallMultiples results={results} runs={runs} onShow={show} progressOf={progressOf} />
      {over > 0 && (
        <>
          <details>
            <summary>Differences in numbers</summary>
            <ComparedTable results={results} />
          </details>
          <Signs results={results} runs={runs} />
        </>
      )}
      <details>
        <summary>What the numbers mean</summary>
        <Definitions />
      </details>
      <p className="small soft">
        {where}
        {from}
      </p>
    </section>
  ); // prettier-ignore
}

export default function ExperimentsPage() {
  const lab = useLab();
  const experiments = use(lab.experiments());
  const all = useStore(experiments, (state) => state.experiments);
  const trouble = useStore(experiments, (state) => state.trouble);
  const asked = useSelection((selection) => selection.experiment);
  const [refusal, setRefusal] = useState<ErrorReport | null>(null);
  const shipped = useStore(experiments, (state) => state.shipped);
  const isRead = useStore(experiments, (state) => state.isRead);
  const own = all.filter(({ origin }) => origin !== 'shipped');
  const ids = [...own.filter(({ removed }) => !removed).map(({ id }) => id), ...shipped.map(shippedId)];
  const chosen = (asked !== null && ids.includes(asked) ? asked : ids.at(0)) ?? null;
  const shown = all.find(({ id }) => id === chosen) ?? null;
  useEffect(() => {
    if (isRead && chosen !== null) void experiments.load(chosen);
  }, [experiments, isRead, chosen]);
  const choose = (experiment: string): void => lab.selection.select({ experiment });
  const open = (file: Blob & { readonly name: string }): void => {
    setRefusal(null);
    experiments
      .openFile(file, file.name)
      .then(choose, (error: unknown) => setRefusal(reportOf(error, 'The file cannot be read', file.name)));
  };
  return (
    <div className="experiments">
      <div className="experiments-side">
        <NewExperiment experiments={experiments} onStarted={choose} />
        <Queue experiments={experiments} own={own} shown={chosen} onChoose={choose} />
        <div className="bar">
          <OpenButton accept=".json" onFile={open}>
            Open an experiment
          </OpenButton>
        </div>
        {refusal && <Reports reports={[refusal]} />}
        {trouble && (
          <div className="bar">
            <Reports reports={[trouble]} />
            <button type="button" className="small" onClick={experiments.dismiss}>
              Dismiss
            </button>
          </div>
        )}
      </div>
      {shown ? (
        <Detail key={shown.id} experiments={experiments} held={shown} />
      ) : (
        <p className="empty" role="status">
          {chosen !== null && trouble === null
            ? 'Its runs are being read …'
            : 'Is one method better than another, and how sure may one be? Start an experiment.'}
        </p>
      )}
    </div>
  );
}
