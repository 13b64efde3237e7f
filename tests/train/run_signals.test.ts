import { assembleTree } from '../support/assemble_tree.ts';
import { describe, expect, test } from 'vitest';
import { CHAINS } from '../../src/algo/catalogue/defaults.ts';
import { scoredNodes } from '../../src/algo/batch/batch.ts';
import { normaliseLeaves, turnAdvantages } from '../../src/algo/credit/credit.ts';
import { optimalValue } from '../../src/algo/advantage/index.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { keyedRandom, STREAMS } from '../../src/algo/random.ts';
import { scoreLeaves } from '../../src/algo/reward/reward.ts';
import { growTrees } from '../../src/algo/rollouts/turn_tree.ts';
import { pathTo } from '../../src/algo/tree/tree.ts';
import { environments } from '../../src/env/index.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import { lossBatches } from '../../src/train/run/batches.ts';
import { measureSignals } from '../../src/train/run/signals.ts';
import { emptyMemory, type RunMemory } from '../../src/train/run/memory.ts';
import type { Run } from '../../src/train/run/update.ts';
import { trainingPrompts } from '../../src/train/run/prompts.ts';
import {
  NO_SIGNALS,
  ROOT,
  type Prompt,
  type RecordedTree,
  type RunConfig,
  type TreeSignals,
} from '../../src/units.ts';
import { leavesByBranch, say, searchGroup } from '../support/search_trees.ts';
import { ScriptedPolicy, tokenStats } from '../support/scripted_policy.ts';
import { playedRun, smallConfig } from '../support/scripted_run.ts';

type Of<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;
const only = <K extends EngineEvent['kind']>(events: readonly EngineEvent[], kind: K): Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);

const environment = environments.search;
const PROMPTS = 4;
const SKILL = { skill: () => 0.85 };
const evaluation = { every: 0, questions: 0, datasets: ['hotpot'] };
const configOf = (name: keyof typeof algorithms, updates = 1, prompts = PROMPTS): RunConfig =>
  withAlgorithm(
    smallConfig({ updates, promptsPerUpdate: prompts, promptsPerMinibatch: prompts, evaluation }),
    algorithms[name].config,
  );

interface Measured {
  readonly tree: RecordedTree;
  readonly byNode: readonly (number | null)[];
  readonly signals: TreeSignals | undefined;
}

/** The trees of the first update with their rewards and signals, put together from the log. */
function measuredTrees(events: readonly EngineEvent[]): readonly Measured[] {
  const { prompts } = only(events, 'update-started')[0];
  return only(events, 'rewards')[0].trees.map(({ prompt, byNode, signals }) => {
    const here = (event: Of<'node'> | Of<'leaves'>): boolean => event.update === 1 && event.prompt === prompt;
    const [{ leaves, pruned }] = only(events, 'leaves').filter(here);
    const nodes = only(events, 'node')
      .filter(here)
      .map(({ node }) => node);
    return {
      tree: assembleTree({ prompt: prompts[prompt], nodes, leaves, pruned, expansions: [] }),
      byNode,
      signals,
    };
  });
}

describe('belief', () => {
  /** ln p of the answer by the script's own numbers, after prompt, path, result and bridge. */
  function direct(tree: RecordedTree, node: number, withResult: boolean): number {
    const path = pathTo(tree, tree.nodes[node].id).flatMap((id) => tree.nodes[id].tokens);
    const child = tree.nodes[tree.nodes[node].children[0]];
    const result = withResult ? child.tokens.filter((_, place) => child.mask[place] === 0) : [];
    const { bridge, answer } = environment.answerProbe(tree.prompt as Prompt);
    const context = [...tree.prompt.tokens, ...path, ...result, ...bridge];
    return tokenStats(answer[0], context[context.length - 1], context.length).logProb;
  }

  test.each([
    ['igpo', true],
    ['a2tgpo', false],
  ] as const)(
    'of %s is the answer’s log-probability after each turn, its result read: %s',
    async (name, withResult) => {
      const { events } = await playedRun(configOf(name), SKILL);
      let probed = 0;
      for (const { tree, signals } of measuredTrees(events)) {
        signals?.belief?.forEach((belief, id) => {
          if (tree.nodes[id].ending !== null) return expect(belief).toBeNull();
          expect(belief).toBeCloseTo(direct(tree, id, withResult), 6);
          probed += 1;
        });
      }
      expect(probed).toBeGreaterThan(PROMPTS * 8);
    },
  );

  test('is not measured for rules that do not read it', async () => {
    const { events, policies } = await playedRun(configOf('grpo'), SKILL);
    expect(measuredTrees(events).every(({ signals }) => signals === undefined)).toBe(true);
    expect(policies[0].calls.filter((call) => call === 'score')).toHaveLength(1); // of the one mini-batch
  });

  test('of A²TGPO scales the clip band by the standardised gain of the turn', async () => {
    const call = say.search('Genk', 'country');
    const prompt = environment.prompt('hotpot', 21, 0);
    const rows = ['Ana', 'Ben', 'Cleo'].map((word) => [call, call, say.answer(word)]);
    const tree = await searchGroup(prompt, rows);
    const gains = [-1, 0.5, 2]; // nats, of the second turn of each row
    const second = leavesByBranch(tree).map((leaf) => tree.nodes[leaf].parent);
    const belief = tree.nodes.map(({ id, ending }) =>
      ending === null ? -3 + (gains[second.indexOf(id)] ?? 0) : null,
    );
    const config = configOf('a2tgpo');
    const rewards = tree.nodes.map(({ ending }, id) => (ending === null ? null : id % 2));
    const signals = { ...NO_SIGNALS, belief };
    const values = { byNode: tree.nodes.map(() => 0), trace: [] };
    const [advantages] = turnAdvantages(
      [{ tree, rewards, signals, values: values.byNode }],
      config.algorithm.credit,
    );
    const group = {
      tree,
      rewards,
      grades: [],
      signals,
      normalised: normaliseLeaves(tree, rewards, false),
      values,
      advantages,
    };
    const [{ batch, extras }] = lossBatches([group], environment, config, { seed: 1, update: 1 });
    const spread = Math.sqrt(1.5 + 1e-8) + 1e-6; // population deviation of −1, ½, 2
    batch.rows.forEach(({ leaf }, row) => {
      const gain = gains[leavesByBranch(tree).indexOf(leaf)];
      const scale = 1 + 0.3 * (2 / (1 + Math.exp(-(gain - 0.5) / spread)) - 1);
      scoredNodes(batch, row).forEach((node, index) => {
        const got = extras.clipScale?.[batch.rows[row].scoredStart + index];
        expect(got).toBeCloseTo(node === leaf ? 1 : scale, 6); // the first turn shares the second's gain
      });
    });
  });
});

describe('baselines', () => {
  const key = { seed: 1, update: 1 };
  const asked = (count: number): readonly Prompt[] => trainingPrompts(environment, ['hotpot'], count, key);
  const samples = async (
    prompts: readonly Prompt[],
    rows: number,
    temperature: number,
    seed: number,
  ): Promise<readonly (readonly number[])[]> => {
    const policy = new ScriptedPolicy({ environment, promptsOf: () => prompts, ...SKILL });
    policy.beginRollout({ ...key, seed }, { temperature, stopTokens: environment.stopTokens });
    const config = { ...CHAINS, initialBranches: rows, leavesPerTree: rows };
    const trees = await growTrees(policy, environment, prompts, config, { ...key, seed });
    return trees.map((tree) => {
      const { byNode } = scoreLeaves(tree, environment);
      return tree.leaves.map((leaf) => byNode[leaf] ?? NaN);
    });
  };

  test('of ReMax are the rewards of the greedy paths, and rows are trained on the difference', async () => {
    const { events, policies } = await playedRun(configOf('remax', 1, 32), SKILL);
    const greedy = (await samples(asked(32), 1, 0, 1)).map(([reward]) => reward);
    const trees = measuredTrees(events);
    expect(trees.map(({ signals }) => signals?.baseline)).toEqual(greedy);
    expect(new Set(greedy).size).toBeGreaterThan(1);
    for (const { prompt, leaf, advantage } of only(events, 'loss')[0].rows) {
      const { byNode } = trees[prompt];
      expect(advantage.every((value) => value === (byNode[leaf] ?? NaN) - greedy[prompt])).toBe(true);
    }
    expect(policies).toHaveLength(1);
  });

  test('of A*-PO are optimal values of eight reference samples, and rows are fitted to the rest', async () => {
    const { events, policies } = await playedRun(configOf('a_star_po'), SKILL);
    const seed = keyedRandom(key, STREAMS.references).next();
    const optimal = (await samples(asked(PROMPTS), 8, 1, seed)).map((rewards) => optimalValue(rewards, 0.5));
    const trees = measuredTrees(events);
    trees.forEach(({ signals }, prompt) => expect(signals?.baseline).toBeCloseTo(optimal[prompt], 12));
    const [policy, reference] = policies;
    const [{ batch, inputs }] = policy.updates;
    batch.rows.forEach(({ prompt, leaf }, row) => {
      expect(inputs.extras?.rowTarget?.[row]).toBeCloseTo(
        (trees[prompt].byNode[leaf] ?? NaN) - optimal[prompt],
        6,
      );
    });
    expect(inputs.refLogProb).not.toBeNull();
    expect(reference.updates).toEqual([]);
    expect(reference.calls.filter((call) => call === 'beginRollout')).toHaveLength(1);
  });
});

test('a question met again keeps its V*: the reference is not sampled twice', async () => {
  const prompt = environment.prompt('hotpot', 21, 0);
  const reference = new ScriptedPolicy({ environment, promptsOf: () => [prompt], ...SKILL });
  const tree = await searchGroup(prompt, [[say.answer('Ana')]]);
  const transport = { gate: () => Promise.resolve(), signal: new AbortController().signal };
  const run = { config: configOf('a_star_po'), environment, reference, transport } as unknown as Run; // what signals read of it
  const group = { tree, rewards: [], grades: [] };
  const at = (update: number, memory: RunMemory) => ({ run, update, key: { seed: 1, update }, memory });
  const empty = emptyMemory();
  const first = await measureSignals(at(1, empty), [group]);
  expect(empty.optimalValues.size).toBe(0); // a memory is never written on
  expect([...first.memory.optimalValues.keys()]).toEqual(['hotpot/21']);
  const sampled = reference.calls.length;
  expect(sampled).toBeGreaterThan(0);
  expect(await measureSignals(at(2, first.memory), [group])).toEqual(first);
  expect(reference.calls).toHaveLength(sampled);
});

describe('the second network of iStar', () => {
  test('moves first in every update, and then rewards the turns by what it learnt', async () => {
    const { events, policies } = await playedRun(configOf('istar', 2), SKILL);
    const [policy, model] = policies;
    expect(policies).toHaveLength(2);
    expect(model.calls.filter((call) => call !== 'beginRollout')).toEqual(['backward', 'step', 'score', 'backward', 'step', 'score']); // prettier-ignore
    expect(policy.calls.indexOf('score')).toBeLessThan(policy.calls.indexOf('backward'));
    for (const { batch, inputs } of model.updates) {
      expect(inputs.loss).toMatchObject({ surrogate: 'preference', beta: 0.05, klCoefficient: 0 });
      const partner = inputs.extras?.partner ?? [];
      batch.rows.forEach(({ prompt }, row) => {
        const better = row % 2 === 0;
        expect(partner[row]).toBe(better ? row + 1 : -row);
        expect(batch.rows[better ? row + 1 : row - 1].prompt).toBe(prompt);
      });
    }
    const rate = 2 * configOf('istar').optimiser.learningRate;
    expect(model.optimisers.map(({ learningRate }) => learningRate)).toEqual([rate, rate]);
    const [first, second] = only(events, 'rewards').map(({ trees }) =>
      trees.flatMap(({ signals }) => signals?.stepReward ?? []),
    );
    expect(first.some((reward) => Math.abs(reward) > 1e-4)).toBe(true);
    expect(second).not.toEqual(first);
  });

  test('prefers rows that were right to rows that were wrong', async () => {
    const { events, policies } = await playedRun(configOf('istar'), SKILL);
    const [{ batch }] = policies[1].updates;
    const rewards = only(events, 'rewards')[0].trees;
    const rewardOf = (row: number): number => {
      const { prompt, leaf } = batch.rows[row];
      return rewards[prompt].byNode[leaf] ?? NaN;
    };
    batch.rows.forEach((_, row) => expect(rewardOf(row) === 1).toBe(row % 2 === 0));
  });

  test('learns nothing and rewards nothing where every row is right', async () => {
    const { events, policies } = await playedRun(configOf('istar'), { skill: () => 1 });
    expect(policies[1].updates).toEqual([]);
    const steps = only(events, 'rewards')[0].trees.flatMap(({ signals }) => signals?.stepReward ?? [NaN]);
    expect(steps.every((reward) => reward === 0)).toBe(true);
  });
});

test('GTPO charges each failed turn by itself and not the row', async () => {
  const { events } = await playedRun(configOf('gtpo'), { skill: () => 0.7 });
  const trees = measuredTrees(events);
  let failures = 0;
  for (const { tree, byNode, signals } of trees) {
    for (const leaf of tree.leaves) expect([0, 1]).toContain(byNode[leaf]);
    tree.nodes.forEach(({ ending, id }) => {
      if (ending !== 'malformed') return;
      failures += 1;
      expect(signals?.stepReward?.[id]).toBeGreaterThanOrEqual(-0.1);
      expect(signals?.stepReward?.[id]).toBeLessThanOrEqual(0.4); // with the most that likeness earns
    });
    expect(signals?.stepReward?.[ROOT]).toBe(0);
  }
  expect(failures).toBeGreaterThan(0);
});

test('RAPO scales the ratios of rows that hold copied steps', async () => {
  const { events, policies } = await playedRun(configOf('rapo'), SKILL);
  const [{ batch, inputs }] = policies[0].updates;
  const copied = new Map(
    measuredTrees(events).flatMap(({ tree }) =>
      tree.leaves.map((leaf) => [
        `${tree.prompt.index}/${leaf}`,
        pathTo(tree, leaf).some((id) => tree.nodes[id].retrieved === true),
      ]),
    ),
  );
  const factors = batch.rows.map(({ prompt, leaf }, row) => ({
    factor: inputs.extras?.ratioFactor?.[row] ?? NaN,
    hybrid: copied.get(`${prompt}/${leaf}`) ?? false,
  }));
  expect(factors.filter(({ hybrid }) => hybrid).length).toBeGreaterThan(4);
  for (const { factor, hybrid } of factors) {
    expect(factor > 1).toBe(hybrid);
    expect(factor).toBeLessThan(1.05);
  }
});

test('ReAct is evaluated and never trained', async () => {
  const { events, policies } = await playedRun(configOf('react', 2), SKILL);
  expect(policies).toHaveLength(1);
  expect(policies[0].updates).toEqual([]);
  expect(policies[0].calls).not.toContain('score');
  expect(events.filter(({ kind }) => kind === 'loss' || kind === 'step')).toEqual([]);
  expect(only(events, 'metrics').map(({ metrics }) => metrics.gradientNorm)).toEqual([0, 0]);
});

test('MCTS-DPO trains on the best and the worst of siblings against the reference', async () => {
  const { events, policies } = await playedRun(configOf('mcts_dpo'), { skill: () => 0.7 });
  const [{ batch, inputs }] = policies[0].updates;
  const trees = measuredTrees(events);
  expect(batch.rows.length).toBeGreaterThan(0);
  expect(inputs.refLogProb).not.toBeNull();
  batch.rows.forEach(({ prompt, leaf }, row) => {
    const { nodes } = trees[prompt].tree;
    const other = batch.rows[row % 2 === 0 ? row + 1 : row - 1];
    expect(nodes[leaf].parent).toBe(nodes[other.leaf].parent);
    const values = only(events, 'credit')[0].trees[prompt].values!;
    if (row % 2 === 0) expect(values[leaf]).toBeGreaterThan(values[other.leaf]);
  });
  expect(policies[1].calls).toEqual(['score']);
});

test('DialTree does not push words of the grammar down', async () => {
  const { policies } = await playedRun(configOf('dialtree'), { skill: () => 0.7 });
  const [{ batch }] = policies[0].updates;
  const advantages = [...batch.advantage].map((advantage, s) => ({
    advantage,
    grammar: environment.formatTokens.some(
      (token) => token === batch.tokens[batch.predicted[batch.scored[s]]],
    ),
  }));
  expect(Math.min(...advantages.filter(({ grammar }) => grammar).map(({ advantage }) => advantage))).toBe(0);
  expect(
    Math.min(...advantages.filter(({ grammar }) => !grammar).map(({ advantage }) => advantage)),
  ).toBeLessThan(0);
});
