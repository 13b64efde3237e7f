/** What the credit stepper asks before it shows a step, against the steps themselves, under every rule. */
import { beforeAll, expect, test } from 'vitest';
import { advantageInRow } from '../../src/algo/credit/credit.ts';
import { isAvailable, OWN_CREDIT, recredit, type Recredit } from '../../src/store/credit/credit.ts';
import { creditSteps, strideEnds, type StepperStep } from '../../src/store/credit/credit_steps.ts';
import { mistakenFor, stepQuestion, TOLERANCE } from '../../src/store/credit/step_questions.ts';
import { isRight, trueOrder, type Question } from '../../src/store/lesson/prediction.ts';
import { PREDICTIONS, STRIDES } from '../../src/store/place/selection.ts';
import { pathTokens, rolloutTree } from '../../src/store/record/reading.ts';
import type { TreeState } from '../../src/store/record/run_state.ts';
import { ADVANTAGE_RULES, type CreditConfig, type RecordedTree } from '../../src/units.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let state: TreeState;
let tree: RecordedTree;
let own: CreditConfig;

beforeAll(async () => {
  const lab = await scriptedLab();
  state = liveTree(lab).tree;
  own = lab.run.getState().header!.config!.algorithm.credit;
  tree = rolloutTree(state)!;
});

const words = { nameOf: (node: number) => `n${node}`, format: (value: number) => value.toFixed(2) };

function stepsOf(credit: Recredit): readonly StepperStep[] {
  return creditSteps(tree, credit.rewardSteps, credit, credit.config.advantageRule);
}

const truthOf = (question: Question) =>
  question.kind === 'ranking'
    ? trueOrder(question.items)
    : question.kind === 'choice'
      ? question.right
      : question.truth;

/** Sampled tokens of a row and the sum of what they are trained with, token by token. */
function rowOf(credit: Recredit, leaf: number) {
  const sampled = pathTokens(state, tree.leaves.find((id) => id === leaf)!, []).filter(({ source }) => source === 'policy'); // prettier-ignore
  const sum = sampled.reduce(
    (total, { node, position }) =>
      total + advantageInRow(credit.advantages, node, tree.leaves.find((id) => id === leaf)!, position - tree.prompt.tokens.length), // prettier-ignore
    0,
  );
  return { count: sampled.length, sum };
}

test('under every rule and by every stride each phase asks all kinds, and the truth is the step’s own number', () => {
  for (const advantageRule of ADVANTAGE_RULES.filter((rule) => isAvailable(rule, own, state))) {
    const credit = recredit(state, own, { ...OWN_CREDIT, advantageRule })!;
    const steps = stepsOf(credit);
    for (const stride of STRIDES) {
      const ends = strideEnds(tree, steps, stride);
      ends.forEach((to, at) => {
        for (const kind of PREDICTIONS) {
          const asked = stepQuestion(steps, ends[at - 1] ?? 0, to, kind, words)!;
          const step = steps[to - 1];
          const { question } = asked;
          expect([asked.step, asked.at]).toEqual([step, to]);
          if (kind !== 'ranking') expect(question.kind).toBe(kind);
          const truth = truthOf(question);
          const sign = Math.abs(Number(truth)) < 1e-9 ? 0 : Math.sign(Number(truth));
          expect(isRight(question, question.kind === 'sign' ? sign : truth)).toBe(true);
          if (question.kind === 'choice' && step.phase !== 'tokens') {
            expect(new Set(question.options).size).toBe(4);
            expect(question.options[question.right]).toBe(words.format(step.result!));
          }
          if (question.kind === 'number' && step.phase !== 'tokens')
            expect([question.truth, question.tolerance]).toEqual([step.result, TOLERANCE]);
          if (step.phase !== 'tokens') continue;
          const row = rowOf(credit, step.node);
          if (question.kind === 'number')
            expect([question.truth, question.tolerance]).toEqual([row.count, 0]);
          if (question.kind === 'sign') expect(question.truth).toBeCloseTo(row.sum, 9);
          if (question.kind === 'ranking' && step.row.length <= 6)
            expect(question.items.reduce((sum, { truth }) => sum + truth, 0)).toBeCloseTo(row.sum, 9);
        }
      });
    }
  }
});

test('an order is of the numbers of one kind that the stride finds; a single number has none, and its sign is asked', () => {
  const steps = stepsOf(recredit(state, own, OWN_CREDIT)!);
  const ends = strideEnds(tree, steps, 'phase');
  const values = stepQuestion(steps, ends[1], ends[2], 'ranking', words)!.question;
  if (values.kind !== 'ranking') throw new Error('no order');
  const found = steps.slice(ends[1], ends[2]).slice(-6);
  expect(values.items).toEqual(found.map(({ node, result }) => ({ label: `n${node}`, truth: result })));
  expect(stepQuestion(steps, ends[1], ends[1] + 1, 'ranking', words)!.question.kind).toBe('sign');
  expect(stepQuestion(steps, steps.length, steps.length, 'sign', words)).toBeNull();
});

test('a wrong number that an earlier step has found is traced to it, a right or a new one is not', () => {
  const gains = recredit(state, own, { ...OWN_CREDIT, advantageRule: 'diff_parent' })!;
  const steps = stepsOf(gains);
  const at = steps.findIndex(({ phase, node, result }) => phase === 'advantage' && node !== 0 && Math.abs(gains.values.byNode[node] - result!) > 0.2); // prettier-ignore
  const asked = stepQuestion(steps, at, at + 1, 'number', words)!;
  const value = gains.values.byNode[asked.step.node];
  const mistaken = mistakenFor(steps, asked, value)!;
  expect(mistaken.at).toBeLessThan(asked.at);
  expect(mistaken.step).toBe(steps[mistaken.at - 1]);
  expect([mistaken.step.node, mistaken.step.result]).toEqual([asked.step.node, value]);
  expect(mistakenFor(steps, asked, asked.step.result)).toBeNull();
  expect(mistakenFor(steps, asked, 777)).toBeNull();
  expect(mistakenFor(steps, asked, null)).toBeNull();
});
