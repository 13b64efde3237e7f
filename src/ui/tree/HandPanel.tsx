/** Changing a tree by hand: turns sampled in a turn's place or after it, and tool results rewritten. Only in a copy. */
import { useId, useRef, useState, type FormEvent } from 'react';
import { useStore } from 'zustand';
import {
  anchorOf,
  completions,
  observationOf,
  parseObservation,
  type HandWish,
  type Intervention,
} from '../../store/ask/interventions.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { LabError, type ErrorReport, type TokenId, type TurnNode } from '../../units.ts';
import { nodeName, turnName } from '../drawing/encodings.ts';
import {
  useRecipe,
  useLab,
  useRun,
  useSelection,
  useTransport,
  useUpdateNumber,
  useVocabulary,
} from '../parts/binding.ts';
import { formatSetting } from '../parts/format.ts';
import { Weights } from '../parts/Replay.tsx';
import { Label } from '../parts/Term.tsx';
import { useKeys } from '../shell/keys.tsx';
import {
  interventionWords,
  policyExpected,
  useHandTree,
  useInterventions,
  useWhyNot,
  wordsOf,
} from './hand_words.ts';

// The tool result that opens a turn, to be written anew in words of the environment.

interface ObservationEditorProps {
  readonly node: TurnNode;
  readonly disabled: boolean;
  readonly onSend: (observation: readonly TokenId[]) => void;
  readonly onClose: () => void;
}

export function ObservationEditor({ node, disabled, onSend, onClose }: ObservationEditorProps) {
  const vocabulary = useVocabulary();
  const before = wordsOf(observationOf(node), vocabulary);
  const [text, setText] = useState(before);
  const [problem, setProblem] = useState<ErrorReport | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const write = (next: string): void => {
    setText(next);
    setProblem(null);
  };
  const complete = (word: string): void => {
    write(text.replace(/\S+$/, `${word} `));
    field.current?.focus();
  };
  const send = (event: FormEvent): void => {
    event.preventDefault();
    try {
      onSend(parseObservation(text, vocabulary));
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      setProblem(error.report);
    }
  };
  return (
    <form className="observation-editor" onSubmit={send}>
      <label htmlFor={id} className="small">
        Observation before {nodeName(node.id)}, as the policy is to read it
      </label>
      <textarea
        id={id}
        ref={field}
        rows={2}
        spellCheck={false}
        autoCapitalize="off"
        value={text}
        aria-invalid={problem !== null}
        aria-describedby={`${id}-problem`}
        onChange={(event) => write(event.target.value)}
      />
      <div className="bar" role="group" aria-label="Completions">
        {completions(text, vocabulary).map((word) => (
          <button key={word} type="button" className="small" onClick={() => complete(word)}>
            {word}
          </button>
        ))}
      </div>
      <p id={`${id}-problem`} className="small" role="alert">
        {problem && `${problem.what} (${problem.where}). ${problem.next}`}
      </p>
      <div className="bar">
        <button type="submit" disabled={disabled || text.trim() === before}>
          Continue from the edited observation
        </button>
        <button type="button" className="quiet" onClick={onClose}>
          Close
        </button>
      </div>
      <p className="small soft">
        The policy reads these words in place of the tool’s. The world itself stays as it was: later calls are
        answered as after the tool’s own result.
      </p>
    </form>
  );
}

const MOST_TURNS = 8; // asked for at once
const MOST_SEED = 0xffffffff;

const within = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, Math.round(value) || low));

function Done({ done }: { readonly done: Intervention }) {
  const { selection } = useLab();
  const vocabulary = useVocabulary();
  const edited = done.kind === 'grown' && done.wish.action === 'edit' ? done : null;
  const to = done.kind === 'grown' ? done.added[0] : done.node;
  return (
    <li className="small">
      {interventionWords(done)}{' '}
      <button type="button" className="quiet link" onClick={() => selection.select({ node: to })}>
        show {nodeName(to)}
      </button>
      {edited && (
        <dl className="observation-change">
          <dt>was</dt>
          <dd>
            <code>{wordsOf(edited.before, vocabulary)}</code>
          </dd>
          <dt>edited</dt>
          <dd>
            <code>{wordsOf(edited.wish.observation ?? [], vocabulary)}</code>
          </dd>
        </dl>
      )}
    </li>
  );
}

/** What a method reads that nobody measured for turns made by hand. */
function Unmeasured({ tree }: { readonly tree: TreeState }) {
  const { belief, stepReward } = tree.signals ?? {};
  if (!belief && !stepReward) return null;
  const what = belief ? 'the policy’s belief in the answer' : 'rewards of single turns';
  return (
    <p className="small soft">
      This method also reads {what}. It was not measured for turns made by hand: they count as no gain.
    </p>
  );
}

export function HandPanel({ tree }: { readonly tree: TreeState }) {
  const { interventions, replays, transport } = useLab();
  const selected = useSelection(({ node }) => node);
  const update = useUpdateNumber();
  const exact = useStore(replays, (state) => state.exact);
  const isLive = useTransport(({ source }) => source === 'live');
  useRun((run) => run.update); // what `standsAt` depends on
  const temperature = useRecipe((config) => config.temperature) ?? 1;
  const asking = useInterventions((state) => state.asking);
  const hand = useHandTree();
  const whyNot = useWhyNot();
  const [count, setCount] = useState(1);
  const [seed, setSeed] = useState<number | null>(null); // null: as many as there are interventions, plus one
  const [editing, setEditing] = useState<number | null>(null);
  const node = selected === null ? undefined : tree.nodes[selected];
  const nextSeed = seed ?? (hand?.done.length ?? 0) + 1;
  const can = (action: HandWish['action']): boolean =>
    whyNot === null && node !== undefined && anchorOf(tree, { action, node: node.id }) !== null;
  const ask = (action: HandWish['action'], observation?: HandWish['observation']): void => {
    if (!node || !can(action)) return;
    const wish = { action, node: node.id, count, seed: nextSeed };
    interventions.grow(observation ? { ...wish, observation } : wish);
  };
  const edit = (): void => {
    if (node && anchorOf(tree, { action: 'edit', node: node.id }) !== null) setEditing(node.id);
  };
  useKeys([
    { key: 'B', label: 'branch at the selected turn', run: () => ask('again') },
    { key: 'G', label: 'go on from the selected turn', run: () => ask('after') },
    { key: 'E', label: 'edit the observation before the selected turn', run: edit },
  ]);
  return (
    <section className="panel hand-panel" aria-label="By hand">
      <h2>By hand{node ? `: ${turnName(node.id)}` : ''}</h2>
      {!node && (
        <p className="small soft">Select a turn to branch there, go on from it or edit what it read.</p>
      )}
      {node && (
        <>
          <div className="bar small">
            <label>
              <Label>turns</Label>{' '}
              <input
                type="number"
                min={1}
                max={MOST_TURNS}
                value={count}
                onChange={(event) => setCount(within(event.target.valueAsNumber, 1, MOST_TURNS))}
              />
            </label>
            <label>
              <Label>seed</Label>{' '}
              <input
                type="number"
                min={0}
                max={MOST_SEED}
                value={nextSeed}
                onChange={(event) => setSeed(within(event.target.valueAsNumber, 0, MOST_SEED))}
              />
            </label>
            <span>temperature {formatSetting(temperature)}</span>
          </div>
          <div className="bar">
            <button type="button" disabled={!can('again')} onClick={() => ask('again')}>
              {asking ? 'Writing …' : 'Branch here'}
            </button>
            <button
              type="button"
              disabled={!can('after')}
              title={node.ending ? 'The path ends here' : undefined}
              onClick={() => ask('after')}
            >
              Continue from here
            </button>
            <button
              type="button"
              disabled={anchorOf(tree, { action: 'edit', node: node.id }) === null}
              aria-expanded={editing === node.id}
              title="Where a tool’s result opens the turn"
              onClick={edit}
            >
              Edit observation
            </button>
          </div>
          {editing === node.id && (
            <ObservationEditor
              key={node.id}
              node={node}
              disabled={!can('edit')}
              onSend={(observation) => {
                ask('edit', observation);
                setEditing(null);
              }}
              onClose={() => setEditing(null)}
            />
          )}
          <p className="small soft" role="status">
            {whyNot ?? policyExpected(transport.standsAt(update - 1) || (isLive && !exact), update, exact)}
          </p>
        </>
      )}
      {node && <Weights update={update} />}
      {hand && (
        <ol className="interventions">
          {hand.done.map((done, index) => (
            <Done key={index} done={done} />
          ))}
        </ol>
      )}
      {hand && <Unmeasured tree={hand.tree} />}
    </section>
  );
}
