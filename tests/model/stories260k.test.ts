import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Gpu } from '../../src/gpu/device.ts';
import { huggingFaceConfig } from '../../src/model/hugging_face.ts';
import { frozen, TRAINED } from '../../src/model/parameters.ts';
import { Policy } from '../../src/model/policy.ts';
import { decodeWeights, openWeights } from '../../src/model/weights.ts';
import { tokenId } from '../../src/units.ts';
import bfloat16Url from '../fixtures/stories260K/model.bf16.safetensors?url';
import float32Url from '../fixtures/stories260K/model.safetensors?url';
import json from '../fixtures/stories260K/config.json';
import reference from '../fixtures/stories260K/reference.json';
import { namedParameters } from '../support/gpu_policies.ts';
import { oracleScores } from '../support/model.oracle.ts';
import { sharedGpu } from '../support/shared_gpu.ts';
import { packRows } from '../support/token_batches.ts';

// A really trained model, made and saved by others: what it computes was computed in float64 from the same files.
const config = huggingFaceConfig(json);
const { ids } = reference;
const batch = packRows([{ tokens: ids, mask: ids.map((_, n) => (n === 0 ? 0 : 1)) }]);

const ROOM = {
  contextLength: 200,
  training: { tokens: 256, predicted: 256, scored: 256 },
  sampling: { prefillRows: 64, sampledRows: 1, cachePlaces: 200 },
};

let gpu: Gpu;
beforeAll(async () => {
  gpu = await sharedGpu();
});

/** The model of a file, read as a download is, in the storage that the file has. */
async function open(url: string): Promise<{ policy: Policy; elementType: string }> {
  const { body } = await fetch(url);
  const file = await openWeights(body!, config);
  const storage = frozen(file.elementType);
  const policy = await Policy.create(gpu, file.config, { ...ROOM, parameters: file, storage });
  return { policy, elementType: file.elementType };
}

const worst = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  expect(got).toHaveLength(want.length);
  return Math.max(...Array.from(want, (value, n) => Math.abs(got[n] - value)));
};

async function greedy(policy: Policy, count: number) {
  policy.beginRollout({ seed: 1, update: 0 }, { temperature: 0, stopTokens: [] });
  const request = {
    context: [tokenId(ids[0])],
    key: { prompt: 0, node: 0, firstToken: 0 },
    maxTokens: count,
  };
  const [generation] = await policy.generate([request]);
  return generation;
}

describe('the float32 file', () => {
  let policy: Policy;
  beforeAll(async () => {
    const opened = await open(float32Url);
    expect(opened.elementType).toBe('float32');
    ({ policy } = opened);
  });
  afterAll(() => policy.dispose());

  test('gives the log-probabilities and entropies of its reference', async () => {
    const { logProb, entropy } = await policy.score(batch, 1);
    expect(worst(logProb, reference.logProb)).toBeLessThan(1e-5);
    expect(worst(entropy, reference.entropy)).toBeLessThan(2e-5);
  });

  test('gives the first logits of its reference', async () => {
    const logits = await policy.logits(batch);
    expect(worst(logits.slice(0, 4 * 512), reference.logits_first4_positions.flat())).toBeLessThan(5e-5);
  });

  test('tells the story of its reference, token for token, with a cache', async () => {
    const { tokens, logProb } = await greedy(policy, 199);
    expect(tokens).toEqual(ids.slice(1));
    expect(worst(logProb, reference.logProb)).toBeLessThan(1e-5);
  });

  test('is the same model where it is read whole, and trained', async () => {
    const file = await (await fetch(float32Url)).arrayBuffer();
    const { values } = decodeWeights(file, config);
    const trained = await Policy.create(gpu, config, { ...ROOM, parameters: values, storage: TRAINED });
    expect(await trained.score(batch, 1)).toEqual(await policy.score(batch, 1));
    trained.dispose();
  });
});

describe('the bfloat16 file', () => {
  let policy: Policy;
  beforeAll(async () => {
    const opened = await open(bfloat16Url);
    expect(opened.elementType).toBe('bfloat16');
    ({ policy } = opened);
  });
  afterAll(() => policy.dispose());

  test('gives the log-probabilities of its reference, and the entropies of float64', async () => {
    const { logProb, entropy } = await policy.score(batch, 1);
    expect(worst(logProb, reference.logProb_bf16_weights)).toBeLessThan(1e-5);
    const { values } = decodeWeights(await (await fetch(bfloat16Url)).arrayBuffer(), config);
    const parameters = namedParameters(config, values);
    const want = oracleScores(config, (name) => parameters.get(name)!, batch, 1);
    expect(worst(want.logProb, reference.logProb_bf16_weights)).toBeLessThan(1e-8);
    expect(worst(entropy, want.entropy)).toBeLessThan(2e-5);
  });

  test('decodes what it scores', async () => {
    const { tokens, logProb, entropy } = await greedy(policy, 40);
    const row = [ids[0], ...tokens];
    const scored = packRows([{ tokens: row, mask: row.map((_, n) => (n === 0 ? 0 : 1)) }]);
    const scores = await policy.score(scored, 1);
    expect(worst(logProb, scores.logProb)).toBeLessThan(1e-5);
    expect(worst(entropy, scores.entropy)).toBeLessThan(2e-5);
    expect(tokens.slice(0, 12)).toEqual(ids.slice(1, 13)); // rounded weights begin the same story
  });

  test('takes half of the memory for its matrices', () => {
    const frozenBytes = gpu.memory.entries().filter(({ label }) => label.startsWith('frozen'));
    const bytes = (type: string) => frozenBytes.find(({ label }) => label.endsWith(type))!.bytes;
    expect(bytes('bfloat16')).toBeGreaterThan(2 * 259_000); // of 260,032 parameters; norms stay in float32
    expect(bytes('bfloat16')).toBeLessThan(2 * 262_000);
  });
});
