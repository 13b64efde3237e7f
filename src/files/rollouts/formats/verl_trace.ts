/**
 * verl's rollout trace: one trace a rollout, with ids, mask and the sampler's log-probs. Sources: verl/utils/rollout_trace.py
 * (mlflow, weave, trackio) and verl/experimental/agent_loop/agent_loop.py (`AgentLoopOutput`), HEAD of 2026-08-22. The
 * envelopes are those of mlflow's trace JSON, weave's exported calls and trackio's traces.
 */
import * as v from 'valibot';
import { check, perRow, type Format } from '../format.ts';
import {
  asText,
  anything,
  bitList,
  bits,
  idList,
  isMessages,
  isRecord,
  maybe,
  messages,
  numberList,
  spansOf,
  tokensOf,
} from '../messages.ts';
import {
  note,
  rewardOf,
  rollout,
  span,
  type Note,
  type Place,
  type Rollout,
  type Row,
  type Span,
} from '../rollout.ts';
import { callsIn, splitPrompt, splitResponse } from '../text.ts';

const output = v.looseObject({
  ...{
    prompt_ids: idList,
    response_ids: idList,
    response_mask: bitList,
    response_logprobs: maybe(numberList),
  },
  ...{ reward_score: anything, prompt_text: maybe(v.string()), response_text: maybe(v.string()) },
});
type LoopOutput = v.InferOutput<typeof output>;

interface Run {
  readonly start: number;
  readonly end: number;
  readonly sampled: boolean;
}

function runsOf(mask: readonly boolean[]): readonly Run[] {
  const runs: Run[] = [];
  for (let start = 0, end = 0; start < mask.length; start = end) {
    while (end < mask.length && mask[end] === mask[start]) end += 1;
    runs.push({ start, end, sampled: mask[start] });
  }
  return runs;
}

/** One text for each run of the mask, or null where the text has other turns than the mask. */
function textsOf(runs: readonly Run[], text: string | null | undefined): readonly string[] | null {
  if (!text) return null;
  const spans: { sampled: boolean; text: string }[] = [];
  for (const each of splitResponse(text)) {
    const [sampled, last] = [each.author === 'policy', spans.at(-1)];
    if (last && !last.sampled && !sampled) last.text += `\n${each.text}`;
    else spans.push({ sampled, text: each.text });
  }
  const fits = spans.length === runs.length && spans.every((each, at) => each.sampled === runs[at].sampled);
  return fits ? spans.map((each) => each.text) : null;
}

/** Spans of a response by its mask; its text where it has as many turns. */
export function spansOfMask(
  response: { readonly ids: readonly number[]; readonly mask: readonly boolean[]; readonly logProbs?: readonly (number | null)[] | null | undefined }, // prettier-ignore
  text: string | null | undefined,
): { readonly spans: readonly Span[]; readonly notes: readonly Note[] } {
  const { ids, mask, logProbs } = response;
  const runs = runsOf(ids.map((_, at) => mask[at] ?? false));
  const texts = textsOf(runs, text);
  const spans = runs.map(({ start, end, sampled }, at) => {
    const cut = <T>(list: readonly T[]): readonly T[] => list.slice(start, end);
    const tokens = tokensOf({
      ids: cut(ids),
      mask: cut(mask),
      logProbs: sampled && logProbs ? cut(logProbs) : null,
    });
    const words = texts?.[at] ?? '';
    return span(sampled ? 'policy' : 'tool', words, { tokens, calls: sampled ? callsIn(words) : [] });
  });
  const differs = text && !texts;
  return { spans, notes: differs ? [note('text-and-mask', 'the text has other turns than the mask: turns are the mask’s, without text')] : [] }; // prettier-ignore
}

function promptSpans(given: LoopOutput, inputs: unknown): readonly Span[] {
  const tokens = tokensOf({ ids: given.prompt_ids, mask: given.prompt_ids.map(() => false) });
  const asked = isRecord(inputs) ? (inputs.messages ?? inputs.raw_prompt) : null;
  const spans = isMessages(asked)
    ? spansOf(asked as v.InferOutput<typeof messages>).map((each) => (each.author === 'policy' ? { ...each, author: 'assistant' as const } : each)) // prettier-ignore
    : splitPrompt(given.prompt_text ?? '');
  return spans.length === 1 ? [{ ...spans[0], tokens }] : spans;
}

const wholeOf = (value: unknown): number | null =>
  value !== null && value !== '' && Number.isInteger(Number(value)) ? Number(value) : null;

function read(
  found: unknown,
  inputs: unknown,
  tags: Readonly<Record<string, unknown>>,
  place: Place,
): Rollout {
  const result = check(output, found, place);
  const mask = bits(result.response_mask);
  const { spans, notes } = spansOfMask({ ids: result.response_ids, mask, logProbs: result.response_logprobs }, result.response_text); // prettier-ignore
  const row: Row = { spans: [...promptSpans(result, inputs), ...spans] };
  const reward = rewardOf(result.reward_score);
  const sample = tags.sample_index;
  return rollout(place, [row], {
    id: sample === undefined ? '' : `${asText(sample)}/${asText(tags.rollout_n ?? 0)}`,
    ...(sample !== undefined && { group: { key: asText(sample), by: 'sample_index' } }),
    ...{ step: wholeOf(tags.step ?? null), dataset: asText(tags.experiment_name) },
    ...{ reward: reward.reward, notes: [...notes, ...reward.notes] },
  });
}

const isLoop = (name: unknown): boolean => typeof name === 'string' && /AgentLoop\w*\.run\b/.test(name);
/** mlflow keeps inputs and outputs of a span as JSON texts in its attributes. */
const opened = (value: unknown): unknown => {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return value;
  }
};

const mlflowTrace = v.looseObject({
  info: v.looseObject({}),
  data: v.looseObject({ spans: v.array(v.looseObject({})) }),
});

function tagsOf(info: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const parts = [info.request_metadata, info.trace_metadata, info.tags].filter(isRecord);
  return Object.assign({}, ...parts) as Record<string, unknown>;
}

export const verlMlflow: Format = {
  name: 'verl-mlflow',
  title: 'verl rollout trace (mlflow)',
  recognise: (value) =>
    isRecord(value) && isRecord(value.info) && isRecord(value.data) && Array.isArray(value.data.spans)
      ? { version: '', why: 'info and data.spans are there, as mlflow writes a trace' }
      : null,
  open: perRow(mlflowTrace, ({ info, data }, place) =>
    data.spans.flatMap((each) => {
      if (!isLoop(each.name)) return [];
      const attributes = isRecord(each.attributes) ? each.attributes : {};
      const [inputs, outputs] = [each.inputs ?? attributes['mlflow.spanInputs'], each.outputs ?? attributes['mlflow.spanOutputs']]; // prettier-ignore
      return [read(opened(outputs), opened(inputs), tagsOf(info), place)];
    }),
  ),
};

const weaveCall = v.looseObject({ op_name: v.string(), inputs: anything, output: anything, attributes: maybe(v.looseObject({})) }); // prettier-ignore

export const verlWeave: Format = {
  name: 'verl-weave',
  title: 'verl rollout trace (weave calls)',
  recognise: (value) =>
    isRecord(value) && typeof value.op_name === 'string' && 'output' in value
      ? { version: '', why: 'op_name and output are there, as weave exports a call' }
      : null,
  open: perRow(weaveCall, ({ op_name, inputs, output, attributes }, place) =>
    isLoop(op_name) && output !== null ? [read(output, inputs, attributes ?? {}, place)] : [],
  ),
};

const trackioTrace = v.looseObject({ metadata: v.looseObject({ op: v.string(), output: anything, inputs: anything }) }); // prettier-ignore

export const verlTrackio: Format = {
  name: 'verl-trackio',
  title: 'verl rollout trace (trackio)',
  recognise: (value) =>
    isRecord(value) &&
    isRecord(value.metadata) &&
    value.metadata.backend === 'trackio' &&
    'op' in value.metadata
      ? { version: '', why: 'metadata.backend is trackio' }
      : null,
  open: perRow(trackioTrace, ({ metadata, messages: said }, place) => {
    if (!isLoop(metadata.op) || !isRecord(metadata.output)) return [];
    const asked = isMessages(said) ? (said as readonly unknown[]).slice(0, -1) : []; // the last is the response
    return [read(metadata.output, { messages: asked }, metadata, place)];
  }),
};
