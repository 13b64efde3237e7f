/** Chat messages of every dialect to spans, and steps that repeat their history to rows. */
import * as v from 'valibot';
import type { Author, Boundary } from '../../units.ts';
import { NO_TOKENS, span, type Row, type Span, type SpanTokens, type ToolCall } from './rollout.ts';

// What fields of foreign files are made of. Long lists are looked at by one loop: a schema a number would be slow.

const isNumbers = (input: unknown): input is number[] =>
  Array.isArray(input) && input.every((item) => typeof item === 'number');
const isMaybeNumbers = (input: unknown): boolean =>
  Array.isArray(input) && input.every((item) => item === null || typeof item === 'number');
const isBits = (input: unknown): boolean =>
  Array.isArray(input) && input.every((item) => typeof item === 'boolean' || typeof item === 'number');

export const idList = v.custom<readonly number[]>(isNumbers, 'a list of token ids');
export const numberList = v.custom<readonly (number | null)[]>(isMaybeNumbers, 'a list of numbers and nulls');
export const bitList = v.custom<readonly (number | boolean)[]>(isBits, 'a list of 0 and 1');
/** A key that may be missing, and null where Python wrote None. */
export const maybe = <Schema extends v.GenericSchema>(schema: Schema) => v.optional(v.nullable(schema));
/** A key of any kind that may be missing. */
export const anything = v.optional(v.unknown());
/** A text, or what the schema says; a fault is told of the one that was meant. */
export const textOr = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.lazy((input): v.GenericSchema<unknown, string | v.InferOutput<Schema>> =>
    typeof input === 'string' ? v.string() : (schema as v.GenericSchema<unknown, v.InferOutput<Schema>>),
  );
/** NaN too: a trainer may have written it. */
export const anyNumber = v.custom<number>((input) => typeof input === 'number', 'a number');
export const name = v.union([v.string(), v.number()], 'a text or a number');

export const message = v.looseObject({
  role: v.string(),
  content: maybe(v.union([v.string(), v.array(v.unknown())], 'a text or a list of parts')),
  reasoning_content: maybe(v.string()),
  tool_calls: maybe(v.array(v.unknown())),
});
export const messages = v.array(message);
export type Message = v.InferOutput<typeof message>;

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isMessages = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((item) => isRecord(item) && typeof item.role === 'string');

export const asText = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

/** A tool call of any dialect: OpenAI's, flat (verifiers v1), Inspect's, Harbor's, or JSON within a string (early verifiers). */
function callOf(value: unknown): ToolCall {
  const call = typeof value === 'string' ? parsed(value) : value;
  if (!isRecord(call)) return { name: '', arguments: asText(value) };
  const inner = isRecord(call.function) ? call.function : call;
  const named = inner.name ?? call.function ?? call.function_name ?? '';
  return { name: asText(named), arguments: asText(inner.arguments ?? inner.input) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Text of parts; what is no text is named, e.g. [image]. */
function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  if (!isRecord(part)) return '';
  const words = part.text ?? part.content ?? part.refusal;
  if (typeof words === 'string') return words;
  if (typeof part.reasoning === 'string') return part.reasoning === '' ? '' : thought(part.reasoning);
  return `[${asText(part.type) || 'part'}]`;
}

export const contentText = (content: unknown): string =>
  Array.isArray(content) ? content.map(partText).join('\n') : asText(content);

const thought = (text: string): string => `<think>\n${text}\n</think>`;

/** A turn's words: its thoughts, what it said and the calls it made, as a template would write them. */
export function turnText(
  reasoning: string | null | undefined,
  content: string,
  calls: readonly ToolCall[],
): string {
  const written = calls.map((call) => `<tool_call>\n{"name": ${JSON.stringify(call.name)}, "arguments": ${call.arguments || '{}'}}\n</tool_call>`); // prettier-ignore
  return [reasoning ? thought(reasoning) : '', content, ...written].filter((part) => part !== '').join('\n');
}

const AUTHORS: Readonly<Record<string, Author>> = {
  ...{ system: 'system', developer: 'system', user: 'user', human: 'user' },
  ...{ assistant: 'policy', agent: 'policy', model: 'policy', ai: 'policy', gpt: 'policy' },
  ...{ tool: 'tool', function: 'tool', ipython: 'tool', environment: 'tool', observation: 'tool' },
};

export const authorOf = (role: string): Author => (Object.hasOwn(AUTHORS, role) ? AUTHORS[role] : 'user');

export function spanOf({ role, content, reasoning_content, tool_calls }: Message): Span {
  const calls = (tool_calls ?? []).map(callOf);
  return span(authorOf(role), turnText(reasoning_content, contentText(content), calls), { calls });
}

export const spansOf = (list: readonly Message[]): readonly Span[] => list.map(spanOf);

/** What stands before a generation: a model's words in it are given, not sampled. */
export const given = (spans: readonly Span[]): readonly Span[] =>
  spans.map((each) => (each.author === 'policy' ? { ...each, author: 'assistant' } : each));

export const bits = (list: readonly (number | boolean)[]): readonly boolean[] => list.map(Boolean);

/** Tokens of a span, or null where the file says nothing of them: lists of no length say nothing. */
export function tokensOf(parts: Partial<SpanTokens>): SpanTokens | null {
  const known = Object.fromEntries(Object.entries(parts).filter(([, list]) => list && list.length > 0));
  return Object.keys(known).length > 0 ? { ...NO_TOKENS, ...known } : null;
}

/** One generation with all that the model read before it. */
export interface Step {
  readonly context: readonly Span[];
  readonly turn: Span; // by the policy
  readonly contextIds: readonly number[] | null;
  readonly isDelta?: boolean; // its file holds what the context adds: it begins with what was sampled by construction
}

const IDS_ABOUT = [2, 4] as const; // shown before a difference, and from it on

/** @param before ids of the row up to the end of its last turn, `start` of them read by that turn */
function boundaryOf(
  { ids: before, start }: { readonly ids: readonly number[]; readonly start: number },
  context: readonly number[],
  sameText: boolean,
): Boundary {
  const at = before.findIndex((id, place) => context[place] !== id);
  const about = (ids: readonly number[]) => ids.slice(Math.max(0, at - IDS_ABOUT[0]), at + IDS_ABOUT[1]);
  return {
    ...{ at: at < 0 ? null : at, length: before.length, inTurn: at >= start, sameText },
    ...(at < 0 ? { sampled: [], rendered: [] } : { sampled: about(before), rendered: about(context) }),
  };
}

const isSame = (one: Span, other: Span): boolean =>
  one.text.trim() === other.text.trim() && (one.author === other.author || (isModel(one) && isModel(other)));
const isModel = ({ author }: Span): boolean => author === 'policy' || author === 'assistant';

/** Ids that a context adds to what came before it; null where it does not begin with it. */
function addedIds(
  before: readonly number[] | null,
  context: readonly number[] | null,
): readonly number[] | null {
  if (!before || !context || before.some((id, at) => context[at] !== id)) return null;
  return context.slice(before.length);
}

/**
 * Steps to rows: a step whose context begins with the row so far goes on with it; one whose context was rewritten
 * begins a row of its own.
 */
export function rowsOfSteps(steps: readonly Step[]): readonly Row[] {
  const rows: Span[][] = [];
  let so: { readonly ids: readonly number[]; readonly start: number } | null = null; // the row so far
  for (const { context, turn, contextIds, isDelta } of steps) {
    const row = rows.at(-1);
    const goesOn = row !== undefined && context.length >= row.length && row.every((each, at) => isSame(each, context[at])); // prettier-ignore
    const read = goesOn ? context.slice(row.length) : context;
    const added = goesOn ? addedIds(so?.ids ?? null, contextIds) : contextIds;
    const tokens = read.length === 1 && added ? tokensOf({ ids: added, mask: added.map(() => false) }) : null;
    const opened = given(read).map((each) => (tokens ? { ...each, tokens } : each));
    const boundary = so && contextIds && !isDelta ? boundaryOf(so, contextIds, goesOn) : null;
    if (goesOn) row.push(...opened, { ...turn, boundary });
    else rows.push([...opened, { ...turn, boundary }]);
    so = contextIds && turn.tokens?.ids ? { ids: [...contextIds, ...turn.tokens.ids], start: contextIds.length } : null; // prettier-ignore
  }
  return rows.map((spans) => ({ spans }));
}
