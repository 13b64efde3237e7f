/** Replays how the tree grew: play, single steps, scrub, speed. The cursor is part of the selection. */
import { useEffect, useState } from 'react';
import type { GrowthStep, TreeState } from '../../store/record/run_state.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { useKeys } from '../shell/keys.tsx';
import { nodeName } from '../drawing/encodings.ts';

const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;
const STEP_MS = 400; // one growth step at speed 1

/** What the last step did, in words. */
export function growthSentence(tree: TreeState, cursor: number): string {
  const step: GrowthStep | undefined = tree.growth[cursor - 1];
  if (!step) return 'Only the question stands.';
  if (step.kind === 'leaves') return 'All rows are chosen.';
  if (step.kind === 'expansion') return `Candidates are ranked, iteration ${step.iteration + 1}.`;
  const node = tree.nodes[step.node];
  if (!node) return '';
  const name = nodeName(node.id);
  const parent = nodeName(node.parent ?? node.id);
  const ended = node.ending === null ? '' : ` and ends: ${node.ending}`;
  switch (node.origin.kind) {
    case 'initial':
      return `${name} is first turn ${node.origin.branch + 1}${ended}.`;
    case 'expansion':
      return `${name} samples turn ${nodeName(node.origin.resampled)} again${ended}.`;
    case 'duplicate':
      return `${name} copies leaf ${nodeName(node.origin.of)} to fill the group.`;
    case 'continuation':
      return `${name} goes on after the tool result of ${parent}${ended}.`;
    case 'branch':
      return `${name} is one more way to go on after ${parent}${ended}.`;
    case 'scout':
      return `${name} is only a first look: it decides how many first turns there are.`;
    case 'by-hand':
      return `${name} follows ${parent} by hand${node.origin.edited ? ', after an edited observation' : ''}${ended}.`;
    case 'imported':
      return `${name} follows ${parent}${node.origin.inferred ? ', as far as equal beginnings tell' : ''}${ended}.`;
    case 'root':
      return 'Only the question stands.';
  }
}

export function GrowthBar({ tree }: { readonly tree: TreeState }) {
  const { selection } = useLab();
  const growth = useSelection((state) => state.growth);
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<number>(2);
  const length = tree.growth.length;
  const cursor = Math.min(growth ?? length, length);
  const move = (to: number): void => selection.select({ growth: to >= length ? null : Math.max(0, to) });

  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const at = selection.getState().growth;
      const next = (at ?? length) + 1;
      selection.select({ growth: next >= length ? null : next });
      if (next >= length) setPlaying(false);
    }, STEP_MS / speed);
    return () => clearInterval(timer);
  }, [playing, speed, length, selection]);

  const toggle = (): void => {
    if (!playing && cursor >= length) selection.select({ growth: 0 });
    setPlaying(!playing);
  };

  useKeys([
    { key: ' ', label: 'play or pause growth', run: toggle },
    { key: ',', label: 'one node back', run: () => move(cursor - 1) },
    { key: '.', label: 'one node on', run: () => move(cursor + 1) },
  ]);

  return (
    <div className="bar" role="group" aria-label="Growth replay">
      <span className="heading">Growth</span>
      <button type="button" onClick={() => move(0)} aria-label="To the start of growth">
        |◀
      </button>
      <button
        type="button"
        onClick={() => move(cursor - 1)}
        disabled={cursor === 0}
        aria-label="One node back"
      >
        ◀
      </button>
      <button type="button" onClick={toggle} aria-pressed={playing}>
        {playing ? 'Pause growth' : 'Play growth'}
      </button>
      <button
        type="button"
        onClick={() => move(cursor + 1)}
        disabled={cursor >= length}
        aria-label="One node on"
      >
        ▶
      </button>
      <input
        type="range"
        min={0}
        max={length}
        value={cursor}
        aria-label="Growth step"
        aria-valuetext={growthSentence(tree, cursor)}
        onChange={(event) => move(Number(event.target.value))}
      />
      <output className="number small">
        {cursor}/{length}
      </output>
      <label className="small">
        speed{' '}
        <select value={speed} onChange={(event) => setSpeed(Number(event.target.value))}>
          {SPEEDS.map((option) => (
            <option key={option} value={option}>
              {option}×
            </option>
          ))}
        </select>
      </label>
      <span className="small soft growth-sentence">{growthSentence(tree, cursor)}</span>
    </div>
  );
}
