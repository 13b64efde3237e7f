/** Every run of an experiment: its score as a point, its curve as a small picture; both lead to the run. */
import type { Results, ShownRun } from '../../store/experiment/reading.ts';
import { armTitle, curvesOf, fixed } from '../../store/experiment/reading.ts';
import { Label } from '../parts/Term.tsx';

type Show = (run: string, update: number | null) => void;

const scoreWords = (score: number | null): string => (score === null ? 'no finite score' : fixed(score));

/** One run, in a sentence. */
export function runWords(run: ShownRun, title: string, isOneTask: boolean): string {
  const { planned, score, collapse, standing, failure } = run;
  const who = `${title}, ${isOneTask ? '' : `${planned.task}, `}seed ${planned.seed}`;
  if (standing === 'failed') return `${who}: failed. ${failure ?? ''}`;
  if (standing !== 'over') return `${who}: ${standing}`;
  return `${who}: ${scoreWords(score)}${collapse === null ? '' : `, collapsed at update ${collapse}`}`;
}

const STEPS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const MOST_STEPS = 6;
const LEAST_SPAN = 0.1; // scores that differ by less stand near one another

interface Axis {
  readonly ticks: readonly number[]; // from one end to the other
  readonly place: (score: number) => number; // in [0, 1]
}

/** From the round share below all scores to that above them: points tell of places, not of lengths, so it need not begin at 0. */
function axisOf(scores: readonly number[]): Axis {
  const [lowest, highest] = scores.length === 0 ? [0, 1] : [Math.min(...scores), Math.max(...scores)];
  const missing = Math.max(0, LEAST_SPAN - (highest - lowest));
  const least = Math.max(0, Math.min(lowest - missing / 2, 1 - LEAST_SPAN));
  const most = Math.max(highest, least + LEAST_SPAN);
  const endsAt = (step: number) => {
    const first = Math.floor(least / step + 1e-9);
    return { step, first, count: Math.max(1, Math.ceil(most / step - 1e-9) - first) };
  };
  const { step, first, count } = STEPS.map(endsAt).find((each) => each.count <= MOST_STEPS) ?? endsAt(0.5);
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => Number(((first + index) * step).toFixed(3))),
    place: (score) => (score / step - first) / count,
  };
}

const LANE = 26; // px, of a point that can be pressed
const NEAR = 0.045; // of the axis: closer points take another lane

/** Lanes so that no point hides another, as few as can be: from left to right each takes the first that is free. */
function lanesOf(places: readonly number[]): readonly number[] {
  const ends: number[] = []; // the last place of each lane
  const lanes = places.map(() => 0);
  const order = places.map((_, index) => index).sort((a, b) => places[a] - places[b]);
  for (const index of order) {
    const free = ends.findIndex((end) => places[index] - end > NEAR);
    lanes[index] = free < 0 ? ends.length : free;
    ends[lanes[index]] = places[index];
  }
  return lanes;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

interface StripsProps {
  readonly results: Results;
  readonly runs: readonly ShownRun[];
  readonly onShow: Show;
}

interface TaskStripsProps extends StripsProps {
  readonly task: string;
}

/** The arms on one task, on an axis of its own: scores of an easier task are elsewhere, and are not compared with these. */
function TaskStrips({ results, runs, onShow, task }: TaskStripsProps) {
  const { experiment, arms } = results;
  const isOneTask = experiment.tasks.length === 1;
  const scored = runs.filter(({ score, planned }) => score !== null && planned.task === task);
  const { ticks, place } = axisOf([
    ...scored.map(({ score }) => score ?? 0),
    ...(isOneTask ? arms.flatMap(({ interval }) => (interval ? [interval.low, interval.high] : [])) : []),
  ]);
  return (
    <div role="group" aria-label={isOneTask ? 'Scores' : task}>
      {!isOneTask && <p className="exp-strips-task">{task}</p>}
      {arms.map(({ arm, interval, interquartileMean: mean }) => {
        const own = scored.filter(({ planned }) => planned.arm === arm.name);
        const lanes = lanesOf(own.map(({ score }) => place(score ?? 0)));
        return (
          <div key={arm.name} className="exp-strip">
            <span className="exp-strip-name">{armTitle(arm)}</span>
            <div className="exp-strip-ground" style={{ height: LANE * Math.max(1, ...lanes.map((lane) => lane + 1)) + 8 }}>
              {ticks.map((tick) => (
                <span key={tick} className="exp-strip-tick" style={{ left: percent(place(tick)) }} />
              ))}
              {isOneTask && interval && (
                <span
                  className="exp-strip-interval"
                  style={{ left: percent(place(interval.low)), width: percent(place(interval.high) - place(interval.low)) }}
                />
              )}
              {isOneTask && mean !== null && <span className="exp-strip-mean" style={{ left: percent(place(mean)) }} />}
              {own.map((run, index) => (
                <button
                  key={run.planned.id}
                  type="button"
                  className="exp-strip-point"
                  data-collapsed={run.collapse !== null}
                  aria-label={runWords(run, armTitle(arm), isOneTask)}
                  title={`${runWords(run, armTitle(arm), isOneTask)}. Open this run`}
                  style={{ left: percent(place(run.score ?? 0)), top: 4 + lanes[index] * LANE }}
                  onClick={() => onShow(run.planned.id, null)}
                />
              ))}
            </div>
            <span className="exp-strip-number number">{isOneTask ? fixed(mean) : fixed(meanOf(own))}</span>
          </div>
        );
      })}
      <div className="exp-strip exp-strip-axis small soft" aria-hidden="true">
        <span />
        <div className="exp-strip-ground">
          {ticks.map((tick) => (
            <span key={tick} style={{ left: percent(place(tick)) }}>
              {tick}
            </span>
          ))}
        </div>
        <span className="number">{isOneTask ? 'IQM' : 'mean'}</span>
      </div>
    </div>
  ); // prettier-ignore
}

/** By task, a row an arm: a point a seed; on one task the interquartile mean and its interval too. */
export const ScoreStrips = (props: StripsProps) => (
  <figure className="exp-strips" aria-label="Score of each run">
    <figcaption className="small soft">
      <Label>Held-out exact match of each run; a ring has collapsed. </Label>
      {props.results.experiment.tasks.length === 1 ? (
        <Label>The bar is the interquartile mean, the line its 95 % interval.</Label>
      ) : (
        'Each task has its own axis.'
      )}
    </figcaption>
    {props.results.experiment.tasks.map(({ name }) => (
      <TaskStrips key={name} {...props} task={name} />
    ))}
  </figure>
);

const meanOf = (runs: readonly ShownRun[]): number | null =>
  runs.length === 0 ? null : runs.reduce((sum, { score }) => sum + (score ?? 0), 0) / runs.length;

const WIDTH = 112; // px
const HEIGHT = 44;

/** A curve from its least to its most, here 0 and `most`; values that are not finite are gaps. */
function pathOf(values: readonly (number | null)[], most: number, length: number): string {
  let isDown = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isDown = false;
        return '';
      }
      const x = ((index + 0.5) / length) * WIDTH;
      const y = HEIGHT - 1 - (Math.min(value / most, 1)) * (HEIGHT - 2); // prettier-ignore
      const command = `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
      isDown = true;
      return command;
    })
    .join('');
}

interface CellProps {
  readonly run: ShownRun;
  readonly title: string;
  readonly isOneTask: boolean;
  readonly length: number; // updates of the longest run
  readonly depth: number; // the greatest
  readonly progress: string | null; // of a run under way
  readonly onShow: Show;
}

function Cell({ run, title, isOneTask, length, depth, progress, onShow }: CellProps) {
  const { planned, file, score, collapse } = run;
  const words = runWords(run, title, isOneTask);
  if (!file)
    return (
      <div className="exp-cell" data-standing={run.standing}>
        <span className="exp-cell-blank small soft">{progress ?? run.standing}</span>
        <span className="small soft">seed {planned.seed}</span>
        {run.failure && <span className="small exp-error-text">{run.failure}</span>}
      </div>
    );
  const { exactMatch = [], depth: turns = [] } = curvesOf(file);
  return (
    <div className="exp-cell">
      <button type="button" className="exp-cell-open" aria-label={`${words}. Open this run`} onClick={() => onShow(planned.id, null)}>
        <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
          {collapse !== null && (
            <rect className="exp-cell-collapse" x={((collapse - 1) / length) * WIDTH} width={WIDTH} height={HEIGHT} />
          )}
          <path className="exp-cell-depth" d={pathOf(turns, depth, length)} />
          <path className="exp-cell-match" d={pathOf(exactMatch, 1, length)} />
        </svg>
      </button>
      <span className="small">
        <span className="soft">seed {planned.seed}</span> <span className="number">{scoreWords(score)}</span>
      </span>
      {collapse !== null && (
        <button type="button" className="small quiet exp-cell-turn" onClick={() => onShow(planned.id, collapse)}>
          turned at {collapse}
        </button>
      )}
    </div>
  ); // prettier-ignore
}

interface MultiplesProps extends StripsProps {
  readonly progressOf: (run: ShownRun) => string | null;
}

/** A small picture a run, a row an arm: exact match of the rollouts and depth by update. */
export function SmallMultiples({ results, runs, onShow, progressOf }: MultiplesProps) {
  const { experiment, arms } = results;
  const curves = runs.flatMap(({ file }) => (file ? [curvesOf(file)] : []));
  const length = Math.max(1, ...curves.map(({ exactMatch = [] }) => exactMatch.length));
  const depth = Math.max(1, ...curves.flatMap(({ depth: turns = [] }) => turns.map((value) => value ?? 0)));
  const isOneTask = experiment.tasks.length === 1;
  return (
    <figure className="exp-multiples" aria-label="Curves of each run">
      <figcaption className="small soft">
        <span className="exp-key-match" aria-hidden="true" />{' '}
        <Label>exact match of the rollouts (0 to 1)</Label>, <span className="exp-key-depth" aria-hidden="true" />{' '}
        <Label>depth</Label> (turns, 0 to {Number(depth.toPrecision(2))}), by update 1 to {length}; shaded: collapsed.
      </figcaption>
      {arms.flatMap(({ arm }) =>
        experiment.tasks.map((task) => (
          <div key={`${arm.name} ${task.name}`} className="exp-multiples-row" role="group" aria-label={`${armTitle(arm)} ${isOneTask ? '' : task.name}`}>
            <span className="exp-strip-name">
              {armTitle(arm)}
              {!isOneTask && <span className="soft small"> {task.name}</span>}
            </span>
            <div className="exp-cells">
              {runs
                .filter(({ planned }) => planned.arm === arm.name && planned.task === task.name)
                .map((run) => (
                  <Cell
                    key={run.planned.id}
                    {...{ run, isOneTask, length, depth, onShow }}
                    title={armTitle(arm)}
                    progress={progressOf(run)}
                  />
                ))}
            </div>
          </div>
        )),
      )}
    </figure>
  ); // prettier-ignore
}
