/** Sentences of the credit stepper: the root is the question and no turn, and each number is the one that trains. */
import { expect, test } from 'vitest';
import { advantageRanges } from '../../src/store/credit/advantage_range.ts';
import { creditChange } from '../../src/store/credit/credit_change.ts';
import { OWN_CREDIT, isAvailable, recredit } from '../../src/store/credit/credit.ts';
import { creditSteps, phasesOf } from '../../src/store/credit/credit_steps.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import { aheadOf, sentenceOf } from '../../src/ui/credit/sentences.ts';
import { formatSigned } from '../../src/ui/parts/format.ts';
import { describe as describeNode } from '../../src/ui/drawing/drawn_tree.ts';
import { drawAdvantage } from '../../src/ui/drawing/encodings.ts';
import { ADVANTAGE_RULES, ROOT, VALUE_RULES } from '../../src/units.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

const opened = async () => {
  const lab = await scriptedLab();
  const { tree: state, update } = liveTree(lab);
  const own = lab.run.getState().header!.config!.algorithm.credit;
  return { state, own, tree: rolloutTree(state)!, trees: update.trees };
};

test('under no rule is the root called a turn or said to be trained', async () => {
  const { state, own, tree, trees } = await opened();
  let ofRoot = 0;
  for (const advantageRule of ADVANTAGE_RULES.filter((rule) => isAvailable(rule, own, state)))
    for (const valueRule of VALUE_RULES) {
      const credit = recredit(state, own, { ...OWN_CREDIT, advantageRule, valueRule }, trees)!;
      for (const step of creditSteps(tree, credit.rewardSteps, credit, credit.config.advantageRule)) {
        const sentence = sentenceOf(step);
        expect(sentence).not.toMatch(/(turn|leaf) root/i);
        const leaf = /^Leaf n(\d+)/.exec(sentence)?.[1];
        if (leaf !== undefined) expect(tree.leaves).toContain(Number(leaf));
        if (step.node !== ROOT) continue;
        ofRoot += 1;
        expect(sentence).toMatch(/^The question \(root\)/);
        expect(sentence).not.toContain('is trained with');
      }
    }
  expect(ofRoot).toBeGreaterThan(0);
});

test('a turn whose tokens differ is said to be trained from where to where', async () => {
  const { state, own, tree, trees } = await opened();
  const credit = recredit(state, { ...own, discount: 0.9 }, { ...OWN_CREDIT, advantageRule: 'reinforce_pp' }, trees)!; // prettier-ignore
  const steps = creditSteps(tree, credit.rewardSteps, credit, credit.config.advantageRule);
  const wide = steps.filter(
    ({ trained }) => trained && formatSigned(trained[0]) !== formatSigned(trained[1]),
  );
  expect(wide.length).toBeGreaterThan(0);
  for (const step of wide)
    expect(sentenceOf(step)).toContain(`of ${step.trained!.map((end) => formatSigned(end)).join(' to ')}.`);
});

test('the root has no advantage to draw or to change', async () => {
  const { state, own, tree, trees } = await opened();
  const [leaf] = tree.leaves;
  const whatIf = [{ leaf, reward: state.rewards![leaf] === 1 ? 0 : 1 }];
  const before = recredit(state, own, OWN_CREDIT, trees)!;
  const after = recredit(state, own, { ...OWN_CREDIT, whatIf }, trees)!;
  expect(after.advantages.byNode[ROOT]).not.toBe(before.advantages.byNode[ROOT]); // a number that nothing is trained with
  const change = creditChange(tree, before, after).nodes.find(({ node }) => node === ROOT)!;
  expect(change).toMatchObject({ advantage: null, advantageChanged: false, valueChanged: true });
  const root = tree.nodes[ROOT];
  const drawing = drawAdvantage(root, advantageRanges(tree, before)[ROOT], 1);
  expect(drawing.label).toBe('');
  expect(describeNode(root, drawing)).toBe('root, the question, no advantage: nothing of it is trained on');
});

test('under every rule the last sentence says whose number the tokens get, and no step ahead tells a number', async () => {
  const { state, own, tree, trees } = await opened();
  const seen = new Set<string>();
  for (const advantageRule of ADVANTAGE_RULES.filter((rule) => isAvailable(rule, own, state))) {
    const credit = recredit(state, own, { ...OWN_CREDIT, advantageRule }, trees)!;
    const steps = creditSteps(tree, credit.rewardSteps, credit, advantageRule);
    const { byLeaf, byToken } = credit.advantages;
    for (const step of steps.filter(({ phase }) => phase === 'tokens')) {
      const numbers = step.row.map(({ range }) => range);
      const wanted = byToken === null ? (byLeaf === null ? 'their turn’s advantage' : 'the row’s advantage') : numbers.every(([low, high]) => low === high) ? 'their turn’s advantage' : 'an advantage of their own each'; // prettier-ignore
      expect([advantageRule, sentenceOf(step)]).toEqual([
        advantageRule,
        expect.stringContaining(`get ${wanted}.`),
      ]);
      if (wanted === 'the row’s advantage') expect(new Set(numbers.flat()).size).toBe(1);
      seen.add(wanted);
    }
    for (const step of steps) expect(aheadOf(step)).not.toMatch(/\d\.\d/);
    if (phasesOf(advantageRule).includes('value')) continue;
    for (const step of steps)
      expect(sentenceOf(step)).not.toMatch(/takes .* from its|centred and scaled within the tree/);
  }
  expect(seen.size).toBeGreaterThanOrEqual(2);
});
