/** One kept run in the table: its numbers, its curve, and what can be done with it. */
import { useId, useState } from 'react';
import { rewardCurve, type CheckpointChoice, type Kept, type KeptEntry } from '../../store/lab/kept.ts';
import type { RunStore } from '../../store/record/run.ts';
import { configWords } from '../../store/record/run_difference.ts';
import { adapterWords } from '../../store/record/run_name.ts';
import type { RunState } from '../../store/record/run_state.ts';
import { titleOf } from '../../store/record/shelf.ts';
import type { RunConfig } from '../../units.ts';
import { useLab, useTransport } from '../parts/binding.ts';
import { formatShare } from '../parts/format.ts';
import { ReplayCheck } from '../parts/Replay.tsx';
import { formatBytes } from '../profile/ProfileTable.tsx';
import { useSaveRun } from './Files.tsx';
import { Sparkline, type Measure } from './Sparkline.tsx';

export const runTitle = ({ name, config, origin }: KeptEntry, ready: RunState['ready']): string =>
  name ?? (config ? configWords(config, ready) : origin ? `${origin.file} (${origin.format})` : 'a run');

/** "2026-11-27T14:03:00Z" → "27 Nov 2026, 15:03", in the person's zone. */
const dateWords = (iso: string): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));

/** What a row shows, wherever its run lies. */
export interface ShelfRow {
  readonly key: string;
  readonly kind: 'this browser' | 'shipped' | 'this tab' | 'file';
  readonly title: string;
  readonly curve: readonly number[];
  readonly measure: Measure; // of the curve
  readonly score: number | null;
  readonly update: number;
  readonly updates: number | null; // planned; null where nobody said
  readonly changed: string; // ISO 8601; '' where unknown
  readonly adapter: string;
  readonly bytes: number | null; // on disk
  readonly config: RunConfig | null;
  readonly entry: KeptEntry | null; // of a run that this browser keeps
  readonly load: () => Promise<RunStore>;
  readonly remove: (() => void) | null; // from the tab
}

const adapterOf = (adapter: KeptEntry['adapter'] | undefined): string =>
  adapter ? adapterWords(adapter) : 'not known';

export const rowOfEntry = (entry: KeptEntry, ready: RunState['ready'], kept: Kept): ShelfRow => ({
  ...{ key: entry.id, kind: 'this browser', title: runTitle(entry, ready), curve: entry.curve },
  ...{ measure: entry.config ? 'exact match' : 'reward', score: entry.score, changed: entry.changed },
  ...{ update: entry.update, updates: entry.config?.updates ?? null },
  ...{ adapter: adapterOf(entry.adapter), bytes: entry.bytes, config: entry.config, entry, remove: null },
  load: () => kept.load(entry.id),
});

/** Best mean over data sets of greedy held-out exact match, as the entries of kept runs have it. */
function bestHeldOut({ evaluations }: RunState): number | null {
  const greedy = evaluations.filter((evaluation) => evaluation.greedy);
  const means = [...new Set(greedy.map(({ update }) => update))].map((at) => {
    const list = greedy.filter(({ update }) => update === at);
    return list.reduce((sum, { exactMatch }) => sum + exactMatch, 0) / list.length;
  });
  return means.length === 0 ? null : Math.max(...means);
}

export function rowOfRecord(
  record: RunStore,
  own: Pick<ShelfRow, 'key' | 'kind' | 'remove'>,
  ready: RunState['ready'],
): ShelfRow {
  const run = record.getState();
  const { config = null, origin } = run.header ?? {};
  const isImport = origin?.kind === 'imported';
  return {
    ...own,
    ...{ title: config ? configWords(config, ready) : titleOf(run), score: bestHeldOut(run), config },
    ...{ update: run.updates.length, updates: config?.updates ?? null, changed: run.header?.date ?? '' },
    curve: isImport ? rewardCurve(origin) : run.updates.flatMap(({ metrics }) => (metrics ? [metrics.exactMatch] : [])), // prettier-ignore
    measure: isImport ? 'reward' : 'exact match',
    ...{ adapter: adapterOf(run.header?.adapter), bytes: null, entry: null },
    load: () => Promise.resolve(record),
  };
}

interface EditProps {
  readonly label: string;
  readonly value: string;
  readonly onDone: (value: string | null) => void; // null: nothing changes
}

function Edit({ label, value, onDone }: EditProps) {
  const [text, setText] = useState(value);
  const id = useId();
  return (
    <form
      className="runs-edit"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(text.trim());
      }}
    >
      <label htmlFor={id} className="small soft">
        {label}
      </label>
      <input
        id={id}
        type="text"
        value={text}
        autoFocus
        onFocus={({ target }) => target.select()}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={({ key }) => key === 'Escape' && onDone(null)}
      />
      <button type="submit" className="small">
        Save
      </button>
      <button type="button" className="small quiet" onClick={() => onDone(null)}>
        Cancel
      </button>
    </form>
  );
}

const CHOICES: Readonly<Record<CheckpointChoice, string>> = {
  newest: 'the newest checkpoint: it can be resumed',
  all: 'all checkpoints: it can be resumed from each',
  none: 'no checkpoint: it can be looked at',
};

/** Saves the run as one file, with the checkpoints of a person's choice. */
function SaveAs({
  id,
  title,
  onDone,
}: {
  readonly id: string;
  readonly title: string;
  readonly onDone: () => void;
}) {
  const [choice, setChoice] = useState<CheckpointChoice>('newest');
  const save = useSaveRun();
  const field = useId();
  return (
    <form
      className="runs-edit"
      onSubmit={(event) => {
        event.preventDefault();
        void save({ id, checkpoints: choice }, title).then(onDone);
      }}
    >
      <label htmlFor={field} className="small soft">
        Recipe and log, with
      </label>
      <select
        id={field}
        value={choice}
        autoFocus
        onChange={({ target }) => setChoice(target.value as CheckpointChoice)}
        onKeyDown={({ key }) => key === 'Escape' && onDone()}
      >
        {Object.entries(CHOICES).map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      <button type="submit" className="small">
        Save
      </button>
      <button type="button" className="small quiet" onClick={onDone}>
        Cancel
      </button>
    </form>
  );
}

type Editing = 'name' | 'note' | 'save';

interface ActionProps {
  readonly entry: KeptEntry;
  readonly title: string;
  readonly isLive: boolean;
  readonly onReplay: () => void;
}

interface RowProps {
  readonly row: ShelfRow;
  readonly isLive: boolean;
  readonly isChosen: boolean;
  readonly onChoose: (isChosen: boolean) => void;
}

function Actions({
  entry,
  title,
  isLive,
  onEdit,
  onReplay,
}: ActionProps & { readonly onEdit: (what: Editing) => void }) {
  const { kept, transport, selection } = useLab();
  const engine = useTransport((state) => state.engine.kind);
  const { id, config, finished, pinned } = entry;
  const save = useSaveRun();
  const toTrain = (): void => selection.select({ view: 'train' });
  const actions = [
    {
      isOfTrained: true,
      word: 'Resume',
      off: isLive || finished || engine === 'unavailable',
      run: () => void kept.goOn(id, true).then(toTrain),
    },
    { word: 'Show', off: false, run: () => void kept.show(id).then(toTrain) },
    {
      isOfTrained: true,
      word: 'Duplicate',
      off: engine !== 'ready',
      run: () => {
        transport.setDraft(config);
        transport.restart();
        toTrain();
      },
    },
    {
      word: 'Save',
      off: false,
      run: () => (config ? onEdit('save') : void save({ id, checkpoints: 'none' }, title)), // an import has no checkpoint
    },
    { word: pinned ? 'Unpin' : 'Pin', off: false, run: () => void kept.change(id, { pinned: !pinned }) },
    { isOfTrained: true, word: 'Replay matches?', off: false, run: onReplay },
    { word: 'Rename', off: false, run: () => onEdit('name') },
    { word: 'Note', off: false, run: () => onEdit('note') },
    {
      word: 'Delete',
      off: isLive,
      run: () => void kept.change(id, { removed: new Date().toISOString() }),
    },
  ];
  return <Buttons title={title} actions={actions.filter(({ isOfTrained }) => config || !isOfTrained)} />;
}

interface Action {
  readonly word: string;
  readonly off: boolean;
  readonly run: () => void;
}

const Buttons = ({ title, actions }: { readonly title: string; readonly actions: readonly Action[] }) => (
  <div className="runs-actions">
    {actions.map(({ word, off, run }) => (
      <button
        key={word}
        type="button"
        className="link small"
        disabled={off}
        aria-label={`${word}: ${title}`}
        onClick={run}
      >
        {word}
      </button>
    ))}
  </div>
);

/** Of a run that lies in this tab: a file that was opened, a run that was kept to compare with, the shipped recording. */
function RecordActions({
  row: { title, config, remove, load },
  onReplay,
}: Pick<ActionProps, 'onReplay'> & { readonly row: ShelfRow }) {
  const { transport, selection } = useLab();
  const engine = useTransport((state) => state.engine.kind);
  const toTrain = (): void => selection.select({ view: 'train' });
  const duplicate = (): void => {
    transport.setDraft(config);
    transport.restart();
    toTrain();
  };
  const show = async (): Promise<void> => {
    transport.show(await load());
    toTrain();
  };
  return (
    <Buttons
      title={title}
      actions={[
        { word: 'Show', off: false, run: () => void show() },
        { word: 'Duplicate', off: engine !== 'ready' || !config, run: duplicate },
        { word: 'Replay matches?', off: !config, run: onReplay },
        ...(remove ? [{ word: 'Remove', off: false, run: remove }] : []),
      ]}
    />
  );
}

/** A kept run's own: its note, and what can be done with it. */
function Own({ entry, title, isLive, onReplay }: ActionProps) {
  const { kept } = useLab();
  const [editing, setEditing] = useState<Editing | null>(null);
  const done = (value: string | null): void => {
    if (value !== null && editing)
      void kept.change(entry.id, editing === 'name' ? { name: value || null } : { note: value });
    setEditing(null);
  };
  return (
    <>
      {entry.note !== '' && <p className="small soft">{entry.note}</p>}
      {editing === 'save' ? (
        <SaveAs id={entry.id} title={title} onDone={() => setEditing(null)} />
      ) : editing ? (
        <Edit
          key={editing}
          label={editing === 'name' ? 'Name' : 'Note'}
          value={editing === 'name' ? title : entry.note}
          onDone={done}
        />
      ) : (
        <Actions entry={entry} title={title} isLive={isLive} onEdit={setEditing} onReplay={onReplay} />
      )}
    </>
  );
}

export function Row({ row, isLive, isChosen, onChoose }: RowProps) {
  const { entry, title, updates } = row;
  const [isReplaying, setReplaying] = useState(false);
  const onReplay = (): void => setReplaying(true);
  return (
    <tr data-live={isLive}>
      <th scope="row">
        <label className="runs-choose">
          <input
            type="checkbox"
            checked={isChosen}
            disabled={row.update === 0}
            aria-label={`Compare: ${title}`}
            onChange={({ target }) => onChoose(target.checked)}
          />
        </label>
        {entry?.pinned && <span className="runs-mark">pinned</span>}
        {isLive && <span className="runs-mark">live</span>} <span className="runs-title">{title}</span>
        {entry ? (
          <Own entry={entry} title={title} isLive={isLive} onReplay={onReplay} />
        ) : (
          <RecordActions row={row} onReplay={onReplay} />
        )}
        {isReplaying && (
          <>
            <ReplayCheck run={entry?.created ?? row.changed} updates={row.curve.length} record={row.load} />
            <button type="button" className="small quiet" onClick={() => setReplaying(false)}>
              Close
            </button>
          </>
        )}
      </th>
      <td>
        <Sparkline curve={row.curve} measure={row.measure} />
      </td>
      <td>{formatShare(row.score)}</td>
      <td>{updates === null ? row.update : `${row.update} of ${updates}`}</td>
      <td>{row.changed === '' ? '–' : <time dateTime={row.changed}>{dateWords(row.changed)}</time>}</td>
      <td className="runs-adapter">{row.adapter}</td>
      <td>{row.bytes === null ? '–' : formatBytes(row.bytes)}</td>
      <td className="runs-adapter">{row.kind}</td>
    </tr>
  );
}
