/** The rules of one episode in words: the grammar of a turn, and what the world answers. */
import type { LeafEnding } from '../../units.ts';
import { calculate, searchPage, type SearchIndex } from './tools.ts';

export const CALL_LIMIT = 5;

export type ParsedTurn =
  | { readonly tag: 'search'; readonly entity: string; readonly relation: string }
  | { readonly tag: 'calc'; readonly first: string; readonly second: string }
  | { readonly tag: 'answer'; readonly answer: string };

const isTag = (word: string): boolean => word.startsWith('<');

/**
 * `<think> w{1,3} </think>`, then exactly one of `<search> E REL </search>`, `<calc> Y Y </calc>`,
 * `<answer> X </answer>`; no tag may stand inside another.
 * @returns null when the turn is malformed
 */
export function parseTurn(turn: readonly string[]): ParsedTurn | null {
  const close = turn.indexOf('</think>');
  if (turn[0] !== '<think>' || close < 2 || close > 4) return null;
  if (turn.slice(1, close).some(isTag)) return null;
  const call = turn.slice(close + 1);
  const body = call.slice(1, -1);
  if (body.some(isTag)) return null;
  const wraps = (tag: string, count: number): boolean =>
    call[0] === `<${tag}>` && call[call.length - 1] === `</${tag}>` && body.length === count;
  if (wraps('search', 2)) return { tag: 'search', entity: body[0], relation: body[1] };
  if (wraps('calc', 2)) return { tag: 'calc', first: body[0], second: body[1] };
  if (wraps('answer', 1)) return { tag: 'answer', answer: body[0] };
  return null;
}

/** The word between the last answer tags of a turn, well-formed or not; null where there is none. */
export function answerIn(turn: readonly string[]): string | null {
  const open = turn.lastIndexOf('<answer>');
  return open >= 0 && turn[open + 2] === '</answer>' && !isTag(turn[open + 1]) ? turn[open + 1] : null;
}

/** What the world remembers of a path: its calls so far, in order. */
export interface CallHistory {
  readonly calls: readonly string[];
}

export const NO_CALLS: CallHistory = { calls: [] };

export type Outcome =
  | { readonly kind: 'result'; readonly words: readonly string[]; readonly history: CallHistory }
  | { readonly kind: 'answered'; readonly answer: string }
  | { readonly kind: 'ended'; readonly ending: Extract<LeafEnding, 'malformed' | 'call-limit'> };

/** Plays one turn. Asking the same search again gives the next page. */
export function playTurn(index: SearchIndex, history: CallHistory, words: readonly string[]): Outcome {
  const turn = parseTurn(words);
  if (!turn) return { kind: 'ended', ending: 'malformed' };
  if (turn.tag === 'answer') return { kind: 'answered', answer: turn.answer };
  if (history.calls.length >= CALL_LIMIT) return { kind: 'ended', ending: 'call-limit' };
  const call = Object.values(turn).join(' ');
  const page = history.calls.filter((earlier) => earlier === call).length;
  return {
    kind: 'result',
    words: ['<result>', ...resultOf(index, turn, page), '</result>'],
    history: { calls: [...history.calls, call] },
  };
}

function resultOf(
  index: SearchIndex,
  turn: Exclude<ParsedTurn, { tag: 'answer' }>,
  page: number,
): readonly string[] {
  if (turn.tag === 'calc') return [calculate(turn.first, turn.second)];
  const facts = searchPage(index, turn.entity, turn.relation, page);
  return facts ? [...facts[0], ';', ...facts[1]] : ['none'];
}

/** The facts of a search result; null for `none` and for the calculator. */
export function factsOf(result: readonly string[]): readonly (readonly [string, string])[] | null {
  return result.length === 7
    ? [
        [result[1], result[2]],
        [result[4], result[5]],
      ]
    : null;
}
