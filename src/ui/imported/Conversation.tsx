/** The selected path as a conversation, by who wrote it; what its turns share with others, and what credit they get. */
import { useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { NAMED_CREDIT, OWN_CREDIT, recredit } from '../../store/credit/credit.ts';
import { advantageRanges, type AdvantageRanges } from '../../store/credit/advantage_range.ts';
import { conversationOf, type Author, type Passage } from '../../store/record/conversation.ts';
import { joinerOf, leavesOf, pathTo, rolloutTree } from '../../store/record/reading.ts';
import { equalTurn } from '../../store/record/reshape.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { CreditConfig, NodeId, RolloutFacts, TurnNode } from '../../units.ts';
import {
  useCreditRules,
  useLab,
  useRun,
  useSelection,
  useUpdateNumber,
  useVocabulary,
} from '../parts/binding.ts';
import { countWords, formatCount, formatRange, formatSigned } from '../parts/format.ts';
import { BatchSearch } from './BatchSearch.tsx';
import './imported.css';

export const AUTHOR_WORDS: Readonly<Record<Author, string>> = {
  system: 'system',
  user: 'user',
  assistant: 'assistant, in the prompt',
  policy: 'policy',
  tool: 'tool',
};

const LONG = 900; // characters, beyond which a passage is folded
const SHOWN = 500;

function Text({ text }: { readonly text: string }) {
  const [isOpen, setOpen] = useState(false);
  if (text.length <= LONG) return <p className="said">{text.trim()}</p>;
  return (
    <>
      <p className="said">{isOpen ? text.trim() : `${text.trim().slice(0, SHOWN)} …`}</p>
      <button type="button" className="link small" onClick={() => setOpen(!isOpen)}>
        {isOpen ? 'fold' : `all ${formatCount(text.trim().length)} characters`}
      </button>
    </>
  );
}

/** The leaf that the path leads to: the one selected, else the first below the selected turn, else the first. */
function useLeaf(tree: TreeState): NodeId | null {
  const leaf = useSelection((state) => state.leaf);
  const node = useSelection((state) => state.node);
  const leaves = leavesOf(tree);
  const isBelow = (each: NodeId): boolean =>
    node === null || pathTo(tree, each).some(({ id }) => id === node);
  if (leaf !== null && leaves.includes(leaf) && isBelow(leaf)) return leaf;
  return leaves.find(isBelow) ?? leaves[0] ?? null;
}

const useFacts = (tree: TreeState): readonly RolloutFacts[] => {
  const update = useUpdateNumber();
  const all = useRun((run) => run.updates[update - 1]?.rollouts ?? null);
  return useMemo(() => all?.filter(({ prompt }) => prompt === tree.prompt.index) ?? [], [all, tree]);
};

const ownFacts = (facts: readonly RolloutFacts[], leaf: NodeId): RolloutFacts | undefined =>
  facts.find(({ turns }) => turns.some(({ node }) => node === leaf));

interface SharedProps {
  readonly tree: TreeState;
  readonly node: TurnNode;
  readonly leaf: NodeId;
  readonly turns: number;
}

/** Which rows have this turn in common, why that is believed, and the ways to change it. */
function Shared({ tree, node, leaf, turns }: SharedProps) {
  const { reshaping } = useLab();
  const rows = leavesOf(tree).filter((each) => pathTo(tree, each).some(({ id }) => id === node.id)).length;
  const equal = equalTurn(tree, node);
  const isInferred = node.origin.kind === 'imported' && node.origin.inferred;
  if (rows < 2 && !equal) return null;
  return (
    <span className="small soft">
      {rows > 1 &&
        `${countWords(rows, 'row')} the same for ${countWords(turns, 'turn')}${isInferred ? ', recovered from common prefixes' : ''} `}
      {rows > 1 && isInferred && (
        <button type="button" className="link small" onClick={() => void reshaping.split(node.id, leaf)}>
          Split this row off
        </button>
      )}
      {equal && (
        <>
          reads as turn n{equal.id} does{' '}
          <button
            type="button"
            className="link small"
            onClick={() => void reshaping.merge(equal.id, node.id)}
          >
            Merge them
          </button>
        </>
      )}
    </span>
  );
}

interface PassageProps extends Omit<SharedProps, 'node' | 'turns'> {
  readonly passage: Passage;
  readonly turns: ReadonlyMap<NodeId, number>; // by node, from 1
}

function Said({ passage: { author, text, node, guessed }, tree, leaf, turns }: PassageProps) {
  const { selection } = useLab();
  const isSelected = useSelection((state) => state.node === node);
  const own = tree.nodes[node];
  const turn = turns.get(node);
  return (
    <li data-author={author} data-selected={isSelected && author === 'policy'}>
      <header>
        <b>{AUTHOR_WORDS[author]}</b>
        {author === 'policy' && turn !== undefined && own && (
          <>
            <button type="button" className="link small" onClick={() => selection.select({ node, leaf })}>
              turn {turn}, n{node}
            </button>
            <Shared {...{ tree, leaf, node: own, turns: turn }} />
          </>
        )}
        {guessed && <span className="small soft">where it ends could be read in another way</span>}
      </header>
      <Text text={text} />
    </li>
  );
}

const rangesUnder = (
  tree: TreeState,
  config: CreditConfig,
  trees: readonly TreeState[],
): AdvantageRanges | null => {
  const whole = rolloutTree(tree);
  const credit = whole && recredit(tree, config, OWN_CREDIT, trees.includes(tree) ? trees : [tree]);
  return whole && credit ? advantageRanges(whole, credit) : null;
};

interface CreditProps {
  readonly tree: TreeState;
  readonly leaf: NodeId;
  readonly facts: RolloutFacts | undefined;
}

/** Reward of each turn, what the trainer used, and what rules give here. */
function TurnCredit({ tree, leaf, facts }: CreditProps) {
  const { selection } = useLab();
  const chosen = useCreditRules();
  const update = useUpdateNumber();
  const trees = useRun((run) => run.updates[update - 1]?.trees);
  const columns = useMemo(() => {
    const beside = trees ?? [tree];
    const named = NAMED_CREDIT.map(({ title, credit }) => ({
      title,
      ranges: rangesUnder(tree, credit, beside),
    }));
    return { here: chosen ? rangesUnder(tree, chosen, beside) : null, named };
  }, [tree, trees, chosen]);
  const path = pathTo(tree, leaf).filter(({ parent }) => parent !== null);
  const of = (node: NodeId) => facts?.turns.find((turn) => turn.node === node);
  const hasRewards = path.some(({ id }) => of(id)?.reward != null);
  const hasTrainer = path.some(({ id }) => of(id)?.advantage != null);
  if (!tree.rewards && !hasRewards && !hasTrainer) return null;
  return (
    <table className="turn-credit">
      <caption className="heading">Credit of these turns</caption>
      <thead>
        <tr>
          <th scope="col">turn</th>
          {hasRewards && <th scope="col">reward of the turn</th>}
          {hasTrainer && <th scope="col">A of the trainer</th>}
          <th scope="col" title="The rule that is chosen in Credit">
            A here
          </th>
          {hasTrainer && <th scope="col">difference</th>}
          {columns.named.map(({ title }) => (
            <th
              key={title}
              scope="col"
              title="Where a rule weighs turns by a surprisal that the file does not hold: with even weights"
            >
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {path.map(({ id }, at) => {
          const said = of(id)?.advantage ?? null;
          const here = columns.here?.[id] ?? null;
          const difference: readonly [number, number] | null = said === null || !here ? null : [here[0] - said, here[1] - said]; // prettier-ignore
          return (
            <tr key={id} data-node={id}>
              <th scope="row">
                <button
                  type="button"
                  className="link small"
                  onClick={() => selection.select({ node: id, leaf })}
                >
                  {at + 1}
                </button>
              </th>
              {hasRewards && <td>{formatSigned(of(id)?.reward)}</td>}
              {hasTrainer && <td>{formatSigned(said)}</td>}
              <td>{formatRange(here)}</td>
              {hasTrainer && <td>{formatRange(difference)}</td>}
              {columns.named.map(({ title, ranges }) => (
                <td key={title}>{formatRange(ranges?.[id])}</td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Head({ tree, leaf, facts }: CreditProps) {
  const { selection, reshaping, run } = useLab();
  const changes = useStore(reshaping, (state) => state.changes);
  const leaves = leavesOf(tree).toSorted((one, other) => one - other);
  const at = leaves.indexOf(leaf);
  const go = (by: number): void => {
    const next = leaves[(at + by + leaves.length) % leaves.length];
    selection.select({ leaf: next, node: next });
  };
  const { group } = tree.prompt;
  return (
    <>
      <div className="panel-head">
        <h2>Conversation</h2>
        <div className="bar">
          <button type="button" className="small" aria-label="Row before" onClick={() => go(-1)}>
            ◀
          </button>
          <span className="small">
            row {at + 1} of {leaves.length}
          </span>
          <button type="button" className="small" aria-label="Next row" onClick={() => go(1)}>
            ▶
          </button>
          {changes.some(({ record }) => record === run.shown()) && (
            <button type="button" className="small" onClick={reshaping.undo}>
              Undo the last change of a tree
            </button>
          )}
        </div>
      </div>
      <p className="small soft">
        {facts && `${facts.place}; `}
        reward{' '}
        {tree.rewards?.[leaf] == null && facts?.reward == null
          ? 'unknown'
          : formatSigned(tree.rewards?.[leaf] ?? facts?.reward)}
        {group && `; group ${group.by === null ? 'inferred: equal prompt' : `by ${group.by}`}`}
      </p>
    </>
  );
}

export default function Conversation({ tree }: { readonly tree: TreeState }) {
  const texts = useVocabulary();
  const joiner = useRun(joinerOf);
  const leaf = useLeaf(tree);
  const facts = useFacts(tree);
  const passages = useMemo(
    () => (leaf === null ? [] : conversationOf(tree, leaf, { texts, joiner })),
    [tree, leaf, texts, joiner],
  );
  if (leaf === null) return null;
  const turns = new Map(pathTo(tree, leaf).map(({ id }, at) => [id, at])); // the root is none
  const own = ownFacts(facts, leaf);
  return (
    <section className="panel conversation" aria-label="Conversation">
      <Head {...{ tree, leaf, facts: own }} />
      <BatchSearch />
      <ol>
        {passages.map((passage, at) => (
          <Said key={`${leaf} ${at}`} {...{ passage, tree, leaf, turns }} />
        ))}
      </ol>
      <TurnCredit {...{ tree, leaf, facts: own }} />
    </section>
  );
}
