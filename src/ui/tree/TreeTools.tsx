/** What can be done with the drawing: colour, folding, path, batch, beside. */
import { useRef } from 'react';
import { TREE_COLOURS, type TreeQuery } from '../../store/place/selection.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { NodeId, TurnNode } from '../../units.ts';
import type { Nodes } from '../drawing/drawn_tree.ts';
import type { TreeFolding } from '../drawing/folding.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { countWords } from '../parts/format.ts';
import { RewardLegend } from '../parts/parts.tsx';
import { rewardClass, type RewardClass } from '../parts/scales.ts';
import { Label } from '../parts/Term.tsx';
import { useKeys } from '../shell/keys.tsx';

interface TreeToolsProps {
  readonly folding: TreeFolding;
  readonly onlyPath: boolean;
  readonly onOnlyPath: (on: boolean) => void;
}

export function TreeTools({ folding, onlyPath, onOnlyPath }: TreeToolsProps) {
  const { selection } = useLab();
  const colour = useSelection((state) => state.colour);
  const batch = useSelection((state) => state.batch);
  const beside = useSelection((state) => state.beside);
  const selected = useSelection(({ node }) => node);
  const fold = (): void => {
    if (selected !== null) folding.toggle(selected);
  };
  useKeys([
    { key: 'c', label: 'collapse or expand the selected turn', run: fold },
    { key: 'C', label: 'collapse all', run: folding.collapseAll },
    { key: 'e', label: 'expand all', run: folding.expandAll },
    { key: 'o', label: 'only the path', run: () => onOnlyPath(!onlyPath) },
    { key: 'b', label: 'the whole batch', run: () => selection.select({ batch: !batch }) },
  ]);
  return (
    <div className="bar tree-tools">
      <div className="bar" role="group" aria-label="Colour by">
        <span className="heading">Colour by</span>
        {TREE_COLOURS.map((option) => (
          <button
            key={option}
            type="button"
            aria-pressed={colour === option}
            onClick={() => selection.select({ colour: option })}
          >
            <Label>{option === 'entropy' ? 'surprisal' : option}</Label>
          </button>
        ))}
      </div>
      <div className="bar" role="group" aria-label="Show">
        <button type="button" aria-pressed={batch} onClick={() => selection.select({ batch: !batch })}>
          batch
        </button>
        <button type="button" aria-pressed={beside} onClick={() => selection.select({ beside: !beside })}>
          <Label>other update</Label>
        </button>
        <button
          type="button"
          aria-pressed={onlyPath}
          disabled={selected === null}
          onClick={() => onOnlyPath(!onlyPath)}
        >
          <Label>only path</Label>
        </button>
        <button type="button" disabled={selected === null} onClick={fold}>
          fold
        </button>
        <button type="button" onClick={folding.expandAll}>
          expand all
        </button>
      </div>
      <RewardLegend />
    </div>
  );
}

// Which turns of a tree a search finds. Pure.

export const EMPTY_QUERY: TreeQuery = { text: '', tag: '', reward: '', low: null, high: null };
export const REWARD_CLASSES: readonly RewardClass[] = ['correct', 'partial', 'wrong', 'malformed'];

const OPENING_TAG = /^<([a-z_]+)>$/;

/** What a search may ask for as a tag: words of the grammar, then the ways that paths of this tree ended. */
export function tagsOf(nodes: Nodes, vocabulary: readonly string[]): readonly string[] {
  const words = vocabulary.flatMap((word) => OPENING_TAG.exec(word)?.[1] ?? []);
  const endings = nodes.flatMap((node) => node?.ending ?? []);
  return [...new Set([...words, ...endings])];
}

/** The words of a turn, tool results included, as they are read. */
const wordsOf = (node: TurnNode, vocabulary: readonly string[]): readonly string[] =>
  node.tokens.map((id) => vocabulary[id] ?? `#${id}`);

function matches(
  node: TurnNode,
  tree: TreeState,
  query: TreeQuery,
  vocabulary: readonly string[],
  joiner: string,
): boolean {
  const { text, tag, reward, low, high } = query;
  const surprisal = node.turnSurprisal;
  if (low !== null && (surprisal === null || surprisal < low)) return false;
  if (high !== null && (surprisal === null || surprisal > high)) return false;
  if (reward !== '' && (node.ending === null || rewardClass(tree.rewards?.[node.id]) !== reward))
    return false;
  if (tag === '' && text === '') return true;
  const words = wordsOf(node, vocabulary);
  if (tag !== '' && node.ending !== tag && !words.includes(`<${tag}>`)) return false;
  return text === '' || words.join(joiner).toLowerCase().includes(text.toLowerCase());
}

/**
 * @param nodes those on screen
 * @param joiner what stands between two tokens, as joinerOf has it
 * @returns ids in order of creation; null where the query asks for nothing. The question itself is never found.
 */
export function findTurns(
  tree: TreeState,
  nodes: Nodes,
  query: TreeQuery | null,
  vocabulary: readonly string[],
  joiner = ' ',
): readonly NodeId[] | null {
  if (!query) return null;
  const { text, tag, reward, low, high } = query;
  if (text === '' && tag === '' && reward === '' && low === null && high === null) return null;
  return nodes.flatMap((node) =>
    node && node.parent !== null && !node.pruned && matches(node, tree, query, vocabulary, joiner)
      ? [node.id]
      : [],
  );
}

/** The match after (`step` 1) or before (−1) a node in the order given; round the end to the start. */
export function nextMatch(found: readonly NodeId[], from: NodeId | null, step: 1 | -1): NodeId | null {
  if (found.length === 0) return null;
  const at = from === null ? -1 : found.indexOf(from);
  if (at < 0) return step === 1 ? found[0] : found[found.length - 1];
  return found[(at + step + found.length) % found.length];
}

// Search in a tree: words, tag, class of reward, range of entropy. The query is part of the address.

interface SearchBarProps {
  readonly found: readonly NodeId[] | null; // null: nothing is asked for
  readonly tags: readonly string[];
}

const nats = (text: string): number | null => (text === '' ? null : Number(text));

export function SearchBar({ found, tags }: SearchBarProps) {
  const { selection } = useLab();
  const input = useRef<HTMLInputElement>(null);
  const query = useSelection((state) => state.find) ?? EMPTY_QUERY;
  const at = useSelection(({ node }) => (node === null ? -1 : (found?.indexOf(node) ?? -1)));
  const ask = (change: Partial<TreeQuery>): void => selection.select({ find: { ...query, ...change } });
  const jump = (step: 1 | -1): void => {
    const next = nextMatch(found ?? [], selection.getState().node, step);
    if (next !== null) selection.select({ node: next });
  };
  useKeys([
    { key: '/', label: 'search the tree', run: () => input.current?.focus() },
    { key: 'n', label: 'next match', run: () => jump(1) },
    { key: 'N', label: 'match before', run: () => jump(-1) },
  ]);
  const count = found?.length ?? 0;
  return (
    <form
      className="bar search"
      role="search"
      aria-label="Search the tree"
      onSubmit={(event) => {
        event.preventDefault();
        jump(1);
      }}
    >
      <input
        ref={input}
        type="search"
        placeholder="words ( / )"
        aria-label="Words"
        value={query.text}
        onChange={(event) => ask({ text: event.target.value })}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <select
        aria-label="Tag or ending"
        value={query.tag}
        onChange={(event) => ask({ tag: event.target.value })}
      >
        <option value="">any tag</option>
        {tags.map((tag) => (
          <option key={tag}>{tag}</option>
        ))}
      </select>
      <select
        aria-label="Reward"
        value={query.reward}
        onChange={(event) => ask({ reward: event.target.value })}
      >
        <option value="">any reward</option>
        {REWARD_CLASSES.map((kind) => (
          <option key={kind}>{kind}</option>
        ))}
      </select>
      <label className="small">
        <Label>H from</Label>{' '}
        <input
          type="number"
          min={0}
          step={0.05}
          value={query.low ?? ''}
          onChange={(event) => ask({ low: nats(event.target.value) })}
        />
      </label>
      <label className="small">
        to{' '}
        <input
          type="number"
          min={0}
          step={0.05}
          value={query.high ?? ''}
          onChange={(event) => ask({ high: nats(event.target.value) })}
        />
      </label>
      {found && (
        <>
          <output className="number small" aria-live="polite">
            {count === 0 ? 'no turn' : at < 0 ? countWords(count, 'turn') : `${at + 1} of ${count}`}
          </output>
          <button type="button" aria-label="Match before" disabled={count === 0} onClick={() => jump(-1)}>
            ◀
          </button>
          <button type="submit" aria-label="Next match" disabled={count === 0}>
            ▶
          </button>
          <button type="button" onClick={() => selection.select({ find: null })}>
            clear
          </button>
        </>
      )}
    </form>
  );
}
