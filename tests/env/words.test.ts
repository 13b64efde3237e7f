import { describe, expect, test } from 'vitest';
import { keyedDraw, type Draw } from '../../src/env/hash.ts';
import { environments } from '../../src/env/index.ts';
import { tellerOf } from '../../src/env/words.ts';
import { RELATIONS, SUBJECTS, valueOf, VOCABULARY } from '../../src/env/search/world.ts';
import type { Environment, LeafEnding, Prompt, SpokenEpisode, ToldTurn } from '../../src/units.ts';

type Words = readonly string[];

interface Episode {
  readonly spoken: SpokenEpisode;
  readonly isRight: boolean; // by the task's own grade
  readonly told: readonly ToldTurn[];
}

/** Plays turns that are written as the episode goes, until it ends. */
async function play(
  environment: Environment,
  prompt: Prompt,
  write: (place: number, shown: Words) => Words,
): Promise<Episode> {
  const words = (ids: readonly number[]): Words => ids.map((id) => environment.vocabulary[id]);
  const ids = (text: Words) =>
    text.map((word) => environment.vocabulary.indexOf(word)) as unknown as Prompt['tokens'];
  const turns: Words[] = [];
  const observations: Words[] = [];
  let state = environment.start(prompt);
  for (;;) {
    const turn = write(turns.length, observations.at(-1) ?? []);
    turns.push(turn);
    const step = await environment.step(prompt, state, ids(turn));
    if (step.kind !== 'end') {
      observations.push(words(step.tokens));
      state = step.state;
      continue;
    }
    const { ending } = step;
    const trajectory = { turns: turns.map(ids), observations: observations.map(ids), ending };
    const isRight = environment.grade(prompt, trajectory).exactMatch === 1;
    const { dataset, seed } = prompt;
    const spoken = {
      dataset,
      seed,
      question: words(prompt.tokens),
      answer: words(prompt.answer),
      turns,
      observations,
      ending,
    };
    return { spoken, isRight, told: tellerOf(environment.name)!(spoken) };
  }
}

const call = (tag: string, ...body: string[]): Words => [
  '<think>',
  'plan',
  '</think>',
  `<${tag}>`,
  ...body,
  `</${tag}>`,
];

/** A turn of no plan: calls, answers and nonsense, some of it about what was just shown. */
function anyTurn(draw: Draw, shown: Words): Words {
  const known = shown.filter((word) => SUBJECTS.includes(word));
  const entity = known.length > 0 && draw.unit() < 0.7 ? draw.pick(known) : draw.pick(SUBJECTS);
  const kind = draw.unit();
  if (kind < 0.6) return call('search', entity, draw.pick(RELATIONS));
  if (kind < 0.7) return call('calc', draw.pick(['1961', '1970', 'Ana']), '1965');
  if (kind < 0.9) return call('answer', draw.unit() < 0.2 ? 'none' : entity);
  return Array.from({ length: 1 + draw.below(8) }, () => draw.pick(VOCABULARY));
}

const SEEDS = Array.from({ length: 30 }, (_, seed) => seed * 40_503 + 11);

/** Every world and data set by several policies: its own solution, one without a plan, one that only asks, a guesser. */
async function episodes(environment: Environment): Promise<readonly Episode[]> {
  const found: Episode[] = [];
  for (const dataset of environment.datasets)
    for (const seed of SEEDS) {
      const prompt = environment.prompt(dataset, seed, 0);
      const solution = environment.solve(prompt).map((turn) => turn.map((id) => environment.vocabulary[id]));
      found.push(await play(environment, prompt, (place) => solution[place]));
      const draw = keyedDraw(7, seed);
      if (environment.name === 'corridor') {
        const actions = ['west', 'east', 'take', 'open', 'door'];
        found.push(await play(environment, prompt, () => [draw.pick(actions)]));
        found.push(await play(environment, prompt, () => ['west']));
        continue;
      }
      found.push(await play(environment, prompt, (_, shown) => anyTurn(draw, shown)));
      found.push(await play(environment, prompt, () => solution[0]));
      found.push(
        await play(environment, prompt, () => call('answer', environment.vocabulary[prompt.answer[0]])),
      );
    }
  return found;
}

const FATES: Readonly<Record<Exclude<LeafEnding, 'answer'>, string>> = { malformed: 'malformed', 'call-limit': 'out of turns', length: 'out of room', 'tool-failure': '', 'empty-call': '', unknown: '' }; // prettier-ignore

describe.each(Object.entries<Environment>(environments))('environment %s', (name, environment) => {
  test('tells every turn in a sentence, and every ending as the task itself grades it', async () => {
    const seen = new Set<string>();
    for (const { spoken, isRight, told } of await episodes(environment)) {
      expect(told).toHaveLength(spoken.turns.length);
      for (const { sentence, action } of told) {
        expect(sentence).toMatch(/^[A-Z].*\.$/);
        expect(sentence).not.toMatch(/undefined|null|<\/?[a-z]+>|\(\)/);
        expect(action).not.toBe('');
      }
      expect(told.slice(0, -1).every(({ fate }) => fate === 'goes on')).toBe(true);
      const { fate, sentence } = told.at(-1)!;
      seen.add(fate);
      if (spoken.ending === 'answer') {
        expect([fate === 'right' || fate === 'lucky', sentence]).toEqual([isRight, sentence]);
        expect(sentence).toContain(isRight ? 'right' : 'wrong');
      } else expect(fate).toBe(FATES[spoken.ending!]);
    }
    const wanted = name === 'search' ? ['lucky', 'malformed', 'out of turns', 'right', 'wrong'] : ['malformed', 'out of turns', 'right']; // prettier-ignore
    expect([...seen].toSorted()).toEqual(wanted);
  });

  test('an episode that goes on is told as far as it is known', async () => {
    for (const { spoken, told } of await episodes(environment)) {
      const whole = spoken.turns.slice(0, -1);
      const open = {
        ...spoken,
        turns: whole,
        observations: spoken.observations.slice(0, whole.length),
        ending: null,
      };
      expect(tellerOf(name)!(open)).toEqual(told.slice(0, -1));
    }
  });
});

test('rows are called decoys exactly where they are about another subject than the one asked', async () => {
  let decoys = 0;
  for (const { spoken, told } of await episodes(environments.search))
    spoken.observations.forEach((result, place) => {
      const asked = spoken.turns[place][spoken.turns[place].indexOf('<search>') + 1];
      if (result.length !== 7 || !RELATIONS.includes(spoken.turns[place].at(-2)!)) return;
      const { sentence } = told[place];
      const others = [result.slice(1, 3), result.slice(4, 6)].filter(([subject]) => subject !== asked);
      decoys += others.length;
      expect(sentence.includes('decoy')).toBe(others.length > 0);
      for (const [subject, value] of others) expect(sentence).toContain(`${subject} (${value})`);
      const own = [result.slice(1, 3), result.slice(4, 6)].find(([subject]) => subject === asked);
      if (!own) return;
      const isTrue = own[1] === valueOf(spoken.seed, asked, spoken.turns[place].at(-2)!);
      expect(sentence).toContain(isTrue ? `it answers ${own[1]}` : `with ${own[1]}, which is out of date`);
      if (!isTrue) expect(spoken.dataset).toBe('stale');
    });
  expect(decoys).toBeGreaterThan(500);
});

test('a right answer is lucky without its evidence alone', async () => {
  const { search } = environments;
  for (const dataset of search.datasets)
    for (const seed of SEEDS) {
      const prompt = search.prompt(dataset, seed, 0);
      const words = search.solve(prompt).map((turn) => turn.map((id) => search.vocabulary[id]));
      const full = await play(search, prompt, (place) => words[place]);
      const answered = full.told.at(-1)!;
      // the calls may run out before the pages do
      if (answered.fate !== 'right') expect(words.length - 1).toBe(search.callLimit);
      const early = await play(search, prompt, (place) =>
        place < words.length - 2 ? words[place] : words.at(-1)!,
      );
      const calls = words.length - 2;
      if (dataset === 'stale') continue; // the last look may only confirm the first
      if (calls >= 0 && words[words.length - 2].includes('<search>'))
        expect(early.told.at(-1)!.fate).toBe('lucky');
    }
});

test('a tool result that a person rewrote is not called true', () => {
  const { search } = environments;
  const prompt = search.prompt('hotpot', 11, 0);
  const question = prompt.tokens.map((id) => search.vocabulary[id]);
  const [, entity, , relation] = question;
  const told = tellerOf('search')!({
    ...{ dataset: 'hotpot', seed: 11, question, answer: ['Ana'], ending: null },
    turns: [call('search', entity, relation)],
    observations: [['<result>', entity, '1961', ';', entity, '1961', '</result>']],
  });
  expect(told[0].sentence).toContain(`it shows ${entity} with 1961, which the world does not say`);
});

test('only our own tasks have a teller', () => {
  expect(tellerOf('browsing')).toBeNull();
  expect(tellerOf('constructor')).toBeNull();
});
