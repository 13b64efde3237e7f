/** How the files on screen are read: format, delimiters, reward and group, with what would change before it is applied. */
import { useEffect, useRef, useState } from 'react';
import type { ImportChoices, ImportLook, ImportSummary } from '../../store/record/import_advice.ts';
import { AS_RECOGNISED } from '../../store/lab/imports.ts';
import { LabError, type ErrorReport } from '../../units.ts';
import { useLab, useRun } from '../parts/binding.ts';
import { formatCount, formatNumber } from '../parts/format.ts';
import { Reports } from '../parts/parts.tsx';
import './imported.css';

const DELIMITERS: readonly (readonly [value: string, words: string])[] = [
  ['chatml', '<|im_start|>role … <|im_end|>'],
  ['stripped', 'bare role lines: user, tool, assistant'],
  ['information', '<information> … </information>'],
  ['result', '<result> … </result>'],
  ['none', 'one turn a text'],
];

const ROWS: readonly (readonly [name: string, of: (summary: ImportSummary) => string])[] = [
  ['read as', ({ title, version }) => `${title}${version === '' ? '' : `, ${version}`}`],
  ['rollouts', ({ rollouts }) => formatCount(rollouts)],
  ['groups', ({ groups, groupedBy }) => `${formatCount(groups)}, ${groupedBy}`],
  ['turns', ({ turns }) => formatCount(turns)],
  ['observations', ({ observations }) => formatCount(observations)],
  ['rewards known', ({ rewards }) => formatCount(rewards.known)],
  ['mean reward', ({ rewards }) => (rewards.mean === null ? 'unknown' : formatNumber(rewards.mean, 3))],
  ['rows refused', ({ refusedCount }) => formatCount(refusedCount)],
];

interface FieldProps {
  readonly name: string;
  readonly value: string | null;
  readonly fields: ImportLook['fields'];
  readonly onChange: (value: string | null) => void;
}

function FieldChoice({ name, value, fields, onChange }: FieldProps) {
  return (
    <label>
      {name}
      <select value={value ?? ''} onChange={({ target }) => onChange(target.value || null)}>
        <option value="">as recognised</option>
        {fields.map(({ path, example }) => (
          <option key={path} value={path}>
            {path} (e.g. {example})
          </option>
        ))}
      </select>
    </label>
  );
}

function DelimiterChoice({ value, onChange }: Pick<FieldProps, 'value' | 'onChange'>) {
  const isOwn = value !== null && !DELIMITERS.some(([name]) => name === value);
  return (
    <label>
      turns and observations
      <span className="bar">
        <select
          value={isOwn ? 'own' : (value ?? '')}
          onChange={({ target }) =>
            onChange(target.value === 'own' ? '<output>…</output>' : target.value || null)
          }
        >
          <option value="">as recognised</option>
          {DELIMITERS.map(([name, words]) => (
            <option key={name} value={name}>
              {name}: {words}
            </option>
          ))}
          <option value="own">other texts around an observation</option>
        </select>
        {isOwn && (
          <input
            aria-label="Opening and closing text, with … between"
            value={value}
            onChange={({ target }) => onChange(target.value)}
          />
        )}
      </span>
    </label>
  );
}

const reportOf = (error: unknown): ErrorReport =>
  error instanceof LabError
    ? error.report
    : { what: 'The files cannot be read so', where: 'choices', got: String(error), wanted: 'files that are still there', next: 'Open the files again.' }; // prettier-ignore

type Looked = { readonly look: ImportLook } | { readonly refusal: ErrorReport };

const TYPING_MS = 250; // before what is typed is tried

/** What the choices make of the first part of the files; null while it is read. */
function useLook(choices: ImportChoices): Looked | null {
  const { imports, run } = useLab();
  const key = JSON.stringify(choices);
  const [looked, setLooked] = useState<{ readonly key: string; readonly answer: Looked } | null>(null);
  useEffect(() => {
    let isOver = false;
    const tell = (answer: Looked): void => {
      if (!isOver) setLooked({ key, answer });
    };
    const timer = setTimeout(() => {
      imports.look(run.shown(), JSON.parse(key) as ImportChoices).then(
        (look) => tell({ look }),
        (error: unknown) => tell({ refusal: reportOf(error) }),
      );
    }, TYPING_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [imports, run, key]);
  return looked?.key === key ? looked.answer : null;
}

function Effect({ now, then }: { readonly now: ImportLook; readonly then: ImportLook }) {
  return (
    <table>
      <caption className="small soft">
        {now.isWhole ? 'Counts over the whole of it' : 'Counts over its first 8 MB'}
      </caption>
      <thead>
        <tr>
          <td />
          <th scope="col">as it is</th>
          <th scope="col">so</th>
        </tr>
      </thead>
      <tbody>
        {ROWS.map(([name, of]) => (
          <tr key={name} data-changed={of(now.summary) !== of(then.summary)}>
            <th scope="row">{name}</th>
            <td>{of(now.summary)}</td>
            <td>{of(then.summary)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export default function Correction({ onClose }: { readonly onClose: () => void }) {
  const { imports, run } = useLab();
  const dialog = useRef<HTMLDialogElement>(null);
  const applied = useRun(({ header }) => (header?.origin.kind === 'imported' ? header.origin.summary?.choices : undefined)) ?? AS_RECOGNISED; // prettier-ignore
  const [choices, setChoices] = useState<ImportChoices>(applied);
  const now = useLook(applied);
  const then = useLook(choices);
  const change = (part: Partial<ImportChoices>): void => setChoices({ ...choices, ...part });
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const list = now && 'look' in now ? now.look : null;
  const apply = (): void => {
    const record = run.shown();
    const files = imports.filesOf(record);
    if (files) void imports.open(files, 'screen', choices, record);
    dialog.current?.close();
  };
  const isSame = JSON.stringify(choices) === JSON.stringify(applied);
  return (
    <dialog
      ref={dialog}
      className="teach-dialog correction"
      aria-label="How the file is read"
      onClose={onClose}
    >
      <h2>How the file is read</h2>
      <fieldset>
        <label>
          format
          <select
            value={choices.format ?? ''}
            onChange={({ target }) => change({ format: target.value || null })}
          >
            <option value="">as recognised</option>
            {list?.formats.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <DelimiterChoice value={choices.delimiters} onChange={(delimiters) => change({ delimiters })} />
        <FieldChoice
          name="reward"
          value={choices.reward}
          fields={list?.fields ?? []}
          onChange={(reward) => change({ reward })}
        />{' '}
        {/* prettier-ignore */}
        <FieldChoice name="group" value={choices.group} fields={list?.fields ?? []} onChange={(group) => change({ group })} />{' '}
        {/* prettier-ignore */}
      </fieldset>
      <div role="status">
        {now && then && 'look' in now && 'look' in then && <Effect now={now.look} then={then.look} />}
        {then && 'refusal' in then && <Reports reports={[then.refusal]} />}
        {!then && <p className="small soft">Reading it so …</p>}
      </div>
      <div className="bar">
        <button
          type="button"
          className="primary"
          disabled={isSame || !then || 'refusal' in then}
          onClick={apply}
        >
          Read it so
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </div>
    </dialog>
  );
}
