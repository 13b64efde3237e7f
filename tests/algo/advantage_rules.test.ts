import { describe, expect, test } from 'vitest';
import { optimalValue, type RuleSetting } from '../../src/algo/advantage/index.ts';
import { defineRules, type AssignAdvantages, type ValueSetting } from '../../src/algo/advantage/method.ts';
import { retrievedShare } from '../../src/algo/advantage/rapo.ts';
import { rowsOf } from '../../src/algo/advantage/rows.ts';
import {
  advantageInRow,
  advantageMethods,
  assignCredit,
  MissingSignalError,
  signalsNeeded,
  type CreditStep,
  type CreditTree,
  type ValuedTree,
} from '../../src/algo/credit/credit.ts';
import { pathTo } from '../../src/algo/tree/tree.ts';
import {
  ADVANTAGE_RULES,
  NO_SIGNALS,
  ROOT,
  type CreditConfig,
  type NodeId,
  type TreeSignals,
} from '../../src/units.ts';
import { oracleAdvantages, type OracleGroup } from './advantage.oracle.ts';
import { creditOf } from './credit_of.ts';
import {
  chains,
  CONFIG,
  flatten,
  rowNumbers,
  sampledAdvantages,
  under,
  updateOf,
  worst,
} from './toy_updates.ts';
import { toyTrees } from './toy_world.ts';

function expectClose(got: readonly (readonly (readonly (readonly number[])[])[])[], want: typeof got): void {
  const [a, b] = [got.flat(3), want.flat(3)];
  expect(a.length).toBe(b.length);
  expect(a.length).toBeGreaterThan(100);
  expect(worst(a, b)).toBeLessThan(1e-9);
}

describe.each(ADVANTAGE_RULES)('%s', (rule) => {
  test('equals its formula computed again on flat rows', async () => {
    for (const seed of [1, 2, 3]) {
      const update = await updateOf(seed);
      const credits = assignCredit(update, under(rule));
      const groups = update.map((entry, t): OracleGroup => ({
        ...entry,
        rows: flatten(entry),
        values: credits[t].values.byNode,
      }));
      expectClose(sampledAdvantages(update, credits), oracleAdvantages(rule, groups, under(rule)));
    }
  });

  test('says every number it trains with, in steps that give their results', async () => {
    const update = await updateOf(4);
    assignCredit(update, under(rule)).forEach(({ advantages }, t) => {
      const { tree } = update[t];
      for (const step of advantages.trace) {
        expect(step.kind).toBe(rule);
        expect(step.result).toBeCloseTo(replayed(step), 12);
      }
      const said = advantages.trace.filter(({ part }) => part === undefined);
      const sayingOf = (node: NodeId, leaf: NodeId) =>
        said.find((step) => step.leaf === leaf && step.node === node) ??
        said.find((step) => step.leaf === undefined && step.node === (advantages.byLeaf ? leaf : node));
      for (const { leaf, turns } of rowsOf(update[t])) {
        for (const { node, sampled } of turns) {
          const numbers = sampled.map((place) => advantageInRow(advantages, node, leaf, place));
          const mean = numbers.reduce((total, value) => total + value, 0) / numbers.length;
          if (rule !== 'tree_diff') expect(sayingOf(node, leaf)?.result).toBeCloseTo(mean, 9);
          expect(sayingOf(node, leaf)?.result).toBeDefined();
        }
      }
      expect(advantages.byNode).toHaveLength(tree.nodes.length);
      expect(advantages.byNode.every(Number.isFinite)).toBe(true);
    });
  });

  test('has its words, and names the signal that it lacks', async () => {
    const { option } = advantageMethods[rule];
    expect(option.value).toBe(rule);
    for (const words of [option.title, option.formula, option.description, option.source])
      expect(words.length).toBeGreaterThan(3);
    const update = (await updateOf(5)).map((entry) => ({ ...entry, signals: NO_SIGNALS }));
    if (signalsNeeded(advantageMethods[rule]).length === 0)
      expect(() => assignCredit(update, under(rule))).not.toThrow();
    else expect(() => assignCredit(update, under(rule))).toThrow(MissingSignalError);
  });
});

/** A setting and another value of it. */
const OTHERWISE: { readonly [Setting in RuleSetting]: CreditConfig[Setting] } = {
  leafNormalisation: !CONFIG.leafNormalisation,
  valueRule: 'child_mean',
  discount: 0.5,
  lambda: 0.4,
  mixing: 0.9,
};

/** A signal that is measured otherwise, or not at all. */
const UNLIKE: { readonly [Signal in keyof TreeSignals]: (tree: CreditTree) => TreeSignals[Signal] } = {
  belief: ({ signals }) => signals.belief?.map((value, id) => (value ?? 0) - (id % 3)) ?? null,
  baseline: ({ signals }) => (signals.baseline ?? 0) + 1,
  stepReward: ({ signals }) => signals.stepReward?.map((value, id) => value + (id % 3)) ?? null,
};

describe.each(ADVANTAGE_RULES)('%s says what it reads', (rule) => {
  const { settings, signals } = advantageMethods[rule];
  const trainedWith = (update: readonly CreditTree[], change: Partial<CreditConfig> = {}) =>
    sampledAdvantages(update, assignCredit(update, under(rule, change))).flat(3);

  test('of the settings: those move its advantages, no other does', async () => {
    const update = await updateOf(9);
    const before = trainedWith(update);
    const moving = (Object.keys(OTHERWISE) as RuleSetting[]).filter(
      (setting) => worst(trainedWith(update, { [setting]: OTHERWISE[setting] }), before) > 0,
    );
    expect(moving.toSorted()).toEqual([...settings].toSorted());
  });

  test('of the signals: those move its advantages, no other does', async () => {
    const update = await updateOf(9);
    const before = trainedWith(update);
    const moving = (Object.keys(UNLIKE) as (keyof TreeSignals)[]).filter((signal) => {
      const changed = update.map((entry) => ({
        ...entry,
        signals: { ...entry.signals, [signal]: UNLIKE[signal](entry) },
      }));
      return worst(trainedWith(changed), before) > 0;
    });
    expect(moving).toEqual(Object.keys(signals));
    const unmeasured = update.map((entry) => ({
      ...entry,
      signals: {
        belief: signals.belief ? entry.signals.belief : null,
        baseline: signals.baseline ? entry.signals.baseline : null,
        stepReward: signals.stepReward ? entry.signals.stepReward : null,
      },
    }));
    expect(trainedWith(unmeasured)).toEqual(before);
  });
});

test('a rule that reads what it does not declare does not compile', () => {
  const { option, assign } = advantageMethods.vanilla;
  const signals = {};
  const discounted: AssignAdvantages<'discount'> = (trees, config) =>
    config.discount === 1 ? [] : assign(trees as readonly ValuedTree[], CONFIG);
  const ofValues: AssignAdvantages<ValueSetting> = (trees) => (trees[0].values ? [] : []);
  // @ts-expect-error it reads the discount
  const unsaid = defineRules({ vanilla: { option, settings: ['mixing'], signals, assign: discounted } });
  // @ts-expect-error it reads values and says nothing of how they are backed up
  const unvalued = defineRules({ vanilla: { option, settings: [], signals, assign: ofValues } });
  const said = defineRules({ vanilla: { option, settings: ['discount'], signals, assign: discounted } });
  expect([unsaid, unvalued, said].map(({ vanilla }) => vanilla.settings)).toEqual([
    ['mixing'],
    [],
    ['discount'],
  ]);
});

const replayed = ({ terms, statistics }: CreditStep): number => {
  const total = terms.reduce((sum, { weight, value }) => sum + weight * value, 0);
  return statistics ? (total - statistics.mean) / (statistics.deviation + statistics.epsilon) : total;
};

/** Rules in which a constant added to all rewards cancels, where nothing is discounted. */
const SHIFT_FREE = ADVANTAGE_RULES.filter(
  (rule) =>
    !['remax', 'optimal_value', 'tree_diff', 'tree_grpo_per_token', 'igpo', 'igpo_position'].includes(rule),
);

test('a constant added to all rewards changes no centred rule', async () => {
  const update = (await updateOf(6)).map(({ tree, ...rest }) => ({
    ...rest,
    tree: { ...tree, nodes: tree.nodes.map((node) => ({ ...node, tree: 0 })) }, // a tree of one row keeps its reward
  }));
  const raised = update.map((entry) => ({
    ...entry,
    rewards: entry.rewards.map((reward) => (reward === null ? null : reward + 3.5)),
  }));
  for (const rule of SHIFT_FREE) {
    const config = under(rule, { discount: 1 });
    const [a, b] = [raised, update].map((entries) =>
      sampledAdvantages(entries, assignCredit(entries, config)),
    );
    expect([rule, worst(a.flat(3), b.flat(3)) < 1e-9]).toEqual([rule, true]);
  }
  expect(SHIFT_FREE).toHaveLength(ADVANTAGE_RULES.length - 6);
});

test('only the rules that whiten hear of the other prompts', async () => {
  const update = await updateOf(7);
  const hearing = ADVANTAGE_RULES.filter((rule) => {
    const [together] = assignCredit(update, under(rule));
    const [alone] = assignCredit(update.slice(0, 1), under(rule));
    return worst(together.advantages.byNode, alone.advantages.byNode) > 1e-9;
  });
  expect(hearing).toEqual(['treepo_segment', 'reinforce_pp', 'reinforce_pp_baseline', 'treepo', 'gae']);
});

test('IGPO’s gains of a row add up to its last belief minus its first', async () => {
  for (const entry of await updateOf(8)) {
    const { advantages } = creditOf(entry.tree, entry.rewards, under('igpo_position'), entry.signals);
    const p = (node: NodeId): number => Math.exp(entry.signals.belief?.[node] ?? NaN);
    for (const { leaf, turns } of rowsOf(entry)) {
      const paid = advantages.trace.filter((step) => step.part !== undefined && step.leaf === leaf);
      expect(paid).toHaveLength(turns.length);
      const gained = paid.slice(0, -1).reduce((sum, { result }) => sum + result, 0);
      const last = turns.length === 1 ? ROOT : turns[turns.length - 2].node;
      expect(gained).toBeCloseTo(p(last) - p(ROOT), 12);
    }
  }
});

test('on chains TreePO is the reward over the mean, whitened', async () => {
  const entry = await chains(3);
  expect(entry.tree.leaves).toHaveLength(12);
  expect(worst(rowNumbers(entry, 'treepo'), rowNumbers(entry, 'reinforce_pp_baseline'))).toBeLessThan(1e-12);
});

test('on chains TreeRL doubles the gain of the first turn only', async () => {
  const entry = await chains(4);
  const { advantages, values } = creditOf(entry.tree, entry.rewards, under('tree_rl'));
  for (const { leaf, turns } of rowsOf(entry))
    turns.forEach(({ node }, turn) => {
      const gain = values.byNode[leaf] - values.byNode[ROOT];
      expect(advantages.byNode[node]).toBeCloseTo(turn === 0 ? 2 * gain : gain, 12);
    });
});

test('ARPO’s hard attribution is the leaf mean of GRPO-normalised leaves', async () => {
  for (const { tree, rewards } of await updateOf(9)) {
    const grpo = creditOf(tree, rewards, under('vanilla')).advantages.byLeaf ?? [];
    const known = under('node_value', { valueRule: 'leaf_mean', leafNormalisation: false });
    const want = creditOf(tree, grpo, known).advantages.byNode;
    expect(creditOf(tree, rewards, under('arpo_hard')).advantages.byNode).toEqual(want);
  }
});

test('GAE with λ = 0 is the gain over the parent, with λ = 1 the outcome over the value before', async () => {
  const [entry] = await updateOf(10);
  const near = rowNumbers(entry, 'gae', { discount: 1, lambda: 0 });
  expect(worst(near, rowNumbers(entry, 'treepo_segment'))).toBeLessThan(1e-12);
  const { advantages, values } = creditOf(
    entry.tree,
    entry.rewards,
    under('gae', { discount: 1, lambda: 1 }),
  );
  const steps = advantages.trace.filter(({ part }) => part === undefined);
  const raw = steps.map(({ terms }) => terms.reduce((sum, { weight, value }) => sum + weight * value, 0));
  const want = steps.map(({ leaf, parent }) => values.byNode[leaf ?? ROOT] - values.byNode[parent ?? ROOT]);
  expect(worst(raw, want)).toBeLessThan(1e-12);
});

test('rules fall back to GRPO where their own signal is silent', async () => {
  const [first] = await updateOf(11);
  const grpo = rowNumbers(first, 'vanilla');
  expect(worst(rowNumbers(first, 'istar', { mixing: 0 }), grpo)).toBeLessThan(1e-12);
  expect(worst(rowNumbers(first, 'rapo'), grpo)).toBeLessThan(1e-12); // nothing retrieved
  const oneTree = {
    ...first,
    tree: { ...first.tree, nodes: first.tree.nodes.map((node) => ({ ...node, tree: 0 })) },
  };
  expect(worst(rowNumbers(oneTree, 'tree_grpo'), grpo.map((value) => 2 * value))).toBeLessThan(1e-12); // prettier-ignore
  const still = { ...first, signals: { ...first.signals, belief: first.tree.nodes.map(() => -1) } };
  expect(worst(rowNumbers(still, 'a2tgpo'), rowNumbers(first, 'a2tgpo', { mixing: 0 }))).toBeLessThan(1e-12);
});

test('retrieved steps scale their rows, and their share is of the row’s own tokens', async () => {
  const hybrid = (await updateOf(1))[2];
  expect(worst(rowNumbers(hybrid, 'rapo'), rowNumbers(hybrid, 'vanilla'))).toBeGreaterThan(0.01);
  const shares = hybrid.tree.leaves.map((leaf) => retrievedShare(hybrid.tree, leaf));
  expect(Math.max(...shares)).toBeGreaterThan(0);
  for (const leaf of hybrid.tree.leaves) {
    const path = pathTo(hybrid.tree, leaf).map((id) => hybrid.tree.nodes[id]);
    const copied = path.reduce((sum, node) => sum + (node.retrieved ? node.lastGenerationLength : 0), 0);
    const sampled = path.flatMap(({ mask }) => mask).filter((bit) => bit === 1).length;
    expect(retrievedShare(hybrid.tree, leaf)).toBeCloseTo(copied / (copied + sampled), 12);
  }
});

test('the best of a group alone is trained on, and alone nobody is', async () => {
  const [entry] = await updateOf(12);
  const { byLeaf } = creditOf(entry.tree, entry.rewards, under('pass_k')).advantages;
  const best = entry.tree.leaves.reduce((a, b) =>
    (entry.rewards[b] ?? 0) > (entry.rewards[a] ?? 0) ? b : a,
  );
  expect(entry.tree.leaves.filter((leaf) => byLeaf?.[leaf] !== 0)).toEqual([best]);
  const [single] = await toyTrees(1, 1, { initialBranches: 1, iterations: 0, leavesPerTree: 1 });
  const alone = single.nodes.map(({ ending }) => (ending === null ? null : 0.7));
  expect(creditOf(single, alone, under('pass_k')).advantages.byLeaf?.[single.leaves[0]]).toBe(0);
});

test('A²TGPO says the gain that scales a turn’s clip band, and none for the answer', async () => {
  const entry = await chains(5);
  const { gain, trace } = creditOf(entry.tree, entry.rewards, under('a2tgpo'), entry.signals).advantages;
  const rows = rowsOf(entry);
  expect(rows.some(({ turns }) => turns.length > 3)).toBe(true);
  for (const { leaf, turns, length } of rows) {
    expect(gain?.[leaf]).toHaveLength(length);
    turns.forEach(({ sampled }, turn) => {
      const source = turns[Math.max(1, turn)]; // the first turn shares the second's
      const step = trace.find((each) => each.part?.startsWith('gain') && each.node === source?.node);
      const want = turn === turns.length - 1 ? 0 : (step?.result ?? 0);
      for (const place of sampled) expect(gain?.[leaf]?.[place]).toBe(want);
    });
  }
});

test('V* lies between the mean and the largest reward, and reaches both', () => {
  const rewards = [0, 1, 1, -0.5, 0.25, 0, 1, 0];
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  expect(optimalValue(rewards, 0)).toBe(1);
  expect(optimalValue(rewards, 1e-4)).toBeCloseTo(1, 3);
  expect(optimalValue(rewards, 1e9)).toBeCloseTo(mean, 8);
  const direct = 0.5 * Math.log(rewards.reduce((sum, reward) => sum + Math.exp(reward / 0.5), 0) / 8);
  expect(optimalValue(rewards, 0.5)).toBeCloseTo(direct, 12);
  const curve = [1e-6, 0.01, 0.1, 1, 10, 1e6].map((beta) => optimalValue(rewards, beta));
  expect(curve).toEqual(curve.toSorted((a, b) => b - a));
  expect(optimalValue([1000, -1000], 0.5)).toBeCloseTo(1000 - 0.5 * Math.LN2, 9);
});
