/** Changing a tree by hand: turns sampled in a turn's place or after it, and tool results rewritten. Only in a copy. */
import { useState } from 'react';
import { anchorOf, type HandWish, type Intervention } from '../../store/interventions.ts';
import type { TreeState } from '../../store/run_state.ts';
import { useLab, useRun, useSelection, useTransport, useVocabulary } from '../binding.ts';
import { formatSetting } from '../format.ts';
import { useKeys } from '../shell/keys.tsx';
import { nodeName, turnName } from './encodings.ts';
import { interventionWords, policyExpected, wordsOf } from './hand_words.ts';
import { ObservationEditor } from './ObservationEditor.tsx';
import { TrainAgain } from './TrainAgain.tsx';
import { useHandTree, useInterventions, useWhyNot } from './use_hand.ts';

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
  const { interventions } = useLab();
  const selected = useSelection(({ node }) => node);
  const source = useTransport((transport) => transport.source);
  const temperature = useRun((run) => run.header?.config.temperature ?? 1);
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
              turns{' '}
              <input
                type="number"
                min={1}
                max={MOST_TURNS}
                value={count}
                onChange={(event) => setCount(within(event.target.valueAsNumber, 1, MOST_TURNS))}
              />
            </label>
            <label>
              seed{' '}
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
            {whyNot ?? policyExpected(source)}
          </p>
        </>
      )}
      <TrainAgain offered={node !== undefined} />
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
