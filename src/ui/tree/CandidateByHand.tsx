/** In the list of candidates: expand one that the rule left out, or veto what a pick made. */
import { countWords } from '../format.ts';
import { branchesOfPick, forcedExpansion } from '../../store/interventions.ts';
import type { TreeState } from '../../store/run_state.ts';
import type { ExpansionCandidate } from '../../units.ts';
import { useLab, useRun } from '../binding.ts';
import { nodeName } from './encodings.ts';
import { useHandTree, useWhyNot } from './use_hand.ts';

interface CandidateByHandProps {
  readonly own: TreeState;
  readonly iteration: number;
  readonly candidate: ExpansionCandidate;
}

export function CandidateByHand({ own, iteration, candidate }: CandidateByHandProps) {
  const { interventions } = useLab();
  const tree = useHandTree()?.tree ?? own;
  const rollout = useRun((run) => run.header?.config.algorithm.rollout ?? null);
  const seed = (useHandTree()?.done.length ?? 0) + 1;
  const whyNot = useWhyNot();
  const { node, pickCount } = candidate;
  if (!rollout || !tree.rewards) return null;
  if (tree.nodes[node]?.pruned !== false) return <span className="soft">taken out</span>;
  if (pickCount > 0) {
    if (branchesOfPick(own, iteration, node).length === 0) return null; // trimmed, or of a shape that keeps no trace
    if (branchesOfPick(tree, iteration, node).length === 0) return <span className="soft">vetoed</span>;
    return (
      <button
        type="button"
        className="quiet link"
        aria-label={`Veto the picks of ${nodeName(node)}`}
        onClick={() => interventions.veto(iteration, node)}
      >
        veto
      </button>
    );
  }
  const forced = forcedExpansion(rollout);
  return (
    <button
      type="button"
      className="quiet link"
      disabled={whyNot !== null}
      aria-label={`Expand ${nodeName(node)} by hand, ${countWords(forced.count, 'turn')}`}
      title={whyNot ?? undefined}
      onClick={() => interventions.grow({ ...forced, node, seed }, true)}
    >
      expand
    </button>
  );
}
