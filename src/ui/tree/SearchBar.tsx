/** Search in a tree: words, tag, class of reward, range of entropy. The query is part of the address. */
import { countWords } from '../format.ts';
import { useRef } from 'react';
import type { TreeQuery } from '../../store/selection.ts';
import type { NodeId } from '../../units.ts';
import { useLab, useSelection } from '../binding.ts';
import { useKeys } from '../shell/keys.tsx';
import { EMPTY_QUERY, REWARD_CLASSES, nextMatch } from './tree_search.ts';

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
        H from{' '}
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
