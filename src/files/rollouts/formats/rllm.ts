/**
 * rLLM's episodes, one JSON file an episode, whose steps repeat the whole conversation; and the traces of its model gateway,
 * one generation a row. Sources: rllm/utils/episode_logger.py, rllm/types.py (`Step.to_dict`), 9beb6e0f;
 * rllm_model_gateway/models.py (`TraceRecord`).
 */
import * as v from 'valibot';
import { perKey, perRow, stepOfPath, type Format } from '../format.ts';
import { anything, anyNumber, idList, isRecord, maybe, message, messages, numberList, rowsOfSteps, spanOf, spansOf, tokensOf, type Step } from '../messages.ts'; // prettier-ignore
import { rewardOf, rollout, span } from '../rollout.ts';
import { turn } from '../text.ts';

const step = v.looseObject({
  ...{ observation: anything, model_response: maybe(v.string()), chat_completions: maybe(messages) },
  ...{ reward: maybe(anyNumber), advantage: anything, logprobs: maybe(numberList) },
  ...{ prompt_ids: maybe(idList), response_ids: maybe(idList) },
});
const trajectory = v.looseObject({
  name: maybe(v.string()),
  uid: maybe(v.string()),
  reward: anything,
  steps: v.array(step),
});
const episode = v.looseObject({
  ...{
    episode_id: maybe(v.string()),
    id: maybe(v.string()),
    task_hash: maybe(v.string()),
    task: anything,
  },
  ...{
    training_step: maybe(v.number()),
    termination_reason: maybe(v.string()),
    trajectories: v.array(trajectory),
  },
});

function countedTokens(
  ids: readonly number[] | null | undefined,
  logProbs: readonly (number | null)[] | null | undefined,
) {
  return ids ? tokensOf({ ids, mask: ids.map(() => true), logProbs: logProbs ?? null }) : null;
}

const observed = (value: unknown): string =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/** The conversation of a step ends with its own turn; where there is none, its observation and its response stand for it. */
function stepOf(read: v.InferOutput<typeof step>): Step {
  const spans = spansOf(read.chat_completions ?? []);
  const last = spans.findLastIndex(({ author }) => author === 'policy');
  const [context, said] =
    last >= 0 ? [spans.slice(0, last), spans[last]] : [spans.length > 0 ? spans : [span('user', observed(read.observation))], turn(read.model_response ?? '')]; // prettier-ignore
  const advantage =
    typeof read.advantage === 'number' && Number.isFinite(read.advantage) ? read.advantage : null;
  const tokens = countedTokens(read.response_ids, read.logprobs);
  return {
    context,
    turn: { ...said, tokens, reward: read.reward ?? null, advantage },
    contextIds: read.prompt_ids?.length ? read.prompt_ids : null,
  };
}

export const rllm: Format = {
  name: 'rllm',
  title: 'rLLM episodes',
  recognise(value) {
    if (!isRecord(value) || !Array.isArray(value.trajectories)) return null;
    const first: unknown = value.trajectories[0];
    const steps = isRecord(first) && Array.isArray(first.steps) ? (first.steps as unknown[]) : null;
    if (steps === null && value.trajectories.length > 0) return null;
    const hasIds = isRecord(steps?.[0]) && 'response_ids' in steps[0];
    return { version: hasIds ? 'steps with ids' : 'steps as text', why: 'trajectories with steps are there' };
  },
  open: perRow(episode, (read, place) => {
    const [id, hash] = [read.episode_id ?? read.id ?? '', read.task_hash];
    const task = /^(.*):[^:]*$/.exec(id)?.[1]; // task:index of the repeat
    const key = hash ?? task;
    return read.trajectories.map((each) => {
      const { reward, notes } = rewardOf(each.reward);
      const label = each.name ? `/${each.name}` : '';
      return rollout(place, rowsOfSteps(each.steps.map(stepOf)), {
        ...{
          id: each.uid ?? `${id}${label}`,
          reward,
          notes,
          step: read.training_step ?? stepOfPath(place.path),
        },
        ...(key && { group: { key: `${key}${label}`, by: hash ? 'task_hash' : 'episode_id' } }),
        ending: read.termination_reason && /LENGTH|MAX/i.test(read.termination_reason) ? 'length' : 'unknown',
      });
    });
  }),
};

const gatewayTrace = v.looseObject({
  ...{ session_id: v.string(), trace_id: v.string(), messages, response_message: anything },
  ...{ prompt_token_ids: maybe(idList), completion_token_ids: maybe(idList), logprobs: maybe(numberList) },
  ...{
    prompt_delta_token_ids: maybe(idList),
    parent_trace_id: maybe(v.string()),
    timestamp: maybe(anyNumber),
  },
});
type GatewayTrace = v.InferOutput<typeof gatewayTrace>;

/** A prompt that is stored as what it adds to the generation before it is put together again. */
function gatewaySteps(rows: readonly GatewayTrace[]): readonly Step[] {
  const sofar = new Map<string, readonly number[]>(); // by trace id: prompt and completion
  return rows
    .toSorted((one, other) => (one.timestamp ?? 0) - (other.timestamp ?? 0))
    .map((read) => {
      const before = read.parent_trace_id ? sofar.get(read.parent_trace_id) : undefined;
      const whole = read.prompt_delta_token_ids ? (before ? [...before, ...read.prompt_delta_token_ids] : null) : read.prompt_token_ids; // prettier-ignore
      const contextIds = whole?.length ? whole : null;
      if (contextIds) sofar.set(read.trace_id, [...contextIds, ...(read.completion_token_ids ?? [])]);
      const answer = v.safeParse(message, read.response_message);
      const said = answer.success ? spanOf({ ...answer.output, role: 'assistant' }) : turn('');
      const tokens = countedTokens(read.completion_token_ids, read.logprobs);
      const isDelta = Boolean(read.prompt_delta_token_ids);
      return { context: spansOf(read.messages), turn: { ...said, tokens }, contextIds, isDelta };
    });
}

export const rllmGateway: Format = {
  name: 'rllm-gateway',
  title: 'rLLM gateway traces',
  recognise: (value) =>
    isRecord(value) && 'session_id' in value && 'response_message' in value
      ? { version: '', why: 'session_id and response_message are there' }
      : null,
  open: perKey(gatewayTrace, ({ session_id }) => session_id, (rows, place) => [
    rollout(place, rowsOfSteps(gatewaySteps(rows)), { id: rows[0].session_id }),
  ]), // prettier-ignore
};
