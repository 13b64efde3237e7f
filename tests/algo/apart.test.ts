import { expect, test } from 'vitest';
import { growTrees } from '../../src/algo/rollouts/turn_tree.ts';
import { growApart } from '../../src/algo/rollouts/apart.ts';
import type { RolloutObserver } from '../../src/algo/rollouts/growing.ts';
import type { Prompt, TurnSampler } from '../../src/units.ts';
import { RandomPolicy, TOY_ROLLOUT, toyPrompts, toyWorld } from './toy_world.ts';

const KEY = { seed: 5, update: 1 };

/** Answers each call after some milliseconds that the prompt and the call decide. */
function late(delayOf: (prompt: number, call: number) => number): TurnSampler {
  const policy = new RandomPolicy(KEY);
  let calls = 0;
  return {
    generate: async (requests) => {
      const delay = delayOf(requests[0].key.prompt, calls++);
      await new Promise((resolve) => setTimeout(resolve, delay));
      return policy.generate(requests);
    },
  };
}

const grow =
  (policy: TurnSampler) =>
  (prompt: Prompt, observer: RolloutObserver = {}) =>
    growTrees(policy, toyWorld, [prompt], TOY_ROLLOUT, KEY, observer);

/** Every event of a rollout in the order in which it was told. */
async function tellings(policy: TurnSampler, apart: boolean): Promise<string[]> {
  const log: string[] = [];
  const observer: RolloutObserver = {
    onNode: (prompt, node) => log.push(`node ${prompt} ${JSON.stringify(node)}`),
    onExpansion: (prompt, record) => log.push(`expansion ${prompt} ${JSON.stringify(record)}`),
    onLeaves: (prompt, leaves) => log.push(`leaves ${prompt} ${leaves.join()}`),
  };
  if (apart) await growApart(toyPrompts(4), observer, grow(policy));
  else await growTrees(policy, toyWorld, toyPrompts(4), TOY_ROLLOUT, KEY, observer);
  return log;
}

test('a tree is the same alone and beside others that are faster or slower', async () => {
  const alone = await Promise.all(toyPrompts(4).map((prompt) => grow(new RandomPolicy(KEY))(prompt)));
  for (const delayOf of [() => 0, (prompt: number) => 3 * prompt, (prompt: number) => 9 - 3 * prompt]) {
    expect(await growApart(toyPrompts(4), {}, grow(late(delayOf)))).toEqual(alone.flat());
  }
});

test('what is told does not depend on who was faster', async () => {
  const quick = await tellings(new RandomPolicy(KEY), true);
  expect(quick.length).toBeGreaterThan(50);
  expect(
    await tellings(
      late((prompt) => 3 * prompt),
      true,
    ),
  ).toEqual(quick);
  expect(
    await tellings(
      late((_, call) => (7 * call) % 5),
      true,
    ),
  ).toEqual(quick);
});

test('trees are told of round by round, like trees that grow together', async () => {
  const kindAndPrompt = (log: string[]) => log.map((line) => line.split(' ').slice(0, 2).join(' '));
  const apart = kindAndPrompt(
    await tellings(
      late((prompt) => 3 * prompt),
      true,
    ),
  );
  const together = kindAndPrompt(await tellings(new RandomPolicy(KEY), false));
  const openings = (log: string[]) => log.filter((line) => !line.startsWith('node'));
  expect(openings(apart)).toEqual(openings(together));
  expect(apart.slice(0, 4)).toEqual(['node 0', 'node 1', 'node 2', 'node 3']); // the roots
});

test('a fast tree asks for its next turns while a slow one is sampled', async () => {
  const order: number[] = [];
  const policy = late((prompt) => (prompt === 0 ? 50 : 0));
  const noting: TurnSampler = {
    generate: (requests) => {
      order.push(requests[0].key.prompt);
      return policy.generate(requests);
    },
  };
  await growApart(toyPrompts(2), {}, grow(noting));
  const firstAnswer = order.indexOf(0, 1); // prompt 0 asks again
  expect(order.slice(0, firstAnswer).filter((prompt) => prompt === 1).length).toBeGreaterThan(1);
});

test('the first failure ends all trees and is what the caller sees', async () => {
  let calls = 0;
  const policy = new RandomPolicy(KEY);
  const failing: TurnSampler = {
    generate: (requests) => {
      calls += 1;
      if (requests[0].key.prompt === 2) return Promise.reject(new Error('no more ink'));
      return policy.generate(requests);
    },
  };
  await expect(growApart(toyPrompts(4), {}, grow(failing))).rejects.toThrow('no more ink');
  expect(calls).toBeLessThanOrEqual(8); // nobody began a third round
});
