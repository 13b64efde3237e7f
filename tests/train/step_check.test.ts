import { expect, test } from 'vitest';
import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { objective } from '../../src/algo/loss/loss.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { checkStep, correlation } from '../../src/train/inspect/step_check.ts';
import type { LossInputs, LossResult, TokenBatch, TrainablePolicy } from '../../src/units.ts';
import { randomBatch } from '../support/gpu_policies.ts';
import { scriptedEngine, smallConfig, withoutTimes } from '../support/scripted_run.ts';

const RATE = 1e-3;

/** A policy whose parameters are the log-probabilities of the scored tokens, one each; a step is plain descent. */
async function step(batch: TokenBatch, change: { readonly gradientFactor?: number } = {}) {
  const oldLogProb = Float32Array.from(batch.scored, (_, s) => -1 - 0.3 * Math.sin(s));
  const entropy = Float32Array.from(batch.scored, () => 0.5);
  const loss = { ...TURN_LOSS, clipLow: 9, clipHigh: 9 };
  const inputs: LossInputs = { oldLogProb, refLogProb: null, temperature: 1, loss };
  const tokens = { ...batch, ...inputs, rowCount: batch.rows.length, logProb: oldLogProb, entropy };
  const gradient = Float32Array.from(objective(tokens, loss).dlogProb);
  const after = oldLogProb.map((value, s) => value - RATE * gradient[s]);
  const found = { logProb: oldLogProb, entropy, dlogProb: gradient } as Partial<LossResult> as LossResult; // what the check reads of it
  const factor = change.gradientFactor ?? 1;
  const policy = {
    gradients: () => Promise.resolve(gradient.map((value) => factor * value)),
    parameters: () => Promise.resolve(after),
    score: () => Promise.resolve({ logProb: after, entropy }),
    scoreAt: (logProb: Float32Array) => Promise.resolve({ logProb, entropy }),
  } as Partial<TrainablePolicy> as TrainablePolicy;
  return checkStep(policy, {
    minibatch: 0,
    batch,
    inputs,
    learningRate: RATE,
    before: oldLogProb,
    loss: found,
  });
}

test('a small step of plain descent does what its gradient promised', async () => {
  const batch = randomBatch(29, 6, 5);
  const { predicted, throughTokens, lossBefore, lossAfter, correlation, followed, pushed, rows } =
    await step(batch);
  const actual = lossAfter - lossBefore;
  expect(predicted).toBeLessThan(0);
  expect(Math.abs(predicted / actual - 1)).toBeLessThan(1e-2);
  expect(Math.abs(throughTokens / predicted - 1)).toBeLessThan(1e-6);
  expect(correlation).toBeGreaterThan(0.999);
  expect(followed).toBe(1);
  expect(pushed).toBe(batch.scored.length);
  expect(rows.map(({ push }) => push.length)).toEqual(
    batch.rows.map(({ scoredStart, scoredEnd }) => scoredEnd - scoredStart),
  );
});

test('the forecast of every token is what the step does where the parameters are its log-probabilities', async () => {
  const { rows, forecastCorrelation, predictedThroughTokens, throughTokens } = await step(
    randomBatch(29, 6, 5),
  );
  for (const { before, after, predicted } of rows)
    predicted.forEach((change, index) => expect(change).toBeCloseTo(after[index] - before[index], 6));
  expect(forecastCorrelation).toBeGreaterThan(0.999);
  expect(Math.abs(predictedThroughTokens / throughTokens - 1)).toBeLessThan(1e-2); // a quarter of 2e-5 beside 1, in float32
});

test('correlation: 1 along a line, −1 against it, none where nothing varies', () => {
  expect(correlation([1, 2, 4], [3, 5, 9])).toBeCloseTo(1, 12);
  expect(correlation([1, 2, 4], [-3, -5, -9])).toBeCloseTo(-1, 12);
  expect(correlation([1, 2, 3], [1, -2, 1])).toBeCloseTo(0, 12);
  expect(correlation([1, 1], [2, 3])).toBe(null);
  expect(correlation([], [])).toBe(null);
});

test('a gradient that is wrong by a factor is found out', async () => {
  const { predicted, throughTokens, predictedThroughTokens, lossBefore, lossAfter } = await step(randomBatch(29, 6, 5), { gradientFactor: 1.5 }); // prettier-ignore
  expect(predicted / (lossAfter - lossBefore)).toBeCloseTo(1.5, 1);
  expect(predicted / throughTokens).toBeCloseTo(1.5, 5);
  expect(predicted / predictedThroughTokens).toBeCloseTo(1.5, 1);
});

const config = smallConfig({ evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });

async function played(ask: boolean, update?: number): Promise<readonly RunEvent[]> {
  const { engine, events, send, until } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  if (ask) await send({ kind: 'check-steps', ...(update === undefined ? {} : { update }) });
  const over = until((event) => event.kind === 'status' && event.status === 'finished');
  await send({ kind: 'play' });
  await over;
  return events.map(withoutTimes);
}

test('the steps of one update are checked, and the run is none the other', async () => {
  const [asked, plain] = [await played(true), await played(false)];
  const checks = asked.flatMap((event) => (event.kind === 'step-check' ? [event] : []));
  expect(checks.map(({ update }) => update)).toEqual([1]);
  const losses = asked.flatMap((event) => (event.kind === 'loss' && event.update === 1 ? [event] : []));
  expect(checks[0].steps.map(({ minibatch }) => minibatch)).toEqual(losses.map(({ minibatch }) => minibatch));
  checks[0].steps.forEach(({ rows, lossBefore }, minibatch) => {
    const { loss, rows: trained } = losses[minibatch];
    expect(rows.map(({ before }) => before)).toEqual(trained.map(({ logProb }) => logProb));
    expect(rows.map(({ push }) => push)).toEqual(trained.map(({ dlogProb }) => dlogProb.map((d) => 0 - d)));
    expect(lossBefore).toBeCloseTo(loss, 6); // no KL, no entropy bonus
  });
  expect(asked.filter(({ kind }) => kind !== 'step-check')).toEqual(plain);
});

test('the steps of a later update are checked when it comes', async () => {
  const checks = (await played(true, 2)).flatMap((event) => (event.kind === 'step-check' ? [event] : []));
  expect(checks.map(({ update }) => update)).toEqual([2]);
});

test('checking needs a run', async () => {
  const { engine, events, send } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'check-steps' });
  expect(events.flatMap((event) => (event.kind === 'failed' ? [event.report.where] : []))).toEqual([
    'command check-steps',
  ]);
});
