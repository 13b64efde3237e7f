/** A named number in a <dl className="facts">. */
import type { ReactNode } from 'react';
import type { ErrorReport } from '../../units.ts';
import type { View } from '../../store/place/selection.ts';
import { missingIn } from '../../store/record/needs.ts';
import { finishedBefore, selectedTree } from '../../store/record/reading.ts';
import type { HiddenName } from '../../store/place/stage.ts';
import { countWords } from './format.ts';
import { useIsHidden, useLab, useRun, useSelection, useUpdateNumber } from './binding.ts';
import { REWARD_COLOURS, type RewardClass } from './scales.ts';
import { Label } from './Term.tsx';

/** What a teacher's link can hide. */
export function Hidable({ name, children }: { readonly name: HiddenName; readonly children: ReactNode }) {
  return useIsHidden(name) ? null : children;
}

export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>
        <Label>{name}</Label>
      </dt>
      <dd className="number">{children}</dd>
    </div>
  );
}

// What a panel waits for, and the way to the newest update that has it all.

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

// What the record on screen lacks for a view, as of rollouts that somebody else trained.

/** A sentence each; none of a run of ours. */
export function useMissing(view: View): readonly string[] {
  const update = useSelection((selection) => selection.update);
  const prompt = useSelection((selection) => selection.prompt);
  const said = useRun((run) =>
    missingIn(view, { run, tree: selectedTree(run, { update, prompt }) }).join('\n'),
  );
  return said === '' ? [] : said.split('\n');
}

export function Missing({ view }: { readonly view: View }) {
  const sentences = useMissing(view);
  if (sentences.length === 0) return null;
  return (
    <div className="missing" role="note" aria-label="What this record lacks">
      {sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  );
}

// Marks that carry their meaning by shape as well as colour, and a legend of them.

/** SVG path of a leaf's mark, centred at (x, y); `size` is its half-width in px. */
export function rewardMarkPath(kind: RewardClass, x: number, y: number, size: number): string {
  const [left, right, top, bottom] = [x - size, x + size, y - size, y + size];
  switch (kind) {
    case 'correct':
    case 'partial':
      return `M${x} ${top}L${right} ${bottom}H${left}Z`;
    case 'wrong':
      return `M${left} ${y}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0Z`;
    case 'malformed':
      return `M${left} ${top}L${right} ${bottom}M${left} ${bottom}L${right} ${top}`;
    case 'unscored':
      return `M${left} ${y}H${right}`;
  }
}

/** Filled where the reward is full; hollow or stroked elsewhere. */
export const rewardMarkStyle = (kind: RewardClass) => ({
  fill: kind === 'correct' ? REWARD_COLOURS.correct : 'none',
  stroke: REWARD_COLOURS[kind],
  strokeWidth: kind === 'malformed' ? 2 : 1.5,
});

export function RewardMark({ kind, size = 5 }: { readonly kind: RewardClass; readonly size?: number }) {
  const half = size + 1.5;
  return (
    <svg
      width={2 * half}
      height={2 * half}
      viewBox={`${-half} ${-half} ${2 * half} ${2 * half}`}
      aria-hidden="true"
    >
      <path d={rewardMarkPath(kind, 0, 0, size)} style={rewardMarkStyle(kind)} />
    </svg>
  );
}

export function RewardLegend() {
  return (
    <span className="legend small soft">
      <RewardMark kind="correct" /> correct
      <RewardMark kind="wrong" /> wrong
      <RewardMark kind="malformed" /> <Label>malformed</Label>
    </span>
  );
}

// What went wrong, in five parts; of many, the first.

const Report = ({ report: { what, where, got, wanted, next } }: { readonly report: ErrorReport }) => (
  <p>
    <strong>{what}</strong> ({where}): got {got}, wanted {wanted}. {next}
  </p>
);

const MOST_REPORTS = 3;

export function Reports({ reports }: { readonly reports: readonly ErrorReport[] }) {
  const more = reports.length - MOST_REPORTS;
  return (
    <>
      {reports.slice(0, MOST_REPORTS).map((report) => (
        <Report key={report.where} report={report} />
      ))}
      {more > 0 && <p>The same is so of {countWords(more, 'other part')}.</p>}
    </>
  );
}
