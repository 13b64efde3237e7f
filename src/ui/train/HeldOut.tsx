/** Held-out scores of the weights after the update on screen, asked for by a person: of updates that the run did not evaluate. */
import { useId, useState } from 'react';
import { placeKey } from '../../store/ask/replays.ts';
import { useStore } from 'zustand';
import { useInspection, useLab, useRecipe, useRun, useTransport } from '../parts/binding.ts';
import { countWords, formatShare } from '../parts/format.ts';
import { Progress, reachedWords } from '../parts/Replay.tsx';

const USUAL = 64; // questions, where the run asks none

export function HeldOut({ update }: { readonly update: number }) {
  const { inspection, replays } = useLab();
  const id = useId();
  const config = useRecipe((recipe) => recipe);
  const run = useRun(({ header }) => header?.date ?? '');
  const engine = useTransport((transport) => transport.engine.kind);
  const asking = useInspection((state) => state.asking);
  const answer = useInspection(({ heldOut }) => (heldOut?.run === run ? heldOut : null));
  const isWhole = useRun(({ updates }) => update === 0 || updates[update - 1]?.ended === true);
  const reached = useStore(replays, (state) => answer && state.reached[placeKey({ run, update: answer.update })]); // prettier-ignore
  const [questions, setQuestions] = useState<number | null>(null);
  if (!config || engine !== 'ready') return null;
  const asked = questions ?? (config.evaluation.questions || USUAL);
  const ask = (): void =>
    inspection.scoreHeldOut(run, { config, update, questions: asked, datasets: config.evaluation.datasets });
  return (
    <details className="held-out small">
      <summary>Held-out score</summary>
      <form
        className="bar"
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <button type="submit" className="small" disabled={asking !== null || !isWhole}>
          {asking === 'held-out' ? 'Scoring …' : `Score held-out questions after update ${update}`}
        </button>
        <label htmlFor={id}>questions</label>
        <input
          id={id}
          type="number"
          min={1}
          max={1000}
          value={asked}
          onChange={({ target }) =>
            setQuestions(Math.min(1000, Math.max(1, Math.round(target.valueAsNumber) || 1)))
          }
        />
        {asking === 'held-out' && <Progress kind="weights" />}
      </form>
      {answer && (
        <p role="status">
          After update {answer.update}, {countWords(answer.questions, 'held-out question')}:{' '}
          {answer.scores
            .map(
              ({ dataset, greedy, exactMatch }) =>
                `${dataset} ${greedy ? 'greedy' : 'sampled'} ${formatShare(exactMatch)}`,
            ) // prettier-ignore
            .join(', ')}
          {reached && ` (${reachedWords(reached)})`}.
        </p>
      )}
    </details>
  );
}
