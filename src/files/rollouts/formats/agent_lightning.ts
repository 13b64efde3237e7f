/**
 * Agent Lightning: spans of 0.3 (a generation or a reward each), events of 1.0, and its trajectories (wandb artifact
 * step_N/train_trajectories.jsonl).
 * Sources: microsoft/agent-lightning v0.3.0 types/tracer.py and emitter; c632d8dd (1.0.0).
 */
import * as v from 'valibot';
import { perKey, perRow, stepOfPath, type Format } from '../format.ts';
import { asText, anything, idList, isRecord, maybe, message, name, rowsOfSteps, spanOf, spansOf, tokensOf, type Message, type Step } from '../messages.ts'; // prettier-ignore
import { rewardOf, rollout } from '../rollout.ts';
import { splitPrompt, splitResponse, turn } from '../text.ts';

export type Attributes = Readonly<Record<string, unknown>>;

/** `gen_ai.prompt.N.role` and `.content` to messages, in the order of N. */
function numbered(attributes: Attributes, prefix: string): readonly Message[] {
  const found = new Map<number, Record<string, unknown>>();
  for (const [key, value] of Object.entries(attributes)) {
    const [, at, field] =
      new RegExp(`^${prefix}\\.(\\d+)\\.(role|content|reasoning_content)$`).exec(key) ?? [];
    if (at === undefined) continue;
    found.set(Number(at), { ...found.get(Number(at)), [field]: value });
  }
  const ordered = [...found].toSorted(([one], [other]) => one - other);
  return ordered.map(([, each]) => ({
    role: asText(each.role ?? 'assistant'),
    content: asText(each.content),
  }));
}

export const listOf = (value: unknown): readonly unknown[] | null => {
  const opened: unknown = typeof value === 'string' ? parsed(value) : value;
  return Array.isArray(opened) ? opened : null;
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const idsOf = (value: unknown): readonly number[] | null => {
  const list = v.safeParse(idList, listOf(value));
  return list.success && list.output.length > 0 ? list.output : null;
};

/** OpenAI's logprobs.content: objects with logprob; or numbers. */
const logProbsOf = (value: unknown): readonly (number | null)[] | null =>
  listOf(value)?.map((each) => (typeof each === 'number' ? each : isRecord(each) && typeof each.logprob === 'number' ? each.logprob : null)) ?? null; // prettier-ignore

const counted = (ids: readonly number[] | null, logProbs: readonly (number | null)[] | null) =>
  tokensOf({ ids, mask: ids?.map(() => true) ?? null, logProbs: ids && logProbs?.length !== ids.length ? null : logProbs }); // prettier-ignore

const spanRow = v.looseObject({
  ...{
    rollout_id: v.string(),
    attempt_id: maybe(v.string()),
    sequence_id: maybe(v.number()),
    name: v.string(),
  },
  attributes: v.looseObject({}),
});
type SpanRow = v.InferOutput<typeof spanRow>;

function stepOfSpan({ attributes }: SpanRow): Step | null {
  const answers = numbered(attributes, 'gen_ai\\.completion');
  const ids = idsOf(attributes.response_token_ids);
  if (answers.length === 0 && !ids) return null;
  const said = answers.length > 0 ? spanOf({ ...answers[0], role: 'assistant' }) : turn('');
  const tokens = counted(ids, logProbsOf(attributes['logprobs.content']));
  return {
    context: spansOf(numbered(attributes, 'gen_ai\\.prompt')),
    ...{ turn: { ...said, tokens }, contextIds: idsOf(attributes.prompt_token_ids) },
  };
}

/** The last reward that a rollout was given. */
const lastReward = (values: readonly unknown[]): ReturnType<typeof rewardOf> => rewardOf(values.at(-1));

const rewardsOfSpan = ({ attributes }: SpanRow): readonly unknown[] =>
  Object.entries(attributes).flatMap(([key, value]) => (/^(?:agentlightning\.)?reward(?:\.\d+\.value)?$/.test(key) ? [value] : [])); // prettier-ignore

export const lightningSpans: Format = {
  name: 'agent-lightning-spans',
  title: 'Agent Lightning spans',
  recognise: (value) =>
    isRecord(value) && 'rollout_id' in value && isRecord(value.attributes)
      ? { version: '0.3', why: 'rollout_id and attributes are there' }
      : null,
  open: perKey(spanRow, ({ rollout_id, attempt_id }) => `${rollout_id}/${attempt_id ?? ''}`, (rows, place) => {
    const ordered = rows.toSorted((one, other) => (one.sequence_id ?? 0) - (other.sequence_id ?? 0));
    const steps = ordered.flatMap((each) => stepOfSpan(each) ?? []);
    return [rollout(place, rowsOfSteps(steps), { id: rows[0].rollout_id, ...lastReward(ordered.flatMap(rewardsOfSpan)) })]; // prettier-ignore
  }), // prettier-ignore
};

const event = v.looseObject({
  ...{ event_type: v.string(), rollout_id: v.string(), attempt_id: maybe(v.string()) },
  ...{ timestamp: maybe(v.union([v.number(), v.string()])), data: maybe(v.looseObject({})) },
});
type Event = v.InferOutput<typeof event>;

function stepOfEvent({ data }: Event): Step | null {
  const request = isRecord(data?.request) ? data.request : {};
  const response = isRecord(data?.response) ? data.response : {};
  const choice: unknown = Array.isArray(response.choices) ? response.choices[0] : null;
  if (!isRecord(choice)) return null;
  const asked = v.safeParse(v.array(message), request.messages);
  const answer = v.safeParse(message, choice.message);
  const logProbs = isRecord(choice.logprobs) ? logProbsOf(choice.logprobs.content) : null;
  return {
    context: spansOf(asked.success ? asked.output : []),
    turn: { ...(answer.success ? spanOf({ ...answer.output, role: 'assistant' }) : turn('')), tokens: counted(idsOf(choice.token_ids ?? response.response_token_ids), logProbs) }, // prettier-ignore
    contextIds: idsOf(response.prompt_token_ids),
  };
}

export const lightningEvents: Format = {
  name: 'agent-lightning-events',
  title: 'Agent Lightning events',
  recognise: (value) =>
    isRecord(value) && 'event_type' in value && 'rollout_id' in value
      ? { version: '1.0', why: 'event_type and rollout_id are there' }
      : null,
  open: perKey(event, ({ rollout_id, attempt_id }) => `${rollout_id}/${attempt_id ?? ''}`, (rows, place) => {
    const steps = rows.flatMap((each) => (each.event_type === 'model_request' ? (stepOfEvent(each) ?? []) : []));
    const rewards = rows.flatMap(({ event_type, data }) => (event_type === 'reward' ? [data?.reward ?? data?.value] : [])); // prettier-ignore
    return [rollout(place, rowsOfSteps(steps), { id: rows[0].rollout_id, ...lastReward(rewards) })];
  }), // prettier-ignore
};

const trajectory = v.looseObject({
  rollout_id: name,
  reward: anything,
  prompt: v.string(),
  response: v.string(),
});

export const lightningTrajectories: Format = {
  name: 'agent-lightning-trajectories',
  title: 'Agent Lightning trajectories',
  recognise: (value) =>
    isRecord(value) &&
    'rollout_id' in value &&
    typeof value.prompt === 'string' &&
    typeof value.response === 'string'
      ? { version: '1.0', why: 'rollout_id, prompt and response are there' }
      : null,
  open: perRow(trajectory, ({ rollout_id, reward, prompt, response }, place, { delimiters }) => [
    rollout(place, [{ spans: [...splitPrompt(prompt), ...splitResponse(response, delimiters)] }], {
      ...{ id: String(rollout_id), ...rewardOf(reward), step: stepOfPath(place.path) },
    }),
  ]),
};
