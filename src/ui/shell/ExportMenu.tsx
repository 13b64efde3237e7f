/** What of the run on screen can be taken out of the lab: its link, and files. What the menu does is fetched when it is opened. */
import { useState, type KeyboardEvent } from 'react';
import { linkNow, type Link } from '../../store/export/link.ts';
import { copyText } from '../drawing/save_file.ts';
import { useLab, useRun } from '../parts/binding.ts';
import type { TeachDialog } from './ExportPanel.tsx';
import { LazyPart } from '../parts/Boundary.tsx';

const loadPanel = () => import('./ExportPanel.tsx');
const loadTeacher = () => import('../teach/TeacherDialog.tsx');
const loadWorksheet = () => import('../teach/Worksheet.tsx');

export function ExportMenu() {
  const [isOpen, setOpen] = useState(false);
  const [dialog, setDialog] = useState<TeachDialog | null>(null);
  const hasRun = useRun((run) => run.header !== null);
  const closeOnEscape = (event: KeyboardEvent<HTMLDetailsElement>): void => {
    if (event.key !== 'Escape' || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    event.currentTarget.querySelector('summary')?.focus();
  };
  if (!hasRun) return null;
  const open = (which: TeachDialog): void => {
    setOpen(false);
    setDialog(which);
  };
  const close = (): void => setDialog(null);
  return (
    <>
      <details
        className="badge export-menu"
        open={isOpen}
        onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
        onKeyDown={closeOnEscape}
      >
        <summary>Export</summary>
        <div className="popover">
          {isOpen && <LazyPart name="The export" load={loadPanel} props={{ onTeach: open }} />}
        </div>
      </details>
      {dialog === 'link' && (
        <LazyPart name="The teacher’s link" load={loadTeacher} props={{ onClose: close }} />
      )}
      {dialog === 'worksheet' && (
        <LazyPart name="The worksheet" load={loadWorksheet} props={{ onClose: close }} />
      )}
    </>
  );
}

/** Copies the link, and says what whoever opens it will not have. Where the browser refuses, the link can be copied by hand. */
export function CopyLink() {
  const lab = useLab();
  const hasRun = useRun((run) => run.header !== null);
  const [made, setMade] = useState<(Link & { readonly isCopied: boolean }) | null>(null);
  const copy = async (): Promise<void> => {
    const link = linkNow(lab, location);
    setMade({ ...link, isCopied: await copyText(link.href) });
  };
  if (!hasRun) return null;
  return (
    <div className="badge copy-link" onKeyDown={({ key }) => key === 'Escape' && setMade(null)}>
      <button type="button" className="quiet small" title="Copy link" onClick={() => void copy()}>
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <path
            d="M6.5 9.5L9.5 6.5M7 5L9 3A2.8 2.8 0 0 1 13 7L11 9M9 11L7 13A2.8 2.8 0 0 1 3 9L5 7"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
          />
        </svg>
        <span className="link-word">Copy link</span>
      </button>
      {made && (
        <div className="popover">
          <div role="status">
            <p>
              <strong>{made.isCopied ? 'Link copied.' : 'The browser refused to copy; copy it here:'}</strong>{' '}
              {made.limits.length === 0
                ? 'Whoever opens it sees this run at this place.'
                : 'It carries the place and the settings of the run. It does not carry:'}
            </p>
            {made.limits.length > 0 && (
              <ul className="small">
                {made.limits.map((limit) => (
                  <li key={limit}>{limit}</li>
                ))}
              </ul>
            )}
            {made.tooLong && <p className="small">{made.tooLong}</p>}
          </div>
          {!made.isCopied && (
            <input readOnly value={made.href} aria-label="Link" onFocus={({ target }) => target.select()} />
          )}
          <button type="button" className="small" onClick={() => setMade(null)}>
            Close
          </button>
        </div>
      )}
    </div>
  );
}
