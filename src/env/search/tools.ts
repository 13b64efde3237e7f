/** The two tools of the search world: a paged, noisy search and a comparing calculator. */
import { hash32 } from '../hash.ts';
import { isRare, POOLS, RELATIONS, RELATIONS_OF, idOf, relationsOf, typeOf, valueOf } from './world.ts';

/** Subject and value, without the relation: the reader must match the subject. */
export type Fact = readonly [subject: string, value: string];

/** A fact that no page shows. */
export interface MissingFact {
  readonly entity: string;
  readonly relation: string;
}

export interface SearchIndex {
  readonly seed: number; // uint32
  readonly adversarial: boolean; // bamboogle: the true fact is usually second
  readonly missing?: MissingFact; // of an unanswerable question
  readonly stale?: boolean; // the first look may show a value that was true once; every later one shows the true value
}

/** Relations of an entity that the index knows. */
function indexed(index: SearchIndex, entity: string): readonly string[] {
  const lacks = index.missing?.entity === entity ? index.missing.relation : null;
  return [...relationsOf(entity).keys()].filter((relation) => relation !== lacks);
}

/** Percent thresholds of the true fact's place: below the first rank 1, below the second rank 2, else page 2. */
function goldSlot(index: SearchIndex, entity: string, relation: string): number {
  const percent = hash32(index.seed, idOf(entity), idOf(relation), 77) % 100;
  if (index.adversarial) return percent < 70 ? 1 : percent < 85 ? 0 : 2;
  if (isRare(entity)) return percent < 45 ? 0 : percent < 70 ? 1 : 2;
  return percent < 70 ? 0 : percent < 90 ? 1 : 2;
}

const subjectsBy = new Map<string, readonly string[]>(); // by entity and relation, which are words of the vocabulary

/** Subjects a filler row may be about: the entity's own type if it has the relation, else all that have it. */
function fillerSubjects(entity: string, relation: string): readonly string[] {
  const key = `${entity} ${relation}`;
  const known = subjectsBy.get(key) ?? subjectsOf(entity, relation);
  subjectsBy.set(key, known);
  return known;
}

function subjectsOf(entity: string, relation: string): readonly string[] {
  const types = [...RELATIONS_OF].filter(([, relations]) => relations.has(relation)).map(([type]) => type);
  const own = relationsOf(entity).has(relation)
    ? types.filter((type) => POOLS[type].includes(entity))
    : types;
  return own.flatMap((type) => POOLS[type]).filter((subject) => subject !== entity);
}

function filler(index: SearchIndex, entity: string, relation: string, noise: number): Fact {
  const known = indexed(index, entity);
  if (known.length > 0 && !RELATIONS.includes(relation)) {
    // The index does not know this word and guesses another relation of the entity: plausible, usually wrong.
    const guesses = known.toSorted();
    return [entity, valueOf(index.seed, entity, guesses[(noise >>> 3) % guesses.length])];
  }
  const subjects = fillerSubjects(entity, relation);
  const subject = subjects[(noise >>> 3) % subjects.length];
  return [subject, valueOf(index.seed, subject, relation)];
}

const OUTDATED_PERCENT = 50; // of the first looks into a stale index

const truth = ({ seed }: SearchIndex, entity: string, relation: string): string =>
  valueOf(seed, entity, relation);

/** What the first look into a stale index shows: the true value, or another of its kind. Nothing on the page tells which. */
function firstLook({ seed }: SearchIndex, entity: string, relation: string): string {
  const value = valueOf(seed, entity, relation);
  if (hash32(seed, idOf(entity), idOf(relation), 78) % 100 >= OUTDATED_PERCENT) return value;
  const type = typeOf(value);
  const others = type ? POOLS[type].filter((other) => other !== value && other !== entity) : [];
  return others[hash32(seed, idOf(entity), idOf(relation), 79) % others.length];
}

/** A stale index has its own row on every page: first on the later ones, on the first as others have it. */
function staleRow(index: SearchIndex, entity: string, relation: string, page: number): number {
  return page === 0 ? goldSlot(index, entity, relation) % 2 : 0;
}

/**
 * Two facts of one result page. The true fact stands at rank 1 or 2 of page 0 or at rank 1 of page 1; in a stale index
 * surely on page 1.
 * @param page number of earlier identical queries on the path
 * @returns null when neither the subject nor the relation is known
 */
export function searchPage(
  index: SearchIndex,
  entity: string,
  relation: string,
  page: number,
): readonly Fact[] | null {
  const known = relationsOf(entity);
  if (known.size === 0 && !RELATIONS.includes(relation)) return null;
  const isIndexed = indexed(index, entity).includes(relation);
  const slot = isIndexed ? goldSlot(index, entity, relation) : -1;
  const own = index.stale && isIndexed ? staleRow(index, entity, relation, page) : slot - page * 2;
  return [0, 1].map((row) => {
    if (row === own) {
      const look = index.stale && page === 0 ? firstLook : truth;
      return [entity, look(index, entity, relation)] as const;
    }
    return filler(index, entity, relation, hash32(index.seed, idOf(entity), idOf(relation), page, row, 5));
  });
}

/** A fact stands on one of its first pages or nowhere. */
export const PAGES = 2;

/** Compares two different years: `less` when the first is earlier. `none` for anything else. */
export function calculate(first: string, second: string): 'less' | 'more' | 'none' {
  const bothYears = POOLS.year.includes(first) && POOLS.year.includes(second);
  if (!bothYears || first === second) return 'none';
  return first < second ? 'less' : 'more';
}
