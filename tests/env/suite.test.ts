/** The suite `compare`: its experiment, what scripted players score on held-out questions, and that these are held out. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMPARE, playersOf, scorePlayer, settingsOf } from '../../src/env/search/suite.ts';
import { decodeTokens, searchEnvironment } from '../../src/env/search/search.ts';
import { plannedRuns, readExperiment } from '../../src/experiment/experiment.ts';
import { labConfig } from '../../src/train/engine/lab.ts';
import {
  FIRST_HELD_OUT_SEED,
  heldOutPrompts,
  heldOutSeed,
  trainingSeed,
} from '../../src/train/run/prompts.ts';

const QUESTIONS = 300;
const experiment = readExperiment(readFileSync('experiments/compare.json', 'utf8'), 'compare.json');

test('the experiment trains on the tasks of the suite and no others, with enough held-out questions', () => {
  expect(experiment.tasks).toEqual(COMPARE.map((task) => ({ name: task.name, settings: settingsOf(task) })));
  expect(experiment.evaluation.questions).toBeGreaterThanOrEqual(QUESTIONS);
  for (const { options } of plannedRuns(experiment)) {
    const settings = options.flatMap(
      (text, at): (readonly [string, string])[] =>
      options[at - 1] === '--set' ? [[text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]] : [], // prettier-ignore
    );
    const config = labConfig({ preset: experiment.base.preset, algorithm: null, seed: 1, updates: 1, evaluationQuestions: 300, settings }); // prettier-ignore
    expect(config.datasets).toEqual(config.evaluation.datasets);
  }
});

test('no held-out question is trained on, and none is asked twice', () => {
  const held = Array.from({ length: QUESTIONS }, (_, index) => heldOutSeed(index));
  expect(new Set(held).size).toBe(QUESTIONS);
  expect(Math.min(...held)).toBeGreaterThanOrEqual(FIRST_HELD_OUT_SEED);
  for (let update = 1; update <= 40; update += 1)
    for (let index = 0; index < 16; index += 1)
      expect(trainingSeed({ seed: 1, update }, index)).toBeLessThan(FIRST_HELD_OUT_SEED);
});

describe.each(COMPARE.map((task) => [task.name, task] as const))('%s', (name, task) => {
  const prompts = heldOutPrompts(searchEnvironment, name, QUESTIONS);
  const players = playersOf(task);

  test('an oracle that reads reaches its bound, a random player nothing, the temptation is real and short of it', async () => {
    const [random, tempted, oracle] = await Promise.all([
      scorePlayer(prompts, players.random),
      scorePlayer(prompts, players.tempted),
      scorePlayer(prompts, players.oracle),
    ]);
    expect(random.exactMatch).toBeLessThan(0.05);
    expect(oracle.calls).toBeLessThanOrEqual(5);
    const cost = name === 'metered' ? 0.2 : 0;
    const solved = prompts.filter((prompt) => {
      const last = decodeTokens(searchEnvironment.solve(prompt).at(-1)!);
      return last[2] === last.at(-2); // what it thought of last, which it had read, is the answer
    });
    const bound = solved.length / QUESTIONS; // the pages of some questions hide more than five calls reach
    expect(bound).toBeGreaterThan({ musique: 0.9, stale: 0.999, metered: 0.999, halfway: 0.99 }[name as 'stale']); // prettier-ignore
    expect(oracle.exactMatch).toBeGreaterThanOrEqual(bound);
    expect(oracle.exactMatch).toBeLessThan(bound + 0.01);
    expect(oracle.reward).toBeCloseTo(oracle.exactMatch - cost * oracle.calls, name === 'halfway' ? 2 : 12); // where calls run out, half is paid
    expect(tempted.reward).toBeLessThan(oracle.reward);
    const [least, most] = { musique: [0, 0.05], stale: [0.25, 0.5], metered: [0, 0.05], halfway: [0, 0.1] }[name as 'stale']; // prettier-ignore
    expect(tempted.exactMatch).toBeGreaterThanOrEqual(least);
    expect(tempted.exactMatch).toBeLessThan(most);
    if (name === 'halfway') expect(tempted.reward).toBeGreaterThanOrEqual(0.5);
    if (name === 'metered') expect([tempted.calls, tempted.reward]).toEqual([0, tempted.exactMatch]);
  });
});
