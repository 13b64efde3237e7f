import { describe, expect, test } from 'vitest';
import { environments } from '../../src/env/index.ts';
import { tokenId, type Environment, type LeafEnding, type Prompt, type TokenId } from '../../src/units.ts';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed * 2_654_435 + 17);

/** Deep freeze, so that writing on a state or prompt throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}

/** What the calls of a path cost; only one data set charges for them. */
const costOf = ({ dataset }: Prompt, calls: number): number => (dataset === 'metered' ? 0.2 * calls : 0);

interface Path {
  readonly ending: LeafEnding;
  readonly reward: number;
  readonly length: number; // tokens, prompt included
  readonly observations: readonly (readonly TokenId[])[];
}

async function play(
  environment: Environment,
  prompt: Prompt,
  turns: readonly (readonly TokenId[])[],
): Promise<Path> {
  let state = frozen(environment.start(prompt));
  const observations: (readonly TokenId[])[] = [];
  const played: (readonly TokenId[])[] = [];
  let length = prompt.tokens.length;
  for (const turn of turns) {
    played.push(turn);
    length += turn.length;
    const transition = frozen(await environment.step(prompt, state, turn));
    if (transition.kind === 'end') {
      const { ending } = transition;
      return {
        ending,
        length,
        observations,
        reward: environment.reward(prompt, { turns: played, observations, ending }),
      };
    }
    observations.push(transition.tokens);
    length += transition.tokens.length;
    state = transition.state;
  }
  throw new Error('the turns ran out before the episode ended');
}

const everyPrompt = (environment: Environment, seeds = SEEDS): Prompt[] =>
  environment.datasets.flatMap((dataset) =>
    seeds.map((seed, index) => frozen(environment.prompt(dataset, seed, index))),
  );

describe.each(Object.entries<Environment>(environments))('environment %s', (name, environment) => {
  test('stands in the index under its own name', () => {
    expect(environment.name).toBe(name);
  });

  test('its own solution earns the top reward, ends in an answer and fits the context and the limits', async () => {
    for (const prompt of everyPrompt(environment)) {
      const turns = environment.solve(prompt);
      const path = await play(environment, prompt, turns);
      expect(path.ending).toBe('answer');
      expect(path.reward).toBeCloseTo(1 - costOf(prompt, turns.length - 1), 12);
      expect(path.observations).toHaveLength(turns.length - 1);
      expect(turns.length - 1).toBeLessThanOrEqual(environment.callLimit);
      expect(path.length).toBeLessThanOrEqual(environment.contextLength);
    }
  });

  test('every turn of the solution is within the turn limit and ends in a stop token', () => {
    for (const turn of everyPrompt(environment).flatMap((prompt) => environment.solve(prompt))) {
      expect(turn.length).toBeLessThanOrEqual(environment.turnTokenLimit);
      expect(environment.stopTokens).toContain(turn[turn.length - 1]);
      expect(environment.stopTokens.filter((stop) => turn.slice(0, -1).includes(stop))).toEqual([]);
    }
  });

  test('the same seed gives the same prompt, and seeds differ', () => {
    const texts = everyPrompt(environment).map((prompt) => {
      expect(environment.prompt(prompt.dataset, prompt.seed, prompt.index)).toEqual(prompt);
      return `${prompt.dataset} ${prompt.tokens.join(' ')} ${prompt.answer.join(' ')}`;
    });
    expect(new Set(texts).size).toBeGreaterThan(8);
  });

  test('a path played twice from the same frozen states gives the same transitions', async () => {
    for (const prompt of everyPrompt(environment, SEEDS.slice(0, 5))) {
      const turns = environment.solve(prompt);
      expect(await play(environment, prompt, turns)).toEqual(await play(environment, prompt, turns));
    }
  });

  test('a malformed turn ends the path with reward −1', async () => {
    for (const prompt of everyPrompt(environment, SEEDS.slice(0, 5))) {
      const [first] = environment.solve(prompt);
      const unknown = tokenId(environment.vocabulary.length);
      for (const turn of [
        [],
        first.slice(0, -1),
        first.slice(1),
        [...first, environment.padToken],
        [unknown, ...first],
      ]) {
        expect(await play(environment, prompt, [turn])).toMatchObject({ ending: 'malformed', reward: -1 });
      }
    }
  });

  test('one call more than the limit ends the path below the top reward', async () => {
    for (const prompt of everyPrompt(environment, SEEDS.slice(0, 5))) {
      const call = environment.solve(prompt)[0];
      const turns = Array.from({ length: environment.callLimit + 1 }, () => call);
      const path = await play(environment, prompt, turns);
      expect(path.ending).toBe('call-limit');
      expect(path.reward).toBeLessThan(1);
      expect(path.observations).toHaveLength(environment.callLimit);
    }
  });

  test('words are unique, and every token of prompts, turns and observations is one of them', async () => {
    expect(new Set(environment.vocabulary).size).toBe(environment.vocabulary.length);
    for (const prompt of everyPrompt(environment, SEEDS.slice(0, 10))) {
      const turns = environment.solve(prompt);
      const { observations } = await play(environment, prompt, turns);
      for (const token of [...prompt.tokens, ...prompt.answer, ...turns.flat(), ...observations.flat()]) {
        expect(environment.vocabulary[token]).toBeTypeOf('string');
        expect(token).not.toBe(environment.padToken);
      }
    }
  });

  test('an unknown data set is refused by name', () => {
    expect(() => environment.prompt('no such set', 1, 0)).toThrow(/Unknown data set.*no such set/);
  });

  test('a prompt that is not a question is refused', () => {
    const prompt = environment.prompt(environment.datasets[0], 1, 0);
    expect(() => environment.solve({ ...prompt, tokens: [environment.padToken] })).toThrow(/not a question/);
  });
});
