/**
 * Formats whose rows are a conversation: OpenAI's chat JSONL, rollout_viz (7cff989f), tau-bench's lists, RAGEN's evaluation
 * (ragen/llm_agent/agent_proxy.py, 20daedc4), SkyRL's dumped evaluations (skyrl/train/utils/trainer_utils.py, a9564572).
 */
import * as v from 'valibot';
import { perRow, stepOfPath, type Format } from '../format.ts';
import {
  asText,
  anything,
  anyNumber,
  isMessages,
  isRecord,
  maybe,
  messages,
  name,
  spansOf,
} from '../messages.ts';
import { rewardOf, rollout, type Span } from '../rollout.ts';
import { splitPrompt, splitResponse } from '../text.ts';

const wholeOf = (value: unknown): number | null =>
  value !== null && value !== undefined && Number.isInteger(Number(value)) ? Number(value) : null;

const chatRow = v.looseObject({ messages, reward: anything, attributes: maybe(v.looseObject({})) });

/** Last of the list: every format with messages has more beside them. */
export const chat: Format = {
  name: 'chat',
  title: 'OpenAI chat JSONL',
  recognise: (value) =>
    isMessages(value)
      ? { version: 'bare list', why: 'a list of messages with roles' }
      : isRecord(value) && isMessages(value.messages)
        ? { version: '', why: 'messages with roles' }
        : null,
  open: perRow(
    v.union([v.pipe(messages, v.transform((list) => ({ messages: list, reward: undefined }))), chatRow], 'messages'), // prettier-ignore
    ({ messages: list, reward: said }, place) => {
      const { reward, notes } = rewardOf(said);
      return [rollout(place, [{ spans: spansOf(list) }], { step: stepOfPath(place.path), reward, notes })];
    },
  ),
};

const vizRow = v.looseObject({ messages, attributes: v.looseObject({ reward: anything }) });

export const rolloutViz: Format = {
  name: 'rollout-viz',
  title: 'rollout_viz',
  recognise: (value) =>
    isRecord(value) &&
    isMessages(value.messages) &&
    isRecord(value.attributes) &&
    'sample_index' in value.attributes
      ? { version: '', why: 'messages, and attributes with sample_index' }
      : null,
  open: perRow(vizRow, ({ messages: list, attributes }, place) => {
    const { reward, notes } = rewardOf(attributes.reward);
    const group = { key: asText(attributes.sample_index), by: 'attributes.sample_index' };
    const found = { id: `${group.key}/${asText(attributes.rollout_n ?? 0)}`, group, reward, notes };
    return [rollout(place, [{ spans: spansOf(list) }], { ...found, step: wholeOf(attributes.step), dataset: asText(attributes.data_source) })]; // prettier-ignore
  }),
};

const tauRow = v.looseObject({
  task_id: name,
  trial: maybe(v.number()),
  reward: anything,
  traj: messages,
});

/** The simulated user's first words differ between trials: the task is its id. */
export const tauBench: Format = {
  name: 'tau-bench',
  title: 'tau-bench results',
  recognise: (value) =>
    isRecord(value) && 'task_id' in value && Array.isArray(value.traj)
      ? { version: '', why: 'task_id and traj are there' }
      : null,
  open: perRow(tauRow, ({ task_id, trial, reward: said, traj }, place) => {
    const { reward, notes } = rewardOf(said);
    const group = { key: String(task_id), by: 'task_id' };
    return [rollout(place, [{ spans: spansOf(traj) }], { id: `${task_id}/${trial ?? 0}`, group, task: group.key, reward, notes })]; // prettier-ignore
  }),
};

const ragenRow = v.looseObject({
  messages,
  metadata: v.looseObject({ group_id: maybe(name), env_id: maybe(name), total_reward: anything }),
});

const TURN_REWARD = /\(reward:\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\)/i;

/** What a turn earned stands in the message after it. */
function withTurnRewards(spans: readonly Span[]): readonly Span[] {
  return spans.map((each, at) => {
    const [, said] = TURN_REWARD.exec(spans[at + 1]?.text ?? '') ?? [];
    return each.author === 'policy' && said !== undefined ? { ...each, reward: Number(said) } : each;
  });
}

export const ragen: Format = {
  name: 'ragen',
  title: 'RAGEN rollouts',
  recognise: (value) =>
    isRecord(value) &&
    isMessages(value.messages) &&
    isRecord(value.metadata) &&
    'total_reward' in value.metadata
      ? { version: '', why: 'messages, and metadata with total_reward' }
      : null,
  open: perRow(ragenRow, (read, place) => {
    const { group_id, env_id, total_reward } = read.metadata;
    const { reward, notes } = rewardOf(total_reward);
    return [
      rollout(place, [{ spans: withTurnRewards(spansOf(read.messages)) }], {
        ...{ id: asText(read.custom_id ?? env_id), reward, notes, step: stepOfPath(place.path) },
        ...(group_id !== null && group_id !== undefined && { group: { key: String(group_id), by: 'metadata.group_id' } }), // prettier-ignore
      }),
    ];
  }),
};

const skyrlRow = v.looseObject({
  ...{ input_prompt: v.string(), output_response: v.string(), score: anything },
  ...{ stop_reason: maybe(v.string()), data_source: maybe(v.string()) },
});

/** A score may be a list of one number a token: the reward is their sum. */
function scoreOf(score: unknown): ReturnType<typeof rewardOf> {
  const list = v.safeParse(v.array(anyNumber), score);
  return rewardOf(list.success ? list.output.reduce((sum, each) => sum + each, 0) : score);
}

export const skyrl: Format = {
  name: 'skyrl',
  title: 'SkyRL dumped evaluations',
  recognise: (value) =>
    isRecord(value) && 'input_prompt' in value && 'output_response' in value
      ? { version: '', why: 'input_prompt and output_response are there' }
      : null,
  open: perRow(
    skyrlRow,
    ({ input_prompt, output_response, score, stop_reason, data_source }, place, { delimiters }) => [
      rollout(
        place,
        [{ spans: [...splitPrompt(input_prompt), ...splitResponse(output_response, delimiters)] }],
        {
          ...scoreOf(score),
          ...{ dataset: data_source ?? '', step: stepOfPath(place.path) },
          ending: stop_reason === 'length' ? 'length' : 'unknown',
        },
      ),
    ],
  ),
};
