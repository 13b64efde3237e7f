/** What a panel waits for, and the way to the newest update that has it all. */
import type { ReactNode } from 'react';
import { finishedBefore } from '../store/reading.ts';
import { useLab, useRun, useUpdateNumber } from './binding.ts';

export function Waiting({ children }: { readonly children: ReactNode }) {
  const { selection } = useLab();
  const update = useUpdateNumber();
  const finished = useRun((run) => finishedBefore(run, update));
  return (
    <div className="empty">
      <p>{children}</p>
      {finished !== null && (
        <button type="button" onClick={() => selection.select({ update: finished })}>
          See update {finished}, which is finished
        </button>
      )}
    </div>
  );
}
