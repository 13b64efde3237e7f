/** Rollouts under way and read: how far, what they were recognised as, what could not be read, and the way to more. */
import { useState } from 'react';
import { useStore } from 'zustand';
import { elsewhereWords, partWords, type ImportSummary } from '../../store/record/import_advice.ts';
import type { ImportsState } from '../../store/lab/imports.ts';
import { useLab, useRun, useUpdate } from '../parts/binding.ts';
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

/** Of the rollouts that the record does not hold. */
export const restWords = ({ held, rest }: ImportSummary): string =>
  rest?.inFile
    ? `; the page holds ${formatCount(held)} rollouts and reads the others from the file when their step is chosen`
    : `; ${formatCount(held)} rollouts can be looked at, all are counted${rest ? `: ${rest.why}` : ''}`;

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
        {held < rollouts && restWords(summary)}.
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

function Left() {
  const { imports } = useLab();
  const left = useImports((state) => state.left);
  if (!left) return null;
  return (
    <div className="notice" role="status">
      <p>
        Reading of {left.name} was left.{' '}
        {left.isKept ? 'What was read of it is on screen and under Runs.' : 'Nothing of it is kept.'}
      </p>
      <button type="button" className="small" onClick={imports.dismiss}>
        Dismiss
      </button>
    </div>
  );
}

/** What of the update on screen stands in its file alone: being read, or to be. */
function Elsewhere() {
  const { imports, run, reshaping } = useLab();
  const update = useUpdate();
  const changes = useStore(reshaping, (state) => state.changes);
  const back = useImports((state) => state.back);
  const file = useRun(({ header }) => (header?.origin.kind === 'imported' ? header.origin.file : ''));
  if (!update?.elsewhere) return null;
  const { elsewhere } = update;
  const own = back && back.record === run.shown() && back.update === update.update ? back : null;
  if (own?.state === 'reading')
    return (
      <div className="notice" role="status">
        <p>
          Reading {partWords({ elsewhere, update: update.update })} from {file} …
        </p>
        <button type="button" className="small" onClick={imports.stopReadingBack}>
          Cancel
        </button>
      </div>
    );
  const isAtHand = imports.filesOf(run.shown()) !== null;
  const waiting = changes.filter((change) => change.record === run.shown() && change.update === update.update).length; // prettier-ignore
  return (
    <div className="notice" role="status">
      {own && typeof own.state === 'object' && <Reports reports={[own.state]} />}
      <p>{elsewhereWords({ ...{ update: update.update, file, elsewhere, isAtHand }, changes: waiting })}</p>
      {isAtHand && (
        <button type="button" className="small" onClick={() => imports.readBack(update.update)}>
          Read them
        </button>
      )}
    </div>
  );
}

export function ImportNotice() {
  const news = useImports((state) => state.news);
  return (
    <>
      <Reading />
      <Left />
      <Elsewhere />
      {news && <News summary={news} />}
      <Unread />
    </>
  );
}
