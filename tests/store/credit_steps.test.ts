import { beforeAll, expect, test } from 'vitest';
import { turnAdvantages } from '../../src/algo/credit/credit.ts';
import { advantageRanges } from '../../src/store/credit/advantage_range.ts';
import {
  CREDIT_PHASES,
  creditFrame,
  creditSteps,
  phaseEnd,
  phaseStart,
  phasesOf,
  restates,
  rowTurns,
  strideEnds,
  type StepperStep,
} from '../../src/store/credit/credit_steps.ts';
import { isAvailable, OWN_CREDIT, recredit, type Recredit } from '../../src/store/credit/credit.ts';
import { STRIDES } from '../../src/store/place/selection.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import type { TreeState } from '../../src/store/record/run_state.ts';
import {
  ADVANTAGE_RULES,
  NO_SIGNALS,
  ROOT,
  type AdvantageRule,
  type CreditConfig,
  type RecordedTree,
} from '../../src/units.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let state: TreeState;
let tree: RecordedTree;
let own: CreditConfig;
let credit: Recredit;
let steps: readonly StepperStep[];

beforeAll(async () => {
  const lab = await scriptedLab();
  state = liveTree(lab).tree;
  own = lab.run.getState().header!.config!.algorithm.credit;
  tree = rolloutTree(state)!;
  credit = recredit(state, own, OWN_CREDIT)!;
  steps = creditSteps(tree, credit.rewardSteps, credit, credit.config.advantageRule);
});

test('the steps are every leaf twice, every parent, every node and every row', () => {
  const leaves = tree.leaves.length;
  const standing = tree.nodes.filter((node) => !node.pruned).length;
  const counts = CREDIT_PHASES.map((phase) => steps.filter((step) => step.phase === phase).length);
  expect(counts).toEqual([leaves, leaves, standing - leaves, standing, leaves]);
});

test('the last frame holds what the engine logged for this tree', () => {
  const frame = creditFrame(tree, steps, steps.length);
  for (const { id, pruned } of tree.nodes) {
    if (pruned) continue;
    expect(frame.values[id]).toBe(state.credit!.values![id]);
    const advantage = state.credit!.advantages[id];
    expect(frame.advantages[id]).toEqual(id === ROOT ? null : [advantage, advantage]);
    expect(frame.rewards[id]).toBe(state.rewards![id]);
  }
  expect(frame.rowsDone).toEqual(tree.leaves);
});

test('stepping to the end and back gives the first frame again', () => {
  const first = creditFrame(tree, steps, 0);
  const forth = steps.map((_, cursor) => creditFrame(tree, steps, cursor + 1));
  const back = steps.map((_, cursor) => creditFrame(tree, steps, steps.length - 1 - cursor));
  expect(back.at(-1)).toEqual(first);
  expect(back.slice(0, -1).toReversed()).toEqual(forth.slice(0, -1));
  expect(first.current).toBeNull();
  expect(first.values.every((value) => value === null)).toBe(true);
});

test('a parent is backed up only when all its children are known', () => {
  steps.forEach((step, index) => {
    if (step.phase !== 'value') return;
    const before = creditFrame(tree, steps, index);
    for (const id of step.lit) expect(before.values[id]).not.toBeNull();
    expect(before.values[step.node]).toBeNull();
  });
});

test('the numbers of a value formula multiply and add to its result', () => {
  for (const step of steps.filter(({ phase }) => phase === 'value')) {
    const numbers = step.formula.flatMap((part) => (part.kind === 'number' ? [part.value] : []));
    const result = numbers.pop();
    const sum = numbers.reduce(
      (total, value, index) => total + (index % 2 ? numbers[index - 1] * value : 0),
      0,
    );
    expect(sum).toBeCloseTo(result!, 12);
  }
});

test('a row gets the advantage of each of its turns, on all its sampled tokens', () => {
  for (const step of steps.filter(({ phase }) => phase === 'tokens')) {
    for (const { node, range } of step.row)
      expect(range).toEqual([credit.advantages.byNode[node], credit.advantages.byNode[node]]);
    const sampled = step.row.reduce((sum, turn) => sum + turn.tokenCount, 0);
    let counted = 0;
    for (let id: number | null = step.node; id !== null; id = tree.nodes[id].parent)
      counted += tree.nodes[id].mask.filter((bit) => bit === 1).length;
    expect(sampled).toBe(counted);
  }
});

test('under vanilla every turn of a row carries the row’s own number', () => {
  const vanilla = recredit(state, own, { ...OWN_CREDIT, advantageRule: 'vanilla' })!;
  const rows = creditSteps(tree, vanilla.rewardSteps, vanilla, vanilla.config.advantageRule).filter(
    ({ phase }) => phase === 'tokens',
  );
  expect(rows).toHaveLength(tree.leaves.length);
  for (const { node, row } of rows)
    expect(new Set(row.flatMap(({ range }) => range))).toEqual(new Set([vanilla.advantages.byLeaf![node]]));
});

test('phases begin and end where their steps do', () => {
  for (const phase of CREDIT_PHASES) {
    expect(creditFrame(tree, steps, phaseStart(steps, phase)).current?.phase).toBe(phase);
    expect(steps[phaseStart(steps, phase) - 2]?.phase).not.toBe(phase);
    expect(steps[phaseEnd(steps, phase)]?.phase).not.toBe(phase);
  }
});

test('under every rule the last frame holds the least and the greatest number that each turn is trained with', () => {
  for (const advantageRule of ADVANTAGE_RULES.filter((rule) => isAvailable(rule, own, state))) {
    const other = recredit(state, own, { ...OWN_CREDIT, advantageRule })!;
    const all = creditSteps(tree, other.rewardSteps, other, other.config.advantageRule);
    const frame = creditFrame(tree, all, all.length);
    const ranges = advantageRanges(tree, other);
    for (const [id, range] of frame.advantages.entries())
      if (range !== null && other.advantages.byLeaf === null) expect(range).toEqual(ranges[id]);
      else if (range !== null)
        expect(range).toEqual([other.advantages.byLeaf![id], other.advantages.byLeaf![id]]);
    const numbers = frame.advantages.filter((advantage) => advantage !== null);
    expect(numbers.length).toBeGreaterThanOrEqual(tree.leaves.length);
    for (const { formula, lit } of all) {
      expect(lit.every((id) => id < tree.nodes.length)).toBe(true);
      for (const part of formula) if (part.kind === 'number') expect(Number.isFinite(part.value)).toBe(true);
    }
  }
});

test('numbers of a row name it, numbers on the way say what they are', () => {
  const stepsUnder = (advantageRule: AdvantageRule) => {
    const other = recredit(state, own, { ...OWN_CREDIT, advantageRule })!;
    return creditSteps(tree, other.rewardSteps, other, other.config.advantageRule).filter(
      ({ phase }) => phase === 'advantage',
    );
  };
  for (const { leaf, part, wholeRow } of stepsUnder('gtpo'))
    expect([tree.leaves.includes(leaf!), part, wholeRow]).toEqual([true, null, false]);
  const parts = stepsUnder('tree_grpo').flatMap(({ part }) => (part === null ? [] : [part]));
  expect(new Set(parts)).toEqual(new Set(['standardised over the prompt', 'standardised over its tree']));
  expect(stepsUnder('tree_grpo').every(({ wholeRow }) => wholeRow)).toBe(true);
});

test('a turn whose tokens differ shows from where to where', () => {
  const faded = recredit(state, { ...own, discount: 0.9 }, { ...OWN_CREDIT, advantageRule: 'reinforce_pp' })!;
  const turns = tree.leaves.flatMap((leaf) => rowTurns(tree, faded, leaf));
  const ranges = turns.flatMap(({ range }) => (range[0] === range[1] ? [] : [range]));
  expect(ranges.length).toBeGreaterThan(0);
  for (const [least, greatest] of ranges) expect(least).toBeLessThan(greatest);
});

/** Values that no tree has: whatever reads them, changes with them. */
const moved = (credit: Recredit): Recredit => ({
  ...credit,
  values: { ...credit.values, byNode: credit.values.byNode.map((value, id) => value + id + 1) },
});

test('under every rule the phases are those that it reads: without values none are backed up', () => {
  for (const advantageRule of ADVANTAGE_RULES.filter((rule) => isAvailable(rule, own, state))) {
    const other = recredit(state, own, { ...OWN_CREDIT, advantageRule })!;
    const all = creditSteps(tree, other.rewardSteps, other, advantageRule);
    const phases = [...new Set(all.map(({ phase }) => phase))];
    expect(phases).toEqual(phasesOf(advantageRule));
    const trees = [{ tree, rewards: state.rewards!, signals: state.signals ?? NO_SIGNALS }];
    const under = (values: Recredit): readonly number[] =>
      turnAdvantages([{ ...trees[0], values: values.values.byNode }], { ...own, advantageRule })[0].byNode;
    const reads = JSON.stringify(under(other)) !== JSON.stringify(under(moved(other)));
    expect([advantageRule, phases.includes('value')]).toEqual([advantageRule, reads]);
  }
});

test('strides cover all steps in order, never mix phases, and grow coarser', () => {
  for (const advantageRule of ['node_value', 'diff_parent', 'vanilla', 'gtpo'] as const) {
    const other = recredit(state, own, { ...OWN_CREDIT, advantageRule })!;
    const all = creditSteps(tree, other.rewardSteps, other, advantageRule);
    const counts = STRIDES.map((stride) => {
      const ends = strideEnds(tree, all, stride);
      expect(ends.at(-1)).toBe(all.length);
      ends.forEach((end, at) => {
        const phases = all.slice(ends[at - 1] ?? 0, end).map(({ phase }) => phase);
        expect(new Set(phases).size).toBe(1);
      });
      return ends.length;
    });
    expect(counts[0]).toBe(all.length);
    expect(counts.toSorted((a, b) => b - a)).toEqual(counts);
    expect(counts.at(-1)).toBe(phasesOf(advantageRule).length);
  }
});

test('by parent, A = V is one stride and every parent’s value another', () => {
  const restated = steps.filter(restates);
  expect(restated.every(({ phase }) => phase === 'advantage')).toBe(true);
  expect(restated).toHaveLength(steps.filter(({ phase }) => phase === 'advantage').length); // the run's rule is A = V
  const ends = strideEnds(tree, steps, 'parent');
  const of = (phase: string): number => ends.filter((end) => steps[end - 1].phase === phase).length;
  expect(of('advantage')).toBe(1);
  expect(of('value')).toBe(steps.filter(({ phase }) => phase === 'value').length);
  const gains = recredit(state, own, { ...OWN_CREDIT, advantageRule: 'diff_parent' })!;
  expect(creditSteps(tree, gains.rewardSteps, gains, 'diff_parent').some(restates)).toBe(true); // the root only
});
