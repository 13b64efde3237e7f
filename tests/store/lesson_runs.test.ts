/**
 * Numbers that lessons and predict first ask for, on recorded runs of two methods side by side: one credits whole rows of plain
 * chains, the other turns of trees. What the trainer wrote down is the truth; nothing here computes credit.
 * The runs: `npm run lab -- --preset instant --algorithm grpo --seed 3 --updates 2 --eval-questions 4 --set promptsPerUpdate=4
 * --set promptsPerMinibatch=2 --set evaluation.every=1 --set evaluation.questions=8 --record recorded_grpo.ndjson.gz`, and at2po.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readRecording } from '../../src/files/recording.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import { creditSteps, phasesOf, strideEnds, type StepperStep } from '../../src/store/credit/credit_steps.ts';
import { stepQuestion } from '../../src/store/credit/step_questions.ts';
import { evaluate } from '../../src/store/lesson/expression.ts';
import { isDead, rolloutTree } from '../../src/store/record/reading.ts';
import { createRunStore } from '../../src/store/record/run.ts';
import type { TreeState } from '../../src/store/record/run_state.ts';
import { INITIAL_SELECTION, type Selection } from '../../src/store/place/selection.ts';
import { ROOT, type NodeId } from '../../src/units.ts';

type Of<Kind extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: Kind }>;
type Row = Of<'loss'>['rows'][number];

async function readRun(method: string) {
  const events: RunEvent[] = [];
  for await (const event of readRecording(new Blob([readFileSync(`tests/fixtures/recorded_${method}.ndjson.gz`)]))) events.push(event); // prettier-ignore
  const store = createRunStore();
  store.apply(events);
  const ofUpdate = <Kind extends RunEvent['kind']>(kind: Kind, update: number): readonly Of<Kind>[] =>
    events.filter((event): event is Of<Kind> => event.kind === kind && 'update' in event && event.update === update); // prettier-ignore
  return { method, run: store.getState(), ofUpdate };
}

const runs = await Promise.all(['grpo', 'at2po'].map(readRun));
const words = { nameOf: (node: NodeId) => `n${node}`, format: (value: number) => value.toFixed(2) };

/** Turns from the question to a leaf. */
function pathOf({ nodes }: TreeState, leaf: NodeId): readonly NodeId[] {
  const path: NodeId[] = [];
  for (let at: NodeId | null = leaf; at !== null && at !== ROOT; at = nodes[at]!.parent) path.unshift(at);
  return path;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Logs hold six digits. */
const close = (found: number | null, want: number, what: unknown): void => {
  if (found === null) throw new Error(`${JSON.stringify(what)}: nothing where the log has ${want}`);
  expect(Math.abs(found - want), `${JSON.stringify(what)}: ${found}, the log has ${want}`).toBeLessThan(1e-4 * (1 + Math.abs(want))); // prettier-ignore
};

describe.each(runs)('on a recorded run of $method', ({ run, ofUpdate }) => {
  const own = run.header!.config!.algorithm.credit;

  test('predict first asks for what the trainer wrote down, in the phases that its rule reads', () => {
    const asked = new Map<string, number>();
    for (const { update, trees } of run.updates) {
      const [rewards] = ofUpdate('rewards', update);
      const [credit] = ofUpdate('credit', update);
      const rows = ofUpdate('loss', update).flatMap((event) => event.rows);
      for (const state of trees) {
        const prompt = state.prompt.index;
        const tree = rolloutTree(state)!;
        const shown = recredit(state, own, OWN_CREDIT, trees)!;
        const steps = creditSteps(tree, shown.rewardSteps, shown, own.advantageRule);
        const paid = rewards.trees.find((entry) => entry.prompt === prompt)!.byNode;
        const given = credit.trees.find((entry) => entry.prompt === prompt)!;
        const rowOf = (leaf: NodeId): Row => rows.find((row) => row.prompt === prompt && row.leaf === leaf)!;
        /** What each token of a turn was trained with, in a row. */
        const trained = (leaf: NodeId, node: NodeId): readonly number[] => {
          const row = rowOf(leaf);
          const turn = pathOf(state, leaf).indexOf(node);
          return row.advantage.filter((_, at) => row.turnIndex[at] === turn);
        };
        const check = (step: StepperStep, kind: 'number' | 'sign', truth: number): void => {
          const what = [update, prompt, step.phase, step.node, step.leaf, kind];
          const { node, leaf, phase } = step;
          asked.set(phase, (asked.get(phase) ?? 0) + 1);
          if (phase === 'reward') close(truth, paid[node]!, what);
          if (phase === 'normalise') close(truth, given.normalised![node]!, what);
          if (phase === 'value') close(truth, given.values![node], what);
          if (phase === 'tokens')
            close(truth, kind === 'number' ? rowOf(leaf ?? node).advantage.length : sum(rowOf(leaf ?? node).advantage), what); // prettier-ignore
          if (phase !== 'advantage' || step.part !== null || node === ROOT) return;
          const inRows =
            leaf !== null ? [leaf] : tree.leaves.filter((end) => pathOf(state, end).includes(node));
          const tokens = inRows.flatMap((end) => (step.wholeRow ? rowOf(end).advantage : trained(end, node)));
          expect(tokens.length, JSON.stringify(what)).toBeGreaterThan(0);
          for (const token of tokens) close(truth, token, what);
        };
        strideEnds(tree, steps, 'number').forEach((to, at, ends) => {
          for (const kind of ['number', 'sign'] as const) {
            const { step, question } = stepQuestion(steps, ends[at - 1] ?? 0, to, kind, words)!;
            if (question.kind === 'number' || question.kind === 'sign') check(step, kind, question.truth);
          }
        });
      }
    }
    expect([...asked.keys()].toSorted()).toEqual([...phasesOf(own.advantageRule)].toSorted());
    for (const [phase, count] of asked) expect(count, phase).toBeGreaterThan(20);
  });

  test('a lesson’s expressions give what the trainer wrote down', () => {
    for (const { update, trees, metrics } of run.updates) {
      const [rewards] = ofUpdate('rewards', update);
      const losses = ofUpdate('loss', update);
      const steps = ofUpdate('step', update);
      trees.forEach((state, prompt) => {
        const paid = rewards.trees.find((entry) => entry.prompt === state.prompt.index)!.byNode;
        for (const leaf of state.leaves) {
          const selection: Selection = { ...INITIAL_SELECTION, update, prompt, leaf, node: leaf };
          const say = (text: string): number | null => evaluate(text, { run, selection }).value;
          const batch = losses.find(({ rows }) => rows.some((row) => row.prompt === state.prompt.index))!;
          const row = batch.rows.find((entry) => entry.prompt === state.prompt.index && entry.leaf === leaf)!;
          const [at] = row.tokenIndex.slice(-1);
          for (const [text, want] of [
            [`reward of n${leaf}`, paid[leaf]!],
            ['leaves', state.leaves.length],
            ['right leaves', state.leaves.filter((end) => paid[end]! > 0.99).length],
            [`turns to n${leaf}`, pathOf(state, leaf).length],
            [`sampled tokens to n${leaf}`, row.tokenIndex.length],
            [`row advantage of n${leaf}`, row.advantage.at(-1)!],
            [`advantage of token ${at}`, row.advantage.at(-1)!],
            [`loss of token ${at}`, row.tokenLoss.at(-1)!],
            [`push of token ${at}`, row.dlogProb.at(-1)!],
            [`weight of token ${at}`, row.weight.at(-1)!],
            ['exact loss of the mini-batch', batch.loss],
            ['rows of the mini-batch', batch.rows.length],
            [
              'gradient norm of the mini-batch',
              steps.find((step) => step.minibatch === batch.minibatch)!.gradientNorm,
            ],
            [`dead trees of update ${update}`, trees.filter(isDead).length],
            [`exact match of update ${update}`, metrics!.exactMatch],
          ] as const)
            // prettier-ignore
            close(say(text), want, [update, prompt, text]);
        }
      });
    }
  });
});

test('the two runs differ in what is asked: one number for a row, or one for a turn', () => {
  const [rows, turns] = runs.map(({ run }) => {
    const own = run.header!.config!.algorithm.credit;
    const trees = run.updates[0].trees;
    const state = trees.find((entry) => !isDead(entry))!;
    const shown = recredit(state, own, OWN_CREDIT, trees)!;
    return creditSteps(rolloutTree(state)!, shown.rewardSteps, shown, own.advantageRule).filter(
      ({ phase, result }) => phase === 'advantage' && result !== null,
    );
  });
  expect(rows.every(({ wholeRow }) => wholeRow)).toBe(true);
  expect(turns.some(({ wholeRow }) => !wholeRow)).toBe(true);
});
