/** Decoded text back to spans: where the policy wrote, and where it read. A boundary that could be read otherwise is `guessed`. */
import { ImportError, span, type Span, type ToolCall } from './rollout.ts';

/** How turns and observations are told apart in one text. */
export type Delimiters =
  | { readonly kind: 'chatml' } // <|im_start|>role … <|im_end|>
  | { readonly kind: 'stripped' } // chatml whose special tokens were dropped: roles stay as bare lines
  | { readonly kind: 'tags'; readonly open: string; readonly close: string } // <result> … </result>
  | { readonly kind: 'none' }; // one turn

const TAGS = ['information', 'result'] as const; // Search-R1 and Tree-GRPO; ARPO, AEPO and ATPO
const tags = (name: string): Delimiters => ({ kind: 'tags', open: `<${name}>`, close: `</${name}>` });

/**
 * Delimiters as a person names them: chatml, stripped, none, information, result, or OPEN…CLOSE.
 * @throws ImportError
 */
export function parseDelimiters(name: string): Delimiters {
  if (name === 'chatml' || name === 'stripped' || name === 'none') return { kind: name };
  if (TAGS.some((tag) => tag === name)) return tags(name);
  const [open, close, ...rest] = name.split(/…|\.\.\./);
  if (open && close && rest.length === 0) return { kind: 'tags', open, close };
  throw new ImportError({
    what: 'These delimiters are not known',
    where: 'delimiters',
    got: JSON.stringify(name),
    wanted: 'chatml, stripped, none, information, result, or an opening and a closing text',
    next: 'Write the texts that open and close an observation, e.g. "<output>…</output>".',
  });
}

const ROLE_LINE = /\n(user|tool)\n/g;
const NEXT_TURN = /\nassistant(?:\n|$)/g;

/** First match at or after a place. */
function from(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

export function delimitersOf(text: string): Delimiters {
  if (text.includes('<|im_start|>') || text.includes('<|im_end|>')) return { kind: 'chatml' };
  for (let role = from(ROLE_LINE, text, 0); role; role = from(ROLE_LINE, text, role.index + 1))
    if (observationAt(text, role.index + role[0].length, role[1])) return { kind: 'stripped' };
  const tag = TAGS.find((name) => text.includes(`<${name}>`) && text.includes(`</${name}>`));
  if (tag) return tags(tag);
  return { kind: text.startsWith('assistant\n') ? 'stripped' : 'none' };
}

/** Words for a report. */
export const delimiterWords = (delimiters: Delimiters): string =>
  delimiters.kind === 'tags'
    ? `${delimiters.open}…${delimiters.close}`
    : { chatml: 'chatml', stripped: 'role lines (chatml, special tokens dropped)', none: 'one turn a text' }[delimiters.kind]; // prettier-ignore

/** Spans of what a policy's row holds after its prompt. @param chosen by the person; null: by the text itself */
export function splitResponse(text: string, chosen: Delimiters | null = null): readonly Span[] {
  const delimiters = chosen ?? delimitersOf(text);
  switch (delimiters.kind) {
    case 'chatml':
      return withTags(splitChatml(text), chosen);
    case 'stripped':
      return withTags(splitStripped(text), chosen);
    case 'tags':
      return splitTags(text, delimiters.open, delimiters.close);
    case 'none':
      return text === '' ? [] : [turn(text)];
    default:
      return delimiters satisfies never;
  }
}

/** Turns of a text with roles may hold observations between tags (Search-R1). */
const withTags = (spans: readonly Span[], chosen: Delimiters | null): readonly Span[] =>
  chosen
    ? spans
    : spans.flatMap((each) => {
        const found = each.author === 'policy' && TAGS.find((name) => each.text.includes(`<${name}>`) && each.text.includes(`</${name}>`)); // prettier-ignore
        return found ? splitTags(each.text, `<${found}>`, `</${found}>`) : [each];
      });

const CALL = /<(tool_call|search|python)>([\s\S]*?)<\/\1>/g;

/** Tool calls that a turn's text writes in tags. */
export function callsIn(text: string): readonly ToolCall[] {
  return [...text.matchAll(CALL)].map(([, tag, body]) => ({
    name: tag === 'tool_call' ? (/"name"\s*:\s*"([^"]*)"/.exec(body)?.[1] ?? '') : tag,
    arguments: body.trim(),
  }));
}

export const turn = (text: string, guessed = false): Span =>
  span('policy', text, { calls: callsIn(text), guessed });

/** What stands between the tags, without them where there are any. */
const resultText = (text: string): string => text.replace(/^\s*<tool_response>\n?|\n?<\/tool_response>\s*$/g, '').replace(/\n?<\/tool_response>\s*<tool_response>\n?/g, '\n').trim(); // prettier-ignore

interface Observation {
  readonly end: number; // of its text
  readonly next: number; // where the next turn begins; the text's length if there is none
  readonly guessed: boolean;
}

const RESPONSE_END = /<\/tool_response>(?=\s*$|\nassistant(?:\n|$))/g;

/** The observation that begins after a role line, or null where the line is the policy's own words. */
function observationAt(text: string, start: number, role: string): Observation | null {
  const next = from(NEXT_TURN, text, start - 1);
  if (text.startsWith('<tool_response>', start)) {
    const close = from(RESPONSE_END, text, start);
    if (!close && !next) return { end: text.length, next: text.length, guessed: true };
    const end = close ? close.index + close[0].length : next!.index;
    const opened = from(NEXT_TURN, text, end);
    const after = opened?.index === end ? end + opened[0].length : text.length;
    const closesAgain = text.indexOf('</tool_response>', after);
    const opensAgain = text.indexOf('<tool_response>', after);
    const isUnpaired = closesAgain >= 0 && (opensAgain < 0 || closesAgain < opensAgain);
    const closesWithin = /<\/tool_response>(?!\s*(?:<tool_response>|$))/.test(text.slice(start, end));
    const isDoubtful = !close || isUnpaired || closesWithin || (next !== null && next.index < end);
    return { end, next: after, guessed: isDoubtful };
  }
  if (!next) return role === 'tool' ? { end: text.length, next: text.length, guessed: true } : null;
  const after = next.index + next[0].length;
  const [again, otherRole] = [from(NEXT_TURN, text, after), from(ROLE_LINE, text, after)];
  const isTwice = again !== null && (otherRole === null || again.index < otherRole.index);
  return { end: next.index, next: after, guessed: isTwice };
}

function splitStripped(text: string): readonly Span[] {
  const spans: Span[] = [];
  let at = text.startsWith('assistant\n') ? 'assistant\n'.length : 0;
  let isDoubtful = false;
  for (let role = from(ROLE_LINE, text, at); role;) {
    const start = role.index + role[0].length;
    const observation = observationAt(text, start, role[1]);
    if (!observation) {
      isDoubtful = true;
      role = from(ROLE_LINE, text, role.index + 1);
      continue;
    }
    spans.push(turn(text.slice(at, role.index), isDoubtful || observation.guessed));
    const isTool = role[1] === 'tool' || text.startsWith('<tool_response>', start);
    spans.push(span(isTool ? 'tool' : 'user', resultText(text.slice(start, observation.end)), { guessed: observation.guessed })); // prettier-ignore
    at = observation.next;
    isDoubtful = false;
    role = from(ROLE_LINE, text, at);
  }
  if (at < text.length) spans.push(turn(text.slice(at), isDoubtful));
  return spans;
}

const AUTHOR = { system: 'system', user: 'user', tool: 'tool', assistant: 'policy' } as const;
const isRole = (role: string): role is keyof typeof AUTHOR => role in AUTHOR;

/** @param text may begin within the policy's first turn */
function splitChatml(text: string): readonly Span[] {
  const whole = text.trimStart().startsWith('<|im_start|>') ? text : `<|im_start|>assistant\n${text}`;
  return whole
    .split('<|im_start|>')
    .slice(1)
    .flatMap((message) => {
      const [, role = '', body = message] = /^(\w+)\n?([\s\S]*)$/.exec(message) ?? [];
      const content = body.split('<|im_end|>')[0].replace(/<\|endoftext\|>\s*$/, '');
      if (role === 'assistant') return content.trim() === '' ? [] : [turn(content)];
      const isResult = role === 'tool' || content.trimStart().startsWith('<tool_response>');
      return [span(isResult ? 'tool' : isRole(role) ? AUTHOR[role] : 'user', resultText(content))];
    });
}

const BEFORE_RESULT = /<\/(?:search|python|tool_call|code|action)>\s*$/;

function splitTags(text: string, open: string, close: string): readonly Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (let start = text.indexOf(open); start >= 0; start = text.indexOf(open, at)) {
    const end = text.indexOf(close, start + open.length);
    if (end < 0) break; // opened and never closed: the policy's own words
    const before = text.slice(at, start);
    const guessed = !BEFORE_RESULT.test(before);
    if (before.trim() !== '') spans.push(turn(before, guessed));
    spans.push(span('tool', text.slice(start + open.length, end).trim(), { guessed }));
    at = end + close.length;
  }
  const rest = text.slice(at);
  if (rest.trim() !== '') spans.push(turn(rest));
  return spans;
}

/** Spans of a prompt: what a model says in it was not sampled in this rollout. */
export function splitPrompt(text: string): readonly Span[] {
  const spans = text.includes('<|im_start|>')
    ? splitChatml(text)
    : /^(?:system|user)\n/.test(text)
      ? `\n${text}`.split(/\n(?=(?:system|user|assistant)\n)/).flatMap((part) => {
          const [, role, body] = /^(system|user|assistant)\n([\s\S]*)$/.exec(part) ?? [];
          return role && body.trim() !== '' ? [span(AUTHOR[role as 'user'], body.replace(/\n$/, ''))] : [];
        })
      : [span('user', text)];
  return spans.map((each) => (each.author === 'policy' ? { ...each, author: 'assistant' } : each));
}
