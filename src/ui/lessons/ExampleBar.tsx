/** The editor of a small tree: what the selected turn is, and what can be put below it. The tree itself is the address. */
import { useState } from 'react';
import { EXAMPLES } from '../../lessons/examples.ts';
import {
  addedId,
  addedTurn,
  changedTurn,
  EXAMPLE_BOUNDS,
  parseExample,
  removedTurn,
  writeExample,
  type Example,
} from '../../store/lesson/example.ts';
import { ROOT, type NodeId } from '../../units.ts';
import { nodeName, turnName } from '../drawing/encodings.ts';
import { useLab, useSelection, useTree } from '../parts/binding.ts';
import { capital } from '../parts/format.ts';
import { saveFile } from '../drawing/save_file.ts';
import './lessons.css';

interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly onChange: (value: number) => void;
}

function NumberField({ label, value, least, most, onChange }: NumberFieldProps) {
  return (
    <label>
      {label}{' '}
      <input
        type="number"
        min={least}
        max={most}
        step={0.1}
        value={value}
        onChange={({ target }) => {
          const next = target.valueAsNumber;
          if (next >= least && next <= most) onChange(next);
        }}
      />
    </label>
  );
}

export default function ExampleBar({ text }: { readonly text: string }) {
  const { selection, lessons, run } = useLab();
  const tree = useTree();
  const inLesson = useSelection((state) => state.lesson !== null);
  const selected = useSelection((state) => state.node) ?? ROOT;
  const [past, setPast] = useState<readonly string[]>([]);
  const example = parseExample(text);
  const node = tree?.nodes[selected] ?? tree?.nodes[ROOT];
  const at = node?.id ?? ROOT;
  const count = (tree?.nodes.length ?? 1) - 1;
  const change = (next: Example, to: NodeId = at): void => {
    const written = writeExample(next);
    if (written === text) return;
    setPast([...past, text]);
    const { creditFrame, lesson, lessonStep } = selection.getState();
    selection.select({ example: written, node: to, creditFrame, lesson, lessonStep });
  };
  const undo = (): void => {
    setPast(past.slice(0, -1));
    selection.select({ example: past[past.length - 1], creditFrame: selection.getState().creditFrame });
  };
  const add = (kind: 'turn' | 'leaf'): void => change(addedTurn(example, at, kind), addedId(example, at));
  const save = async (): Promise<void> => {
    const lines: string[] = [];
    for await (const event of run.log()) lines.push(JSON.stringify(event));
    const head = JSON.stringify({ format: 'turnwise-run', version: 2 });
    const end = JSON.stringify({ kind: 'end', events: lines.length });
    saveFile('example.ndjson', `${[head, ...lines, end].join('\n')}\n`, 'application/x-ndjson');
  };
  const isFull = count + 2 > EXAMPLE_BOUNDS.turns;
  const isDeep = (node?.depth ?? 0) + 3 > EXAMPLE_BOUNDS.depth;
  const reward = at === ROOT ? null : (tree?.rewards?.[at] ?? null);
  return (
    <section className="example-bar" aria-label="Example">
      <label>
        <span className="visually-hidden">Which example</span>
        <select
          value={EXAMPLES.find((entry) => entry.text === text)?.text ?? ''}
          onChange={({ target }) => change(parseExample(target.value), ROOT)}
        >
          {!EXAMPLES.some((entry) => entry.text === text) && <option value="">An example of your own</option>}
          {EXAMPLES.map((entry) => (
            <option key={entry.text} value={entry.text}>
              {entry.title}
            </option>
          ))}
        </select>
      </label>
      <div className="bar" role="group" aria-label={`Change ${turnName(at)}`}>
        <strong>{at === ROOT ? 'the question' : capital(nodeName(at))}</strong>
        {at !== ROOT && node && (
          <NumberField
            key={`s${at}`}
            label="surprisal"
            value={node.turnSurprisal ?? 0}
            least={0}
            most={EXAMPLE_BOUNDS.surprisal}
            onChange={(surprisal) => change(changedTurn(example, at, { surprisal }))}
          />
        )}
        {reward !== null && (
          <NumberField
            key={`r${at}`}
            label="reward"
            value={reward}
            least={-EXAMPLE_BOUNDS.reward}
            most={EXAMPLE_BOUNDS.reward}
            onChange={(value) => change(changedTurn(example, at, { reward: value }))}
          />
        )}
        <button type="button" className="small" disabled={isFull || isDeep} onClick={() => add('turn')}>
          + turn
        </button>
        <button type="button" className="small" disabled={isFull || isDeep} onClick={() => add('leaf')}>
          + leaf
        </button>
        <button
          type="button"
          className="small"
          disabled={at === ROOT || (node?.parent === ROOT && example.length === 1)}
          onClick={() => change(removedTurn(example, at), node?.parent ?? ROOT)}
        >
          Remove
        </button>
      </div>
      <div className="bar">
        <button type="button" className="small" disabled={past.length === 0} onClick={undo}>
          Undo
        </button>
        <button type="button" className="small" onClick={() => void save()}>
          Save
        </button>
        {!inLesson && (
          <button type="button" className="small" onClick={lessons.leave}>
            Close the example
          </button>
        )}
      </div>
    </section>
  );
}
