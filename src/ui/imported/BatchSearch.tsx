/** Words looked for in all trees of the update; a hit leads to its turn. */
import { useEffect, useState } from 'react';
import {
  AUTHORS,
  findPassages,
  type Author,
  type PassageHit,
  type PassageQuery,
} from '../../store/record/conversation.ts';
import { joinerOf } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { useLab, useRun, useSelection, useUpdateNumber, useVocabulary } from '../parts/binding.ts';
import { countWords, formatCount } from '../parts/format.ts';

const EMPTY: PassageQuery = { text: '', author: null, prompt: null, low: null, high: null };
const MOST_SHOWN = 50;
const SLICE_MS = 8; // of work, before the page may draw
const NO_TREES: readonly TreeState[] = [];

interface Found {
  readonly query: PassageQuery;
  readonly hits: readonly PassageHit[]; // the first of them
  readonly count: number;
  readonly isOver: boolean;
}

/** Null where nothing is asked for. */
function useHits(query: PassageQuery): Found | null {
  const update = useUpdateNumber();
  const trees = useRun((run) => run.updates[update - 1]?.trees ?? NO_TREES);
  const texts = useVocabulary();
  const joiner = useRun(joinerOf);
  const [found, setFound] = useState<Found | null>(null);
  const isAsked = query.text !== '' || query.low !== null || query.high !== null;
  useEffect(() => {
    if (!isAsked) return;
    const search = findPassages(trees, query, { texts, joiner });
    const hits: PassageHit[] = [];
    let [count, timer] = [0, 0];
    const work = (): void => {
      const until = performance.now() + SLICE_MS;
      for (let step = search.next(); ; step = search.next()) {
        if (step.done) return setFound({ query, hits: [...hits], count, isOver: true });
        count += step.value.length;
        hits.push(...step.value.slice(0, Math.max(0, MOST_SHOWN - hits.length)));
        if (performance.now() > until) break;
      }
      timer = window.setTimeout(work);
    };
    timer = window.setTimeout(work);
    return () => clearTimeout(timer);
  }, [trees, query, texts, joiner, isAsked]);
  return isAsked ? found : null;
}

const number = (text: string): number | null => (text === '' ? null : Number(text));

export function BatchSearch() {
  const { selection } = useLab();
  const shown = useSelection((state) => state.prompt);
  const [query, setQuery] = useState(EMPTY);
  const found = useHits(query);
  const ask = (part: Partial<PassageQuery>): void => setQuery({ ...query, ...part });
  const lead = ({ prompt, node }: PassageHit): void => selection.select({ prompt, node: node === 0 ? null : node, leaf: null }); // prettier-ignore
  return (
    <div className="batch-search" role="search" aria-label="Search the batch">
      <div className="bar">
        <input
          type="search"
          placeholder="words in all conversations"
          aria-label="Words in all conversations"
          value={query.text}
          onChange={({ target }) => ask({ text: target.value })}
        />
        <select
          aria-label="Written by"
          value={query.author ?? ''}
          onChange={({ target }) => ask({ author: (target.value || null) as Author | null })}
        >
          <option value="">anybody</option>
          {AUTHORS.map((author) => (
            <option key={author}>{author}</option>
          ))}
        </select>
        <label className="small">
          reward{' '}
          <input
            type="number"
            step="any"
            aria-label="Least reward"
            value={query.low ?? ''}
            onChange={({ target }) => ask({ low: number(target.value) })}
          />{' '}
          {/* prettier-ignore */}
          {' to '}
          <input
            type="number"
            step="any"
            aria-label="Greatest reward"
            value={query.high ?? ''}
            onChange={({ target }) => ask({ high: number(target.value) })}
          />{' '}
          {/* prettier-ignore */}
        </label>
        <label className="small">
          <input
            type="checkbox"
            checked={query.prompt !== null}
            onChange={({ target }) => ask({ prompt: target.checked ? shown : null })}
          />{' '}
          this tree alone
        </label>
      </div>
      {found && (
        <>
          <p className="small" role="status">
            {countWords(found.count, 'passage')}
            {found.count > found.hits.length && `, the first ${formatCount(found.hits.length)}`}
          </p>
          <ul className="hits">
            {found.hits.map((hit, at) => (
              <li key={at}>
                <button type="button" className="link small" onClick={() => lead(hit)}>
                  prompt {hit.prompt + 1}, {hit.node === 0 ? 'the question' : `n${hit.node}`}, {hit.author}
                </button>{' '}
                <span className="small">
                  {hit.before}
                  <mark>{hit.found}</mark>
                  {hit.after}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
