/** Steps through credit: phases to jump to, previous and next by strides, play, a scrubber whose places are sentences. */
import { useEffect, useMemo, useState } from 'react';
import {
  phaseEnd,
  phasesOf,
  phaseStart,
  strideEnds,
  type CreditFrame,
  type StepperStep,
} from '../../store/credit/credit_steps.ts';
import { STRIDES, type Stride } from '../../store/place/selection.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { AdvantageRule, RecordedTree } from '../../units.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { Label } from '../parts/Term.tsx';
import { useKeys } from '../shell/keys.tsx';
import { PredictStep, PredictSwitch, usePredicting } from './PredictStep.tsx';
import { aheadOf, PHASE_TITLES, sentenceOf, strideSentence } from './sentences.ts';

interface StepperBarProps {
  readonly state: TreeState;
  readonly tree: RecordedTree;
  readonly rule: AdvantageRule;
  readonly steps: readonly StepperStep[];
  readonly frame: CreditFrame;
}

const STRIDE_TITLES: Readonly<Record<Stride, string>> = {
  number: 'one number',
  parent: 'one parent',
  level: 'one level',
  phase: 'one phase',
};

/** Where strides end, and the stride's ends round a cursor. */
function useStride({ tree, steps, frame }: Pick<StepperBarProps, 'tree' | 'steps' | 'frame'>) {
  const stride = useSelection((selection) => selection.stride);
  const ends = useMemo(() => strideEnds(tree, steps, stride), [tree, steps, stride]);
  const before = ends.findLast((end) => end < frame.cursor) ?? 0;
  return { stride, ends, before, after: ends.find((end) => end > frame.cursor) ?? steps.length, done: ends.includes(frame.cursor) ? steps.slice(before, frame.cursor) : steps.slice(Math.max(0, frame.cursor - 1), frame.cursor) }; // prettier-ignore
}

const SPEEDS = [0.5, 1, 2, 4, 8] as const;
const STRIDE_MS = 2000; // one stride at speed 1: its sentence can be read

interface PlayerProps {
  readonly cursor: number;
  readonly length: number;
  readonly after: number; // where the next stride ends
  readonly move: (cursor: number) => void;
}

/** Stride after stride by itself, until the last one. */
function Player({ cursor, length, after, move }: PlayerProps) {
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<number>(1);
  const isOver = cursor === length;
  const runs = isPlaying && !isOver;
  useEffect(() => {
    if (!runs) return;
    const timer = setTimeout(() => move(after), STRIDE_MS / speed);
    return () => clearTimeout(timer);
  });
  const toggle = (): void => {
    if (isOver) move(0);
    setPlaying(!runs);
  };
  useKeys([{ key: 'p', label: 'play or pause the credit steps', run: toggle }]);
  return (
    <>
      <button type="button" aria-pressed={runs} onClick={toggle}>
        {runs ? 'Pause steps' : 'Play steps'}
      </button>
      <label>
        speed{' '}
        <select
          aria-label="speed of the steps"
          value={speed}
          onChange={({ target }) => setSpeed(Number(target.value))}
        >
          {SPEEDS.map((times) => (
            <option key={times} value={times}>
              {times}×
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

export function StepperBar(props: StepperBarProps) {
  const { state, rule, steps, frame } = props;
  const { selection } = useLab();
  const { stride, ends, before, after, done } = useStride(props);
  const predicting = usePredicting(steps, frame, after);
  const move = (cursor: number): void => {
    const to = Math.min(Math.max(0, cursor), steps.length);
    // where it is to be predicted first, a jump ahead stops before what it would show
    const stop = predicting && to > frame.cursor ? (ends.findLast((end) => end < to) ?? 0) : to;
    selection.select({ creditFrame: to > frame.cursor ? Math.max(stop, frame.cursor) : stop });
  };
  const [next, previous] = [predicting ? predicting.goOn : () => move(after), () => move(before)];
  const jumpBack = (): void => {
    const phase = frame.current?.phase;
    if (phase) move(phaseStart(steps, phase) === frame.cursor ? frame.cursor - 1 : phaseStart(steps, phase));
  };
  const jumpOn = (): void => {
    const ahead = steps[frame.cursor]?.phase;
    if (ahead) move(phaseEnd(steps, ahead));
  };
  useKeys([
    { key: ' ', label: 'next credit step', run: next },
    { key: 'ArrowRight', label: 'next credit step', run: next },
    { key: 'ArrowLeft', label: 'previous credit step', run: previous },
    { key: 'PageDown', label: 'next credit step', run: next },
    { key: 'PageUp', label: 'previous credit step', run: previous },
    { key: 'ArrowRight', shift: true, label: 'end of the credit phase', run: jumpOn },
    { key: 'ArrowLeft', shift: true, label: 'start of the credit phase', run: jumpBack },
    { key: 'Home', label: 'first credit frame', run: () => move(0) },
    { key: 'End', label: 'last credit frame', run: () => move(steps.length) },
  ]);
  const sentence =
    done.length > 0 ? strideSentence(done) : 'Nothing is known yet: the leaves wait for their rewards.';
  return (
    <>
      <div className="bar">
        <div className="bar phases" role="group" aria-label="Credit phases">
          {phasesOf(rule).map((phase, index) => {
            const isDone = frame.cursor >= phaseEnd(steps, phase);
            return (
              <button
                key={phase}
                type="button"
                aria-current={frame.current?.phase === phase ? 'step' : undefined}
                data-done={isDone}
                onClick={() => move(phaseStart(steps, phase))}
              >
                <Label>{`${index + 1} ${PHASE_TITLES[phase]}`}</Label>
                <span className="visually-hidden">{isDone ? ' (done)' : ''}</span>
              </button>
            );
          })}
        </div>
        <PredictSwitch />
      </div>
      <div className="credit-steps" role="group" aria-label="Credit steps">
        <div className="bar">
          <button
            type="button"
            onClick={() => move(0)}
            disabled={frame.cursor === 0}
            aria-label="First frame"
          >
            |◀
          </button>
          <button type="button" onClick={previous} disabled={frame.cursor === 0}>
            ◀ Previous
          </button>
          <button type="button" className="primary" onClick={next} disabled={frame.cursor === steps.length}>
            Next ▶
          </button>
          <button
            type="button"
            onClick={() => move(steps.length)}
            disabled={frame.cursor === steps.length}
            aria-label="Last frame"
          >
            ▶|
          </button>
          <label>
            by{' '}
            <select
              aria-label="Step by"
              value={stride}
              onChange={({ target }) => selection.select({ stride: STRIDES[target.selectedIndex] })}
            >
              {STRIDES.map((each) => (
                <option key={each} value={each}>
                  {STRIDE_TITLES[each]}
                </option>
              ))}
            </select>
          </label>
          {!predicting && <Player cursor={frame.cursor} length={steps.length} after={after} move={move} />}
          <input
            type="range"
            min={0}
            max={steps.length}
            value={frame.cursor}
            aria-label="Credit step"
            aria-valuetext={sentence}
            onChange={(event) => move(Number(event.target.value))}
          />
        </div>
        <div className="step-line">
          <p className="step-sentence" role="status">
            {sentence}
          </p>
          <output className="number small">
            {frame.cursor}/{steps.length}
          </output>
          <select
            className="jump"
            aria-label="Jump to a step"
            value={frame.cursor}
            onChange={(event) => move(Number(event.target.value))}
          >
            <option value={0}>the start</option>
            {steps.map((step, index) => (
              <option key={index} value={index + 1}>
                {index + 1}: {index < frame.cursor ? sentenceOf(step) : aheadOf(step)}
              </option>
            ))}
          </select>
        </div>
      </div>
      {predicting && <PredictStep state={state} steps={steps} predicting={predicting} />}
    </>
  );
}
