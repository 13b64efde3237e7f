/** Questions about rollouts, asked of our own runs and of files: the same arithmetic on both. */
import { expect, test } from 'vitest';
import { writeRecording, readRecording } from '../../src/files/recording.ts';
import { importFiles } from '../../src/files/rollouts/import.ts';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { factsOfUpdate } from '../../src/store/questions/own_facts.ts';
import { answersOf, stepsOfUse, toolUseOf } from '../../src/store/questions/questions.ts';
import type { RunState } from '../../src/store/record/run_state.ts';
import * as words from '../../src/ui/questions/words.ts';
import { episodes, stepFiles, trajectories } from '../support/questioned_files.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

async function opened(files: readonly { path: string; text: string }[]): Promise<RunState> {
  const blobs = files.map(({ path, text }) => ({ path, blob: new Blob([text]) }));
  const { rollouts, summary } = await importFiles(blobs);
  const lab = createLab(() => undefined, '', readRecording);
  const counted = { summary, choices: { format: null, delimiters: null, reward: null, group: null } };
  const written = await writeRecording(toRecord(rollouts, { file: 'rollouts.jsonl', format: 'f', counted }));
  await lab.shelf.open(Object.assign(new Blob([written]), { name: 'rollouts.jsonl' }));
  return lab.shelf.getState().runs[0].record.getState();
}
const answered = async (text: string) => {
  const { updates, header } = await opened([{ path: 'rollouts.jsonl', text }]);
  return answersOf(updates[0], header!);
};

test('of our own run: a rollout a leaf, its tokens under the loss and both log-probabilities as the log has them', async () => {
  const lab = await scriptedLab();
  const { update, tree } = liveTree(lab);
  const { header } = lab.run.getState();
  const rollouts = factsOfUpdate(update, header!);
  expect(rollouts.map(({ prompt, leaf }) => [prompt, leaf])).toEqual(update.trees.flatMap(({ prompt, leaves }) => leaves.map((leaf) => [prompt.index, leaf]))); // prettier-ignore
  const rows = update.minibatches.flatMap((each) => each.rows);
  for (const row of rows) {
    const { turns } = rollouts.find(({ prompt, leaf }) => prompt === row.prompt && leaf === row.leaf)!;
    expect(turns.flatMap(({ trainer }) => trainer)).toEqual([...row.oldLogProb]);
    expect(turns.reduce((sum, { written }) => sum + written!.inLoss!, 0)).toBe(row.tokenIndex.length);
    expect(turns.map(({ read }) => read!.inLoss)).toEqual(turns.map(() => 0));
  }
  const [own] = rollouts;
  const leaf = tree.nodes[own.leaf]!;
  const path = own.turns.map(({ node }) => update.trees[own.prompt].nodes[node]!);
  expect(own.turns.flatMap(({ sampler }) => sampler)).toEqual(path.flatMap(({ logProb, mask }) => logProb!.filter((_, at) => mask[at] === 1))); // prettier-ignore
  expect([own.calls, own.turns.reduce((sum, { calls }) => sum + calls, 0)]).toEqual([leaf.callCount, leaf.callCount]); // prettier-ignore
  const answers = answersOf(update, header!);
  expect(answers.masks.filter(({ tokens }) => tokens > 0).map(({ fault }) => fault)).not.toContain('read-in-loss'); // prettier-ignore
  expect(answers.losses).toEqual(update.minibatches.map(({ loss }) => loss));
  expect(words.boundaryWords(answers)).toMatch(/^No: tokens go in as they came out/);
  expect(stepsOfUse(lab.run.getState())[0]).toEqual({ step: 1, update: 1, calls: update.metrics!.toolCalls, reward: update.metrics!.meanReward }); // prettier-ignore
});

test('words of a file with dead groups, and of one that nearly has them', async () => {
  const group = (name: string, rewards: readonly number[]) => rewards.map((reward) => ({ group: name, reward })); // prettier-ignore
  const dead = await answered(episodes([...group('a', [1, 1]), ...group('b', [0, 0])]));
  expect(words.learningWords(dead)).toBe('Nothing is learnt from the rewards: in 2 of 2 groups all rollouts earned the same, so every advantage is 0.'); // prettier-ignore
  const nearly = await answered(episodes([...group('a', [1, 1]), ...group('b', [0, 0.001])]));
  // Two advantages of 1/√2 in one of two groups: a mean of 0.3536, less 1e-6 over the deviation of 0.0007.
  expect(words.learningWords(nearly)).toMatch(/^Something is learnt: 1 of 2 groups have rewards that differ; GRPO’s advantages there have a mean \|A\| of 0\.353\./); // prettier-ignore
  expect(words.groupSum(nearly.silence.groups[0])[2]).toBe('loss at ratio 1, over rollouts: −(0.00 0.00) / 2 = 0.000'); // prettier-ignore
  expect(words.groupSum(nearly.silence.groups[1])[4]).toBe('what pushes: (0.71 + 0.71) / 2 = 0.706');
});

test('a group of one is neither dead nor of rewards that differ', async () => {
  const lone = (reward: number) => answered(episodes([{ group: 'a', reward }]));
  expect(words.learningWords(await lone(0))).toBe('Nothing is learnt from the rewards: 1 of 1 groups have one rollout, whose reward GRPO takes for its advantage: 0, so every advantage is 0.'); // prettier-ignore
  expect(words.learningWords(await lone(1))).toMatch(/^Something is learnt: 1 of 1 groups have one rollout, whose reward GRPO takes for its advantage; .*−mean A; of a group of several they add up to 0\./); // prettier-ignore
});

test('words for what a file does not say name the field, and what to switch on', async () => {
  const { updates, header } = await opened(stepFiles([1]));
  const answers = answersOf(updates[0], header!);
  expect(words.maskWords(answers)).toMatch(
    /^Unknown: the file has no token ids\. Switch on: actor_rollout_ref\.rollout\.trace\.backend=mlflow/,
  );
  expect(words.boundaryWords(answers)).toMatch(/^Unknown: the file does not hold the ids of a turn’s whole context/); // prettier-ignore
  expect(words.mismatchWords(answers)).toMatch(/^Unknown: the file has no log-probabilities\. Switch on: /);
  expect(words.toolUseWords(toolUseOf({ updates, header }))).toMatch(/^Unknown: there are fewer than three steps/); // prettier-ignore
  // Of the trainer that wrote the file, where it is known what that one writes; else of those that are.
  for (const [format, lack, own] of [
    ['verl', 'trainer', 'the recorder of the verl folder'],
    ['verifiers-v1', 'trainer', 'prime-rl 0.9.1'],
    ['rllm', 'contexts', 'Step.to_dict with prompt_ids'],
    ['inspect', 'sampler', '--logprobs in inspect eval'],
    ['otel', 'sampler', 'verl, rollout.calculate_log_probs=True'],
  ] as const) {
    // prettier-ignore
    const asked = { ...answers, format, hasSampler: lack === 'trainer' };
    expect(lack === 'contexts' ? words.boundaryWords(asked) : words.mismatchWords(asked)).toContain(`Switch on: ${own}`); // prettier-ignore
  }
  const sampled = await answered(trajectories([{ rewards: [0, 1], tool: '11' }, { rewards: [1, 0], tool: '11' }])); // prettier-ignore
  expect(words.mismatchWords(sampled)).toMatch(/^Unknown: the file has no log-probabilities of the trainer/);
});

test('files of many steps: calls and reward of each, and where they decline', async () => {
  const run = await opened(stepFiles([3, 3, 3, 3, 2, 1, 0, 0, 0]));
  expect(stepsOfUse(run).map(({ calls }) => calls)).toEqual([3, 3, 3, 3, 2, 1, 0, 0, 0]);
  expect(stepsOfUse(run)[4].reward).toBeCloseTo(0.45, 12);
  const use = toolUseOf(run)!;
  expect([use.trend, use.declinesFrom?.step]).toEqual(['collapsed', 5]);
});
