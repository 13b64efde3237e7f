import { expect, test } from 'vitest';
import {
  agreementOf,
  firstDisagreement,
  firstTreeDifference,
  ruleLine,
  signOf,
  tokenPairs,
} from '../../src/store/credit/compare.ts';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import { settingDifferences, whatChangedFirst } from '../../src/store/record/run_difference.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { nodeId, type AdvantageRule } from '../../src/units.ts';
import { CONFIG, SAMPLE_LOG } from '../support/sample_log.ts';

const run = foldEvents(EMPTY_RUN, SAMPLE_LOG);
const state = run.updates[0].trees[0];
const tree = rolloutTree(state)!;
const own = CONFIG.algorithm.credit;
const PROMPT = tree.prompt.tokens.length;
const under = (advantageRule: AdvantageRule) => recredit(state, own, { ...OWN_CREDIT, advantageRule })!;

test('the tokens of a row are its sampled ones, each with both advantages', () => {
  const [a, b] = [under('node_value'), under('vanilla')];
  const pairs = tokenPairs(tree, a, b, nodeId(3), Infinity);
  const sampled = [1, 3].flatMap((id) => tree.nodes[id].mask.filter((bit) => bit === 1));
  expect(pairs).toHaveLength(sampled.length);
  expect(pairs[0]).toMatchObject({ position: PROMPT, node: 1, turn: 0, a: a.advantages.byNode[1] });
  expect(pairs.at(-1)).toMatchObject({ node: 3, turn: 1, b: b.advantages.byLeaf![3] });
  expect(new Set(pairs.map(({ b }) => b)).size).toBe(1); // GRPO gives the whole row one number
});

test('a row is cut at the context length', () => {
  const credit = under('node_value');
  const pairs = tokenPairs(tree, credit, credit, nodeId(3), PROMPT + 3);
  expect(pairs.map(({ position }) => position)).toEqual([PROMPT, PROMPT + 1, PROMPT + 2]);
});

test('the first disagreement is the first token that the rules do not push alike', () => {
  const pairs = tokenPairs(tree, under('node_value'), under('diff_parent'), nodeId(3), Infinity);
  const first = firstDisagreement(pairs)!;
  // Turn 1 gains over the root under both; turn 3 is its only child, so that it gains nothing over its parent.
  expect([first.node, first.turn, signOf(first.a), signOf(first.b)]).toEqual([3, 1, 1, 0]);
  const earlier = pairs.filter(({ position }) => position < first.position);
  expect(earlier.every(({ a, b }) => signOf(a) === signOf(b))).toBe(true);
  expect(
    firstDisagreement(tokenPairs(tree, under('vanilla'), under('vanilla'), nodeId(3), Infinity)),
  ).toBeNull();
});

test('agreement counts opposite and one-sided pushes', () => {
  const pair = (a: number, b: number) => ({ position: 0, node: nodeId(1), turn: 0, a, b });
  const agreement = agreementOf([pair(1, 1), pair(1, -1), pair(0, 2), pair(0, 0)]);
  expect(agreement).toMatchObject({ tokens: 4, sameSign: 2, opposite: 1, oneSilent: 1 });
  expect(agreement.cosine).toBeCloseTo(0 / Math.sqrt(2 * 6), 12);
  expect(agreementOf([pair(0, 1)]).cosine).toBeNull();
});

test('a rule’s line has the advantage of every turn of the leaf, from the least to the greatest of its tokens', () => {
  const credit = under('node_value');
  const line = ruleLine(tree, credit, nodeId(3), Infinity);
  expect(line.map(({ turn, node }) => [turn, node])).toEqual([
    [0, 1],
    [1, 3],
  ]);
  const [least, greatest] = line[1].range;
  expect([least, greatest]).toEqual([credit.advantages.byNode[3], credit.advantages.byNode[3]]);
});

test('two trees differ first at the earliest node whose words differ', () => {
  const changed: typeof tree = structuredClone(tree);
  (changed.nodes[3].tokens as unknown as number[])[5] += 1;
  expect(firstTreeDifference(tree, changed)).toMatchObject({ node: 3, token: 5, a: tree.nodes[3].tokens[5] });
  expect(firstTreeDifference(tree, tree)).toBeNull();
});

const edited = (edit: (event: RunEvent) => RunEvent): typeof run =>
  foldEvents(
    EMPTY_RUN,
    SAMPLE_LOG.map((event) => edit(structuredClone(event))),
  );

test('two runs of one log are the same; a changed credit is found in its stage, update and node', () => {
  expect(
    whatChangedFirst(
      run,
      edited((event) => event),
    ),
  ).toEqual([]);
  const other = edited((event) => {
    if (event.kind !== 'credit' || event.update !== 2) return event;
    const [first, ...rest] = event.trees;
    return {
      ...event,
      trees: [{ ...first, advantages: first.advantages.map((a, id) => (id === 3 ? 9 : a)) }, ...rest],
    };
  });
  expect(whatChangedFirst(run, other)).toMatchObject([
    { stage: 'credit', update: 2, prompt: 0, node: 3, b: 9 },
  ]);
});

test('every stage that differs in the first differing update is named, other questions end the search', () => {
  const other = edited((event) => {
    if (event.kind === 'rewards')
      return {
        ...event,
        trees: event.trees.map((entry) => ({ ...entry, byNode: entry.byNode.map((r) => r && -r) })),
      };
    if (event.kind === 'loss')
      return {
        ...event,
        rows: event.rows.map((row) => ({ ...row, dlogProb: row.dlogProb.map((d) => 2 * d) })),
      };
    return event;
  });
  const found = whatChangedFirst(run, other);
  expect(found.map(({ stage, update }) => [stage, update])).toEqual([
    ['rewards', 1],
    ['loss', 1],
  ]);
  const asked = edited((event) =>
    event.kind === 'update-started'
      ? { ...event, prompts: event.prompts.map((prompt) => ({ ...prompt, seed: prompt.seed! + 1 })) }
      : event,
  );
  expect(whatChangedFirst(run, asked)).toMatchObject([{ stage: 'prompts', update: 1, prompt: 0 }]);
});

test('settings that differ are named by their path', () => {
  const other = {
    ...CONFIG,
    seed: 9,
    algorithm: { ...CONFIG.algorithm, loss: { ...CONFIG.algorithm.loss, clipLow: 0.5 } },
  };
  expect(settingDifferences(CONFIG, other)).toEqual([
    { path: 'seed', a: String(CONFIG.seed), b: '9' },
    { path: 'algorithm.loss.clipLow', a: '0.02', b: '0.5' },
  ]);
});
