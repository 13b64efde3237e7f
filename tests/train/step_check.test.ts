import { expect, test } from 'vitest';
import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { objective } from '../../src/algo/loss/loss.ts';
import { checkStep, correlation } from '../../src/train/inspect/step_check.ts';
import type { LossInputs, LossResult, TokenBatch, TrainablePolicy } from '../../src/units.ts';
import { randomBatch } from '../support/gpu_policies.ts';
import { refusalOf } from '../support/questions.ts';
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

async function played(ask: boolean, update?: number) {
  const { engine, events, send, until } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  const check = ask ? engine.ask({ kind: 'check-steps', ...(update !== undefined && { update }) }) : null;
  const over = until((event) => event.kind === 'status' && event.status === 'finished');
  await send({ kind: 'play' });
  await over;
  return { events: events.map(withoutTimes), check: await check };
}

test('the steps of one update are checked, and the run is none the other', async () => {
  const [asked, plain] = [await played(true), await played(false)];
  const { update, steps } = asked.check!;
  expect(update).toBe(1);
  const losses = asked.events.flatMap((event) =>
    event.kind === 'loss' && event.update === 1 ? [event] : [],
  );
  expect(steps.map(({ minibatch }) => minibatch)).toEqual(losses.map(({ minibatch }) => minibatch));
  steps.forEach(({ rows, lossBefore }, minibatch) => {
    const { loss, rows: trained } = losses[minibatch];
    expect(rows.map(({ before }) => before)).toEqual(trained.map(({ logProb }) => logProb));
    expect(rows.map(({ push }) => push)).toEqual(trained.map(({ dlogProb }) => dlogProb.map((d) => 0 - d)));
    expect(lossBefore).toBeCloseTo(loss, 6); // no KL, no entropy bonus
  });
  expect(asked.events).toEqual(plain.events);
});

test('the steps of a later update are checked when it comes', async () => {
  expect((await played(true, 2)).check?.update).toBe(2);
});

test('checking needs a run, and one that ends without the update says so', async () => {
  const { engine, events, send } = scriptedEngine(config);
  await engine.start();
  const asked = (update?: number) =>
    refusalOf(engine.ask({ kind: 'check-steps', ...(update && { update }) }));
  expect((await asked()).what).toBe('There is no run to do this with');
  await send({ kind: 'open', config });
  const tooFar = asked(config.updates + 1);
  await send({ kind: 'play' });
  expect((await tooFar).what).toBe('The run ended before it could answer this');
  expect((await asked()).what).toBe('The run ended before it could answer this');
  await send({ kind: 'reset' });
  const closed = asked();
  await send({ kind: 'close' });
  expect((await closed).what).toBe('The run ended before it could answer this');
  const gone = new AbortController();
  await send({ kind: 'open', config });
  const left = engine.ask({ kind: 'check-steps' }, gone.signal);
  gone.abort(new Error('nobody waits'));
  await expect(left).rejects.toThrow('nobody waits');
  expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]); // each fails alone
});
