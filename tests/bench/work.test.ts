import { expect, test } from 'vitest';
import { modelConfig, toOurs, toTheirs } from '../../bench/contenders/turnwise.ts';
import {
  parameterCount,
  presets,
  prompts,
  ropeTables,
  settings,
  trainBatch,
  trainFlops,
  trainParameters,
} from '../../bench/work.ts';
import { parameterMap } from '../../src/model/parameters.ts';
import { rotaryTable } from '../../src/model/config.ts';

const { tiny, small, brief } = presets;
const config = modelConfig(tiny, settings);

test('the model has the parameters that its sizes say', () => {
  expect(parameterCount(small)).toBe(256 * 64 + 2 * (4 * 64 * 64 + 3 * 64 * 256) + 5 * 64);
  expect(parameterCount(brief)).toBe(1_115_264);
});

test('the arithmetic of a step is six operations a weight and token, and twelve a channel and visible pair', () => {
  const matrices = 64 * 64 + 4 * 64 * 64 + 3 * 64 * 128;
  expect(trainFlops(tiny)).toBe(6 * matrices * 64 + 12 * 64 * 4 * ((16 * 17) / 2));
});

test('targets are the tokens after, and a batch is always the same', () => {
  const { tokens, targets } = trainBatch(tiny, 3);
  for (let row = 0; row < tiny.rows; row++) {
    const next = tokens.subarray(row * tiny.tokens + 1, (row + 1) * tiny.tokens);
    expect(targets.subarray(row * tiny.tokens, (row + 1) * tiny.tokens - 1)).toEqual(next);
  }
  expect(trainBatch(tiny, 3)).toEqual({ tokens, targets });
  expect(trainBatch(tiny, 4).tokens).not.toEqual(tokens);
  expect(prompts(tiny)).toHaveLength(tiny.rows * tiny.promptTokens);
});

test('parameters survive the way into our layout and back', () => {
  const parameters = trainParameters(tiny);
  expect(toTheirs(config, toOurs(config, parameters))).toEqual(parameters);
});

/** Query of one token in one head by their convention, and by ours, from the same parameters. */
test('a rotated query in our order of rows has the numbers of theirs', () => {
  const parameters = trainParameters(tiny);
  const values = toOurs(config, parameters);
  const { channels } = tiny;
  const { headSize } = config;
  const half = headSize / 2;
  const position = 5;
  const x = Array.from({ length: channels }, (_, c) => Math.sin(c + 1));
  const head = 1;
  const theirs = Array.from({ length: headSize }, (_, j) =>
    x.reduce((sum, value, c) => sum + value * parameters['L0.wq'][c * channels + head * headSize + j], 0),
  );
  const { offset } = parameterMap(config).parameters.find(
    ({ name }) => name === 'layers.0.attn.q_proj.weight',
  )!;
  const ours = Array.from({ length: headSize }, (_, j) =>
    x.reduce((sum, value, c) => sum + value * values[offset + (head * headSize + j) * channels + c], 0),
  );
  const { cos, sin } = ropeTables(position + 1, headSize);
  const table = rotaryTable(position + 1, headSize, settings.ropeTheta);
  for (let j = 0; j < half; j++) {
    const [c, s] = [cos[position * half + j], sin[position * half + j]];
    const [ourC, ourS] = [table[position * headSize + j], table[position * headSize + half + j]];
    const [even, odd] = [theirs[2 * j], theirs[2 * j + 1]];
    expect(ours[j] * ourC - ours[j + half] * ourS).toBeCloseTo(even * c - odd * s, 6);
    expect(ours[j] * ourS + ours[j + half] * ourC).toBeCloseTo(even * s + odd * c, 6);
  }
});
