/**
 * Formats with shapes of their own: NeMo Gym's rollouts (OpenAI Responses items, 07d6b0d0), Atropos' scored groups
 * (atroposlib, ScoredDataGroup), Harbor's ATIF 1.5–1.7.
 */
import * as v from 'valibot';
import { perRow, stepOfPath, type Format } from '../format.ts';
import { anything, textOr, anyNumber, bitList, contentText, given, idList, isMessages, isRecord, maybe, messages, name, numberList, spansOf, tokensOf, turnText } from '../messages.ts'; // prettier-ignore
import { rewardOf, rollout, span, type Span, type SpanTokens, type ToolCall } from '../rollout.ts';
import { spansOfMask } from './verl_trace.ts';

const item = v.looseObject({
  ...{ type: maybe(v.string()), role: maybe(v.string()), content: anything, output: anything },
  ...{ name: maybe(v.string()), arguments: maybe(v.string()), summary: anything },
  ...{
    prompt_token_ids: maybe(idList),
    generation_token_ids: maybe(idList),
    generation_log_probs: maybe(numberList),
  },
});
type Item = v.InferOutput<typeof item>;

const nemoRow = v.looseObject({
  responses_create_params: v.looseObject({ input: textOr(v.array(item)), instructions: maybe(v.string()) }), // prettier-ignore
  response: v.looseObject({ output: v.array(item) }),
  ...{ reward: anything, _ng_task_index: maybe(name), _ng_rollout_index: maybe(name) },
});

const isRead = ({ type, role }: Item): boolean => type === 'function_call_output' || (role !== undefined && role !== null && role !== 'assistant'); // prettier-ignore

function readSpan(each: Item): Span {
  if (each.type === 'function_call_output') return span('tool', contentText(each.output));
  const author = each.role === 'assistant' ? 'assistant' : each.role === 'system' || each.role === 'developer' ? 'system' : 'user'; // prettier-ignore
  return span(author, contentText(each.content));
}

const thoughts = (items: readonly Item[]): string =>
  items.filter(({ type }) => type === 'reasoning').map(({ content, summary }) => contentText(content ?? summary)).join('\n'); // prettier-ignore

/** A turn is the run of items between two outputs of tools. */
function turnOf(items: readonly Item[]): Span {
  const calls: readonly ToolCall[] = items.flatMap((each) => (each.type === 'function_call' ? [{ name: each.name ?? '', arguments: each.arguments ?? '' }] : [])); // prettier-ignore
  const said = items.filter(({ role, type }) => role === 'assistant' || type === 'message').map(({ content }) => contentText(content)); // prettier-ignore
  const counted = items.find(({ generation_token_ids }) => generation_token_ids?.length);
  const tokens: SpanTokens | null = counted?.generation_token_ids
    ? tokensOf({ ids: counted.generation_token_ids, mask: counted.generation_token_ids.map(() => true), logProbs: counted.generation_log_probs ?? null }) // prettier-ignore
    : null;
  return span('policy', turnText(thoughts(items), said.join('\n'), calls), { calls, tokens });
}

function outputSpans(items: readonly Item[]): readonly Span[] {
  const spans: Span[] = [];
  let turn: Item[] = [];
  const close = (): void => {
    if (turn.length > 0) spans.push(turnOf(turn));
    turn = [];
  };
  for (const each of items) {
    if (!isRead(each)) {
      turn.push(each);
      continue;
    }
    close();
    spans.push(readSpan(each));
  }
  close();
  return spans;
}

export const nemoGym: Format = {
  name: 'nemo-gym',
  title: 'NeMo Gym rollouts',
  recognise: (value) =>
    isRecord(value) && isRecord(value.responses_create_params) && isRecord(value.response)
      ? { version: '_ng_task_index' in value ? 'with _ng_task_index' : 'without _ng_task_index', why: 'responses_create_params and response are there' } // prettier-ignore
      : null,
  open: perRow(nemoRow, (read, place) => {
    const { input, instructions } = read.responses_create_params;
    const asked = typeof input === 'string' ? [span('user', input)] : given(input.map(readSpan));
    const system = instructions ? [span('system', instructions)] : [];
    const task = read._ng_task_index;
    return [
      rollout(place, [{ spans: [...system, ...asked, ...outputSpans(read.response.output)] }], {
        ...(task !== undefined && task !== null && { group: { key: String(task), by: '_ng_task_index' } }),
        ...{
          id: task === undefined ? '' : `${task}/${read._ng_rollout_index ?? 0}`,
          step: stepOfPath(place.path),
        },
        ...rewardOf(read.reward),
      }),
    ];
  }),
};

const scoredGroup = v.looseObject({
  ...{ tokens: v.array(idList), masks: v.array(idList), scores: v.array(v.unknown()) },
  ...{ messages: maybe(v.array(v.unknown())), advantages: maybe(v.array(v.unknown())) },
  inference_logprobs: maybe(v.array(maybe(numberList))),
});

const NO_LABEL = -100;

/** Spans by messages where there are any, with the tokens of each run of the mask where the counts agree. */
function atroposSpans(
  ids: readonly number[],
  mask: readonly boolean[],
  logProbs: readonly (number | null)[] | null,
  said: unknown,
): readonly Span[] {
  const byMask = spansOfMask({ ids, mask, logProbs }, null).spans;
  if (!isMessages(said)) return byMask;
  const spans = spansOf(said as v.InferOutput<typeof messages>);
  const [turns, counted] = [spans.filter(({ author }) => author === 'policy'), byMask.filter(({ author }) => author === 'policy')]; // prettier-ignore
  if (turns.length !== counted.length) return spans;
  let at = 0;
  return spans.map((each) => (each.author === 'policy' ? { ...each, tokens: counted[at++].tokens } : each));
}

const oneAdvantage = (value: unknown): number | null => {
  const list = Array.isArray(value)
    ? [...new Set(value.filter((each) => typeof each === 'number'))]
    : [value];
  return list.length === 1 && typeof list[0] === 'number' ? list[0] : null;
};

export const atropos: Format = {
  name: 'atropos',
  title: 'Atropos scored groups',
  recognise: (value) =>
    isRecord(value) &&
    Array.isArray(value.tokens) &&
    Array.isArray(value.masks) &&
    Array.isArray(value.scores)
      ? { version: '', why: 'tokens, masks and scores are there' }
      : null,
  open: perRow(
    scoredGroup,
    ({ tokens, masks, scores, messages: said, advantages, inference_logprobs }, place) =>
      tokens.map((ids, at) => {
        const mask = ids.map((_, token) => (masks[at]?.[token] ?? NO_LABEL) !== NO_LABEL);
        const spans = atroposSpans(ids, mask, inference_logprobs?.[at] ?? null, said?.[at]);
        return rollout(place, [{ spans: asPrompt(spans) }], {
          ...{ group: { key: `${place.path}:${place.line}`, by: 'the row' }, ...rewardOf(scores[at]) },
          ...{ advantage: oneAdvantage(advantages?.[at]), step: stepOfPath(place.path) },
        });
      }),
  ),
};

/** Of a mask alone, what stands before the first turn is the prompt. */
const asPrompt = (spans: readonly Span[]): readonly Span[] =>
  spans[0]?.author === 'tool' ? [{ ...spans[0], author: 'user' }, ...spans.slice(1)] : spans;

const atifStep = v.looseObject({
  ...{ source: v.string(), message: anything, reasoning_content: maybe(v.string()) },
  tool_calls: maybe(v.array(v.looseObject({ function_name: maybe(v.string()), arguments: anything }))),
  observation: maybe(v.looseObject({ results: maybe(v.array(v.looseObject({ content: anything }))) })),
  metrics: maybe(v.looseObject({ completion_token_ids: maybe(idList), logprobs: maybe(numberList) })),
});
const atifRow = v.looseObject({
  ...{ schema_version: v.string(), session_id: maybe(v.string()), trajectory_id: maybe(v.string()) },
  ...{ steps: v.array(atifStep), reward: maybe(anyNumber), mask: maybe(bitList) },
});

function atifSpans(step: v.InferOutput<typeof atifStep>): readonly Span[] {
  const said = contentText(step.message);
  if (step.source !== 'agent') return [span(step.source === 'system' ? 'system' : 'user', said)];
  const calls = (step.tool_calls ?? []).map((call) => ({ name: call.function_name ?? '', arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {}) })); // prettier-ignore
  const ids = step.metrics?.completion_token_ids ?? null;
  const tokens =
    ids && tokensOf({ ids, mask: ids.map(() => true), logProbs: step.metrics?.logprobs ?? null });
  const results = step.observation?.results ?? [];
  return [
    span('policy', turnText(step.reasoning_content, said, calls), { calls, tokens }),
    ...results.map(({ content }) => span('tool', contentText(content))),
  ];
}

export const atif: Format = {
  name: 'atif',
  title: 'Harbor ATIF trajectories',
  recognise: (value) =>
    isRecord(value) && typeof value.schema_version === 'string' && /^ATIF/i.test(value.schema_version)
      ? { version: value.schema_version, why: 'schema_version begins with ATIF' }
      : null,
  open: perRow(atifRow, ({ steps, session_id, trajectory_id, reward }, place) => [
    rollout(place, [{ spans: steps.flatMap(atifSpans) }], { id: trajectory_id ?? session_id ?? '', ...rewardOf(reward) }), // prettier-ignore
  ]),
};
