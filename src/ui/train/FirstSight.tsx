/** What a newcomer sees before there are curves: what acts, what it earns, what an update is, on the run's own first tree. */
import { useEffect, useMemo, useRef } from 'react';
import { bestLeaf, isDead, pathTo, rewardOf } from '../../store/record/reading.ts';
import { useQuestion, useRun, useTold } from '../parts/binding.ts';
import { TinyTree } from '../parts/BatchStrip.tsx';
import { countWords, formatSigned } from '../parts/format.ts';
import { RewardMark } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';

const ALL_EQUAL =
  'its paths earned the same, so nothing is learnt from this question; in the others what the better paths wrote becomes likelier';

/** Calls when what was in sight is above the window: the reader has scrolled past it. */
function useScrolledPast(onPast: () => void) {
  const place = useRef<HTMLElement>(null);
  const past = useRef(onPast);
  useEffect(() => {
    past.current = onPast;
  });
  useEffect(() => {
    const look = (): void => {
      if (place.current && place.current.getBoundingClientRect().bottom <= 0) past.current();
    };
    document.addEventListener('scroll', look, { capture: true, passive: true });
    return () => document.removeEventListener('scroll', look, { capture: true });
  }, []);
  return place;
}

export function FirstSight({ onClose }: { readonly onClose: () => void }) {
  const place = useScrolledPast(onClose);
  const tree = useRun((run) => run.updates[0]?.trees.find(Boolean) ?? null);
  const task = useRun((run) => run.header?.environment?.title);
  const asked = useQuestion();
  const leaf = tree && bestLeaf(tree);
  const told = useTold(tree, leaf);
  const turns = useMemo(
    () => (tree && leaf !== null ? pathTo(tree, leaf).flatMap(({ id }) => told.get(id) ?? []) : []),
    [tree, leaf, told],
  );
  const reward = tree && leaf !== null ? rewardOf(tree, leaf) : null;
  const waiting = 'being sampled …';
  const last = turns.at(-1);
  const first = turns.length > 1 ? turns[0] : undefined;
  const tried = tree?.leaves.length ?? 0;
  const steps: readonly (readonly [title: string, words: React.ReactNode])[] = [
    ['Question', tree ? asked(tree.prompt) : waiting],
    ['Turn', first?.action ?? (last ? 'none: it answers at once' : waiting)],
    ['Tool', first?.sentence ?? (last ? 'not asked on this path' : waiting)],
    ['Answer', last?.sentence ?? waiting],
    [
      'Reward',
      reward === null ? (
        'given when all paths have ended'
      ) : (
        <>
          <RewardMark kind={rewardClass(reward)} /> {formatSigned(reward, 0)}, the best of{' '}
          {countWords(tried, 'path')}
        </>
      ),
    ],
    [
      'Update',
      tree && isDead(tree)
        ? ALL_EQUAL
        : 'what the better paths wrote becomes likelier, what the worse wrote less likely',
    ],
  ];
  return (
    <section ref={place} className="curves first-sight" aria-label="What happens here">
      <div className="section-head">
        <h2>What happens here{task ? ` · ${task}` : ''}</h2>
        <button type="button" className="quiet small" onClick={onClose}>
          Show the curves
        </button>
      </div>
      <p>
        A small transformer tries each question several times, turn by turn with a tool; every path earns a
        reward, and after each batch an update of its weights makes what earned more likelier.
      </p>
      <ol>
        {steps.map(([title, text]) => (
          <li key={title}>
            <b>{title}</b> <span>{text}</span>
          </li>
        ))}
      </ol>
      {tree && (
        <figure>
          <TinyTree tree={tree} capacity={Math.max(tried, 6)} columns={7} />
          <figcaption className="small soft">
            All paths of this question so far: they share their first turns.
          </figcaption>
        </figure>
      )}
      <p className="small soft">
        Rollouts of your own trainer open too: drop a file or a folder anywhere on this page.
      </p>
    </section>
  );
}
