/** Above a tree that has interventions: which of the two is shown, what they changed, and the way back. */
import type { AdvantageRanges } from '../../store/credit/advantage_range.ts';
import { leavesOf, rewardOf } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { ROOT, type NodeId } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useWorth, useLab, useSelection, useTree } from '../parts/binding.ts';
import { formatCredit, formatCreditRange, formatNumber } from '../parts/format.ts';
import { useKeys } from '../shell/keys.tsx';
import { useHandTree, useInterventions } from './hand_words.ts';

const meanReward = (tree: TreeState): number | null => {
  const leaves = leavesOf(tree);
  return leaves.length === 0 ? null : leaves.reduce((sum, leaf) => sum + (rewardOf(tree, leaf) ?? 0), 0) / leaves.length; // prettier-ignore
};

/** A tree and what its turns are trained with. */
export interface CreditedTree {
  readonly tree: TreeState;
  readonly advantages: AdvantageRanges | null;
}

/** A turn's credit in the run and in the copy; nothing where the run's tree does not have it. */
function creditChange(own: CreditedTree, hand: CreditedTree, node: NodeId): string {
  const name = nodeName(node);
  const [before, after] = [own, hand].map(({ tree }) => formatCredit(tree.credit?.values?.[node]));
  const value = `V(${name}) ${before} → ${after}`;
  if (node === ROOT) return value; // no token of it is trained on
  const [was, is] = [own, hand].map(({ advantages }) => formatCreditRange(advantages?.[node]));
  return `${value}, A(${name}) ${was} → ${is}`;
}

export function changeWords(run: CreditedTree, hand: CreditedTree, selected: NodeId | null): string {
  const [own, tree] = [run.tree, hand.tree];
  const [before, after] = [leavesOf(own).length, leavesOf(tree).length];
  const known = selected !== null && selected !== ROOT && selected < own.nodes.length;
  const isGone = known && tree.nodes[selected]?.pruned;
  return [
    `Leaves ${before} → ${after}`,
    `mean reward ${formatNumber(meanReward(own), 3)} → ${formatNumber(meanReward(tree), 3)}`,
    creditChange(run, hand, ROOT),
    ...(known && !isGone ? [creditChange(run, hand, selected)] : []),
    ...(isGone ? [`${nodeName(selected)} is taken out`] : []),
  ].join(', ');
}

export function InterventionBar() {
  const { interventions } = useLab();
  const own = useTree();
  const hand = useHandTree();
  const shown = useInterventions((state) => state.shown);
  const trained = useWorth(own).advantages;
  const byHand = useWorth(hand?.tree ?? null).advantages;
  const asking = useInterventions((state) => state.asking !== null);
  const selected = useSelection((selection) => selection.node);
  useKeys(
    hand
      ? [
          { key: 'x', label: 'with or without interventions', run: () => interventions.show(!shown) },
          { key: 'z', label: 'undo the last intervention', run: interventions.undo },
        ]
      : [],
  );
  if (!own || !hand) return null;
  const count = hand.done.length;
  return (
    <section className="hand-bar" aria-label="Tree with interventions">
      <div className="bar">
        <div className="bar" role="group" aria-label="Which of the two trees">
          <button type="button" aria-pressed={!shown} onClick={() => interventions.show(false)}>
            as the run grew it
          </button>
          <button type="button" aria-pressed={shown} onClick={() => interventions.show(true)}>
            with interventions
          </button>
        </div>
        <button type="button" disabled={asking} onClick={interventions.undo}>
          Undo
        </button>
        <button type="button" onClick={interventions.discard}>
          Discard
        </button>
        <span className="small">
          <span aria-hidden="true">◇ </span>
          {count} {count === 1 ? 'intervention' : 'interventions'}; not part of the run; not trained on
        </span>
      </div>
      <p className="small" role="status">
        {changeWords({ tree: own, advantages: trained }, { tree: hand.tree, advantages: byHand }, selected)}.
      </p>
    </section>
  );
}
