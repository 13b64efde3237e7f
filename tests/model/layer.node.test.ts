import { expect, test } from 'vitest';
import { paperGpu } from '../../src/gpu/device.ts';
import type { Sizes, Step } from '../../src/gpu/steps.ts';
import { createDecodeWorkspace, decodeSteps, prefillSteps } from '../../src/model/decode.ts';
import { createDeviceModel } from '../../src/model/device_model.ts';
import { forwardSteps } from '../../src/model/training/forward.ts';
import { createKvCache } from '../../src/model/kv_cache.ts';
import { createWorkspace } from '../../src/model/training/workspace.ts';
import { nameUsages } from '../support/gpu_names.ts';
import { SMALL_MODEL } from '../support/token_batches.ts';

nameUsages();
const model = await createDeviceModel(paperGpu(), SMALL_MODEL, 16, null);
const training = await createWorkspace(model, { tokens: 64, predicted: 64, scored: 64 });
const decoding = await createDecodeWorkspace(model, 64, 64);
const cache = await createKvCache(model, 64);

/** Which weight each dispatch names, or its kernel, without what only one of the two does. */
const lineOf = <S extends Sizes>(steps: readonly Step<S>[]): string[] =>
  steps
    .flatMap((step) => (step.kind === 'dispatch' ? [step.label] : []))
    .filter((label) => !/^(attention_forward|kv_append|decode_attention|swiglu_forward)$/.test(label));

test('decoding runs the layers that training runs, weight after weight', () => {
  const whole = lineOf(forwardSteps(model, training));
  const decode = lineOf(decodeSteps(model, decoding, cache));
  const body = whole.slice(0, whole.indexOf('final_norm.weight') - 1); // before the gather of predicted tokens
  expect(decode).toEqual([...body, 'final_norm.weight', 'logits', 'sample_token']);
  expect(body.filter((label) => label.startsWith('layers.1.'))).toHaveLength(6); // two norms and four products
});

test('a prefill stops where the last layer’s keys and values are cached', () => {
  const prefill = lineOf(prefillSteps(model, decoding, cache));
  const decode = lineOf(decodeSteps(model, decoding, cache));
  expect(prefill).toEqual(decode.slice(0, prefill.length));
  expect(prefill.at(-2)).toBe(`layers.${SMALL_MODEL.layers - 1}.attn.qkv_proj.weight`);
});
