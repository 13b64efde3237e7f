/**
 * verifiers' results.jsonl up to 0.3.0: a rollout a line, `prompt` and `completion` as messages. With the state column
 * `trajectory`, ids and log-probs of each generation. prime-rl of 2026-04 writes the same rows in step_N/train_rollouts.jsonl.
 * Source: verifiers/legacy/types.py and utils/save_utils.py.
 */
import * as v from 'valibot';
import { perRow, stepOfPath, type Format } from '../format.ts';
import { anything, textOr, anyNumber, bitList, bits, given, idList, isMessages, isRecord, maybe, messages, name, numberList, rowsOfSteps, spansOf, tokensOf, type Step } from '../messages.ts'; // prettier-ignore
import { note, rewardOf, rollout, span, type Note, type Row } from '../rollout.ts';

const chat = textOr(messages);
const spansOfChat = (value: v.InferOutput<typeof chat>, author: 'user' | 'policy') =>
  typeof value === 'string' ? [span(author, value)] : spansOf(value);

const tokens = v.looseObject({
  ...{ prompt_ids: idList, completion_ids: idList, completion_mask: maybe(bitList) },
  completion_logprobs: maybe(numberList),
});
const step = v.looseObject({
  ...{ prompt: chat, completion: chat, tokens: maybe(tokens) },
  ...{ reward: maybe(anyNumber), advantage: maybe(anyNumber) },
});

const row = v.looseObject({
  ...{ prompt: chat, completion: chat, reward: anything },
  ...{
    example_id: maybe(name),
    id: maybe(name),
    task: anything,
    answer: anything,
    error: anything,
  },
  ...{ is_truncated: maybe(v.boolean()), advantage: maybe(anyNumber), trajectory: maybe(v.array(step)) },
});

/** A step's completion is one generation as a rule; what it holds beside that is read before the next one. */
function stepOf({
  prompt,
  completion,
  tokens: known,
  reward = null,
  advantage = null,
}: v.InferOutput<typeof step>): Step {
  const spans = spansOfChat(completion, 'policy');
  const said = spans.find(({ author }) => author === 'policy') ?? span('policy', '');
  const counted = known && tokensOf({ ids: known.completion_ids, mask: bits(known.completion_mask ?? known.completion_ids.map(() => true)), logProbs: known.completion_logprobs ?? null }); // prettier-ignore
  return {
    context: spansOfChat(prompt, 'user'),
    turn: { ...said, tokens: counted ?? null, reward, advantage },
    contextIds: known?.prompt_ids ?? null,
  };
}

/** What a completion ends with after its last turn is in no step's prompt. */
function withTail(rows: readonly Row[], completion: v.InferOutput<typeof chat>): readonly Row[] {
  const spans = spansOfChat(completion, 'policy');
  const tail = spans.slice(spans.findLastIndex(({ author }) => author === 'policy') + 1);
  return rows.map((each, at) => (at === rows.length - 1 ? { spans: [...each.spans, ...tail] } : each));
}

const failureOf = (error: unknown): readonly Note[] =>
  error === null || error === undefined || error === '' ? [] : [note('failed', `a rollout failed: ${typeof error === 'string' ? error : JSON.stringify(error)}`)]; // prettier-ignore

export const verifiersResults: Format = {
  name: 'verifiers-results',
  title: 'verifiers results.jsonl',
  recognise(value) {
    if (!isRecord(value) || !('prompt' in value && 'completion' in value)) return null;
    const isChat =
      isMessages(value.completion) || (Array.isArray(value.completion) && value.completion.length === 0);
    const [key] = ['example_id', 'id'].filter((each) => each in value);
    if (key === undefined || !(isChat || typeof value.completion === 'string')) return null;
    const version = Array.isArray(value.trajectory)
      ? '≤ 0.3.0, with trajectory'
      : key === 'id'
        ? 'early'
        : '≤ 0.3.0';
    return { version, why: `prompt, completion and ${key} are there` };
  },
  open: perRow(row, (read, place) => {
    const { prompt, completion, trajectory } = read;
    const spans = [...given(spansOfChat(prompt, 'user')), ...spansOfChat(completion, 'policy')];
    const rows = trajectory?.length ? withTail(rowsOfSteps(trajectory.map(stepOf)), completion) : [{ spans }];
    const { reward, notes } = rewardOf(read.reward);
    const by = read.example_id !== undefined && read.example_id !== null ? 'example_id' : 'id';
    return [
      rollout(place, rows, {
        group: { key: String(read[by] ?? ''), by },
        step: stepOfPath(place.path),
        dataset: typeof read.task === 'string' ? read.task : '',
        ...{ reward, advantage: read.advantage ?? null, ending: read.is_truncated ? 'length' : 'unknown' },
        answer: typeof read.answer === 'string' && read.answer !== '' ? read.answer : null,
        notes: [...notes, ...failureOf(read.error)],
      }),
    ];
  }),
};
