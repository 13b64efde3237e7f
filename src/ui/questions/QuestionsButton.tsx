/** Opens the questions about the rollouts on screen, whose code is fetched then. */
import { useState } from 'react';
import { LazyPart } from '../parts/Boundary.tsx';
import { useRun } from '../parts/binding.ts';

const loadDialog = async () => ({ default: (await import('./Questions.tsx')).QuestionsDialog });

export function QuestionsButton() {
  const [isOpen, setOpen] = useState(false);
  const hasUpdate = useRun((run) => run.updates.length > 0);
  if (!hasUpdate) return null;
  return (
    <>
      <button
        type="button"
        className="small"
        title="Why is nothing learnt? Masks, boundaries, mismatch, tool use"
        onClick={() => setOpen(true)}
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
