/** Questions of the data sets, each a pure function of (data set, seed). */
import { keyedDraw, type Draw } from '../hash.ts';
import {
  ALIASES,
  ALIAS_OF,
  isRare,
  POOLS,
  relationsOf,
  RELATIONS_OF,
  SUBJECTS,
  typeOf,
  valueOf,
} from './world.ts';
import type { MissingFact } from './tools.ts';

/** The reference world's; each of their questions has an answer. */
export const DATASETS = ['hotpot', '2wiki', 'musique', 'bamboogle', 'nq', 'trivia', 'popqa'] as const;
/** Appended, since a data set's place keys its questions. */
export const ALL_DATASETS = [...DATASETS, 'unanswerable', 'stale', 'metered', 'halfway'] as const;
export type Dataset = (typeof ALL_DATASETS)[number];

/** As an answer: "I do not know", in every data set. */
export const UNKNOWN = 'none';

export type Question =
  | {
      readonly kind: 'chain'; // follow the relations from the start
      readonly start: string;
      readonly relations: readonly string[];
      readonly words: readonly string[]; // the relations as the question names them
    }
  | {
      readonly kind: 'comparison'; // which of two is older or newer
      readonly operator: 'older' | 'newer';
      readonly first: string;
      readonly second: string;
    };

/** Tells the question stream from other draws of the same seed. */
const QUESTION_STREAM = 0x51;
const MISSING_STREAM = 0x52;

function comparison(seed: number, draw: Draw): Question {
  const pool = POOLS[draw.pick(['film', 'company'] as const)];
  const operator = draw.pick(['older', 'newer'] as const);
  for (;;) {
    const [first, second] = draw.sample(pool, 2);
    if (valueOf(seed, first, 'year') !== valueOf(seed, second, 'year')) {
      return { kind: 'comparison', operator, first, second };
    }
  }
}

/** A chain without a repeated relation; a year, which has no relations, comes last. Null at a dead end. */
function chain(start: string, hops: number, draw: Draw): readonly string[] | null {
  const relations: string[] = [];
  let type = typeOf(start);
  for (let hop = 0; hop < hops; hop++) {
    const choices = [...((type && RELATIONS_OF.get(type)) ?? [])].filter(
      ([relation, object]) => !relations.includes(relation) && (hop === hops - 1 || object !== 'year'),
    );
    if (choices.length === 0) return null;
    const [relation, object] = draw.pick(choices);
    relations.push(relation);
    type = object;
  }
  return relations;
}

function hopCount(dataset: Dataset, draw: Draw): number {
  switch (dataset) {
    case 'hotpot':
    case '2wiki':
    case 'bamboogle':
    case 'metered':
      return 2;
    case 'musique':
      return draw.unit() < 0.7 ? 3 : 4;
    case 'nq':
    case 'trivia':
    case 'popqa':
      return 1;
    case 'unanswerable':
    case 'stale':
      return draw.pick([1, 2]);
    case 'halfway':
      return draw.pick([2, 3]);
    default:
      return dataset satisfies never;
  }
}

/**
 * hotpot, bamboogle: 2 hops; 2wiki: half 2 hops, half comparisons; musique: 3 (70 %) or 4 hops; nq: 1 hop;
 * trivia: 1 hop named by an alias; popqa: 1 hop about a rare entity, or with 30 % about any; unanswerable: 1 or 2
 * hops, one of which the world does not know (missingFact); stale: 1 or 2 hops, metered: 2, halfway: 2
 * or 3, under other rules (search.ts).
 */
export function makeQuestion(dataset: Dataset, seed: number): Question {
  const draw = keyedDraw(QUESTION_STREAM, seed, ALL_DATASETS.indexOf(dataset));
  if (dataset === '2wiki' && draw.unit() < 0.5) return comparison(seed, draw);
  const hops = hopCount(dataset, draw);
  for (;;) {
    const start = draw.pick(SUBJECTS);
    const relations = chain(start, hops, draw);
    if (!relations) continue;
    if (dataset === 'trivia' && !ALIAS_OF.has(relations[0])) continue;
    if (dataset === 'popqa' && !isRare(start) && draw.unit() >= 0.3) continue;
    const named =
      dataset === 'trivia' ? relations.map((relation) => ALIAS_OF.get(relation) ?? relation) : relations;
    return { kind: 'chain', start, relations, words: named };
  }
}

/** The true answer in the world of a seed. */
export function answerOf(seed: number, question: Question): string {
  if (question.kind === 'chain') {
    return question.relations.reduce((entity, relation) => valueOf(seed, entity, relation), question.start);
  }
  const firstIsOlder = valueOf(seed, question.first, 'year') < valueOf(seed, question.second, 'year');
  return firstIsOlder === (question.operator === 'older') ? question.first : question.second;
}

/** The fact that an unanswerable question hangs on and that the world's index lacks. */
export function missingFact(seed: number): MissingFact {
  const question = makeQuestion('unanswerable', seed);
  if (question.kind !== 'chain') throw new RangeError('an unanswerable question is a chain');
  const { start, relations } = question;
  const hop = keyedDraw(MISSING_STREAM, seed).below(relations.length);
  const entity = relations.slice(0, hop).reduce((at, relation) => valueOf(seed, at, relation), start);
  return { entity, relation: relations[hop] };
}

/** The question in the world's words, `<q> E ('s REL)+ ?` or `<q> older|newer A or B ?`. */
export function questionWords(question: Question): readonly string[] {
  if (question.kind === 'comparison')
    return ['<q>', question.operator, question.first, 'or', question.second, '?'];
  return ['<q>', question.start, ...question.words.flatMap((word) => ["'s", word]), '?'];
}

const relationFor = (word: string): string => ALIASES.get(word) ?? word;

/** Reads a question back from its words; null when they are not one. */
export function readQuestion(text: readonly string[]): Question | null {
  if (text[0] !== '<q>' || text[text.length - 1] !== '?') return null;
  const body = text.slice(1, -1);
  const [operator, first, , second] = body;
  if ((operator === 'older' || operator === 'newer') && body.length === 4 && body[2] === 'or') {
    const dated = relationsOf(first).has('year') && relationsOf(second).has('year');
    return dated ? { kind: 'comparison', operator, first, second } : null;
  }
  const named = body.filter((_, place) => place > 0 && place % 2 === 0);
  const linked = body.every((word, place) => place % 2 === 0 || word === "'s");
  if (named.length === 0 || body.length % 2 === 0 || !linked) return null;
  const relations = named.map(relationFor);
  let type = typeOf(body[0]);
  for (const relation of relations) {
    const object = type && RELATIONS_OF.get(type)?.get(relation);
    if (!object) return null;
    type = object;
  }
  return { kind: 'chain', start: body[0], relations, words: named };
}
