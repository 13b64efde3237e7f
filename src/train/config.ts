import * as v from 'valibot';
import { checkModelConfig } from '../model/config.ts';
import {
  ADVANTAGE_RULES,
  CLIP_EDGES,
  EDITABLE_KERNELS,
  FILTER_RULES,
  GRADIENT_VERDICTS,
  KL_KINDS,
  LOSS_REDUCTIONS,
  RATIO_LEVELS,
  REWARD_RULES,
  ROLLOUT_SHAPES,
  SURROGATES,
  VALUE_RULES,
  shorten,
  type ModelConfig,
  type RunConfig,
} from '../units.ts';
import { checkTogether, CORRECT_SETTING, refuseSetting } from './config_together.ts';
import { RunConfigError } from './errors.ts';
import { issueReport, real, wanted, whole, zeroOr } from './schema.ts';
export { environmentNamed } from './config_together.ts';
export { LOADED_BY_HAND } from '../units.ts';

const datasets = v.pipe(
  v.array(v.string('the name of a data set'), 'a list of data sets'),
  wanted((list) => list.length > 0, 'at least one data set'),
);

const LONGEST_NAME = 80; // characters; messages quote names whole
const name = (what: string) =>
  v.pipe(
    v.string(what),
    wanted(({ length }) => length <= LONGEST_NAME, `${what}, at most ${LONGEST_NAME} characters`),
  );

const share = real(0, 1);

const LONGEST_KERNEL = 100_000; // characters; the lab's own have a few thousand
export const kernelText = v.pipe(
  v.string('the text of a kernel'),
  wanted(
    ({ length }) => length > 0 && length <= LONGEST_KERNEL,
    `WGSL of at most ${LONGEST_KERNEL} characters`,
  ),
);

const rollout = v.strictObject({
  shape: v.picklist(ROLLOUT_SHAPES),
  leavesPerTree: whole(1, 256),
  initialBranches: whole(1, 256),
  iterations: whole(0, 256),
  picks: whole(1, 64),
  expansion: v.picklist(['entropy', 'random'], 'entropy or random'),
  siblingPenalty: real(0, 100),
  branchRule: v.picklist(['arpo', 'aepo']),
  beam: whole(1, 16),
  branchBase: share,
  branchWeight: real(0, 100),
  dynamicInitial: v.boolean('true or false'),
  segmentTokens: whole(1, 4096),
  width: whole(1, 64),
  levels: whole(1, 64),
  similarity: share,
  explorationWeight: real(0, 100),
  hybridRows: whole(0, 256),
  retrieveProbability: share,
});

const reward = v.strictObject({
  rule: v.picklist(REWARD_RULES),
  overlongBuffer: whole(0, 4096),
  overlongPenalty: real(0, 100),
  turnPenalty: real(0, 100),
});

const filter = v.strictObject({
  rule: v.picklist(FILTER_RULES),
  generationBatches: whole(1, 64),
  keptShare: real(1e-6, 1),
});

export const creditSchema = v.strictObject({
  leafNormalisation: v.boolean('true or false'),
  valueRule: v.picklist(VALUE_RULES),
  advantageRule: v.picklist(ADVANTAGE_RULES),
  discount: share,
  lambda: share,
  mixing: real(0, 100),
});

const loss = v.strictObject({
  ratioLevel: v.picklist(RATIO_LEVELS),
  surrogate: v.picklist(SURROGATES),
  clipLow: real(0, 1),
  clipHigh: real(0, 1000),
  lowerEdge: v.picklist(CLIP_EDGES),
  upperEdge: v.picklist(CLIP_EDGES),
  lowerFactor: v.optional(real(0, 10), 1), // 1 in records that were made before it
  upperFactor: v.optional(real(0, 10), 1),
  dualClip: real(0, 1000),
  logRatioCap: real(1e-6, 30), // beyond, the squares of e^cap · A leave no finite norm
  gatePositive: real(1e-3, 100), // the loss divides by it: below, it no longer tells ratios apart
  gateNegative: real(1e-3, 100),
  beta: real(1e-6, 100), // a factor of the whole gradient, beside AdamW's epsilon
  entropyAdvantage: real(0, 10),
  clipAdaptation: real(0, 1),
  retrievalRatio: real(0, 10),
  formatMask: v.boolean('true or false'),
  reduction: v.picklist(LOSS_REDUCTIONS),
  entropyCoefficient: real(0, 10),
  klCoefficient: real(0, 10),
  klKind: v.picklist(KL_KINDS),
});

const optimiser = v.strictObject({
  learningRate: zeroOr(1e-12, 1),
  beta1: real(0, 0.99999),
  beta2: real(0, 0.99999),
  epsilon: real(1e-16, 1), // above every gradient whose square float32 takes for 0
  weightDecay: real(0, 1),
  gradientClip: real(1e-9, 1e6), // so that squares of what is left are not 0
});

const schema = v.strictObject({
  preset: name('a name'),
  seed: whole(0, 2 ** 32 - 1),
  updates: whole(0, 100_000),
  environment: name('the name of an environment'),
  datasets,
  model: v.unknown(), // checkModelConfig says more
  weights: v.nullable(name('the name of a file in public/')),
  algorithm: v.strictObject({
    name: name('a name'),
    rollout,
    reward,
    filter,
    credit: creditSchema,
    loss,
  }),
  promptsPerUpdate: whole(1, 1024),
  promptsPerMinibatch: whole(1, 1024),
  temperature: real(0.01, 10), // its inverse multiplies logits: below, their rounding is above 1e-4 nats
  optimiser,
  evaluation: v.strictObject({ every: whole(0, 100_000), questions: whole(0, 10_000), datasets }),
  editedKernel: v.exactOptional(
    v.strictObject({
      name: v.picklist(EDITABLE_KERNELS),
      source: kernelText,
      gradientCheck: v.picklist(GRADIENT_VERDICTS),
    }),
  ),
});

/**
 * Checks each setting by itself: every group is there, every value in its bounds.
 * @throws RunConfigError or the model's ConfigError, naming the first bad setting by its path
 */
export function parseSettings(value: unknown): RunConfig {
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) {
    throw new RunConfigError(
      issueReport(parsed.issues, value, {
        what: 'The run cannot be configured like this',
        root: 'config',
        next: CORRECT_SETTING,
      }),
    );
  }
  const model: ModelConfig = checkModelConfig(parsed.output.model);
  return { ...parsed.output, model };
}

/**
 * Checks a run's configuration, whatever it comes from: a preset, the page's knobs, a file, a link.
 * @throws RunConfigError or the model's ConfigError, naming the first bad setting by its path
 */
export function parseRunConfig(value: unknown): RunConfig {
  const config = parseSettings(value);
  checkTogether(config);
  return config;
}

/**
 * A configuration with one setting changed.
 * @param path dotted, e.g. 'algorithm.loss.clipLow'
 * @throws RunConfigError when the path names no setting
 */
export function withSetting(config: RunConfig, path: string, value: unknown): RunConfig {
  const set = (node: unknown, [key, ...rest]: readonly string[]): unknown => {
    const known =
      typeof node === 'object' && node !== null && !Array.isArray(node) && Object.hasOwn(node, key);
    if (!known)
      refuseSetting(
        'There is no such setting',
        shorten(path),
        value,
        `a setting of the configuration${settingsOf(node)}`,
      );
    const record = node as Record<string, unknown>;
    return { ...record, [key]: rest.length === 0 ? value : set(record[key], rest) };
  };
  return set(config, path.split('.')) as RunConfig; // unchecked: parseRunConfig comes after the last change
}

const settingsOf = (node: unknown): string =>
  typeof node === 'object' && node !== null && !Array.isArray(node)
    ? `: ${Object.keys(node).join(', ')}`
    : '';
