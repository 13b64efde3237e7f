/** Episodes of the search world told to a person: what a turn asks, which row is true, which is a decoy, how it ends. */
import type { SpokenEpisode, ToldTurn, TurnFate } from '../../units.ts';
import { CALL_LIMIT, factsOf, parseTurn, type ParsedTurn } from './episode.ts';
import { readQuestion, UNKNOWN } from './question.ts';
import { indexOf, rulesOf } from './search.ts';
import { PAGES, searchPage, type Fact, type SearchIndex } from './tools.ts';
import { ALIASES, RELATIONS, relationsOf, typeOf, valueOf } from './world.ts';

interface Search {
  readonly entity: string;
  readonly relation: string;
  readonly rows: readonly Fact[];
}

/** The world of an episode, and the questions whose answers lead to the answer. */
interface Ground {
  readonly halfwayPay: number; // reward of a step on the way, given as the answer
  readonly index: SearchIndex;
  readonly hops: readonly { readonly entity: string; readonly relation: string }[] | null; // null: the question is not readable
}

function groundOf({ dataset, seed, question }: SpokenEpisode): Ground {
  const index = indexOf({ dataset, seed });
  const { halfwayPay = 0 } = rulesOf({ dataset });
  const asked = readQuestion(question);
  if (!asked) return { halfwayPay, index, hops: null };
  if (asked.kind === 'comparison')
    return {
      halfwayPay,
      index,
      hops: [asked.first, asked.second].map((entity) => ({ entity, relation: 'year' })),
    };
  let entity = asked.start;
  const hops = asked.relations.map((relation) => {
    const hop = { entity, relation };
    entity = valueOf(seed, entity, relation);
    return hop;
  });
  return { halfwayPay, index, hops };
}

const isMissing = ({ missing }: SearchIndex, entity: string, relation: string): boolean =>
  missing?.entity === entity && missing.relation === relation;

/** The value that the index has for a question; null where it has none. */
function truth(index: SearchIndex, entity: string, relation: string): string | null {
  if (!relationsOf(entity).has(relation) || isMissing(index, entity, relation)) return null;
  return valueOf(index.seed, entity, relation);
}

/** A value that a stale index shows at a first look and nowhere else. */
const isOutdated = (index: SearchIndex, entity: string, relation: string, value: string): boolean =>
  index.stale === true &&
  value !== truth(index, entity, relation) &&
  (searchPage(index, entity, relation, 0) ?? []).some((row) => row[0] === entity && row[1] === value);

const phrase = (entity: string, relation: string): string =>
  typeOf(entity) && (RELATIONS.includes(relation) || ALIASES.has(relation))
    ? `${entity}’s ${relation}`
    : `“${entity} ${relation}”`;

const list = (items: readonly string[]): string => [...new Set(items)].join(' and ');

/** What the rows of a page are, by the facts of the world and not by their place. */
function pageWords(index: SearchIndex, { entity, relation, rows }: Search): string {
  if (!RELATIONS.includes(relation) && relationsOf(entity).size > 0)
    return `it does not know the word “${relation}” and guesses two other facts of ${entity}: ${rows.map(([, value]) => value).join(', ')}`;
  const own = truth(index, entity, relation);
  const others = rows.filter(([subject]) => subject !== entity);
  const decoys = list(others.map(([subject, value]) => `${subject} (${value})`));
  const mine = rows.find(([subject]) => subject === entity);
  if (mine && mine[1] === own)
    return `it answers ${own}${others.length > 0 ? `, and a decoy about ${decoys}` : ''}`;
  if (mine) {
    const what = isOutdated(index, entity, relation, mine[1]) ? 'is out of date' : 'the world does not say';
    return `it shows ${entity} with ${mine[1]}, which ${what}${others.length > 0 ? `, and a decoy about ${decoys}` : ''}`;
  }
  const both = `it shows only decoys, about ${decoys}`;
  return own === null ? `no page has that; ${both}` : `${both}: ${entity}’s own row is not on this page`;
}

const TIMES = ['', ' again', ' a third time', ' a fourth time', ' a fifth time'];

interface Before {
  readonly calls: readonly string[];
  readonly searches: readonly Search[];
}

/** A call and what came back. @param result of it; null: not known yet */
function callWords(
  index: SearchIndex,
  call: Exclude<ParsedTurn, { tag: 'answer' }>,
  result: readonly string[] | null,
  times: number,
): string {
  const again = TIMES[Math.min(times, TIMES.length - 1)];
  if (call.tag === 'calc') {
    const asked = `Compares ${call.first} with ${call.second}${again}`;
    const said = result?.[1];
    if (said === undefined) return `${asked}.`;
    if (said === 'none') return `${asked}; the calculator answers none: it compares two different years.`;
    return `${asked}; the calculator answers ${said}: ${said === 'less' ? call.first : call.second} is earlier.`;
  }
  const asked = `Asks the tool${again} for ${phrase(call.entity, call.relation)}`;
  if (!result) return `${asked}.`;
  const rows = factsOf(result);
  if (rows) return `${asked}; ${pageWords(index, { ...call, rows })}.`;
  const said = result.slice(1, -1).join(' ');
  return said === UNKNOWN
    ? `${asked}; it answers none: it knows neither.`
    : `${asked}; it answers “${said}”.`;
}

/** The facts that an answer rests on and that no result of the path showed. */
function unread({ index, hops }: Ground, { searches }: Before): readonly string[] {
  return (hops ?? []).flatMap(({ entity, relation }) => {
    const value = truth(index, entity, relation);
    const asked = searches.filter((search) => search.relation === relation);
    const isRead =
      value === null
        ? asked.filter((search) => search.entity === entity).length >= PAGES
        : asked.some(({ rows }) => rows.some((row) => row[0] === entity && row[1] === value));
    return isRead ? [] : [phrase(entity, relation)];
  });
}

/** The hops up to the one that the index lacks. */
const askable = (ground: Ground): Ground => {
  const gap = ground.hops?.findIndex(({ entity, relation }) => isMissing(ground.index, entity, relation));
  return gap === undefined || gap < 0 ? ground : { ...ground, hops: ground.hops!.slice(0, gap + 1) };
};

/** Where a wrong answer comes from. */
function sourceOf(answer: string, { index, hops, halfwayPay }: Ground, { searches }: Before): string {
  const hop = hops?.slice(0, -1).find(({ entity, relation }) => truth(index, entity, relation) === answer);
  if (hop)
    return `: that is only ${phrase(hop.entity, hop.relation)}, a step on the way${halfwayPay > 0 ? `, for which it is paid ${halfwayPay}` : ''}`;
  const seen = searches.findLast(({ rows }) => rows.some(([, value]) => value === answer));
  const row = seen?.rows.find(([, value]) => value === answer);
  if (!seen || !row) return ': no result named it';
  if (row[0] !== seen.entity) return `: it comes from the decoy about ${row[0]}`;
  if (!RELATIONS.includes(seen.relation)) return ': the tool had guessed it';
  return isOutdated(index, seen.entity, seen.relation, answer) ? ': it is out of date' : '';
}

function answerTold(answer: string, episode: SpokenEpisode, before: Before): ToldTurn {
  const ground = askable(groundOf(episode));
  const [wanted] = episode.answer;
  const says = answer === UNKNOWN ? 'Says that it does not know' : `Answers ${answer}`;
  const action = `answer ${answer}`;
  if (answer !== wanted) {
    const source = answer === UNKNOWN ? '' : sourceOf(answer, ground, before);
    const right =
      wanted === UNKNOWN ? 'the index lacks a fact, so nothing can be known' : `the answer is ${wanted}`;
    return { action, fate: 'wrong', sentence: `${says}: wrong, ${right}${source}.` };
  }
  const gaps = unread(ground, before);
  if (gaps.length === 0) return { action, fate: 'right', sentence: `${says}: right, and it read why.` };
  const what = answer === UNKNOWN ? 'was not looked for on all pages' : 'was never read';
  return { action, fate: 'lucky', sentence: `${says}: right, but a lucky guess: ${list(gaps)} ${what}.` };
}

/** Why a turn is not of the grammar. */
function faultOf(turn: readonly string[]): string {
  const close = turn.indexOf('</think>');
  if (turn[0] !== '<think>') return 'it does not begin with a thought';
  if (close < 0) return 'its thought has no end';
  if (close < 2) return 'its thought is empty';
  if (turn.slice(1, close).some((word) => word.startsWith('<'))) return 'a tag stands inside its thought';
  if (close > 4) return 'its thought has more than three words';
  if (close === turn.length - 1) return 'it calls nothing and answers nothing';
  return 'after the thought stands no whole search of two words, comparison of two years or answer of one word';
}

const ENDS: Partial<Record<NonNullable<SpokenEpisode['ending']>, readonly [TurnFate, string]>> = {
  'call-limit': [
    'out of turns',
    ` That is one call more than the ${CALL_LIMIT} it may make: the path ends without an answer.`,
  ],
  length: ['out of room', ' No room is left in its context: the path ends without an answer.'],
};

/** Tells an episode of the search world; whether an answer is lucky is judged by the facts that the path has read. */
export function tellSearch(episode: SpokenEpisode): readonly ToldTurn[] {
  const { index } = groundOf(episode);
  const { callCost = 0 } = rulesOf(episode);
  const before = { calls: [] as string[], searches: [] as Search[] };
  return episode.turns.map((words, place): ToldTurn => {
    const isLast = place === episode.turns.length - 1;
    const ending = isLast ? episode.ending : null;
    const turn = parseTurn(words);
    if (!turn) {
      if (ending === 'length')
        return { action: 'cut off', fate: 'out of room', sentence: ENDS.length![1].trim() };
      if (ending === null && isLast) return { action: '', fate: 'goes on', sentence: '' };
      return {
        action: 'malformed',
        fate: 'malformed',
        sentence: `Malformed: ${faultOf(words)}. The path ends.`,
      };
    }
    if (turn.tag === 'answer' && ending === 'length')
      return {
        action: `answer ${turn.answer}`,
        fate: 'out of room',
        sentence: `Answers ${turn.answer}.${ENDS.length![1]}`,
      };
    if (turn.tag === 'answer') return answerTold(turn.answer, episode, before);
    const result = episode.observations[place] ?? null;
    const call = Object.values(turn).join(' ');
    const times = before.calls.filter((earlier) => earlier === call).length;
    const sentence = callWords(index, turn, result, times);
    before.calls.push(call);
    const rows = turn.tag === 'search' && result && factsOf(result);
    if (rows && turn.tag === 'search') before.searches.push({ ...turn, rows });
    const [fate, end] = (ending && ENDS[ending]) ?? ['goes on' as const, ''];
    const cost = callCost > 0 && result ? ` The call costs ${callCost}.` : '';
    return { action: call, fate, sentence: sentence + cost + end };
  });
}
