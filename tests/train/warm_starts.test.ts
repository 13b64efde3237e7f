import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeWeights } from '../../src/model/weights.ts';
import { presets } from '../../src/train/config/presets.ts';
import type { PretrainRecord } from '../../src/train/pretrain/pretrain_page.ts';

type Written = PretrainRecord & { readonly command: string };

const shipped = [...presets.values()].filter(({ config }) => config.weights !== null);
const bytesOf = (name: string): ArrayBuffer => new Uint8Array(readFileSync(`public/${name}`)).buffer;
const recordOf = (name: string): Written =>
  JSON.parse(readFileSync(`public/${name.replace('.safetensors', '.json')}`, 'utf8')) as Written; // npm run pretrain wrote it

describe.each(shipped.map(({ name, config }) => [name, config] as const))('%s', (_, config) => {
  const weights = config.weights!;
  const record = recordOf(weights);

  test('starts from a file of its model’s shape, finite throughout', () => {
    const { values } = decodeWeights(bytesOf(weights), config.model);
    expect(record.config.model).toEqual(config.model);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  test('says in the file and beside it how it was made, and from what', () => {
    const { metadata } = decodeWeights(bytesOf(weights), config.model);
    const { curve, command, ...rest } = record;
    expect(JSON.parse(metadata.pretraining)).toEqual(rest);
    expect(curve.at(-1)?.step).toBe(record.config.steps);
    const { seed, steps, questions, from } = record.config;
    expect(command).toContain(`--seed ${seed} --steps ${steps} --questions ${questions}`);
    expect(command).toContain(`--out public/${weights}`);
    if (from) {
      expect(command).toContain(`--from ${from} --datasets ${record.config.datasets.join(',')}`);
      expect(existsSync(from)).toBe(true);
    }
  });

  test('has held-out scores of every set that the preset trains on', () => {
    for (const dataset of config.datasets) {
      const { sampled, greedy } = record.scores[dataset];
      expect(sampled).toBeGreaterThan(0); // something to reward from the first update on
      expect(greedy).toBeGreaterThan(sampled); // and something to learn
    }
  });
});

test('the warm start of the boundary preset admits sometimes, above all where there is no answer', () => {
  const { scores } = recordOf(presets.get('boundary')?.config.weights ?? '');
  const { hotpot, unanswerable } = scores;
  expect(unanswerable.admitted).toBe(unanswerable.sampled); // to admit is the right answer there
  expect(unanswerable.admitted).toBeGreaterThan(hotpot.admitted);
  expect(hotpot.admitted).toBeGreaterThan(0);
});
