/** Every leaf: reward (editable as a what-if), normalised value, what it ends as. */
import { useMemo } from 'react';
import { advantageRanges, type AdvantageRange } from '../../store/advantage_range.ts';
import type { Recredit } from '../../store/credit.ts';
import { rolloutTree } from '../../store/reading.ts';
import type { TreeState } from '../../store/run_state.ts';
import { withReward } from '../../store/selection.ts';
import type { NodeId } from '../../units.ts';
import { useLab, useSelection } from '../binding.ts';
import { formatCredit, formatCreditRange, formatNumber } from '../format.ts';
import { RewardMark } from '../marks.tsx';
import { rewardClass } from '../scales.ts';
import { nodeName } from '../tree/encodings.ts';

interface LeafTableProps {
  readonly state: TreeState;
  readonly shown: Recredit;
}

interface LeafRowProps extends LeafTableProps {
  readonly leaf: NodeId;
  readonly range: AdvantageRange | null; // what its turn is trained with
}

function LeafRow({ state, shown, leaf, range }: LeafRowProps) {
  const { selection } = useLab();
  const selected = useSelection((current) => current.leaf === leaf);
  const reward = shown.rewards[leaf];
  const paid = state.rewards?.[leaf] ?? null;
  const changed = reward !== paid;
  const set = (value: number): void => {
    const whatIf = withReward(selection.getState().whatIf, leaf, value === paid ? null : value);
    if (Number.isFinite(value)) selection.select({ whatIf });
  };
  return (
    <tr aria-selected={selected} data-changed={changed}>
      <td>
        <button type="button" className="quiet link" onClick={() => selection.select({ leaf, node: leaf })}>
          <RewardMark kind={rewardClass(reward)} />
          {nodeName(leaf)}
        </button>
      </td>
      <td className="reward-cell">
        <input
          type="range"
          min={-1}
          max={1}
          step={0.1}
          value={reward ?? 0}
          aria-label={`What if the reward of ${nodeName(leaf)} were`}
          aria-valuetext={formatNumber(reward, 1)}
          onChange={(event) => set(Number(event.target.value))}
        />
        <output className="number">{formatNumber(reward, Number.isInteger(reward) ? 0 : 1)}</output>
        {changed && <span className="soft"> was {formatNumber(paid, 0)}</span>}
      </td>
      <td>{formatCredit(shown.normalised.byNode[leaf])}</td>
      <td>{formatCreditRange(range)}</td>
    </tr>
  );
}

export function LeafTable({ state, shown }: LeafTableProps) {
  const ranges = useMemo(() => {
    const tree = rolloutTree(state);
    return tree && advantageRanges(tree, shown);
  }, [state, shown]);
  return (
    <section className="panel" aria-label="Leaves">
      <h2>Leaves: what if a reward were different?</h2>
      <table className="leaves">
        <thead>
          <tr>
            <th scope="col">leaf</th>
            <th scope="col">reward</th>
            <th scope="col">normalised</th>
            <th scope="col">advantage</th>
          </tr>
        </thead>
        <tbody>
          {state.leaves.map((leaf) => (
            <LeafRow key={leaf} state={state} shown={shown} leaf={leaf} range={ranges?.[leaf] ?? null} />
          ))}
        </tbody>
      </table>
    </section>
  );
}
