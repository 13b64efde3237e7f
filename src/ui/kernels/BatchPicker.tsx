/** Which mini-batch of the run on screen a kernel is checked on. */
import { kernelBatch, updateWithLoss, type KernelBatch } from '../../store/ask/token_question.ts';
import { useLab, useRun, useSelection } from '../parts/binding.ts';

/** A mini-batch to be asked for when it is needed, and how many there are to choose from. */
export interface BatchChoice {
  readonly update: number; // from 1
  readonly count: number; // mini-batches of it whose rows are there
  readonly minibatch: number; // from 0
  readonly choose: (minibatch: number) => void;
  readonly get: () => KernelBatch | null;
}

/** @returns null where no update's loss is at hand */
export function useBatchChoice(
  chosen: number | null,
  choose: (minibatch: number) => void,
): BatchChoice | null {
  const selected = useSelection((selection) => selection.update);
  const update = useRun((run) => updateWithLoss(run, selected));
  const { run } = useLab();
  if (!update) return null;
  const count = update.minibatches.filter(({ rows }) => rows.length > 0).length;
  return {
    update: update.update,
    count,
    minibatch: Math.min(chosen ?? count - 1, count - 1),
    choose,
    get: () => kernelBatch(run.getState(), update.update, chosen),
  };
}

export function BatchPicker({ choice }: { readonly choice: BatchChoice }) {
  const { update, count, minibatch, choose } = choice;
  return (
    <label className="small">
      Mini-batch of update {update}{' '}
      <select value={minibatch} onChange={({ target }) => choose(Number(target.value))}>
        {Array.from({ length: count }, (_, index) => (
          <option key={index} value={index}>
            {index + 1}
          </option>
        ))}
      </select>
    </label>
  );
}
