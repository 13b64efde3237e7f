import { describe, expect, test } from 'vitest';
import { corridorEnvironment as corridor } from '../../src/env/corridor.ts';
import { tokenId, type LeafEnding, type Prompt, type TokenId } from '../../src/units.ts';

const encode = (text: string): TokenId[] =>
  text.split(' ').map((word) => tokenId(corridor.vocabulary.indexOf(word)));
const decode = (tokens: readonly TokenId[]): string =>
  tokens.map((token) => corridor.vocabulary[token]).join(' ');

const told = (key: string, door: string, you: string): Prompt => ({
  index: 0,
  dataset: 'corridor',
  seed: 0,
  tokens: encode(`<start> key ${key} door ${door} you ${you} ?`),
  answer: encode('open'),
});

/** The word seen after each action, and at last the ending, if there was one. */
async function walk(prompt: Prompt, actions: string): Promise<string> {
  let state = corridor.start(prompt);
  const seen: string[] = [];
  for (const action of actions.split(' ')) {
    const transition = await corridor.step(prompt, state, encode(action));
    if (transition.kind === 'end') return [...seen, transition.ending].join(' ');
    seen.push(decode(transition.tokens).replace(/^<see> (.*) <\/see>$/, '$1'));
    state = transition.state;
  }
  return seen.join(' ');
}

describe('the corridor', () => {
  test('the key opens the door, and nothing else does', async () => {
    const prompt = told('west', 'east', 'middle');
    expect(await walk(prompt, 'west take east east open')).toBe('key held none door answer');
    expect(await walk(prompt, 'east open')).toBe('door locked');
    expect(await walk(prompt, 'take open')).toBe('none none');
  });

  test('walls stop a walk, a taken key is gone, and the key stays in hand', async () => {
    const prompt = told('west', 'middle', 'west');
    expect(await walk(prompt, 'west take west take east open')).toBe('key held none none door answer');
  });

  test('the sixth turn may open the door, another one ends the path', async () => {
    expect(await walk(told('west', 'middle', 'west'), 'west west west take east open')).toBe(
      'key key key held door answer',
    );
    expect(await walk(told('west', 'middle', 'west'), 'west west west west take east')).toBe(
      'key key key key held call-limit',
    );
  });

  test('rewards are 1 for the open door, else −1 with 0.1 per action, 0.3 for the key and 0.3 for the door after it', () => {
    const prompt = told('west', 'east', 'west');
    const rewardOf = (ending: LeafEnding, ...seen: string[]) =>
      corridor.reward(prompt, {
        turns: [],
        observations: seen.map((word) => encode(`<see> ${word} </see>`)),
        ending,
      });
    expect(rewardOf('answer', 'held', 'none', 'door')).toBe(1);
    expect(rewardOf('malformed')).toBe(-1);
    expect(rewardOf('malformed', 'none', 'none')).toBeCloseTo(-0.8, 12);
    expect(rewardOf('malformed', 'none', 'held')).toBeCloseTo(-0.5, 12);
    expect(rewardOf('call-limit', 'door', 'none', 'held', 'none', 'none')).toBeCloseTo(-0.4, 12);
    expect(rewardOf('call-limit', 'held', 'none', 'door', 'none', 'none')).toBeCloseTo(-0.1, 12);
    expect(rewardOf('call-limit', 'key', 'key', 'key', 'key', 'key')).toBeCloseTo(-0.7, 12);
  });

  test('questions take three or four turns, about half each, in all twelve layouts', () => {
    const prompts = Array.from({ length: 400 }, (_, seed) => corridor.prompt('corridor', seed, 0));
    const turns = prompts.map((prompt) => corridor.solve(prompt).length);
    expect(new Set(turns)).toEqual(new Set([3, 4]));
    expect(turns.filter((count) => count === 3).length).toBeGreaterThan(160);
    expect(turns.filter((count) => count === 3).length).toBeLessThan(240);
    expect(new Set(prompts.map(({ tokens }) => decode(tokens))).size).toBe(12);
  });
});
