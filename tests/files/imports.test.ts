/** Every format's fixture, and what a correct import of it says. Counts of the samples are those of their README. */
import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { isTurn, type Rollout } from '../../src/files/rollouts/rollout.ts';
import type { Summary } from '../../src/files/rollouts/tally.ts';
import { mergesOf, segmentsOf, treeOf } from '../../src/files/rollouts/trees.ts';
import { groupKeyOf } from '../../src/files/rollouts/tally.ts';
import { formats } from '../../src/files/rollouts/formats/index.ts';
import { importFixture, IMPORTS } from '../support/imports.ts';

type Counts = Pick<Summary, 'format' | 'tier' | 'rollouts' | 'rows' | 'groups' | 'turns' | 'observations' | 'calls' | 'rewards' | 'merges'> & { readonly lints: readonly string[] }; // prettier-ignore

const counts = (
  [format, tier]: readonly [string, Counts['tier']],
  [rollouts, rows, groups]: readonly [number, number, number],
  [turns, observations, calls]: readonly [number, number, number],
  rewards: readonly (number | null)[],
  merges = 0,
  lints: readonly string[] = [],
): Counts => ({
  ...{ format, tier, rollouts, rows, groups, turns, observations, calls, rewards, merges, lints },
});

/** Format and tier; rollouts, rows, groups; turns, observations, calls; rewards; merges; lints. */
const WANTED: Readonly<Record<string, Counts>> = {
  // Samples of others.
  'verl_doc_multiturn.jsonl': counts(['verl', 'A'], [1, 1, 1], [2, 1, 1], [0]),
  'verifiers_wordle_results.jsonl': counts(['verifiers-results', 'A'], [9, 9, 3], [43, 43, 0], [2.15, 1.75, 1.7428571429, 1.9428571429, 2.1428571429, 1.8666666667, 1.85, 2.2, 0.7828571429]), // prettier-ignore
  'verifiers_v1_episodes.jsonl': counts(['verifiers-v1', 'A'], [3, 3, 2], [3, 3, 3], [1.2, 1.2, 0.2], 0, ['reward-not-run', 'mixed-group', 'failed']), // prettier-ignore
  'nemo_gym_math_with_code.jsonl': counts(['nemo-gym', 'A'], [4, 4, 4], [17, 13, 13], [1, 0, 0, 0]),
  'inspect_browser.json': counts(['inspect', 'A'], [1, 1, 1], [5, 4, 4], [1], 0, ['reward-mapped']),
  // Written from the writers' code.
  verl_0_6: counts(['verl', 'A'], [6, 6, 3], [10, 4, 4], [1, 0.5, 0, 1, 1, null], 2, ['boundary-guessed', 'reward-not-a-number']), // prettier-ignore
  'verl_0_9_train.jsonl': counts(['verl', 'A'], [2, 3, 1], [4, 1, 1], [1, 0], 0, ['several-rows']),
  'verl_0_9_val.jsonl': counts(['verl', 'A'], [1, 1, 1], [1, 0, 0], [1]),
  'atpo_dump.jsonl': counts(['verl', 'A'], [4, 4, 2], [9, 5, 5], [1, -1, 0, 1], 2),
  'hotpot_output_1.json': counts(['arpo-eval', 'A'], [2, 2, 2], [3, 1, 1], [null, null]),
  'search_r1_case.txt': counts(['chatml-text', 'A'], [1, 1, 1], [2, 1, 1], [null]),
  'verl_mlflow.jsonl': counts(['verl-mlflow', 'B'], [2, 2, 1], [4, 2, 2], [1, 0], 1),
  'verl_weave.jsonl': counts(['verl-weave', 'B'], [1, 1, 1], [2, 1, 0], [1]),
  'verl_trackio.jsonl': counts(['verl-trackio', 'A'], [1, 1, 1], [2, 1, 1], [0.5]),
  'verifiers_trajectory.jsonl': counts(['verifiers-results', 'A'], [2, 2, 1], [2, 1, 1], [1, null], 0, ['zero-log-prob', 'failed', 'no-turn']), // prettier-ignore
  prime_rl: counts(['verifiers-v1', 'C'], [2, 3, 1], [5, 3, 2], [1, 0], 1, [
    'policy-unmasked',
    'several-rows',
  ]),
  prime_rl_steps: counts(['verifiers-v1', 'B'], [2, 2, 1], [2, 0, 0], [0, 1]),
  trl: counts(['trl', 'A'], [4, 4, 2], [5, 1, 1], [1.5, 0.5, 1.5, 0.5], 0, ['reward-summed']),
  'ragen.jsonl': counts(['ragen', 'A'], [2, 2, 1], [4, 4, 0], [0.9, -1.6], 1),
  skyrl_evals: counts(['skyrl', 'A'], [2, 2, 1], [3, 1, 1], [1, 0]),
  rllm: counts(['rllm', 'A'], [2, 3, 1], [4, 1, 0], [1, 1], 0, ['ids-missing', 'several-rows']),
  'rllm_gateway.jsonl': counts(['rllm-gateway', 'B'], [1, 1, 1], [2, 1, 1], [null]),
  'agent_lightning_spans.jsonl': counts(['agent-lightning-spans', 'A'], [1, 1, 1], [2, 1, 0], [1], 0, ['ids-missing']), // prettier-ignore
  'agent_lightning_events.jsonl': counts(['agent-lightning-events', 'A'], [1, 1, 1], [2, 1, 1], [0.5]),
  'train_trajectories.jsonl.zip': counts(['agent-lightning-trajectories', 'A'], [1, 1, 1], [1, 0, 0], [1]),
  'nemo_gym_ids.jsonl': counts(['nemo-gym', 'B'], [2, 2, 1], [4, 2, 2], [1, 1], 1, ['equal']),
  'atropos.jsonl': counts(['atropos', 'B'], [2, 2, 1], [3, 1, 0], [1, -1]),
  'inspect_qa.eval': counts(['inspect-sample', 'A'], [3, 3, 1], [3, 0, 0], [1, 0, null], 0, ['reward-mapped', 'reward-not-a-number']), // prettier-ignore
  'tau_bench.json': counts(['tau-bench', 'A'], [2, 2, 1], [4, 4, 2], [1, 0]),
  'chat.jsonl': counts(['chat', 'A'], [2, 2, 1], [3, 1, 1], [null, null]),
  'chat_bare.json': counts(['chat', 'A'], [1, 1, 1], [2, 1, 1], [null]),
  'rollout_viz.jsonl': counts(['rollout-viz', 'A'], [2, 2, 1], [2, 0, 0], [0, 1]),
  'atif.json': counts(['atif', 'A'], [1, 1, 1], [2, 1, 1], [null]),
  'otel.json': counts(['otel', 'A'], [1, 1, 1], [2, 1, 1], [null], 0, ['no-reward']),
};

const countsOf = (summary: Summary): Counts => ({
  ...{ format: summary.format, tier: summary.tier, rollouts: summary.rollouts, rows: summary.rows },
  ...{
    groups: summary.groups,
    turns: summary.turns,
    observations: summary.observations,
    calls: summary.calls,
  },
  ...{ rewards: summary.rewards, merges: summary.merges, lints: summary.lints.map(({ kind }) => kind) },
});

const closely = (rewards: Counts['rewards']) => rewards.map((each) => (each === null ? null : expect.closeTo(each, 12) as unknown)); // prettier-ignore

test.each(Object.entries(WANTED))('%s is read as it was written', async (name, wanted) => {
  const { summary, rollouts } = await importFixture(name);
  expect(summary.refused).toEqual([]);
  expect(countsOf(summary)).toEqual({ ...wanted, rewards: closely(wanted.rewards) });
  const groups = new Map<string, Rollout[]>();
  for (const each of rollouts) groups.set(groupKeyOf(each), [...(groups.get(groupKeyOf(each)) ?? []), each]);
  const shown = [...groups.values()].flatMap((held) => mergesOf(treeOf(held))); // by the trees that views show
  expect(shown).toHaveLength(summary.merges);
  const leaves = [...toRecord(rollouts, { file: 'f', format: 'f' })].flatMap((event) => (event.kind === 'leaves' ? event.leaves : [])); // prettier-ignore
  expect(leaves).toHaveLength(summary.branches); // what the page opens has every row
});

test('every fixture is expected here, and every format has one', () => {
  const names = readdirSync(IMPORTS).filter((name) => !/README|\.py$/.test(name));
  expect(names.toSorted()).toEqual(Object.keys(WANTED).toSorted());
  const known = new Set(Object.values(WANTED).map(({ format }) => format));
  expect(formats.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
});

const turnsOf = (rollout: Rollout): number =>
  rollout.rows.reduce((sum, row) => sum + segmentsOf(row).length, 0);
const spansOf = (rollout: Rollout) => rollout.rows.flatMap(({ spans }) => spans);

describe('what the samples’ README states beyond counts', () => {
  const read = new Map<string, readonly Rollout[]>();
  beforeAll(async () => {
    for (const name of Object.keys(WANTED)) read.set(name, (await importFixture(name)).rollouts);
  });

  test('verl: the role line that opens the output is no content, the tool’s words are an observation', () => {
    const [rollout] = read.get('verl_doc_multiturn.jsonl')!;
    expect(rollout.step).toBe(1);
    expect(spansOf(rollout).map(({ author }) => author)).toEqual([
      'system',
      'user',
      'policy',
      'tool',
      'policy',
    ]);
    const [, , first, result, last] = spansOf(rollout);
    expect(first.text.startsWith('<think>\nOkay')).toBe(true);
    expect(first.calls.map(({ name }) => name)).toEqual(['code_interpreter']);
    expect([result.text, last.text.endsWith('#### 220000.0')]).toEqual(['220000.0', true]);
  });

  test('verifiers: turns of each rollout; the environment speaks as user', () => {
    const rollouts = read.get('verifiers_wordle_results.jsonl')!;
    expect(rollouts.map(turnsOf)).toEqual([3, 3, 6, 6, 6, 5, 3, 4, 7]);
    expect(new Set(rollouts.map((each) => spansOf(each).at(-1)?.author))).toEqual(new Set(['user']));
  });

  test('verifiers v1: advantages of the trainer, rewards that were not run, the failed episode', async () => {
    const { summary } = await importFixture('verifiers_v1_episodes.jsonl');
    expect(read.get('verifiers_v1_episodes.jsonl')!.map(({ advantage }) => advantage)).toEqual([0.5, -0.5, -0.5, null]); // prettier-ignore
    expect(summary.failed).toMatchObject([
      { line: 3, text: expect.stringContaining('TimeoutError') as string },
    ]);
    expect([summary.tokens, summary.tierWords]).toEqual([12, expect.stringContaining('ids + mask only')]);
  });

  test('NeMo Gym: a turn is the run of items between outputs', () => {
    const rollouts = read.get('nemo_gym_math_with_code.jsonl')!;
    expect(rollouts.map(turnsOf)).toEqual([2, 1, 5, 9]);
    const opening = spansOf(rollouts[3]).find(isTurn)!;
    expect([opening.calls.length, opening.text.startsWith('<tool_call>')]).toEqual([1, true]);
  });

  test('Inspect: references to attachments are resolved, letters are mapped and said so', () => {
    const [rollout] = read.get('inspect_browser.json')!;
    expect(spansOf(rollout).some(({ text }) => text.includes('attachment://'))).toBe(false);
    expect(rollout.notes.map(({ text }) => text)).toEqual(['includes says C: read as 1']);
    expect(read.get('inspect_qa.eval')!.map((each) => spansOf(each)[1].text)).toEqual([
      'London',
      'London',
      'London',
    ]);
  });

  test('steps come from fields and from names, groups from ids where there are any', () => {
    const stepsOf = (name: string) => read.get(name)!.map(({ step }) => step);
    expect(stepsOf('verl_0_6')).toEqual([7, 7, 7, 7, 10, 10]);
    expect(stepsOf('trl')).toEqual([12, 12, 12, 12]);
    expect(stepsOf('skyrl_evals')).toEqual([20, 20]);
    expect(stepsOf('train_trajectories.jsonl.zip')).toEqual([3]);
    expect(stepsOf('prime_rl')).toEqual([4, 4]);
    expect(read.get('tau_bench.json')!.map(({ group }) => group)).toEqual([{ key: '0', by: 'task_id' }, { key: '0', by: 'task_id' }]); // prettier-ignore
    expect(read.get('trl')!.map(({ group }) => group.by)).toEqual([null, null, null, null]);
  });

  test('ids, masks and log-probabilities stand at their turns', () => {
    const tokens = (name: string) => spansOf(read.get(name)![0]).filter(isTurn).map((each) => each.tokens); // prettier-ignore
    expect(tokens('verl_mlflow.jsonl')).toMatchObject([{ ids: [10, 11], logProbs: [-0.5, -0.25] }, { ids: [12, 13], logProbs: [-1, -0.125] }]); // prettier-ignore
    expect(tokens('atropos.jsonl')).toMatchObject([{ ids: [3], logProbs: [-0.5] }, { ids: [5, 6] }]);
    expect(tokens('rllm_gateway.jsonl')).toMatchObject([{ ids: [3, 4] }, { ids: [7], logProbs: [-1] }]);
    expect(spansOf(read.get('rllm_gateway.jsonl')![0])[2].tokens).toMatchObject({ ids: [5, 6], mask: [false, false] }); // prettier-ignore
    expect(tokens('inspect_qa.eval')).toMatchObject([{ pieces: ['Lon', 'don'], logProbs: [-0.5, -0.25], ids: null }]); // prettier-ignore
  });

  test('prime-rl’s annotations are folded: the later record of a trace wins, and numbers stand at their tokens', () => {
    const [one, two] = read.get('prime_rl')!;
    expect([one.advantage, two.advantage]).toEqual([0.5, -0.5]);
    const [first, last] = spansOf(one).filter(isTurn);
    expect(first.tokens).toMatchObject({ logProbs: [-0.5, -0.25], trainerLogProbs: [-0.5, -0.5], advantages: [0.5, 0.5], entropies: [1, 1] }); // prettier-ignore
    expect(last.tokens).toMatchObject({ ids: [7, 8], trainerLogProbs: [-1, -0.5] });
    expect(two.rows.map(({ spans }) => spans.at(-1)?.text)).toEqual(['London', 'Paris']);
    expect(two.rows.map(({ spans }) => spans.at(-1)?.tokens?.mask)).toEqual([[true], [false]]); // the trainer left it out
  });

  test('rewards and advantages of turns are kept', () => {
    const rewards = (name: string) => spansOf(read.get(name)![0]).filter(isTurn).map((each) => each.reward); // prettier-ignore
    expect(rewards('ragen.jsonl')).toEqual([1, -0.1]);
    expect(rewards('verifiers_trajectory.jsonl')).toEqual([0.25, 0.75]);
    expect(rewards('rllm')).toEqual([0, 1]);
    expect(read.get('trl')!.map(({ advantage }) => advantage)).toEqual([0.7, -0.7, 0.7, -0.7]);
  });

  test('a session of several rows is one rollout, a context that was rewritten begins a row', () => {
    expect(read.get('verl_0_9_train.jsonl')!.map(({ rows }) => rows.length)).toEqual([2, 1]);
    expect(read.get('rllm')!.map(({ rows }) => rows.length)).toEqual([1, 2]);
  });
});
