/**
 * Demonstrations for the warm start: a scripted solver with a rate per bad habit, and recall drills. The rates are
 * those of the reference world; the habits leave room for reinforcement learning to improve on.
 */
import { tokenId, type TokenId } from '../../units.ts';
import type { Draw } from '../hash.ts';
import { CALL_LIMIT, factsOf, NO_CALLS, playTurn, type CallHistory } from './episode.ts';
import { UNKNOWN, type Question } from './question.ts';
import { PAGES, type Fact, type SearchIndex } from './tools.ts';
import { ALIASES, idOf, POOLS, RELATIONS, RELATIONS_OF, type EntityType } from './world.ts';

/** Probability of each bad habit, in [0, 1], where it can show. */
export interface HabitRates {
  readonly slipRelation: number; // searches another relation
  readonly slipEntity: number; // reads a random item of the result
  readonly first: number; // takes rank 1 although the true fact is rank 2
  readonly noRetry: number; // takes a distractor instead of asking for the next page
  readonly alias: number; // searches with the question's alias
  readonly lazy: number; // stops after hop 2 of 3 or 4
  readonly noCalculator: number; // guesses the comparison
  readonly redundant: number; // asks again although found
  readonly format: number; // drops a tag
  readonly early: number; // stops after hop 1
}

export const SKILL: HabitRates = {
  slipRelation: 0.03,
  slipEntity: 0,
  first: 0,
  noRetry: 0,
  alias: 0.1,
  lazy: 0,
  noCalculator: 0,
  redundant: 0.02,
  format: 0,
  early: 0,
};

export const HABITS: HabitRates = {
  slipRelation: 0.1,
  slipEntity: 0.07,
  first: 0.35,
  noRetry: 0.5,
  alias: 0.45,
  lazy: 0.45,
  noCalculator: 0.4,
  redundant: 0.08,
  format: 0.02,
  early: 0.06,
};

export interface Segment {
  readonly kind: 'turn' | 'observation';
  readonly words: readonly string[];
}

interface Seen {
  readonly facts: readonly Fact[] | null; // null for `none` and for the calculator
  readonly result: readonly string[];
}

/** One demonstration being written. Mutable: each act appends a turn and what it showed. */
class Recording {
  readonly segments: Segment[] = [];
  note: readonly string[] = ['plan'];
  history: CallHistory = NO_CALLS;
  private readonly index: SearchIndex;
  private readonly draw: Draw;
  private readonly rates: HabitRates;

  constructor(index: SearchIndex, draw: Draw, rates: HabitRates) {
    this.index = index;
    this.draw = draw;
    this.rates = rates;
  }

  shows(habit: keyof HabitRates): boolean {
    return this.draw.unit() < this.rates[habit];
  }

  /** Whether these pages were all there are, in a world that lacks a fact. Elsewhere the demonstrator never gives up. */
  givesUp(pages: number): boolean {
    return this.index.missing !== undefined && pages >= PAGES;
  }

  get callsLeft(): number {
    return CALL_LIMIT - this.history.calls.length;
  }

  /** @returns what the world showed; null when the episode is over */
  act(tag: 'search' | 'calc' | 'answer', body: readonly string[]): Seen | null {
    const words = ['<think>', ...this.note, '</think>', `<${tag}>`, ...body, `</${tag}>`];
    const close = this.note.length + 1;
    if (this.shows('format')) words.splice(this.draw.pick([0, close, close + 1, close + 2]), 1);
    this.segments.push({ kind: 'turn', words });
    const outcome = playTurn(this.index, this.history, words);
    if (outcome.kind !== 'result') return null;
    this.segments.push({ kind: 'observation', words: outcome.words });
    this.history = outcome.history;
    return { facts: factsOf(outcome.words), result: outcome.words };
  }

  /** What the demonstrator believes the page says of the entity; null = ask again. */
  read(facts: readonly Fact[] | null, entity: string): string | null {
    if (!facts) return null;
    const own = facts.find(([subject]) => subject === entity);
    if (!own) return this.shows('noRetry') ? facts[this.draw.pick([0, 0, 1])][1] : null;
    if (own !== facts[0] && this.shows('first')) return facts[0][1];
    return this.shows('slipEntity') ? this.draw.pick(facts.flat()) : own[1];
  }
}

/**
 * Plays one question with the given habits. What no page shows is admitted, where bad habits do not name something else
 * before that; so admissions are learnt at the rate of an honest search and the other habits stay.
 * @returns the turns and observations in order; some end wrongly or malformed, as the habits have it
 */
export function demonstrate(
  index: SearchIndex,
  question: Question,
  draw: Draw,
  rates: HabitRates,
): readonly Segment[] {
  const recording = new Recording(index, draw, rates);
  if (question.kind === 'comparison') demonstrateComparison(recording, question, draw);
  else demonstrateChain(recording, question, draw);
  return recording.segments;
}

/** Looks a year up, at most twice, leaving a call for the calculator. Null when the episode ended. */
function lookUpYear(recording: Recording, entity: string, draw: Draw): string | null {
  for (let attempt = 0; attempt < 2 && recording.callsLeft > 1; attempt++) {
    const relation = recording.shows('slipRelation') ? draw.pick(RELATIONS) : 'year';
    const seen = recording.act('search', [entity, relation]);
    if (!seen) return null;
    const value = recording.read(seen.facts, entity);
    recording.note = [entity, value ?? 'retry'];
    if (value !== null) return value;
  }
  return draw.pick(POOLS.year);
}

function demonstrateComparison(
  recording: Recording,
  question: Extract<Question, { kind: 'comparison' }>,
  draw: Draw,
): void {
  const { first, second, operator } = question;
  const years: string[] = [];
  for (const entity of [first, second]) {
    const year = lookUpYear(recording, entity, draw);
    if (year === null) return;
    years.push(year);
  }
  let answer = draw.pick([first, second]);
  if (!recording.shows('noCalculator') && recording.callsLeft > 0) {
    const seen = recording.act('calc', years);
    if (!seen) return;
    const verdict = seen.result[1];
    recording.note = [verdict];
    if (verdict !== 'none') answer = (verdict === 'less') === (operator === 'older') ? first : second;
  }
  recording.act('answer', [answer]);
}

/** The relation word that the demonstrator searches for a hop. */
function searchedRelation(
  recording: Recording,
  question: Extract<Question, { kind: 'chain' }>,
  hop: number,
  draw: Draw,
) {
  const { relations, words } = question;
  const aliased = words[hop] !== relations[hop] && recording.shows('alias');
  if (recording.shows('slipRelation')) return draw.pick([...relations, draw.pick(RELATIONS)]);
  return aliased ? words[hop] : relations[hop];
}

function demonstrateChain(
  recording: Recording,
  question: Extract<Question, { kind: 'chain' }>,
  draw: Draw,
): void {
  const hops = question.relations.length;
  let entity = question.start;
  let relation: string | null = null; // set while asking for another page
  let pages = 0; // read in vain for this hop
  for (let hop = 0; ;) {
    const retrying = relation !== null;
    const lazy = hop >= 2 && !retrying && recording.shows('lazy');
    const early = hop > 0 && !retrying && recording.shows('early');
    if (hop >= hops || lazy || early || recording.callsLeft === 0) break;
    relation ??= searchedRelation(recording, question, hop, draw);
    const seen = recording.act('search', [entity, relation]);
    if (!seen) return;
    const value = recording.read(seen.facts, entity);
    if (value === null) {
      recording.note = [entity, 'retry'];
      relation = ALIASES.get(relation) ?? relation;
      pages++;
      if (!recording.givesUp(pages)) continue;
      recording.act('answer', [UNKNOWN]);
      return;
    }
    if (recording.callsLeft > 0 && recording.shows('redundant')) {
      recording.note = [entity, 'retry'];
      if (!recording.act('search', [entity, relation])) return;
    }
    recording.note = [entity, value];
    relation = null;
    pages = 0;
    entity = value;
    hop++;
  }
  recording.act('answer', [entity]);
}

/** Tokens with the weight of each as a prediction target. */
export interface WeightedSequence {
  readonly tokens: readonly TokenId[];
  readonly weights: readonly number[]; // same length; 0 = not a target
}

/** Joins parts of constant weight. */
export function weighSegments(
  parts: readonly { readonly words: readonly string[]; readonly weight: number }[],
): WeightedSequence {
  return {
    tokens: parts.flatMap(({ words }) => words.map((word) => tokenId(idOf(word)))),
    weights: parts.flatMap(({ words, weight }) => words.map(() => weight)),
  };
}

const DRILLS_PER_SEQUENCE = 6;
const DRILL_TAG_WEIGHT = 0.3;

/**
 * Recall drills in the protocol's own form: a query, two facts, and the note `E V`, or `E retry` when neither is
 * about E. Values are random, so only matching the subject helps. 6 drills, 90 tokens.
 */
export function recallDrill(draw: Draw): WeightedSequence {
  const parts = Array.from({ length: DRILLS_PER_SEQUENCE }, () => {
    const type = draw.pick([...RELATIONS_OF.keys()]);
    const [relation, objectType] = draw.pick([...(RELATIONS_OF.get(type) ?? new Map<string, EntityType>())]);
    const entities = draw.sample(POOLS[type], 3);
    const values = [draw.pick(POOLS[objectType]), draw.pick(POOLS[objectType])];
    const asked = draw.pick([0, 1, 0, 1, 2]);
    const facts = ['<result>', entities[0], values[0], ';', entities[1], values[1], '</result>'];
    return [
      { words: ['<search>', entities[asked], relation, '</search>', ...facts], weight: 0 },
      { words: ['<think>'], weight: DRILL_TAG_WEIGHT },
      { words: [entities[asked], values[asked] ?? 'retry'], weight: 1 },
      { words: ['</think>'], weight: DRILL_TAG_WEIGHT },
    ];
  });
  return weighSegments(parts.flat());
}
