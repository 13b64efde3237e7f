import { expect, test } from 'vitest';
import { algorithms, type AlgorithmName } from '../../src/algo/catalogue/index.ts';
import { keyedRandom } from '../../src/algo/random.ts';
import { parseRunConfig, withSetting } from '../../src/train/config/config.ts';
import { Engine } from '../../src/train/engine/engine.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import type { LabError, RunConfig } from '../../src/units.ts';
import { tiny } from '../support/setting_walk.ts';
import { lentGpu } from '../support/shared_gpu.ts';
import { tinyRun } from '../support/tiny_run.ts';

/** Numbers that kernels compute with. */
const ON_DEVICE = [
  'temperature',
  ...['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay', 'gradientClip'].map(
    (key) => `optimiser.${key}`,
  ),
  ...['clipLow', 'clipHigh', 'dualClip', 'logRatioCap', 'gatePositive', 'gateNegative', 'beta'].map(
    (key) => `algorithm.loss.${key}`,
  ),
  ...['lowerFactor', 'upperFactor', 'entropyAdvantage', 'entropyCoefficient', 'klCoefficient'].map(
    (key) => `algorithm.loss.${key}`,
  ),
  ...['rmsEpsilon', 'ropeTheta', 'logitScale'].map((key) => `model.${key}`),
];
const METHODS: readonly AlgorithmName[] = [
  'at2po',
  'sapo',
  'mcts_dpo',
  'a_star_po',
  'rapo',
  'istar',
  'a2tgpo',
];
const HEADS = [
  { heads: 1, kvHeads: 1, headSize: 128, layers: 1 },
  { heads: 6, kvHeads: 3, headSize: 20, layers: 2 },
  { heads: 2, kvHeads: 1, headSize: 4, layers: 3 },
];
const NEVER = new Promise<never>(() => undefined);

/** The bounds that a refusal states. */
function boundsOf(config: RunConfig, path: string): readonly [least: number, most: number] {
  try {
    parseRunConfig(withSetting(config, path, NaN));
  } catch (error) {
    const [, least, most] = /a number from (\S+) to (\S+)$/.exec((error as LabError).report.wanted)!; // every real has them
    return [Number(least), Number(most)];
  }
  throw new Error(`${path} may be NaN`);
}

/** About half of the numbers at one of their bounds. */
function atBounds(n: number): RunConfig {
  const random = keyedRandom({ seed: 20261127, update: 0 }, 2002, n);
  const base = tiny(withAlgorithm(tinyRun(0), algorithms[METHODS[n % METHODS.length]].config));
  const shape = HEADS[n % HEADS.length];
  let config: RunConfig = { ...base, model: { ...base.model, ...shape } };
  const { loss } = config.algorithm;
  config = withSetting(config, 'algorithm.loss', { ...loss, entropyCoefficient: 0.01 }); // a gradient in any case
  for (const path of ON_DEVICE) {
    const draw = random.uniform();
    if (draw < 0.5) config = withSetting(config, path, boundsOf(config, path)[draw < 0.25 ? 0 : 1]);
  }
  return parseRunConfig(config);
}

async function played(config: RunConfig) {
  const log: EngineEvent[] = [];
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  const post = (event: EngineEvent): void => {
    log.push(event);
    if (event.kind === 'failed' || (event.kind === 'status' && event.status === 'finished')) end();
  };
  const engine = new Engine({
    post,
    openBackend: () => openGpuBackend({ gpu: lentGpu }),
    fetchWeights: () => NEVER,
  });
  await engine.dispatch({ kind: 'open', config });
  await engine.dispatch({ kind: 'play' });
  await over;
  const weights = await engine.ask({ kind: 'save-weights' }).then(({ bytes }) => bytes, () => null); // prettier-ignore
  await engine.dispose();
  return { log, weights };
}

test('numbers at their bounds, many at once, train one update with finite losses and no step left out', async () => {
  let steps = 0;
  for (let n = 0; n < 14; n += 1) {
    const config = atBounds(n);
    const said = JSON.stringify({ n, ...config.optimiser, ...config.algorithm.loss, temperature: config.temperature, model: config.model }); // prettier-ignore
    const { log, weights } = await played(config);
    for (const event of log) {
      if (event.kind === 'failed') expect.fail(`${event.report.what}, ${event.report.got}: ${said}`);
      if (event.kind === 'loss') expect(Number.isFinite(event.loss), said).toBe(true);
      if (event.kind !== 'step') continue;
      steps += 1;
      expect([event.skipped, Number.isFinite(event.gradientNorm)], said).toEqual([false, true]);
    }
    expect(new Float32Array(weights!.slice(-4000)).every(Number.isFinite), said).toBe(true);
  }
  expect(steps).toBeGreaterThan(14);
});
