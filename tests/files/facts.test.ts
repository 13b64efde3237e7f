/** What rollouts of a file say beside their trees: in the record, and through its log. */
import { expect, test } from 'vitest';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { rowsOfSteps, type Step } from '../../src/files/rollouts/messages.ts';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { NO_TOKENS, span } from '../../src/files/rollouts/rollout.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import type { RolloutFacts } from '../../src/units.ts';
import { importFixture, importText } from '../support/imports.ts';

async function factsIn({
  rollouts,
}: Awaited<ReturnType<typeof importFixture>>): Promise<readonly RolloutFacts[]> {
  // prettier-ignore
  const written = await writeRecording(toRecord(rollouts, { file: 'x', format: 'f' }));
  const events: RunEvent[] = [];
  for await (const event of readRecording(new Blob([written]))) events.push(event); // its guard has passed them
  return events.flatMap((event) => (event.kind === 'rollout-facts' ? event.rollouts : []));
}

test('prime-rl: both log-probabilities, what the trainer left out, rows that share a turn once', async () => {
  const [one, two] = await factsIn(await importFixture('prime_rl'));
  expect(one.turns.map(({ sampler, trainer }) => [sampler, trainer])).toEqual([
    [[-0.5, -0.25], [-0.5, -0.5]],
    [[-1, -0.5], [-1, -0.5]],
  ]); // prettier-ignore
  expect([one.rows, two.rows, two.reward, two.advantage]).toEqual([1, 2, 0, -0.5]);
  expect(two.turns.map(({ node, state, index, written }) => [node, state, index, written])).toEqual([
    [1, 0, 0, { tokens: 2, inLoss: 2 }],
    [3, 1, 1, { tokens: 1, inLoss: 1 }],
    [4, 2, 1, { tokens: 1, inLoss: 0 }], // is_masked
  ]);
  expect(one.place).toBe('prime_rl/traces/stream/00000.jsonl:1 (t1)');
});

test('rewards of turns, and contexts that hold the tokens as they were sampled', async () => {
  const [{ turns }] = await factsIn(await importFixture('verifiers_trajectory.jsonl'));
  expect(turns.map(({ reward }) => reward)).toEqual([0.25, 0.75]);
  expect(turns[0].boundary).toBeNull();
  expect(turns[1].boundary).toEqual({ at: null, length: 4, inTurn: false, sameText: true, sampled: [], rendered: [] }); // prettier-ignore
  const ragen = await factsIn(await importFixture('ragen.jsonl'));
  expect(ragen.map((each) => each.turns.map(({ reward }) => reward))).toEqual([[1, -0.1], [-1.5, -0.1]]); // prettier-ignore
});

test('text alone says nothing of tokens', async () => {
  const facts = await factsIn(await importFixture('verl_0_6'));
  for (const { turns } of facts)
    for (const { read, written, hasIds, sampler, trainer, boundary } of turns)
      expect([read, written, hasIds, sampler, trainer, boundary]).toEqual([null, null, false, null, null, null]); // prettier-ignore
});

const ids = (list: readonly number[]) => ({ ...NO_TOKENS, ids: list });
const first: Step = { context: [span('user', 'Add.')], turn: span('policy', '5 + 6', { tokens: ids([3, 4]) }), contextIds: [1, 2] }; // prettier-ignore
const then = (contextIds: readonly number[] | null, said = '5 + 6', more: Partial<Step> = {}): Step => ({
  context: [span('user', 'Add.'), span('assistant', said), span('tool', '11')],
  ...{ turn: span('policy', '11', { tokens: ids([9]) }), contextIds, ...more },
});
const boundaryOf = (step: Step) => rowsOfSteps([first, step]).at(-1)!.spans.at(-1)!.boundary;

test('a context that tokenises a turn anew is told by its first other token', () => {
  expect(boundaryOf(then([1, 2, 3, 4, 7]))).toMatchObject({ at: null, length: 4 });
  expect(boundaryOf(then([1, 2, 3, 5, 7]))).toEqual({ at: 3, length: 4, inTurn: true, sameText: true, sampled: [2, 3, 4], rendered: [2, 3, 5, 7] }); // prettier-ignore
  expect(boundaryOf(then([1, 8, 3, 4, 7]))).toMatchObject({ at: 1, inTurn: false }); // the prompt was rendered anew
  expect(boundaryOf(then([1, 2, 3]))).toMatchObject({ at: 3, inTurn: true, rendered: [2, 3] }); // it ends too soon
  expect(boundaryOf(then([1, 2, 6, 7], 'Six.'))).toMatchObject({ at: 2, sameText: false });
});

test('nothing is compared where there are no ids, or where the file holds what a context adds', () => {
  expect(boundaryOf(then(null))).toBeNull();
  expect(boundaryOf(then([1, 2, 3, 5], '5 + 6', { isDelta: true }))).toBeNull();
});

test('a mask that is inverted is counted as the file has it', async () => {
  const row = (mask: readonly number[]) =>
    JSON.stringify({ version: 1, id: 'a', nodes: [{ message: { role: 'user', content: 'q' }, sampled: false, token_ids: [1, 2], mask: mask.slice(0, 2) }, { parent: 0, message: { role: 'assistant', content: 'a' }, sampled: true, token_ids: [3], mask: mask.slice(2), logprobs: [-1] }], rewards: { r: { score: 1, weight: 1 } } }); // prettier-ignore
  const counts = async (mask: readonly number[]) =>
    (await factsIn(await importText(row(mask))))[0].turns.map(({ read, written }) => [read, written])[0];
  expect(await counts([0, 0, 1])).toEqual([{ tokens: 2, inLoss: 0 }, { tokens: 1, inLoss: 1 }]); // prettier-ignore
  expect(await counts([1, 1, 0])).toEqual([{ tokens: 2, inLoss: 2 }, { tokens: 1, inLoss: 0 }]); // prettier-ignore
});
