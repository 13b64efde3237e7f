import { describe, expect, test } from 'vitest';
import { hash32 } from '../../src/env/hash.ts';
import {
  answerOf,
  DATASETS,
  makeQuestion,
  questionWords,
  readQuestion,
} from '../../src/env/search/question.ts';
import { parseTurn } from '../../src/env/search/episode.ts';
import { decodeTokens, encodeWords, indexOf, searchEnvironment } from '../../src/env/search/search.ts';
import { calculate, searchPage } from '../../src/env/search/tools.ts';
import { ALIASES, isRare, relationsOf, typeOf, valueOf, VOCABULARY } from '../../src/env/search/world.ts';
import type { LeafEnding, Prompt, TokenId } from '../../src/units.ts';
import golden from '../fixtures/task_world.json';

const words = (text: string): string[] => text.split(' ');
const SEEDS = Array.from({ length: 200 }, (_, index) => hash32(4, index));
const chains = (dataset: (typeof DATASETS)[number]) =>
  SEEDS.map((seed) => makeQuestion(dataset, seed)).flatMap((question) =>
    question.kind === 'chain' ? [question] : [],
  );

describe('the world of the specification', () => {
  test('the vocabulary is the same, in the same order', () => {
    expect(VOCABULARY).toEqual(golden.vocabulary);
  });

  test('the hash vectors come out', () => {
    expect(hash32(1, 2, 3)).toBe(golden.hash_test.h32_1_2_3);
    expect(hash32(0)).toBe(golden.hash_test.h32_0);
    expect(valueOf(5, 'Ana', 'mother')).toBe(golden.hash_test.value_seed5_Ana_mother);
  });

  test('the pages of the search vectors come out', () => {
    const index = { seed: 5, adversarial: false };
    const pages = [0, 1, 2].map((page) => searchPage(index, 'Genk', 'country', page));
    expect(pages).toEqual(golden.hash_test.search_seed5_Genk_country_pages);
    expect(searchPage(index, 'Ben', 'mum', 0)).toEqual(golden.hash_test.search_seed5_Ben_mum);
  });

  const endings: Record<string, LeafEnding> = {
    answer: 'answer',
    format: 'malformed',
    limit: 'call-limit',
    length: 'length',
  };

  test.each(golden.episodes)('episode $dataset $seed ($source) plays out the same', async (episode) => {
    const prompt: Prompt = {
      index: 0,
      dataset: episode.dataset,
      seed: episode.seed,
      tokens: encodeWords(words(episode.question)),
      answer: encodeWords([episode.gold]),
    };
    const question = readQuestion(words(episode.question));
    expect(question && answerOf(episode.seed, question)).toBe(episode.gold);
    const turns: (readonly TokenId[])[] = [];
    const observations: (readonly TokenId[])[] = [];
    let state = searchEnvironment.start(prompt);
    let ending: LeafEnding | null = null;
    let length = prompt.tokens.length;
    for (const [place, { kind, text }] of episode.turns.entries()) {
      const tokens = encodeWords(words(text));
      length += tokens.length;
      if (kind === 'env') continue; // compared below, when its turn is played
      turns.push(tokens);
      const transition = await searchEnvironment.step(prompt, state, tokens);
      if (transition.kind === 'end') {
        ending = transition.ending;
        expect(place).toBe(episode.turns.length - 1);
        continue;
      }
      expect(decodeTokens(transition.tokens).join(' ')).toBe(episode.turns[place + 1].text);
      observations.push(transition.tokens);
      state = transition.state;
    }
    expect(ending).toBe(endings[episode.end]);
    expect(ending && searchEnvironment.reward(prompt, { turns, observations, ending })).toBe(episode.reward);
    expect(length).toBe(episode.tokens);
  });

  test('there are 35 episodes', () => {
    expect(golden.episodes).toHaveLength(35);
  });
});

describe('questions', () => {
  test('every question reads back from its own words', () => {
    for (const dataset of DATASETS) {
      for (const seed of SEEDS) {
        const question = makeQuestion(dataset, seed);
        expect(readQuestion(questionWords(question))).toEqual(question);
      }
    }
  });

  test('seeds and data sets give different questions: 200 seeds of musique, 185 or more', () => {
    const texts = SEEDS.map((seed) => questionWords(makeQuestion('musique', seed)).join(' '));
    expect(new Set(texts).size).toBeGreaterThanOrEqual(185);
    const [seed] = SEEDS;
    expect(
      new Set(DATASETS.map((dataset) => questionWords(makeQuestion(dataset, seed)).join(' '))).size,
    ).toBe(7);
  });

  test('hops follow the data set', () => {
    expect(new Set(chains('hotpot').map((question) => question.relations.length))).toEqual(new Set([2]));
    expect(new Set(chains('bamboogle').map((question) => question.relations.length))).toEqual(new Set([2]));
    expect(new Set(chains('2wiki').map((question) => question.relations.length))).toEqual(new Set([2]));
    for (const dataset of ['nq', 'trivia', 'popqa'] as const) {
      expect(new Set(chains(dataset).map((question) => question.relations.length))).toEqual(new Set([1]));
    }
    const three = chains('musique').filter((question) => question.relations.length === 3).length;
    expect(three).toBeGreaterThan(0.6 * SEEDS.length);
    expect(three).toBeLessThan(0.8 * SEEDS.length);
    expect(chains('musique').every((question) => [3, 4].includes(question.relations.length))).toBe(true);
  });

  test('no relation repeats, every hop exists, and a year comes last if at all', () => {
    for (const question of DATASETS.flatMap(chains)) {
      expect(new Set(question.relations).size).toBe(question.relations.length);
      expect(question.relations.slice(0, -1)).not.toContain('year');
      let type = typeOf(question.start);
      for (const relation of question.relations) {
        expect(type).not.toBe('year');
        type = relationsOf(type === typeOf(question.start) ? question.start : sampleOf(type)).get(relation);
        expect(type).toBeDefined();
      }
    }
  });

  test('half of 2wiki compares two entities of one kind with different years', () => {
    const comparisons = SEEDS.map((seed) => ({ seed, question: makeQuestion('2wiki', seed) })).flatMap(
      ({ seed, question }) => (question.kind === 'comparison' ? [{ seed, question }] : []),
    );
    expect(comparisons.length).toBeGreaterThan(0.4 * SEEDS.length);
    expect(comparisons.length).toBeLessThan(0.6 * SEEDS.length);
    for (const { seed, question } of comparisons) {
      const { first, second, operator } = question;
      expect(typeOf(first)).toBe(typeOf(second));
      const years = [valueOf(seed, first, 'year'), valueOf(seed, second, 'year')];
      expect(years[0]).not.toBe(years[1]);
      const older = years[0] < years[1] ? first : second;
      expect(answerOf(seed, question) === older).toBe(operator === 'older');
    }
    expect(new Set(comparisons.map(({ question }) => question.operator)).size).toBe(2);
  });

  test('trivia names its relation by an alias, the other sets never do', () => {
    expect(chains('trivia').every(({ words }) => ALIASES.has(words[0]))).toBe(true);
    expect(
      DATASETS.filter((set) => set !== 'trivia')
        .flatMap(chains)
        .some(({ words }) => ALIASES.has(words[0])),
    ).toBe(false);
  });

  test('popqa asks mostly about rare entities', () => {
    const rare = chains('popqa').filter(({ start }) => isRare(start)).length / SEEDS.length;
    expect(rare).toBeGreaterThan(0.68);
    expect(rare).toBeLessThan(0.86);
    expect(chains('nq').filter(({ start }) => isRare(start)).length / SEEDS.length).toBeLessThan(0.6);
  });
});

function sampleOf(type: string | undefined): string {
  const sample = VOCABULARY.find((word) => type !== undefined && typeOf(word) === type);
  if (sample === undefined) throw new Error(`no entity of type ${String(type)}`);
  return sample;
}

describe('search, calculator and grammar', () => {
  test('the true fact stands where its slot says: about 70 % first for popular, 70 % second for bamboogle', () => {
    const place = (seed: number, adversarial: boolean, entity: string, relation: string): number => {
      const own = [0, 1].flatMap((page) => searchPage({ seed, adversarial }, entity, relation, page) ?? []);
      return own.findIndex(([subject]) => subject === entity);
    };
    const seeds = Array.from({ length: 4000 }, (_, seed) => hash32(6, seed)); // standard error below 0.008
    const shares = (adversarial: boolean, entity: string): number[] =>
      [0, 1, 2].map((wanted) => {
        const hits = seeds.filter((seed) => place(seed, adversarial, entity, 'mother') === wanted).length;
        return hits / seeds.length;
      });
    const near = (got: number[], wanted: number[]) =>
      got.forEach((share, slot) => expect(Math.abs(share - wanted[slot])).toBeLessThan(0.025));
    near(shares(false, 'Ana'), [0.7, 0.2, 0.1]);
    near(shares(false, 'Ben'), [0.45, 0.25, 0.3]);
    near(shares(true, 'Ana'), [0.15, 0.7, 0.15]);
  });

  test('a wrong subject never appears with a false value: fillers are true facts of others', () => {
    for (const seed of SEEDS.slice(0, 50)) {
      for (const [subject, value] of searchPage({ seed, adversarial: false }, 'Genk', 'mayor', 3) ?? []) {
        expect(subject).not.toBe('Genk');
        expect(valueOf(seed, subject, 'mayor')).toBe(value);
      }
    }
  });

  test('guessing can pay: an unknown relation word sometimes returns the true fact', () => {
    const hits = SEEDS.filter((seed) =>
      (searchPage({ seed, adversarial: false }, 'Ana', 'mum', 0) ?? []).some(
        ([, value]) => value === valueOf(seed, 'Ana', 'mother'),
      ),
    );
    expect(hits.length / SEEDS.length).toBeGreaterThan(0.2);
    expect(hits.length / SEEDS.length).toBeLessThan(0.55);
  });

  test('search knows nothing when neither word is known', () => {
    expect(searchPage({ seed: 1, adversarial: false }, 'plan', 'mum', 0)).toBeNull();
    expect(searchPage({ seed: 1, adversarial: false }, '1961', 'plan', 0)).toBeNull();
    expect(searchPage({ seed: 1, adversarial: false }, 'plan', 'mother', 0)).toHaveLength(2);
  });

  test('the calculator compares two different years and nothing else', () => {
    expect(calculate('1961', '1970')).toBe('less');
    expect(calculate('1970', '1961')).toBe('more');
    expect(calculate('1970', '1970')).toBe('none');
    expect(calculate('Ana', '1970')).toBe('none');
  });

  test.each([
    '<think> plan </think> <search> Ana </search>',
    '<think> plan </think> <search> Ana mother',
    '<think> </think> <answer> Ana </answer>',
    '<think> a b c d </think> <answer> Ana </answer>',
    '<think> plan </think> <answer> Ana Ben </answer>',
    '<think> plan </think> <search> Ana mother </answer>',
    '<think> plan </think> <answer> <pad> </answer>',
    '<think> <q> </think> <answer> Ana </answer>',
    'plan </think> <answer> Ana </answer>',
    '<think> plan </think> Ana </answer>',
    '<think> plan </think> <answer>',
  ])('"%s" is malformed', (text) => {
    expect(parseTurn(words(text))).toBeNull();
  });

  test('a well-formed turn parses to its call', () => {
    expect(parseTurn(words('<think> a b c </think> <calc> 1961 1962 </calc>'))).toEqual({
      tag: 'calc',
      first: '1961',
      second: '1962',
    });
  });

  test('a result that leaves no room for a next turn ends the path by length, with reward −1', async () => {
    const prompt = searchEnvironment.prompt('musique', 3, 0);
    const turn = encodeWords(words('<think> Ana Ana Ana </think> <search> Ana mother </search>'));
    const room = { calls: [], length: 96 - 2 - turn.length - 7 - 1 };
    expect((await searchEnvironment.step(prompt, room, turn)).kind).toBe('observe');
    const full = await searchEnvironment.step(prompt, { ...room, length: room.length + 1 }, turn);
    expect(full).toEqual({ kind: 'end', ending: 'length', appended: [] });
    expect(searchEnvironment.reward(prompt, { turns: [turn], observations: [], ending: 'length' })).toBe(-1);
  });
});

describe('the scripted solution', () => {
  /** Whether the pages show the true answer within the call limit, i.e. the solution needs no foreknowledge. */
  function readsTheAnswer(prompt: Prompt): boolean {
    const turns = searchEnvironment.solve(prompt).map(decodeTokens);
    const last = turns[turns.length - 1];
    const note = last.slice(1, last.indexOf('</think>'));
    return note.includes('less') || note.includes('more') || note[1] === last[last.length - 2];
  }

  test.each(DATASETS)('earns 1 on 200 questions of %s within the call limit', async (dataset) => {
    for (const [index, seed] of SEEDS.entries()) {
      const prompt = searchEnvironment.prompt(dataset, seed, index);
      const turns = searchEnvironment.solve(prompt);
      expect(turns.length).toBeLessThanOrEqual(6);
      let state = searchEnvironment.start(prompt);
      for (const turn of turns.slice(0, -1)) {
        const transition = await searchEnvironment.step(prompt, state, turn);
        if (transition.kind !== 'observe') throw new Error(`ended early: ${transition.kind}`);
        state = transition.state;
      }
      const trajectory = { turns, observations: [], ending: 'answer' as const };
      expect(searchEnvironment.reward(prompt, trajectory)).toBe(1);
    }
  });

  test('a wrong answer earns 0, between a malformed turn and the right one', () => {
    const prompt = searchEnvironment.prompt('nq', 8, 0);
    const wrong = VOCABULARY[prompt.answer[0]] === 'Ana' ? 'Ben' : 'Ana';
    const turns = [encodeWords(words(`<think> plan </think> <answer> ${wrong} </answer>`))];
    expect(searchEnvironment.reward(prompt, { turns, observations: [], ending: 'answer' })).toBe(0);
    expect(searchEnvironment.reward(prompt, { turns: [[]], observations: [], ending: 'answer' })).toBe(-1);
  });

  test('the pages show the answer within five calls, but for a few musique questions', () => {
    const missing = (dataset: string): number =>
      SEEDS.filter((seed) => !readsTheAnswer(searchEnvironment.prompt(dataset, seed, 0))).length /
      SEEDS.length;
    for (const dataset of DATASETS.filter((set) => set !== 'musique')) expect(missing(dataset)).toBe(0);
    expect(missing('musique')).toBeGreaterThan(0);
    expect(missing('musique')).toBeLessThan(0.1);
  });

  test('bamboogle alone gets the adversarial index', () => {
    expect(DATASETS.filter((dataset) => indexOf({ dataset, seed: 1 }).adversarial)).toEqual(['bamboogle']);
  });
});
