/** Opens the questions about the rollouts on screen, whose code is fetched then. */
import { useState } from 'react';
import { LazyPart } from '../parts/Boundary.tsx';
import { finishedBefore, selectedUpdate } from '../../store/record/reading.ts';
import { useIsHidden, useLab, useRun } from '../parts/binding.ts';

const loadDialog = async () => ({ default: (await import('./Questions.tsx')).QuestionsDialog });

export function QuestionsButton() {
  const { run, selection } = useLab();
  const [isOpen, setOpen] = useState(false);
  const hasUpdate = useRun((run) => run.updates.length > 0);
  const isHidden = useIsHidden('questions');
  if (!hasUpdate || isHidden) return null;
  /** Holds the update on screen while its answers are read; one that has no rollouts yet makes way for the last finished. */
  const open = (): void => {
    const state = run.getState();
    const shown = selectedUpdate(state, selection.getState());
    const isOver = shown?.ended ?? true;
    if (shown) selection.select({ update: isOver ? shown.update : (finishedBefore(state, shown.update) ?? shown.update) }); // prettier-ignore
    setOpen(true);
  };
  return (
    <>
      <button
        type="button"
        className="small"
        title="Why is nothing learnt? Masks, boundaries, mismatch, tool use"
        onClick={open}
      >
        Questions
      </button>
      {isOpen && (
        <LazyPart
          name="The answers to questions"
          load={loadDialog}
          props={{ onClose: () => setOpen(false) }}
        />
      )}
    </>
  );
}
