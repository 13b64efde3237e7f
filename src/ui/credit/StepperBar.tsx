/** Steps through credit: phases to jump to, previous and next, a scrubber whose places are sentences. */
import {
  CREDIT_PHASES,
  phaseEnd,
  phaseStart,
  type CreditFrame,
  type StepperStep,
} from '../../store/credit/credit_steps.ts';
import { useLab } from '../parts/binding.ts';
import { useKeys } from '../shell/keys.tsx';
import { PHASE_TITLES, sentenceOf } from './sentences.ts';

interface StepperBarProps {
  readonly steps: readonly StepperStep[];
  readonly frame: CreditFrame;
}

export function StepperBar({ steps, frame }: StepperBarProps) {
  const { selection } = useLab();
  const move = (cursor: number): void =>
    selection.select({ creditFrame: Math.min(Math.max(0, cursor), steps.length) });
  const jumpBack = (): void => {
    const phase = frame.current?.phase;
    if (phase) move(phaseStart(steps, phase) === frame.cursor ? frame.cursor - 1 : phaseStart(steps, phase));
  };
  const jumpOn = (): void => {
    const next = steps[frame.cursor]?.phase;
    if (next) move(phaseEnd(steps, next));
  };
  useKeys([
    { key: ' ', label: 'next credit step', run: () => move(frame.cursor + 1) },
    { key: 'ArrowRight', label: 'next credit step', run: () => move(frame.cursor + 1) },
    { key: 'ArrowLeft', label: 'previous credit step', run: () => move(frame.cursor - 1) },
    { key: 'PageDown', label: 'next credit step', run: () => move(frame.cursor + 1) },
    { key: 'PageUp', label: 'previous credit step', run: () => move(frame.cursor - 1) },
    { key: 'ArrowRight', shift: true, label: 'end of the credit phase', run: jumpOn },
    { key: 'ArrowLeft', shift: true, label: 'start of the credit phase', run: jumpBack },
    { key: 'Home', label: 'first credit frame', run: () => move(0) },
    { key: 'End', label: 'last credit frame', run: () => move(steps.length) },
  ]);
  const sentence = frame.current
    ? sentenceOf(frame.current)
    : 'Nothing is known yet: the leaves wait for their rewards.';
  return (
    <>
      <div className="bar phases" role="group" aria-label="Credit phases">
        {CREDIT_PHASES.map((phase, index) => {
          const done = frame.cursor >= phaseEnd(steps, phase);
          return (
            <button
              key={phase}
              type="button"
              aria-current={frame.current?.phase === phase ? 'step' : undefined}
              data-done={done}
              onClick={() => move(phaseStart(steps, phase))}
            >
              {index + 1} {PHASE_TITLES[phase]}
              <span className="visually-hidden">{done ? ' (done)' : ''}</span>
            </button>
          );
        })}
      </div>
      <div className="bar" role="group" aria-label="Credit steps">
        <button type="button" onClick={() => move(0)} disabled={frame.cursor === 0} aria-label="First frame">
          |◀
        </button>
        <button type="button" onClick={() => move(frame.cursor - 1)} disabled={frame.cursor === 0}>
          ◀ Previous
        </button>
        <button
          type="button"
          className="primary"
          onClick={() => move(frame.cursor + 1)}
          disabled={frame.cursor === steps.length}
        >
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
        <input
          type="range"
          min={0}
          max={steps.length}
          value={frame.cursor}
          aria-label="Credit step"
          aria-valuetext={sentence}
          onChange={(event) => move(Number(event.target.value))}
        />
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
              {index + 1}: {sentenceOf(step)}
            </option>
          ))}
        </select>
      </div>
      <p className="step-sentence" role="status">
        {sentence}
      </p>
    </>
  );
}
