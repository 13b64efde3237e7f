/** The search world's words and facts: a knowledge base that is a pure function of the question's seed. */
import { hash32 } from '../hash.ts';

const words = (text: string): readonly string[] => text.split(' ');

export type EntityType = 'person' | 'film' | 'city' | 'country' | 'company' | 'year';

export const POOLS: Readonly<Record<EntityType, readonly string[]>> = {
  person: words(
    'Ana Ben Cleo Dan Eva Finn Gus Hana Ivan Jade Kai Lena Max Nora Otto Pia Quin Rosa Sam Tara Ugo Vera Will Yara',
  ),
  film: words('Aurora Blaze Comet Drift Ember Fable Ghost Haven Ivory Jungle Karma Lotus'),
  city: words('Avon Brack Corin Delta Elmas Forli Genk Hilo Irun Jaffa Kobe Lima'),
  country: words('Arvia Belmar Cordia Drosk Elysia Fenland Galdor Hestia'),
  company: words('Acme Bolt Cyan Dyna Echo Flux Giga Helix'),
  year: Array.from({ length: 16 }, (_, index) => String(1961 + index)),
};

/** Subject type → relation → object type. The order of types and relations is part of the world's hash. */
export const RELATIONS_OF: ReadonlyMap<EntityType, ReadonlyMap<string, EntityType>> = new Map([
  [
    'person',
    new Map<string, EntityType>([
      ['mother', 'person'],
      ['father', 'person'],
      ['spouse', 'person'],
      ['birthplace', 'city'],
      ['employer', 'company'],
    ]),
  ],
  [
    'film',
    new Map<string, EntityType>([
      ['director', 'person'],
      ['star', 'person'],
      ['year', 'year'],
    ]),
  ],
  [
    'city',
    new Map<string, EntityType>([
      ['country', 'country'],
      ['mayor', 'person'],
    ]),
  ],
  [
    'country',
    new Map<string, EntityType>([
      ['capital', 'city'],
      ['leader', 'person'],
    ]),
  ],
  [
    'company',
    new Map<string, EntityType>([
      ['founder', 'person'],
      ['base', 'city'],
      ['year', 'year'],
    ]),
  ],
]);

export const RELATIONS = words(
  'mother father spouse birthplace employer director star year country mayor capital leader founder base',
);

/** Words that a question may use for a relation but that the search index does not know. */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ['mum', 'mother'],
  ['dad', 'father'],
  ['partner', 'spouse'],
  ['hometown', 'birthplace'],
  ['workplace', 'employer'],
  ['filmmaker', 'director'],
  ['lead', 'star'],
  ['nation', 'country'],
  ['president', 'leader'],
  ['creator', 'founder'],
]);
export const ALIAS_OF: ReadonlyMap<string, string> = new Map(
  [...ALIASES].map(([alias, relation]) => [relation, alias]),
);

const SPECIAL = words(
  "<pad> <q> ? 's or older newer <think> </think> <search> </search> <calc> </calc> <answer> </answer> <result> </result> ; none retry plan done less more",
);

/** Token texts; a token's id is its index. */
export const VOCABULARY: readonly string[] = [
  ...SPECIAL,
  ...Object.values(POOLS).flat(),
  ...RELATIONS,
  ...ALIASES.keys(),
];

const idByWord = new Map(VOCABULARY.map((word, id) => [word, id]));

/** @returns the word's token id; −1 for a word outside the vocabulary */
export const idOf = (word: string): number => idByWord.get(word) ?? -1;

const typeByEntity = new Map(
  (Object.entries(POOLS) as [EntityType, readonly string[]][]).flatMap(([type, pool]) =>
    pool.map((entity) => [entity, type] as const),
  ),
);

export const typeOf = (entity: string): EntityType | undefined => typeByEntity.get(entity);

/** Everything that has relations: all entities but years, in vocabulary order. */
export const SUBJECTS: readonly string[] = [...RELATIONS_OF.keys()].flatMap((type) => POOLS[type]);

/** Relations of an entity; empty for a year or a word that is no entity. */
export function relationsOf(entity: string): ReadonlyMap<string, EntityType> {
  const type = typeOf(entity);
  return (type && RELATIONS_OF.get(type)) ?? new Map<string, EntityType>();
}

/** Rare entities stand at odd places of their pool; the search index serves them worse. */
export function isRare(entity: string): boolean {
  const type = typeOf(entity);
  return type !== undefined && POOLS[type].indexOf(entity) % 2 === 1;
}

/**
 * The object of (entity, relation) in the world of a seed; never the entity itself.
 * @param relation one of relationsOf(entity)
 */
export function valueOf(seed: number, entity: string, relation: string): string {
  const type = relationsOf(entity).get(relation);
  if (type === undefined) throw new RangeError(`${entity} has no ${relation}`);
  const pool = POOLS[type].filter((other) => other !== entity);
  return pool[hash32(seed, idOf(entity), idOf(relation)) % pool.length];
}
