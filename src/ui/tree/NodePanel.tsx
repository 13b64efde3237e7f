/** One turn in full: where it came from, its numbers, its words. */
import { useMemo, type ReactNode } from 'react';
import type { TreeWorth } from '../../store/credit/advantage_range.ts';
import { WORD_SHADINGS, type WordShading } from '../../store/place/selection.ts';
import { pathTokens } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { TurnNode } from '../../units.ts';
import type { Nodes } from '../drawing/drawn_tree.ts';
import { turnName } from '../drawing/encodings.ts';
import {
  useRecipe,
  useWorth,
  useLab,
  useRun,
  useSelection,
  useTold,
  useUpdateNumber,
  useVocabulary,
} from '../parts/binding.ts';
import { capital, formatCredit, formatCreditRange, formatNats, formatNumber } from '../parts/format.ts';
import { Fact } from '../parts/parts.tsx';
import { Transcript } from '../parts/Transcript.tsx';
import { Label } from '../parts/Term.tsx';
import { expansionWords } from './expansion_words.ts';
import { growthSentence } from './GrowthBar.tsx';

/** The sentence of the growth step that brought the node. */
function bornWords(tree: TreeState, node: TurnNode): string {
  const step = tree.growth.findIndex((entry) => entry.kind === 'node' && entry.node === node.id);
  return step < 0 ? 'The question.' : growthSentence(tree, step + 1);
}

/** The last ranking the node stood in, as the panel prints it. */
function RankingFact({ tree, node }: { readonly tree: TreeState; readonly node: TurnNode }) {
  const record = tree.expansions.findLast(({ candidates }) =>
    candidates.some((entry) => entry.node === node.id),
  );
  const rollout = useRecipe((config) => config.algorithm.rollout);
  const candidate = record?.candidates.find((entry) => entry.node === node.id);
  if (!record || !candidate || !rollout) return null;
  const { score, round } = expansionWords(rollout, record.candidates.length);
  const sum =
    rollout.shape === 'turn_tree'
      ? `${formatNumber(candidate.turnSurprisal, 3)} − ${formatNumber(candidate.penalty)} = `
      : '';
  return (
    <Fact name={`${score}, ${round} ${record.iteration + 1}`}>
      {sum}
      {formatNumber(candidate.score, 3)}, rank {candidate.rank + 1} of {record.candidates.length}
      {candidate.pickCount > 0 ? ' → picked' : ''}
    </Fact>
  );
}

interface NodePanelProps {
  readonly tree: TreeState;
  readonly node: TurnNode;
  readonly worth: TreeWorth; // of the tree's turns
  readonly where?: string; // of a turn that is not in the tree on screen
  readonly action?: ReactNode;
}

export function NodePanel({ tree, node, worth, where, action }: NodePanelProps) {
  const vocabulary = useVocabulary();
  const { selection } = useLab();
  const shading = useSelection((state) => state.shading);
  const wholePath = useSelection((state) => state.wholePath);
  const tokens = useMemo(() => {
    const path = pathTokens(tree, node.id, vocabulary);
    return wholePath || node.parent === null ? path : path.filter((token) => token.node === node.id);
  }, [tree, node, vocabulary, wholePath]);
  const told = useTold(tree, node.id);
  const reward = tree.rewards?.[node.id];
  const search = tree.search?.[node.id];
  const sampled = node.mask.filter((bit) => bit === 1).length;
  return (
    <section
      className="panel"
      aria-label={where ? `Pinned ${turnName(node.id)}` : capital(turnName(node.id))}
    >
      <div className="panel-head">
        <h2>
          <Label>{capital(turnName(node.id))}</Label>
          {node.ending && <span className="soft"> · ended by {node.ending}</span>}
        </h2>
        {action}
      </div>
      {where && <p className="small">{where}</p>}
      <p className="small soft">{bornWords(tree, node)}</p>
      <dl className="facts">
        {node.parent !== null && (
          <Fact name="surprisal H">
            {node.turnSurprisal === null ? 'unknown' : `${formatNats(node.turnSurprisal, 3)} per token`}
          </Fact>
        )}
        <RankingFact tree={tree} node={node} />
        {search && (
          <Fact name="visits N, mean reward Q">
            {search.visits}, {formatNumber(search.quality)}
          </Fact>
        )}
        <Fact name="value V">{formatCredit(worth.values?.[node.id])}</Fact>
        <Fact name="advantage A">{formatCreditRange(worth.advantages?.[node.id])}</Fact>
        {node.ending && <Fact name="reward">{formatNumber(reward, 0)}</Fact>}
        <Fact name="tokens">
          {sampled} sampled, {node.tokens.length - sampled} from the tool
        </Fact>
        <Fact name="tool calls on the path">{node.callCount}</Fact>
      </dl>
      <div className="panel-head">
        <h3 className="heading">Transcript</h3>
        <label className="small">
          shade{' '}
          <select
            value={shading}
            onChange={(event) => selection.select({ shading: event.target.value as WordShading })}
          >
            {WORD_SHADINGS.map((option) => (
              <option key={option}>{option}</option>
            ))}
          </select>
        </label>
        <label className="small">
          <input
            type="checkbox"
            checked={wholePath}
            onChange={(event) => selection.select({ wholePath: event.target.checked })}
          />{' '}
          <Label>whole path</Label>
        </label>
      </div>
      <Transcript tokens={tokens} shading={shading} current={node.id} told={told} />
      <TokenTable tokens={tokens.filter((token) => token.source === 'policy')} />
      <p className="small soft">
        H is the mean surprisal, −log-probability, of the turn’s sampled tokens; the paper’s code calls it
        entropy. The entropy of each token is of the whole next-token distribution.
      </p>
    </section>
  );
}

function TokenTable({ tokens }: { readonly tokens: ReturnType<typeof pathTokens> }) {
  return (
    <details>
      <summary className="small">Every sampled token in numbers</summary>
      <table className="tokens">
        <thead>
          <tr>
            <th scope="col">
              <Label>token</Label>
            </th>
            <th scope="col">
              <Label>log-probability</Label>
            </th>
            <th scope="col">
              <Label>entropy</Label>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.position}>
              <td>
                <code>{token.text}</code>
              </td>
              <td>{formatNats(token.logProb, 3)}</td>
              <td>{formatNats(token.entropy, 3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

// The turn looked at, and beside it the one pinned for comparing, which may be of another tree or update.

interface NodePanelsProps {
  readonly tree: TreeState;
  readonly nodes: Nodes; // those on screen
}

interface PinButtonProps {
  readonly node: TurnNode;
  readonly prompt: number;
}

function PinButton({ node, prompt }: PinButtonProps) {
  const { selection } = useLab();
  const update = useUpdateNumber();
  return (
    <button
      type="button"
      className="small"
      onClick={() => selection.select({ pinned: { update, prompt, node: node.id } })}
      title="Keeps this turn to compare with; Shift and click does the same"
    >
      Pin to compare
    </button>
  );
}

function PinnedPanel() {
  const { selection } = useLab();
  const pinned = useSelection((state) => state.pinned);
  const tree = useRun((run) =>
    pinned ? (run.updates[pinned.update - 1]?.trees[pinned.prompt] ?? null) : null,
  );
  const worth = useWorth(tree, pinned?.update);
  if (!pinned) return null;
  const node = tree?.nodes[pinned.node];
  const where = `pinned: update ${pinned.update}, prompt ${pinned.prompt + 1}`;
  const unpin = (
    <button type="button" className="small" onClick={() => selection.select({ pinned: null })}>
      Unpin
    </button>
  );
  if (!tree || !node)
    return (
      <section className="panel" aria-label="Pinned turn">
        <p className="small soft">The {where}, is not at hand.</p>
        {unpin}
      </section>
    );
  return <NodePanel tree={tree} node={node} worth={worth} where={where} action={unpin} />;
}

export function NodePanels({ tree, nodes }: NodePanelsProps) {
  const selected = useSelection((state) => state.hovered ?? state.node);
  const hasPin = useSelection((state) => state.pinned !== null);
  const node = selected === null ? undefined : nodes[selected];
  const worth = useWorth(tree);
  return (
    <div className="node-panels" data-two={hasPin && node !== undefined}>
      {node ? (
        <NodePanel
          tree={tree}
          node={node}
          worth={worth}
          action={
            node.origin.kind === 'by-hand' ? undefined : <PinButton node={node} prompt={tree.prompt.index} />
          }
        />
      ) : (
        <p className="panel small soft">
          Point at a turn to preview it, select it to keep it, Shift and click to pin a second one; arrow keys
          walk the tree.
        </p>
      )}
      {hasPin && <PinnedPanel />}
    </div>
  );
}
