/** The formula of the current step: in symbols, and with its live numbers, each linked to its node. */
import { useMemo } from 'react';
import { advantageRanges, type AdvantageRange } from '../../store/credit/advantage_range.ts';
import type { CreditFrame, FormulaPart, StepperStep } from '../../store/credit/credit_steps.ts';
import type { Recredit } from '../../store/credit/credit.ts';
import { withReward } from '../../store/place/selection.ts';
import { rolloutTree } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { NodeId } from '../../units.ts';
import { nodeName } from '../drawing/encodings.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { formatCredit, formatCreditRange, formatNumber } from '../parts/format.ts';
import { RewardMark } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';
import { symbolsOf } from './sentences.ts';

function Part({ part, before }: { readonly part: FormulaPart; readonly before: FormulaPart | undefined }) {
  const { selection } = useLab();
  const hovered = useSelection((state) => state.hovered);
  if (part.kind === 'text') return <>{part.text}</>;
  const afterOperator = before?.kind === 'text' && /[·+−] $/.test(before.text);
  const number = formatNumber(part.value, 3);
  return (
    <button
      type="button"
      className="quiet formula-number number"
      data-lit={hovered === part.node}
      title={part.label}
      aria-label={`${number}, of ${nodeName(part.node)}`}
      onClick={() => selection.select({ node: part.node })}
      onPointerEnter={() => selection.select({ hovered: part.node })}
      onPointerLeave={() => selection.select({ hovered: null })}
      onFocus={() => selection.select({ hovered: part.node })}
      onBlur={() => selection.select({ hovered: null })}
    >
      {part.value < 0 && afterOperator ? `(${number})` : number}
    </button>
  );
}

function TermTable({ step }: { readonly step: StepperStep }) {
  if (step.phase !== 'tokens') return null;
  return (
    <table className="row-turns">
      <thead>
        <tr>
          <th scope="col">turn</th>
          <th scope="col">tokens</th>
          <th scope="col">advantage on each</th>
        </tr>
      </thead>
      <tbody>
        {step.row.map((turn) => (
          <tr key={turn.node}>
            <td>{nodeName(turn.node)}</td>
            <td>{turn.tokenCount}</td>
            <td>{[...new Set(turn.range.map((value) => formatCredit(value, 3)))].join(' to ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function FormulaPanel({ frame }: { readonly frame: CreditFrame }) {
  const step = frame.current;
  if (!step)
    return (
      <section className="panel" aria-label="Formula">
        <h2>Formula</h2>
        <p className="small soft">Press Next (or Space) to follow the reward, one number at a time.</p>
      </section>
    );
  return (
    <section className="panel" aria-label="Formula">
      <h2>
        {nodeName(step.node)}: <span className="soft">{step.rule}</span>
      </h2>
      <p className="formula symbols">{symbolsOf(step)}</p>
      {step.phase === 'tokens' ? (
        <TermTable step={step} />
      ) : (
        <p className="formula live">
          {step.formula.map((part, index) => (
            <Part key={index} part={part} before={step.formula[index - 1]} />
          ))}
        </p>
      )}
    </section>
  );
}

// Every leaf: reward (editable as a what-if), normalised value, what it ends as.

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
