/** What of the run on screen can be taken out of the lab. What the menu does is fetched when it is opened. */
import { useState, type KeyboardEvent } from 'react';
import { useRun } from '../parts/binding.ts';
import { LazyPart } from '../parts/Boundary.tsx';

const loadPanel = () => import('./ExportPanel.tsx');

export function ExportMenu() {
  const [isOpen, setOpen] = useState(false);
  const hasRun = useRun((run) => run.header !== null);
  const closeOnEscape = (event: KeyboardEvent<HTMLDetailsElement>): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    event.currentTarget.querySelector('summary')?.focus();
  };
  if (!hasRun) return null;
  return (
    <details
      className="badge export-menu"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
      onKeyDown={closeOnEscape}
    >
      <summary>Export</summary>
      <div className="popover">{isOpen && <LazyPart name="The export" load={loadPanel} props={{}} />}</div>
    </details>
  );
}
