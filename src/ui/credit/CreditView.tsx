/** The Credit view: how a reward became the advantage of every token, one step at a time, both ways. */
import { useMemo } from 'react';
import { recredit } from '../../store/credit.ts';
import { creditFrame, creditSteps } from '../../store/credit_steps.ts';
import { rolloutTree } from '../../store/reading.ts';
import type { TreeState } from '../../store/run_state.ts';
import type { CreditConfig } from '../../units.ts';
import { useRun, useSelection, useTree, useUpdate } from '../binding.ts';
import { PromptBar } from '../tree/PromptBar.tsx';
import { TreeDrawing } from '../tree/TreeDrawing.tsx';
import { drawingAt } from './drawings.ts';
import { FormulaPanel } from './FormulaPanel.tsx';
import { LeafTable } from './LeafTable.tsx';
import { RulePicker } from './RulePicker.tsx';
import { StepperBar } from './StepperBar.tsx';

interface StepperProps {
  readonly state: TreeState;
  readonly trees: readonly TreeState[]; // of the update
  readonly own: CreditConfig;
}

function Stepper({ state, trees, own }: StepperProps) {
  const cursor = useSelection((selection) => selection.creditFrame);
  const valueRule = useSelection((selection) => selection.valueRule);
  const advantageRule = useSelection((selection) => selection.advantageRule);
  const leafNormalisation = useSelection((selection) => selection.leafNormalisation);
  const whatIf = useSelection((selection) => selection.whatIf);
  const shown = useMemo(
    () => recredit(state, own, { valueRule, advantageRule, leafNormalisation, whatIf }, trees),
    [state, trees, own, valueRule, advantageRule, leafNormalisation, whatIf],
  );
  const steps = useMemo(() => {
    const tree = rolloutTree(state);
    return tree && shown ? creditSteps(tree, shown.rewardSteps, shown) : null;
  }, [state, shown]);
  const frame = useMemo(() => steps && creditFrame(state, steps, cursor), [state, steps, cursor]);
  if (!shown || !steps || !frame)
    return <p className="empty">Credit starts when the tree is grown and its leaves are scored.</p>;
  const step = frame.current;
  return (
    <div className="credit-columns">
      <div className="credit-main">
        <StepperBar steps={steps} frame={frame} />
        <TreeDrawing
          title={`Credit of prompt ${state.prompt.index + 1}`}
          tree={state}
          nodes={state.nodes}
          draw={drawingAt(frame)}
          lit={new Set(step?.lit)}
          focus={step?.node ?? null}
        />
        <RulePicker state={state} own={own} shown={shown} />
      </div>
      <div className="credit-side">
        <FormulaPanel frame={frame} />
        <LeafTable state={state} shown={shown} />
      </div>
    </div>
  );
}

export function CreditView() {
  const tree = useTree();
  const trees = useUpdate()?.trees;
  const own = useRun((run) => run.header?.config.algorithm.credit ?? null);
  return (
    <div className="view credit-view">
      <PromptBar />
      {tree && trees && own ? (
        <Stepper state={tree} trees={trees} own={own} />
      ) : (
        <p className="empty">No tree yet: press Play.</p>
      )}
    </div>
  );
}
