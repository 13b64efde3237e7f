/**
 * OpenTelemetry's GenAI spans: turns, and no rewards. Conversations are told apart by gen_ai.conversation.id, else by trace.
 * Source: semantic-conventions 384d6616.
 */
import * as v from 'valibot';
import { check, perKey, type Format } from '../format.ts';
import {
  asText,
  anything,
  isRecord,
  rowsOfSteps,
  spanOf,
  spansOf,
  type Message,
  type Step,
} from '../messages.ts';
import { note, rollout, type Place, type Rollout } from '../rollout.ts';
import { listOf, type Attributes } from './agent_lightning.ts';

/** OTLP writes attributes as a list of keys with typed values. */
function plainAttributes(value: unknown): Attributes {
  if (isRecord(value)) return value;
  const pairs = Array.isArray(value) ? value.filter(isRecord) : [];
  return Object.fromEntries(pairs.map(({ key, value: typed }) => [String(key), anyValue(typed)]));
}

function anyValue(typed: unknown): unknown {
  if (!isRecord(typed)) return typed;
  if (isRecord(typed.arrayValue)) return (listOf(typed.arrayValue.values) ?? []).map(anyValue);
  if (isRecord(typed.kvlistValue)) return plainAttributes(typed.kvlistValue.values);
  return typed.stringValue ?? typed.boolValue ?? typed.doubleValue ?? (typed.intValue === undefined ? undefined : Number(typed.intValue)); // prettier-ignore
}

/** A message of parts: text, reasoning, tool_call, tool_call_response. */
function messagesOf(value: unknown): readonly Message[] {
  return (listOf(value) ?? []).filter(isRecord).map(({ role, parts, content }) => {
    const all = (listOf(parts) ?? []).filter(isRecord);
    const told = all.filter(({ type }) => type === 'text' || type === 'tool_call_response').map((part) => asText(part.content ?? part.response ?? part.result)); // prettier-ignore
    const reasoning = all.filter(({ type }) => type === 'reasoning').map((part) => asText(part.content)).join('\n'); // prettier-ignore
    return {
      ...{ role: asText(role ?? 'user'), content: parts === undefined ? asText(content) : told.join('\n') },
      ...(reasoning && { reasoning_content: reasoning }),
      tool_calls: all.filter(({ type }) => type === 'tool_call'),
    };
  });
}

const otelSpan = v.looseObject({
  attributes: anything,
  startTimeUnixNano: anything,
  start_time: anything,
});
type OtelSpan = v.InferOutput<typeof otelSpan>;
const otlp = v.looseObject({ resourceSpans: v.array(v.looseObject({ scopeSpans: v.array(v.looseObject({ spans: v.array(otelSpan) })) })) }); // prettier-ignore

const conversationOf = (read: OtelSpan): string =>
  asText(plainAttributes(read.attributes)['gen_ai.conversation.id'] ?? read.traceId ?? read.trace_id ?? (isRecord(read.context) ? read.context.trace_id : '')); // prettier-ignore
const startOf = ({ startTimeUnixNano, start_time }: OtelSpan): string => asText(startTimeUnixNano ?? start_time).padStart(24, '0'); // prettier-ignore

function conversation(held: readonly OtelSpan[], place: Place): readonly Rollout[] {
  const steps = held.toSorted((one, other) => (startOf(one) < startOf(other) ? -1 : 1)).flatMap(otelStep);
  const notes = [note('no-reward', 'OpenTelemetry holds no rewards: nothing is scored')];
  return steps.length === 0
    ? []
    : [rollout(place, rowsOfSteps(steps), { id: conversationOf(held[0]), notes })];
}

function otelStep(read: OtelSpan): readonly Step[] {
  const attributes = plainAttributes(read.attributes);
  const [answer] = messagesOf(attributes['gen_ai.output.messages']);
  if (!answer) return [];
  const system = messagesOf([
    { role: 'system', parts: listOf(attributes['gen_ai.system_instructions']) ?? [] },
  ]);
  const asked = [...(system[0].content ? system : []), ...messagesOf(attributes['gen_ai.input.messages'])];
  return [{ context: spansOf(asked), turn: spanOf({ ...answer, role: 'assistant' }), contextIds: null }];
}

export const openTelemetry: Format = {
  name: 'otel',
  title: 'OpenTelemetry GenAI spans',
  recognise(value) {
    if (!isRecord(value)) return null;
    if (Array.isArray(value.resourceSpans)) return { version: 'OTLP JSON', why: 'resourceSpans are there' };
    const keys = Object.keys(plainAttributes(value.attributes));
    return keys.some((key) => key.startsWith('gen_ai.')) ? { version: 'spans', why: 'attributes begin with gen_ai.' } : null; // prettier-ignore
  },
  open(context) {
    const single = perKey(otelSpan, conversationOf, conversation)(context);
    return {
      add(value, place) {
        if (!isRecord(value) || !('resourceSpans' in value)) return single.add(value, place);
        const spans = check(otlp, value, place).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)); // prettier-ignore
        return spans.flatMap((each) => single.add(each, place));
      },
      end: single.end,
    };
  },
};
