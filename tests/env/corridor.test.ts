import { describe, expect, test } from 'vitest';
import { corridorEnvironment as corridor } from '../../src/env/corridor.ts';
import { tokenId, type Prompt, type TokenId } from '../../src/units.ts';

const encode = (text: string): TokenId[] =>
  text.split(' ').map((word) => tokenId(corridor.vocabulary.indexOf(word)));
const decode = (tokens: readonly TokenId[]): string =>
  tokens.map((token) => corridor.vocabulary[token]).join(' ');

async function see(prompt: Prompt, turns: readonly string[]): Promise<string[]> {
  let state = corridor.start(prompt);
  const seen: string[] = [];
  for (const turn of turns) {
    const transition = await corridor.step(prompt, state, encode(turn));
    if (transition.kind === 'end') return [...seen, transition.ending];
    seen.push(decode(transition.tokens));
    state = transition.state;
  }
  return seen;
}

describe('the corridor', () => {
  test('a told prompt names both keys and the door, a hidden one only the door', () => {
    expect(decode(corridor.prompt('told', 4, 0).tokens)).toMatch(
      /^<start> \w+ west ; \w+ east ; \w+ door \?$/,
    );
    expect(decode(corridor.prompt('hidden', 4, 0).tokens)).toMatch(/^<start> \w+ door \?$/);
  });

  test('the key of the door shows the gem, the other key finds it locked, and no key too', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const prompt = corridor.prompt('told', seed, 0);
      const [, west, , , east, , , door] = decode(prompt.tokens).split(' ');
      const gem = decode(prompt.answer);
      expect([west, east]).toContain(door);
      const [right, wrong] = west === door ? ['west', 'east'] : ['east', 'west'];
      const open = '<act> open door </act>';
      expect(await see(prompt, [`<act> take ${right} </act>`, open])).toEqual([
        `<see> ${door} </see>`,
        `<see> ${gem} </see>`,
      ]);
      expect((await see(prompt, [`<act> take ${wrong} </act>`, open]))[1]).toBe('<see> locked </see>');
      expect(await see(prompt, [open])).toEqual(['<see> locked </see>']);
      const swapped = await see(prompt, [`<act> take ${right} </act>`, `<act> take ${wrong} </act>`, open]);
      expect(swapped[2]).toBe('<see> locked </see>');
    }
  });

  test('looking shows both keys, and a meaningless act shows none', async () => {
    const told = decode(corridor.prompt('told', 9, 0).tokens).split(' ');
    const prompt = corridor.prompt('hidden', 9, 0);
    expect(await see(prompt, ['<act> look here </act>', '<act> take door </act>'])).toEqual([
      `<see> ${told.slice(1, 6).join(' ')} </see>`,
      '<see> none </see>',
    ]);
  });

  test('the solution takes four turns when it must look and three when told', () => {
    expect(corridor.solve(corridor.prompt('hidden', 2, 0))).toHaveLength(4);
    expect(corridor.solve(corridor.prompt('told', 2, 0))).toHaveLength(3);
  });

  test('the solution opens the door: its last observation is the gem that it names', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const prompt = corridor.prompt('hidden', seed, 0);
      const seen = await see(prompt, corridor.solve(prompt).map(decode));
      expect(seen.slice(2)).toEqual([`<see> ${decode(prompt.answer)} </see>`, 'answer']);
    }
  });

  test('the longest path is 57 tokens, so the context never overflows', async () => {
    const prompt = corridor.prompt('told', 5, 0);
    const seen = await see(
      prompt,
      Array.from({ length: 4 }, () => '<act> look here </act>'),
    );
    const length = prompt.tokens.length + 4 * 4 + seen.join(' ').split(' ').length + 3;
    expect(length).toBe(57);
    expect(length).toBeLessThanOrEqual(corridor.contextLength);
  });
});
