/** The same question's tree of another update, or of a kept run, under the same camera as the tree above it. */
import { recipeOf } from '../../store/record/reading.ts';
import { creditRulesOf } from '../../store/credit/credit.ts';
import { useMemo } from 'react';

import { useStore } from 'zustand';
import { worthOf } from '../../store/credit/advantage_range.ts';
import { otherAsking } from '../../store/place/missing_place.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { TreeColour } from '../../store/place/selection.ts';
import type { NodeId } from '../../units.ts';
import { useLab, useRun, useUpdateNumber } from '../parts/binding.ts';
import { drawingFor } from '../drawing/encodings.ts';
import { TreeDrawing } from '../drawing/TreeDrawing.tsx';
import type { CameraStore } from '../drawing/use_camera.ts';

interface BesideTreeProps {
  readonly tree: TreeState;
  readonly colour: TreeColour;
  readonly camera: CameraStore;
}

function NothingBeside() {
  const { selection } = useLab();
  const archived = useRun((run) => run.updates.filter(({ detail }) => detail !== 'here').length);
  return (
    <p className="panel small">
      This run asked the question once
      {archived > 0 ? ` (of ${archived} older updates the trees are no longer at hand)` : ''}: every update
      draws new questions, and a recording cannot be asked again. A run of another method with the same seed
      asks the same questions: keep one in{' '}
      <button type="button" className="quiet link" onClick={() => selection.select({ view: 'compare' })}>
        Compare
      </button>{' '}
      and its tree stands here.
    </p>
  );
}

export function BesideTree({ tree, colour, camera }: BesideTreeProps) {
  const { shelf, selection } = useLab();
  const run = useRun((state) => state);
  const kept = useStore(shelf, (state) => state.runs);
  const update = useUpdateNumber();
  const other = useMemo(() => otherAsking(run, kept, tree.prompt, update), [run, kept, tree, update]);
  const draw = useMemo(() => {
    if (!other) return null;
    const rules = creditRulesOf(other.run);
    const { trees } = other.run.updates[other.update - 1];
    const worth = rules && worthOf(other.tree, rules, trees, recipeOf(other.run) !== null);
    return drawingFor(colour, other.tree, worth ?? { values: null, advantages: null });
  }, [other, colour]);
  if (!other || !draw) return <NothingBeside />;
  const pin = (node: NodeId): void => {
    if (other.from === null)
      selection.select({ pinned: { update: other.update, prompt: other.prompt, node } });
  };
  const when = other.update < update ? 'before' : other.update > update ? 'after' : 'in';
  const where = other.from === null ? `update ${other.update}` : `${other.from}, update ${other.update}`;
  return (
    <figure className="beside">
      <figcaption className="small">
        The same question {when} update {update}: {where}
      </figcaption>
      <TreeDrawing
        title={`The same question at ${where}`}
        tree={other.tree}
        nodes={other.tree.nodes}
        draw={draw}
        camera={camera}
        onPick={pin}
      />
    </figure>
  );
}
