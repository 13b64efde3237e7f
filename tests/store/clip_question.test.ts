import { beforeAll, expect, test } from 'vitest';
import { batchSpread, histogram, lossBalance } from '../../src/store/loss/batch_reading.ts';
import { askClip, readLoss } from '../../src/store/loss/loss_reading.ts';
import type { MinibatchState, UpdateState } from '../../src/store/record/run_state.ts';
import type { LossConfig } from '../../src/units.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let update: UpdateState;
let moved: MinibatchState; // the last: its ratios have moved away from 1
let config: LossConfig;

beforeAll(async () => {
  const lab = await scriptedLab();
  ({ update } = liveTree(lab));
  config = lab.run.getState().header!.config!.algorithm.loss;
  moved = update.minibatches.at(-1)!;
});

test('the run’s own band gives the trainer’s loss and flips nothing', () => {
  for (const minibatch of update.minibatches) {
    const answer = askClip(minibatch, config, config);
    expect(answer.loss).toBeCloseTo(minibatch.loss!, 5); // rows are float32
    expect([answer.flippedTokens, answer.flippedGroups, answer.silenced, answer.freed]).toEqual([0, 0, 0, 0]);
    expect(answer.tokens).toBe(minibatch.rows.reduce((sum, row) => sum + row.tokenIndex.length, 0));
    expect(answer.groups).toBe(minibatch.rows.reduce((sum, row) => sum + row.turnLogRatio.length, 0));
  }
});

test('a band of no width silences every turn whose ratio left 1 on the clipped side; a huge one frees all', () => {
  const turns = moved.rows.flatMap(
    ({ leaf, prompt }) => readLoss(update, update.trees[prompt], leaf, config)!.turns,
  );
  const shut = askClip(moved, config, { clipLow: 0, clipHigh: 0 });
  const outside = turns.filter(
    ({ turnRatio, advantage }) => (advantage[0] > 0 && turnRatio > 1) || (advantage[0] < 0 && turnRatio < 1),
  );
  expect(shut.clippedTokens).toBe(outside.reduce((sum, { tokens }) => sum + tokens.length, 0));
  expect(shut.clippedTokens).toBeGreaterThan(0);
  const open = askClip(moved, config, { clipLow: 1, clipHigh: 1000 });
  expect(open.clippedTokens).toBe(0);
  expect(open.freed).toBe(
    turns.filter(({ clippedCount }) => clippedCount > 0).flatMap(({ tokens }) => tokens).length,
  );
  expect(open.push).toBeGreaterThan(shut.push);
});

test('each turn that flips is counted once, however many tokens it has', () => {
  const shut = askClip(moved, config, { clipLow: 0, clipHigh: 0 });
  const open = askClip(moved, { ...config, clipLow: 1, clipHigh: 1000 }, { clipLow: 0, clipHigh: 0 });
  expect(open.flippedTokens).toBe(shut.clippedTokens);
  expect(open.flippedGroups).toBeLessThan(open.flippedTokens);
  expect(open.flippedGroups).toBeGreaterThan(0);
});

test('a histogram counts every value once; what lies outside stands in the end bins', () => {
  const bins = histogram([-5, 0, 0.1, 0.5, 1, 9], 0, 1, 4);
  expect(bins.map(({ count }) => count)).toEqual([3, 0, 1, 2]);
  expect(bins[1]).toEqual({ from: 0.25, to: 0.5, count: 0 });
});

test('a mini-batch’s ratios are one per turn, its advantages one per token', () => {
  const { ratios, advantages, outside } = batchSpread(moved, config);
  const logRatios = moved.rows.flatMap(({ turnLogRatio }) => turnLogRatio);
  expect(ratios).toHaveLength(logRatios.length);
  ratios.forEach((ratio, at) => expect(ratio).toBeCloseTo(Math.exp(logRatios[at]), 12));
  expect(outside).toBe(
    ratios.filter((ratio) => ratio < 1 - config.clipLow || ratio > 1 + config.clipHigh).length,
  );
  expect(advantages).toEqual(moved.rows.flatMap(({ advantage }) => [...advantage]));
});

test('gain and cost add up to the loss, and every token pushes up, pushes down or is silent', () => {
  for (const minibatch of update.minibatches) {
    const balance = lossBalance(update, minibatch, config);
    expect(balance.gain + balance.cost).toBeCloseTo(minibatch.loss!, 5);
    expect(balance.gain).toBeLessThan(0);
    expect(balance.cost).toBeGreaterThan(0);
    expect(balance.pushedUp + balance.pushedDown + balance.silent).toBe(balance.tokens);
    expect(balance.gradientNorm).toBe(minibatch.step!.gradientNorm);
    const prompts = new Set(minibatch.rows.map(({ prompt }) => prompt));
    expect(balance.prompts).toBe(prompts.size);
    const dead = [...prompts].filter(
      (prompt) => new Set(update.trees[prompt].rewards!.filter((reward) => reward !== null)).size === 1,
    );
    expect(balance.deadPrompts).toBe(dead.length);
  }
});

test('weighted advantages cancel in part: their sum is smaller than the sum of their sizes', () => {
  const { signedAdvantage, push } = lossBalance(update, update.minibatches[0], config);
  expect(Math.abs(signedAdvantage)).toBeLessThan(push);
});

test('dead prompts are counted within the mini-batch, not within the update', () => {
  const trees = update.trees.map((tree) => ({ ...tree, rewards: tree.nodes.map(() => 1) }));
  const { prompts, deadPrompts } = lossBalance({ trees }, moved, config);
  expect(prompts).toBeLessThan(trees.length);
  expect(deadPrompts).toBe(prompts);
});
