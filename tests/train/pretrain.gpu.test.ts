import { expect, test } from 'vitest';
import { searchEnvironment } from '../../src/env/search/search.ts';
import { decodeWeights } from '../../src/model/weights.ts';
import { Policy } from '../../src/model/policy.ts';
import { evaluate } from '../../src/train/run/evaluate.ts';
import { seededParameters } from '../../src/train/engine/gpu_backend.ts';
import { PRETRAIN, pretrain, type PretrainProgress } from '../../src/train/pretrain/pretrain.ts';
import { SEARCH_MODEL } from '../../src/train/config/presets.ts';
import type { PretrainRecord } from '../../src/train/pretrain/pretrain_page.ts';
import { sharedGpu } from '../support/shared_gpu.ts';

const { contextLength } = searchEnvironment;
const TINY = { ...SEARCH_MODEL, channels: 16, layers: 1, heads: 2, kvHeads: 2, headSize: 8, hidden: 32 };

async function surprisals(seed: number): Promise<number[]> {
  const gpu = await sharedGpu();
  const config = {
    ...PRETRAIN,
    model: TINY,
    seed,
    steps: 40,
    batchSize: 8,
    warmUpSteps: 4,
    learningRate: 1e-2,
  };
  const policy = await Policy.create(gpu, TINY, { contextLength, parameters: seededParameters(TINY, seed) });
  const progress: PretrainProgress[] = [];
  await pretrain(policy, config, (entry) => void progress.push(entry));
  policy.dispose();
  return progress.map(({ turnSurprisal }) => turnSurprisal);
}

test('supervised steps lower the surprisal of demonstrations by a nat, and one seed gives one curve', async () => {
  const curve = await surprisals(3);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(curve.slice(0, 4)) - mean(curve.slice(-4))).toBeGreaterThan(1);
  expect(await surprisals(3)).toEqual(curve);
});

/** Four questions of 150: another adapter rounds differently, and a near tie may fall the other way. */
const within = (got: number, wanted: number) => expect(Math.abs(got - wanted)).toBeLessThan(0.03);

const SHIPPED = [
  ['warmstart-search-d64L2', ['hotpot', 'nq']],
  ['warmstart-search-admits-d64L2', ['hotpot', 'unanswerable']],
] as const;

test.each(SHIPPED)('the shipped %s answers as its record says', async (name, datasets) => {
  const gpu = await sharedGpu();
  const file = await (await fetch(`/${name}.safetensors`)).arrayBuffer();
  const record = (await (await fetch(`/${name}.json`)).json()) as PretrainRecord; // written by npm run pretrain
  const { values: parameters, metadata } = decodeWeights(file, SEARCH_MODEL);
  expect(JSON.parse(metadata.pretraining)).toMatchObject({ scores: record.scores, config: record.config });
  const policy = await Policy.create(gpu, SEARCH_MODEL, { contextLength, parameters });
  const request = {
    policy,
    environment: searchEnvironment,
    questions: record.config.questions,
    seed: record.config.seed,
    observer: {},
  };
  for (const dataset of datasets) {
    const greedy = await evaluate({ ...request, dataset, temperature: 0 });
    within(greedy.exactMatch, record.scores[dataset].greedy);
    const sampled = await evaluate({ ...request, dataset, temperature: 1 });
    within(sampled.exactMatch, record.scores[dataset].sampled);
    within(sampled.unknown, record.scores[dataset].admitted ?? 0); // records before it was counted admit none
  }
  policy.dispose();
});
