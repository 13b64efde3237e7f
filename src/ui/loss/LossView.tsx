/** The Loss view: one leaf's row as the trainer saw it, token by token, and what the step did with its mini-batch. */
import { bestLeaf, leavesOf, rewardOf } from '../../store/reading.ts';
import type { TreeState } from '../../store/run_state.ts';
import type { NodeId } from '../../units.ts';
import { useLab, useRun, useSelection, useTree, useUpdate } from '../binding.ts';
import { formatNumber } from '../format.ts';
import { REWARD_GLYPHS, rewardClass } from '../scales.ts';
import { nodeName } from '../tree/encodings.ts';
import { PromptBar } from '../tree/PromptBar.tsx';
import { Waiting } from '../Waiting.tsx';
import { LossRowView } from './LossRowView.tsx';

function LeafPicker({ tree, leaf }: { readonly tree: TreeState; readonly leaf: NodeId }) {
  const { selection } = useLab();
  return (
    <div className="bar leaf-picker" role="group" aria-label="Leaf">
      <span className="heading">Leaf</span>
      {leavesOf(tree).map((id) => {
        const reward = rewardOf(tree, id);
        return (
          <button
            key={id}
            type="button"
            aria-pressed={id === leaf}
            aria-label={`leaf ${nodeName(id)}, reward ${formatNumber(reward, 0)}`}
            onClick={() => selection.select({ leaf: id, node: id })}
          >
            {REWARD_GLYPHS[rewardClass(reward)]} {nodeName(id)}
          </button>
        );
      })}
    </div>
  );
}

export function LossView() {
  const update = useUpdate();
  const tree = useTree();
  const selectedLeaf = useSelection(({ leaf }) => leaf);
  const config = useRun((run) => run.header?.config.algorithm.loss ?? null);
  const leaf = tree && (selectedLeaf ?? bestLeaf(tree));
  return (
    <div className="view loss-view">
      <PromptBar />
      {update && tree && leaf !== null && config ? (
        <>
          <LeafPicker tree={tree} leaf={leaf} />
          <LossRowView update={update} tree={tree} leaf={leaf} config={config} />
        </>
      ) : (
        <Waiting>No rollout has ended yet.</Waiting>
      )}
    </div>
  );
}
