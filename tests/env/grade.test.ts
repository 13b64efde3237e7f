import { describe, expect, test } from 'vitest';
import { corridorEnvironment } from '../../src/env/corridor.ts';
import { hash32 } from '../../src/env/hash.ts';
import { environments } from '../../src/env/index.ts';
import { missingFact } from '../../src/env/search/question.ts';
import { decodeTokens, encodeWords, indexOf, searchEnvironment } from '../../src/env/search/search.ts';
import { searchPage } from '../../src/env/search/tools.ts';
import { ALIASES, RELATIONS, SUBJECTS, typeOf, valueOf } from '../../src/env/search/world.ts';
import type { Environment, LeafEnding, Prompt, TokenId, Trajectory } from '../../src/units.ts';

const turn = (text: string): readonly TokenId[] => encodeWords(text.split(' '));
const SEEDS = Array.from({ length: 60 }, (_, index) => hash32(9, index));

async function play(
  environment: Environment,
  prompt: Prompt,
  turns: readonly (readonly TokenId[])[],
): Promise<Trajectory> {
  let state = environment.start(prompt);
  const observations: (readonly TokenId[])[] = [];
  let ending: LeafEnding = 'length';
  for (const [place, tokens] of turns.entries()) {
    const transition = await environment.step(prompt, state, tokens);
    if (transition.kind === 'end')
      return { turns: turns.slice(0, place + 1), observations, ending: transition.ending };
    observations.push(transition.tokens);
    state = transition.state;
  }
  ending = 'length';
  return { turns, observations, ending };
}

describe.each(Object.entries<Environment>(environments))('grades of %s', (_name, environment) => {
  test('its own solution is an exact match of full credit in good form', async () => {
    for (const dataset of environment.datasets) {
      for (const seed of SEEDS) {
        const prompt = environment.prompt(dataset, seed, 0);
        const grade = environment.grade(prompt, await play(environment, prompt, environment.solve(prompt)));
        expect(grade).toMatchObject({ exactMatch: 1, f1: 1, formatValid: true, answer: prompt.answer });
        expect(grade.unknown).toBe(dataset === 'unanswerable');
      }
    }
  });

  test('the probe’s answer is the prompt’s own, in words that the model knows', () => {
    const prompt = environment.prompt(environment.datasets[0], 5, 0);
    const { bridge, answer } = environment.answerProbe(prompt);
    expect(answer).toEqual(prompt.answer);
    expect([...bridge, ...environment.formatTokens].every((id) => id < environment.vocabulary.length)).toBe(
      true,
    );
  });
});

describe('a grade of the search world', () => {
  const prompt = searchEnvironment.prompt('hotpot', 11, 0);
  const [answer] = decodeTokens(prompt.answer);
  const wrong = answer === 'Ana' ? 'Ben' : 'Ana';
  const gradeOf = async (...turns: string[]) =>
    searchEnvironment.grade(prompt, await play(searchEnvironment, prompt, turns.map(turn)));

  test('tells a right answer in bad form from a wrong one in good form', async () => {
    const rightButMalformed = await gradeOf(`<think> plan </think> <answer> ${answer} </answer> done`);
    expect(rightButMalformed).toMatchObject({ exactMatch: 1, formatValid: false, answer: prompt.answer });
    const wrongButValid = await gradeOf(`<think> plan </think> <answer> ${wrong} </answer>`);
    expect(wrongButValid).toMatchObject({
      exactMatch: 0,
      f1: 0,
      formatValid: true,
      answer: encodeWords([wrong]),
    });
    const nothing = await gradeOf('<think> plan </think> <answer>');
    expect(nothing).toMatchObject({ exactMatch: 0, formatValid: false, answer: null });
  });

  test('counts different tools that were answered, and sees the admission', async () => {
    const [search, calc] = ['<search> Genk country </search>', '<calc> 1961 1962 </calc>'];
    const end = '<think> plan </think> <answer> none </answer>';
    expect(await gradeOf(end)).toMatchObject({ toolsUsed: 0, unknown: true, exactMatch: 0 });
    const think = '<think> plan </think>';
    expect(await gradeOf(`${think} ${search}`, `${think} ${search}`, end)).toMatchObject({ toolsUsed: 1 });
    expect(await gradeOf(`${think} ${search}`, `${think} ${calc}`, end)).toMatchObject({ toolsUsed: 2 });
  });

  test('a call failed when its result is none', () => {
    const call = turn('<think> plan </think> <calc> 1961 1961 </calc>');
    expect(searchEnvironment.callFailed(call, turn('<result> none </result>'))).toBe(true);
    expect(searchEnvironment.callFailed(call, turn('<result> less </result>'))).toBe(false);
  });
});

describe('an unanswerable question', () => {
  const missingOf = (seed: number) => ({ seed, ...missingFact(seed) });

  test('hangs on a fact that no page of the index shows, under any word', () => {
    for (const { seed, entity, relation } of SEEDS.map(missingOf)) {
      const index = indexOf({ dataset: 'unanswerable', seed });
      for (const word of [...RELATIONS, ...ALIASES.keys()]) {
        const rows = [0, 1, 2].flatMap((page) => searchPage(index, entity, word, page) ?? []);
        const own = rows.filter(([subject]) => subject === entity);
        const others = RELATIONS.filter((other) => other !== relation);
        const explained = own.filter(([, value]) =>
          others.some((other) => {
            try {
              return valueOf(seed, entity, other) === value;
            } catch {
              return false; // not a relation of this entity
            }
          }),
        );
        expect(explained).toEqual(own);
        if (word === relation) expect(own).toEqual([]);
      }
    }
  });

  test('leaves every other fact as the same seed has it elsewhere', () => {
    for (const { seed, entity, relation } of SEEDS.slice(0, 10).map(missingOf)) {
      const [index, whole] = [indexOf({ dataset: 'unanswerable', seed }), { seed, adversarial: false }];
      for (const subject of SUBJECTS.filter((other) => other !== entity)) {
        expect(searchPage(index, subject, relation, 0)).toEqual(searchPage(whole, subject, relation, 0));
      }
    }
  });

  test('is given up after both pages of the missing fact', () => {
    for (const { seed, entity, relation } of SEEDS.map(missingOf)) {
      const turns = searchEnvironment
        .solve(searchEnvironment.prompt('unanswerable', seed, 0))
        .map(decodeTokens);
      const asked = turns.filter((words) => words.includes(entity) && words.includes(relation));
      expect(asked.length).toBeGreaterThanOrEqual(2);
      expect(turns[turns.length - 1].slice(-3)).toEqual(['<answer>', 'none', '</answer>']);
    }
  });
});

test('the corridor grades progress: nothing, the key, the key and the door', async () => {
  const prompt = corridorEnvironment.prompt('corridor', 4, 0);
  const solution = corridorEnvironment.solve(prompt);
  const take = solution.findIndex(([token]) => corridorEnvironment.vocabulary[token] === 'take');
  const after = async (count: number) =>
    corridorEnvironment.grade(prompt, await play(corridorEnvironment, prompt, solution.slice(0, count))).f1;
  const [none, key, whole] = [await after(0), await after(take + 1), await after(solution.length)];
  expect(none).toBe(0);
  expect(key).toBeCloseTo(0.3 + 0.1 * (take + 1), 10);
  expect(whole).toBe(1);
  const [open] = solution[solution.length - 1];
  const seen = (word: string) => [0, 0, 0].map((_, i) => (i === 1 ? corridorEnvironment.vocabulary.indexOf(word) : 3) as TokenId); // prettier-ignore
  expect(corridorEnvironment.callFailed([open], seen('locked'))).toBe(true);
  expect(corridorEnvironment.callFailed([open], seen('key'))).toBe(false);
});

describe('data sets with other rules', () => {
  const [think, word] = ['<think> plan </think>', (tokens: readonly TokenId[]) => decodeTokens(tokens)];
  const chainOf = (dataset: string, seed: number) => {
    const prompt = searchEnvironment.prompt(dataset, seed, 0);
    const [, start, ...asked] = word(prompt.tokens);
    const relations = asked.filter((_, place) => place % 2 === 1);
    const values = relations.reduce(
      (found, relation) => [...found, valueOf(prompt.seed, found[found.length - 1], relation)],
      [start],
    );
    return { prompt, start, relations, steps: values.slice(1, -1), answer: word(prompt.answer)[0] };
  };
  const paid = async (prompt: Prompt, ...turns: string[]) => {
    const path = await play(searchEnvironment, prompt, turns.map(turn));
    return {
      reward: searchEnvironment.reward(prompt, path),
      grade: searchEnvironment.grade(prompt, path),
      path,
    };
  };

  test('stale: half of the first looks are wrong, well-formed and of the right kind; every later look is true', () => {
    let outdated = 0;
    for (const seed of SEEDS) {
      const { start, relations: [first] } = chainOf('stale', seed); // prettier-ignore
      const index = indexOf({ dataset: 'stale', seed });
      const own = (page: number) =>
        searchPage(index, start, first, page)!.filter(([subject]) => subject === start);
      const [[, shown], ...more] = own(0);
      expect(more).toEqual([]);
      const truth = valueOf(seed, start, first);
      expect(typeOf(shown)).toBe(typeOf(truth));
      expect(shown).not.toBe(start);
      if (shown !== truth) outdated += 1;
      for (const page of [1, 2, 3]) expect(own(page)).toEqual([[start, truth]]);
    }
    const share = outdated / SEEDS.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(3 * Math.sqrt(0.25 / SEEDS.length));
  });

  test('stale: who believes first looks is right in less than half, who asks each twice always', async () => {
    let right = 0;
    for (const seed of SEEDS) {
      const { prompt, start, relations } = chainOf('stale', seed);
      const index = indexOf(prompt);
      const look = (entity: string, relation: string): string =>
        searchPage(index, entity, relation, 0)!.find(([subject]) => subject === entity)![1];
      const believed = relations.reduce(look, start);
      right += (await paid(prompt, `${think} <answer> ${believed} </answer>`)).reward;
      const solution = searchEnvironment.solve(prompt).map(word);
      expect(solution).toHaveLength(2 * relations.length + 1);
      expect(solution.at(-1)![2]).toBe(solution.at(-1)!.at(-2)); // the answer is what it read last
    }
    expect(right / SEEDS.length).toBeLessThan(0.5); // a half of one hop, a quarter of two
  });

  test('metered: each answered call takes 0.2 off whatever the path earns, and nothing off its grade', async () => {
    for (const seed of SEEDS.slice(0, 5)) {
      const { prompt, start, relations, answer } = chainOf('metered', seed);
      const call = `${think} <search> ${start} ${relations[0]} </search>`;
      const [right, wrong] = [`${think} <answer> ${answer} </answer>`, `${think} <answer> none </answer>`];
      for (const calls of [0, 1, 2, 5]) {
        const asked = Array.from({ length: calls }, () => call);
        const ends = [...(await Promise.all([paid(prompt, ...asked, right), paid(prompt, ...asked, wrong), paid(prompt, ...asked, 'done')]))]; // prettier-ignore
        ends.forEach(({ reward }, place) => expect(reward).toBeCloseTo([1, 0, -1][place] - 0.2 * calls, 12));
        expect(ends.map(({ grade }) => [grade.exactMatch, grade.f1])).toEqual([[1, 1], [0, 0], [0, 0]]); // prettier-ignore
      }
      const over = await paid(prompt, ...Array.from({ length: 6 }, () => call));
      expect([over.path.ending, over.reward]).toEqual(['call-limit', -2]); // the sixth is not answered, so not paid for
    }
  });

  test('halfway: a step on the way pays half and is no exact match; elsewhere it pays nothing', async () => {
    for (const seed of SEEDS) {
      const { prompt, start, steps, answer } = chainOf('halfway', seed);
      for (const step of steps) {
        const { reward, grade } = await paid(prompt, `${think} <answer> ${step} </answer>`);
        const isAnswer = step === answer;
        expect(reward).toBe(isAnswer ? 1 : 0.5);
        expect(grade).toMatchObject({ exactMatch: isAnswer ? 1 : 0, f1: isAnswer ? 1 : 0.5 });
      }
      if (![answer, ...steps].includes(start))
        expect((await paid(prompt, `${think} <answer> ${start} </answer>`)).reward).toBe(0);
      const plain = chainOf('hotpot', seed);
      if (plain.steps[0] !== plain.answer)
        expect((await paid(plain.prompt, `${think} <answer> ${plain.steps[0]} </answer>`)).reward).toBe(0);
    }
  });
});
