/** One kept run in the table: its numbers, its curve, and what can be done with it. */
import { useId, useState } from 'react';
import type { KeptEntry } from '../../store/lab/kept.ts';
import { configWords } from '../../store/record/run_difference.ts';
import { adapterWords } from '../../store/record/run_name.ts';
import type { RunState } from '../../store/record/run_state.ts';
import { useLab, useTransport } from '../parts/binding.ts';
import { formatShare } from '../parts/format.ts';
import { formatBytes } from '../profile/ProfileTable.tsx';
import { recordingName, saveFile } from '../tree/tree_export.ts';

export const runTitle = ({ name, config }: KeptEntry, ready: RunState['ready']): string =>
  name ?? configWords(config, ready);

/** "2026-11-27T14:03:00Z" → "27 Nov 2026, 15:03", in the person's zone. */
const dateWords = (iso: string): string =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));

export const adapterOf = ({ adapter }: KeptEntry): string => (adapter ? adapterWords(adapter) : 'not known');

// Exact match by update, as a line.

const WIDTH = 96; // px
const HEIGHT = 22;
const RIM = 2;

/** @param curve shares from 0 to 1 */
export function curvePath(curve: readonly number[]): string {
  const step = (WIDTH - 2 * RIM) / Math.max(curve.length - 1, 1);
  const place = (share: number, index: number): string =>
    `${(RIM + index * step).toFixed(1)} ${(HEIGHT - RIM - share * (HEIGHT - 2 * RIM)).toFixed(1)}`;
  const points = curve.map(place);
  return points.length === 1 ? `M${points[0]}h0.1` : `M${points.join('L')}`;
}

function Sparkline({ curve }: { readonly curve: readonly number[] }) {
  if (curve.length === 0) return <span className="soft">no update yet</span>;
  const [first, last, most] = [curve[0], curve[curve.length - 1], Math.max(...curve)].map((share) =>
    formatShare(share),
  );
  const words = `Exact match of the rollouts by update, 0 to 100 %: first ${first}, last ${last}, highest ${most}`;
  return (
    <svg className="sparkline" width={WIDTH} height={HEIGHT} role="img" aria-label={words}>
      <path d={`M0 ${HEIGHT - RIM}H${WIDTH}`} stroke="var(--line)" />
      <path d={curvePath(curve)} fill="none" stroke="var(--accent)" strokeWidth="1.5" strokeLinecap="round" />
    </svg>
  );
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

interface RowProps {
  readonly entry: KeptEntry;
  readonly title: string;
  readonly isLive: boolean;
}

function Actions({
  entry,
  title,
  isLive,
  onEdit,
}: RowProps & { readonly onEdit: (what: 'name' | 'note') => void }) {
  const { kept, transport, selection } = useLab();
  const engine = useTransport((state) => state.engine.kind);
  const { id, config, finished, pinned } = entry;
  const save = async (): Promise<void> => {
    const bytes = await kept.file(id);
    if (bytes) saveFile(recordingName(title), bytes, 'application/gzip');
  };
  const toTrain = (): void => selection.select({ view: 'train' });
  const actions = [
    {
      word: 'Resume',
      off: isLive || finished || engine === 'unavailable',
      run: () => void kept.goOn(id, true).then(toTrain),
    },
    { word: 'Show', off: false, run: () => void kept.show(id).then(toTrain) },
    {
      word: 'Duplicate',
      off: engine !== 'ready',
      run: () => {
        transport.setDraft(config);
        transport.restart();
        toTrain();
      },
    },
    { word: 'Save to a file', off: false, run: () => void save() },
    { word: pinned ? 'Unpin' : 'Pin', off: false, run: () => void kept.change(id, { pinned: !pinned }) },
    { word: 'Rename', off: false, run: () => onEdit('name') },
    { word: 'Note', off: false, run: () => onEdit('note') },
    {
      word: 'Delete',
      off: isLive,
      run: () => void kept.change(id, { removed: new Date().toISOString() }),
    },
  ];
  return (
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
}

export function Row(props: RowProps) {
  const { entry, title, isLive } = props;
  const { kept } = useLab();
  const [editing, setEditing] = useState<'name' | 'note' | null>(null);
  const done = (value: string | null): void => {
    if (value !== null && editing)
      void kept.change(entry.id, editing === 'name' ? { name: value || null } : { note: value });
    setEditing(null);
  };
  return (
    <tr data-live={isLive}>
      <th scope="row">
        {entry.pinned && <span className="runs-mark">pinned</span>}
        {isLive && <span className="runs-mark">live</span>} <span className="runs-title">{title}</span>
        {entry.note !== '' && <p className="small soft">{entry.note}</p>}
        {editing ? (
          <Edit
            key={editing}
            label={editing === 'name' ? 'Name' : 'Note'}
            value={editing === 'name' ? title : entry.note}
            onDone={done}
          />
        ) : (
          <Actions {...props} onEdit={setEditing} />
        )}
      </th>
      <td>
        <Sparkline curve={entry.curve} />
      </td>
      <td>{formatShare(entry.score)}</td>
      <td>
        {entry.update} of {entry.config.updates}
      </td>
      <td>
        <time dateTime={entry.changed}>{dateWords(entry.changed)}</time>
      </td>
      <td className="runs-adapter">{adapterOf(entry)}</td>
      <td>{formatBytes(entry.bytes)}</td>
    </tr>
  );
}
