import { describe, expect, test } from 'vitest';
import { keyedDraw } from '../../src/env/hash.ts';
import { DATASETS } from '../../src/env/search/question.ts';
import { searchEnvironment } from '../../src/env/search/search.ts';
import {
  drawBatches,
  drawSequence,
  HABIT_STAGE,
  packSequences,
  SKILL_STAGE,
  stageOf,
} from '../../src/train/pretrain/pretrain_data.ts';
import {
  learningRateAt,
  meanScore,
  PRETRAIN,
  pretrain,
  PretrainDivergedError,
  scorePolicy,
  type PretrainProgress,
  type SupervisedPolicy,
  type SupervisedResult,
} from '../../src/train/pretrain/pretrain.ts';
import { heldOutSeed } from '../../src/train/run/prompts.ts';
import {
  tokenId,
  type GenerateRequest,
  type Generation,
  type OptimiserConfig,
  type TokenBatch,
} from '../../src/units.ts';

const word = (text: string) => tokenId(searchEnvironment.vocabulary.indexOf(text));

/** Answers every held-out question by the environment's own solution, and records what it is trained on. */
class ScriptedPolicy implements SupervisedPolicy {
  readonly batches: TokenBatch[] = [];
  readonly optimisers: OptimiserConfig[] = [];
  loss = 2;
  solved = new Set<string>(searchEnvironment.datasets);

  trainSupervised(
    batch: TokenBatch,
    weights: Float32Array,
    optimiser: OptimiserConfig,
  ): Promise<SupervisedResult> {
    expect(weights).toBe(batch.weight);
    this.batches.push(batch);
    this.optimisers.push(optimiser);
    const logProb = new Float32Array(batch.scored.length).fill(-0.5);
    return Promise.resolve({
      logProb,
      loss: this.loss,
      step: { gradientNorm: 1, gradientNorms: {}, headNorms: [], skipped: false },
    });
  }

  generate(requests: readonly GenerateRequest[]): Promise<readonly Generation[]> {
    return Promise.resolve(requests.map((request) => this.#next(request)));
  }

  #next({ context, key }: GenerateRequest): Generation {
    const seed = heldOutSeed(key.prompt);
    const prompts = searchEnvironment.datasets.map((dataset) =>
      searchEnvironment.prompt(dataset, seed, key.prompt),
    );
    const prompt = prompts.find(({ tokens }) => tokens.every((token, place) => context[place] === token));
    if (!prompt) throw new Error('not a held-out question');
    const turn = context.filter((token) => token === word('</result>')).length;
    const right = searchEnvironment.solve(prompt)[turn];
    const tokens = this.solved.has(prompt.dataset) ? right : right.slice(1);
    return { tokens, logProb: tokens.map(() => 0), entropy: tokens.map(() => 0), finish: 'stop' };
  }

  beginRollout(): void {}
  dispose(): void {}
  reader = () => this;
  score = () => Promise.reject(new Error('not scripted'));
  scoreAt = () => Promise.reject(new Error('not scripted'));
  readState = () => Promise.reject(new Error('not scripted'));
  writeState = () => Promise.reject(new Error('not scripted'));
  backward = () => Promise.reject(new Error('not scripted'));
  step = () => Promise.reject(new Error('not scripted'));
  gradientCosines = () => Promise.reject(new Error('not scripted'));
  nextLogits = () => Promise.reject(new Error('not scripted'));
  parameters = () => Promise.reject(new Error('not scripted'));
  gradients = () => Promise.reject(new Error('not scripted'));
  save = () => Promise.resolve(new ArrayBuffer(0));
}

describe('the sequences of the warm start', () => {
  test('weights are 0 on questions, 1 on turns and 0.3 on observations', () => {
    const { tokens, weights } = drawSequence(keyedDraw(3), HABIT_STAGE, DATASETS);
    const question = tokens.indexOf(word('?'));
    expect(weights.slice(0, question + 1)).toEqual(Array.from({ length: question + 1 }, () => 0));
    const result = tokens.indexOf(word('<result>'));
    expect(weights[question + 1]).toBe(1);
    expect(weights[result - 1]).toBe(1);
    expect(weights[result]).toBe(0.3);
    expect(weights[tokens.indexOf(word('</result>'))]).toBe(0.3);
  });

  test('two fifths of the skill stage are recall drills, none of the habit stage', () => {
    const drills = (stage: typeof SKILL_STAGE) =>
      Array.from({ length: 1000 }, (_, seed) => drawSequence(keyedDraw(seed), stage, DATASETS)).filter(
        ({ tokens }) => tokens[0] === word('<search>'),
      ).length;
    expect(Math.abs(drills(SKILL_STAGE) - 400)).toBeLessThan(60);
    expect(drills(HABIT_STAGE)).toBe(0);
  });

  test('490 of 700 steps are skill, the rest habits', () => {
    expect([0, 489, 490, 699].map((step) => stageOf(step, 700, PRETRAIN.skillShare))).toEqual([
      SKILL_STAGE,
      SKILL_STAGE,
      HABIT_STAGE,
      HABIT_STAGE,
    ]);
  });

  test('a draw gives eight batches, each of one length band, the same for the same seed', () => {
    const batches = drawBatches(5, 16, HABIT_STAGE, 16, DATASETS);
    expect(batches.map((batch) => batch.length)).toEqual([16, 16, 16, 16, 16, 16, 16, 16]);
    const bands = batches
      .map((batch) => batch.map(({ tokens }) => tokens.length))
      .map((lengths) => [Math.min(...lengths), Math.max(...lengths)])
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    for (let band = 1; band < bands.length; band += 1)
      expect(bands[band][0]).toBeGreaterThanOrEqual(bands[band - 1][1]);
    expect(bands[7][1]).toBeLessThanOrEqual(96);
    expect(drawBatches(5, 16, HABIT_STAGE, 16, DATASETS)).toEqual(batches);
    expect(drawBatches(6, 16, HABIT_STAGE, 16, DATASETS)).not.toEqual(batches);
    expect(drawBatches(5, 24, HABIT_STAGE, 16, DATASETS)).not.toEqual(batches);
  });
});

describe('the data sets of a warm start', () => {
  test('are drawn alike, and one that is named twice twice as often', () => {
    const habits = Array.from({ length: 900 }, (_, seed) =>
      drawSequence(keyedDraw(seed), HABIT_STAGE, ['nq', 'unanswerable', 'unanswerable']),
    );
    const admissions = habits.filter(({ tokens }) => tokens[tokens.length - 2] === word('none')).length;
    expect(admissions).toBeGreaterThan(900 * (2 / 3) * 0.1);
    const without = Array.from({ length: 900 }, (_, seed) =>
      drawSequence(keyedDraw(seed), HABIT_STAGE, DATASETS),
    );
    expect(without.some(({ tokens }) => tokens[tokens.length - 2] === word('none'))).toBe(false);
  });
});

describe('packing', () => {
  const { batch, isTurn } = packSequences([
    { tokens: [5, 6, 7].map(tokenId), weights: [1, 0, 1] },
    { tokens: [8, 9].map(tokenId), weights: [0, 0.3] },
  ]);

  test('scores targets of positive weight, never the first token of a row', () => {
    expect([...batch.tokens]).toEqual([5, 6, 7, 8, 9]);
    expect([...batch.predicted]).toEqual([2, 4]);
    expect([...batch.scored]).toEqual([0, 1]);
    expect([...isTurn]).toEqual([1, 0]);
    expect([...batch.turnStart]).toEqual([0, 1, 2]);
    expect(
      batch.rows.map(({ tokenStart, tokenEnd, scoredStart, scoredEnd }) => [
        tokenStart,
        tokenEnd,
        scoredStart,
        scoredEnd,
      ]),
    ).toEqual([
      [0, 3, 0, 1],
      [3, 5, 1, 2],
    ]);
  });

  test('rows do not see each other, and weights sum to 1', () => {
    expect([...batch.positions]).toEqual([0, 1, 2, 0, 1]);
    expect([...batch.previous]).toEqual([-1, 0, 1, -1, 3]);
    expect([...batch.visibleStart]).toEqual([0, 0, 0, 3, 3]);
    expect([...batch.visibleEnd]).toEqual([3, 3, 3, 5, 5]);
    expect(batch.weight[0]).toBeCloseTo(1 / 1.3, 6);
    expect(batch.weight[1]).toBeCloseTo(0.3 / 1.3, 6);
  });
});

describe('the warm start', () => {
  test('the learning rate warms up over 50 steps and falls to 5 %', () => {
    expect(learningRateAt(PRETRAIN, 0)).toBeCloseTo(3e-3 / 50, 10);
    expect(learningRateAt(PRETRAIN, 49)).toBeCloseTo(3e-3 * (1 - 49 / 700), 10);
    expect(learningRateAt(PRETRAIN, 350)).toBeCloseTo(1.5e-3, 10);
    expect(learningRateAt(PRETRAIN, 699)).toBeCloseTo(1.5e-4, 10);
  });

  test('takes one step per batch, reports the surprisal of turns and counts tokens', async () => {
    const policy = new ScriptedPolicy();
    const progress: PretrainProgress[] = [];
    await pretrain(policy, { ...PRETRAIN, steps: 10, batchSize: 4 }, (entry) => void progress.push(entry));
    expect(progress.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(progress[9]).toMatchObject({ loss: 2, turnSurprisal: 0.5, gradientNorm: 1 });
    expect(progress[9].tokens).toBe(policy.batches.reduce((sum, { tokens }) => sum + tokens.length, 0));
    expect(policy.batches.map(({ rows }) => rows.length)).toEqual(Array.from({ length: 10 }, () => 4));
    expect(policy.optimisers[0]).toMatchObject({ beta2: 0.98, gradientClip: 1, weightDecay: 0 });
  });

  test('stops at a loss that is not finite', async () => {
    const policy = new ScriptedPolicy();
    policy.loss = NaN;
    await expect(pretrain(policy, { ...PRETRAIN, steps: 2, batchSize: 1 }, () => {})).rejects.toThrow(
      PretrainDivergedError,
    );
  });

  test('scores are exact match per data set: 1 where the policy solves, 0 where it breaks the grammar', async () => {
    const policy = new ScriptedPolicy();
    policy.solved.delete('musique');
    const scores = await scorePolicy(policy, 20, 1);
    for (const dataset of DATASETS) {
      const expected = dataset === 'musique' ? 0 : 1;
      expect(scores[dataset]).toEqual({ sampled: expected, greedy: expected, admitted: 0 });
    }
    expect(scores.unanswerable).toEqual({ sampled: 1, greedy: 1, admitted: 1 });
    expect(meanScore(scores, 'sampled')).toBeCloseTo(6 / 7, 12); // of the sets with answers
  });
});
