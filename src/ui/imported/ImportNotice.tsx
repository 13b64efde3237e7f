/** Rollouts under way and read: how far, what they were recognised as, what could not be read, and the way to more. */
import { useState } from 'react';
import { useStore } from 'zustand';
import type { ImportSummary } from '../../store/record/import_advice.ts';
import type { ImportsState } from '../../store/lab/imports.ts';
import { useLab } from '../parts/binding.ts';
import { LazyPart } from '../parts/Boundary.tsx';
import { countWords, formatCount } from '../parts/format.ts';
import { formatBytes } from '../profile/ProfileTable.tsx';
import { Reports } from '../parts/parts.tsx';

const loadCorrection = () => import('./Correction.tsx');

export const useImports = <T,>(selector: (imports: ImportsState) => T): T =>
  useStore(useLab().imports, selector);

/** "verl rollout dump, 0.6, because …" */
export const recognisedWords = ({ title, version, why }: ImportSummary): string =>
  `${title}${version === '' ? '' : `, ${version}`}, because ${why}`;

/** A button that opens the dialog in which a person says how the files are to be read. */
export function ReadOtherwise() {
  const { imports, run } = useLab();
  const [isOpen, setOpen] = useState(false);
  const hasFiles = imports.filesOf(run.shown()) !== null;
  return (
    <>
      <button
        type="button"
        className="small"
        disabled={!hasFiles}
        title={hasFiles ? undefined : 'Open the file again: this tab does not have it any more'}
        onClick={() => setOpen(true)}
      >
        Read it otherwise …
      </button>
      {isOpen && (
        <LazyPart name="The correction" load={loadCorrection} props={{ onClose: () => setOpen(false) }} />
      )}
    </>
  );
}

function Reading() {
  const reading = useImports((state) => state.reading);
  const { imports } = useLab();
  if (!reading) return null;
  const { name, bytes, total, rollouts, isShown } = reading;
  return (
    <div className="notice" role="status">
      <p>
        Reading {name}: {countWords(rollouts, 'rollout')}, {formatBytes(bytes)} of text
        {total > 0 && ` from ${formatBytes(total)}`}
        {isShown && '. The first of them are on screen.'}
      </p>
      <progress aria-label="Read" max={1} value={total > 0 ? Math.min(1, bytes / total) : 1} />
      <button type="button" className="small" onClick={imports.cancel}>
        Cancel
      </button>
    </div>
  );
}

function News({ summary }: { readonly summary: ImportSummary }) {
  const { imports, selection } = useLab();
  const { rollouts, groups, groupedBy, turns, refusedCount, held } = summary;
  return (
    <div className="notice import-news" role="status">
      <p>
        <strong>Read as {recognisedWords(summary)}.</strong> {countWords(rollouts, 'rollout')} in{' '}
        {countWords(groups, 'group')} ({groupedBy}), {countWords(turns, 'turn')}
        {held < rollouts && `; ${formatCount(held)} rollouts are at hand, all are counted`}.
        {refusedCount > 0 && ` ${countWords(refusedCount, 'row')} could not be read.`}
      </p>
      <button type="button" className="small" onClick={() => selection.select({ view: 'train' })}>
        About this file
      </button>
      <ReadOtherwise />
      <button type="button" className="small" onClick={imports.dismiss}>
        Dismiss
      </button>
    </div>
  );
}

function Unread() {
  const { imports } = useLab();
  const refused = useImports((state) => state.refused);
  const failure = useImports((state) => state.failure);
  const skipped = refused?.skipped ?? [];
  if (!refused && !failure) return null;
  return (
    <div className="notice" role="alert">
      <div>
        <Reports
          reports={[...(failure ? [failure] : []), ...(refused?.refused.map(({ report }) => report) ?? [])]}
        />
        {refused?.refusedCount === 0 && (
          <p>
            <strong>Nothing of this could be read as rollouts</strong>
            {skipped.length > 0 && `: ${skipped.map(({ path, why }) => `${path} ${why}`).join('; ')}`}. Choose
            the file that the trainer wrote its rollouts to.
          </p>
        )}
      </div>
      <button type="button" className="small" onClick={imports.dismiss}>
        Dismiss
      </button>
    </div>
  );
}

export function ImportNotice() {
  const news = useImports((state) => state.news);
  return (
    <>
      <Reading />
      {news && <News summary={news} />}
      <Unread />
    </>
  );
}
