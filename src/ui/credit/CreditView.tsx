/** The Credit view: how a reward became the advantage of every token, one step at a time, both ways. */
import { useMemo, useState } from 'react';
import { advantageRanges } from '../../store/credit/advantage_range.ts';
import { creditChange, leafInfluence } from '../../store/credit/credit_change.ts';
import { creditFrame, creditSteps } from '../../store/credit/credit_steps.ts';
import { OWN_CREDIT, recredit, type CreditChoice } from '../../store/credit/credit.ts';
import { rolloutTree } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { ROOT, type CreditConfig, type NodeId } from '../../units.ts';
import { TreeDrawing } from '../drawing/TreeDrawing.tsx';
import { useCreditRules, useOfUpdate, useSelection, useTree } from '../parts/binding.ts';
import { Hidable, Missing, Waiting } from '../parts/parts.tsx';
import { NoTree, PromptBar } from '../parts/PromptBar.tsx';
import { RulePicker } from '../parts/RulePicker.tsx';
import { ChangePanel, InfluencePanel } from './ChangePanel.tsx';
import { drawingAt, useGlide } from './drawings.ts';
import { FormulaPanel, LeafTable } from './FormulaPanel.tsx';
import { RewardDrag } from './RewardDrag.tsx';
import { StepperBar } from './StepperBar.tsx';

interface StepperProps {
  readonly state: TreeState;
  readonly trees: readonly TreeState[]; // of the update
  readonly own: CreditConfig;
}

/** Credit of the tree on screen, and what the what-if changes of the run's own. */
function useCredit({ state, trees, own }: StepperProps) {
  const valueRule = useSelection((selection) => selection.valueRule);
  const advantageRule = useSelection((selection) => selection.advantageRule);
  const leafNormalisation = useSelection((selection) => selection.leafNormalisation);
  const whatIf = useSelection((selection) => selection.whatIf);
  return useMemo(() => {
    const choice: CreditChoice = { valueRule, advantageRule, leafNormalisation, whatIf };
    const shown = recredit(state, own, choice, trees);
    const trained = recredit(state, own, OWN_CREDIT, trees);
    const tree = rolloutTree(state);
    if (!shown || !trained || !tree) return null;
    const steps = creditSteps(tree, shown.rewardSteps, shown, shown.config.advantageRule);
    const change = shown.hypothetical ? creditChange(tree, trained, shown) : null;
    const before = change && {
      ...{ rewards: state.rewards ?? [], values: trained.values.byNode },
      advantages: advantageRanges(tree, trained),
    };
    return { choice, tree, shown, steps, change, before };
  }, [state, trees, own, valueRule, advantageRule, leafNormalisation, whatIf]);
}

/** Of the selected turn, else of the one that the step is about, else of the first. */
function Influence({
  node,
  choice,
  ...of
}: StepperProps & { readonly node: NodeId; readonly choice: CreditChoice }) {
  const { state, own, trees } = of;
  const leaf = useSelection((selection) => selection.leaf);
  const influence = useMemo(
    () => leafInfluence(state, own, choice, trees, node, leaf),
    [state, own, choice, trees, node, leaf],
  );
  return <InfluencePanel influence={influence} />;
}

function Stepper(props: StepperProps) {
  const { state } = props;
  const cursor = useSelection((selection) => selection.creditFrame);
  const selected = useSelection((selection) => selection.node);
  const predicts = useSelection((selection) => selection.predict !== null);
  const credit = useCredit(props);
  const frame = useMemo(() => credit && creditFrame(state, credit.steps, cursor), [state, credit, cursor]);
  const drawn = useGlide(state, frame);
  const [held, setHeld] = useState<NodeId | null>(null);
  if (!credit || !frame || !drawn)
    return <Waiting>Credit starts when the tree is grown and its leaves are scored.</Waiting>;
  const { shown, tree, steps, change, before, choice } = credit;
  const step = frame.current;
  const isHidden = predicts && frame.cursor < frame.length; // what the steps ahead find
  const turn = [selected, step?.node, state.nodes[ROOT]?.children[0]].find((id) => id != null && id !== ROOT);
  return (
    <div className="credit-columns">
      <div className="credit-main">
        <Hidable name="steps">
          <StepperBar
            state={state}
            tree={tree}
            rule={shown.config.advantageRule}
            steps={steps}
            frame={frame}
          />
        </Hidable>
        <RewardDrag state={state} shown={shown} hidden={predicts ? frame.rewards : null} onHold={setHeld}>
          <TreeDrawing
            title={`Credit of prompt ${state.prompt.index + 1}`}
            caption={`credit by ${shown.config.valueRule} and ${shown.config.advantageRule}${shown.hypothetical ? ', asked about and not trained with' : ''}, step ${cursor}`}
            tree={state}
            nodes={state.nodes}
            longest="A −0.00↑"
            draw={drawingAt(drawn, before, {
              paid: state.rewards ?? [],
              shown: predicts ? frame.rewards : shown.rewards,
              held,
            })}
            lit={new Set(step?.lit)}
            found={change && new Set(change.nodes.map(({ node }) => node))}
            focus={step?.node ?? null}
            about={step && (step.leaf ?? step.node)}
            rewards={frame.rewards}
          />
        </RewardDrag>
        <Hidable name="rules">
          <RulePicker state={state} own={props.own} shown={shown} />
        </Hidable>
        <Hidable name="rewards">
          <p className="small soft">
            Drag a leaf up or down to ask “what if?”; on a focused leaf Shift with ↑ or ↓ does the same.
          </p>
        </Hidable>
      </div>
      <div className="credit-side">
        <FormulaPanel state={state} shown={shown} frame={frame} />
        {change && <ChangePanel change={change} frame={frame} />}
        <Hidable name="rewards">
          <LeafTable state={state} shown={shown} frame={frame} />
        </Hidable>
        <Hidable name="influence">
          {turn != null && frame.advantages[turn] && !isHidden && (
            <Influence {...props} node={turn} choice={choice} />
          )}
        </Hidable>
      </div>
    </div>
  );
}

export function CreditView() {
  const tree = useTree();
  const trees = useOfUpdate((update) => update?.trees);
  const own = useCreditRules();
  const predicts = useSelection((selection) => selection.predict !== null);
  return (
    <div className="view credit-view">
      <PromptBar saysDead={!predicts} />
      <Missing view="credit" />
      {tree && trees && own ? <Stepper state={tree} trees={trees} own={own} /> : <NoTree />}
    </div>
  );
}
