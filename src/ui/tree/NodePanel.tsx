/** One turn in full: where it came from, its numbers, its words. */
import { useMemo, type ReactNode } from 'react';
import type { AdvantageRanges } from '../../store/advantage_range.ts';
import { pathTokens } from '../../store/reading.ts';
import type { TreeState } from '../../store/run_state.ts';
import { WORD_SHADINGS, type WordShading } from '../../store/selection.ts';
import type { TurnNode } from '../../units.ts';
import { useLab, useRun, useSelection, useVocabulary } from '../binding.ts';
import { Fact } from '../Fact.tsx';
import { capital, formatCredit, formatCreditRange, formatNats, formatNumber } from '../format.ts';
import { Transcript } from '../transcript/Transcript.tsx';
import { turnName } from './encodings.ts';
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
  const rollout = useRun((run) => run.header?.config.algorithm.rollout ?? null);
  const candidate = record?.candidates.find((entry) => entry.node === node.id);
  if (!record || !candidate || !rollout) return null;
  const { score, round } = expansionWords(rollout, record.candidates.length);
  const sum =
    rollout.shape === 'turn_tree'
      ? `${formatNumber(candidate.turnEntropy, 3)} − ${formatNumber(candidate.penalty)} = `
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
  readonly advantages: AdvantageRanges | null; // of the tree
  readonly where?: string; // of a turn that is not in the tree on screen
  readonly action?: ReactNode;
}

export function NodePanel({ tree, node, advantages, where, action }: NodePanelProps) {
  const vocabulary = useVocabulary();
  const { selection } = useLab();
  const shading = useSelection((state) => state.shading);
  const wholePath = useSelection((state) => state.wholePath);
  const tokens = useMemo(() => {
    const path = pathTokens(tree, node.id, vocabulary);
    return wholePath || node.parent === null ? path : path.filter((token) => token.node === node.id);
  }, [tree, node, vocabulary, wholePath]);
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
          {capital(turnName(node.id))}
          {node.ending && <span className="soft"> · ended by {node.ending}</span>}
        </h2>
        {action}
      </div>
      {where && <p className="small">{where}</p>}
      <p className="small soft">{bornWords(tree, node)}</p>
      <dl className="facts">
        {node.parent !== null && <Fact name="entropy H">{formatNats(node.turnEntropy, 3)} per token</Fact>}
        <RankingFact tree={tree} node={node} />
        {search && (
          <Fact name="visits N, mean reward Q">
            {search.visits}, {formatNumber(search.quality)}
          </Fact>
        )}
        <Fact name="value V">{formatCredit(tree.credit?.values[node.id])}</Fact>
        <Fact name="advantage A">{formatCreditRange(advantages?.[node.id])}</Fact>
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
          whole path
        </label>
      </div>
      <Transcript tokens={tokens} shading={shading} current={node.id} />
      <TokenTable tokens={tokens.filter((token) => token.source === 'policy')} />
      <p className="small soft">
        H is the released code's estimate: the mean of −log-probability over the turn's sampled tokens. The
        entropy of each token is of the whole next-token distribution.
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
            <th scope="col">token</th>
            <th scope="col">log-probability</th>
            <th scope="col">entropy</th>
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
