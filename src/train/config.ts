import * as v from 'valibot';
import { algorithms } from '../algo/index.ts';
import { grownRows } from '../algo/scale.ts';
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
  type Environment,
  type ModelConfig,
  type RunConfig,
} from '../units.ts';
import { environments } from '../env/index.ts';
import { RunConfigError } from './errors.ts';
import { issueReport, quote, real, wanted, whole } from './schema.ts';
export { LOADED_BY_HAND } from '../units.ts';

const NEXT = 'Correct this setting, or start from a preset.';
const datasets = v.pipe(
  v.array(v.string('the name of a data set'), 'a list of data sets'),
  wanted((list) => list.length > 0, 'at least one data set'),
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
  keptShare: real(0, 1, true),
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
  logRatioCap: real(0, 60, true),
  gatePositive: real(0, 100, true),
  gateNegative: real(0, 100, true),
  beta: real(0, 100, true),
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
  learningRate: real(0, 1),
  beta1: real(0, 0.99999),
  beta2: real(0, 0.99999),
  epsilon: real(0, 1, true),
  weightDecay: real(0, 1),
  gradientClip: real(0, 1e6, true),
});

const schema = v.strictObject({
  preset: v.string('a name'),
  seed: whole(0, 2 ** 32 - 1),
  updates: whole(0, 100_000),
  environment: v.string('the name of an environment'),
  datasets,
  model: v.unknown(), // checkModelConfig says more
  weights: v.nullable(v.string('the name of a file in public/, or null')),
  algorithm: v.strictObject({
    name: v.string('a name'),
    rollout,
    reward,
    filter,
    credit: creditSchema,
    loss,
  }),
  promptsPerUpdate: whole(1, 1024),
  promptsPerMinibatch: whole(1, 1024),
  temperature: real(0, 10, true),
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

const fail = (what: string, where: string, got: unknown, wantedText: string, next = NEXT): never => {
  throw new RunConfigError({ what, where: `config.${where}`, got: quote(got), wanted: wantedText, next });
};

/** @throws RunConfigError naming the environments that exist */
export function environmentNamed(name: string): Environment {
  const known: Readonly<Record<string, Environment>> = environments;
  if (!Object.hasOwn(known, name)) {
    fail('There is no such environment', 'environment', name, `one of ${Object.keys(known).join(', ')}`);
  }
  return known[name];
}

function checkDatasets(where: string, list: readonly string[], environment: Environment): void {
  const unknown = list.find((name) => !environment.datasets.includes(name));
  if (unknown === undefined) return;
  fail(
    `The environment ${environment.name} has no such data set`,
    where,
    unknown,
    `some of ${environment.datasets.join(', ')}`,
  );
}

/** Settings that are each valid but do not go together. */
function checkTogether(config: RunConfig): void {
  const environment = environmentNamed(config.environment);
  checkDatasets('datasets', config.datasets, environment);
  checkDatasets('evaluation.datasets', config.evaluation.datasets, environment);
  const words = environment.vocabulary.length;
  if (config.model.vocabularySize !== words) {
    fail(
      'The model does not fit the environment',
      'model.vocabularySize',
      config.model.vocabularySize,
      `${words}, the words of ${environment.name}`,
    );
  }
  if (!Object.hasOwn(algorithms, config.algorithm.name)) {
    fail(
      'There is no such algorithm',
      'algorithm.name',
      config.algorithm.name,
      `one of ${Object.keys(algorithms).join(', ')}`,
    );
  }
  const { promptsPerUpdate, promptsPerMinibatch } = config;
  if (promptsPerUpdate % promptsPerMinibatch !== 0) {
    fail(
      'The mini-batches do not divide the update',
      'promptsPerMinibatch',
      promptsPerMinibatch,
      `a divisor of ${promptsPerUpdate} (promptsPerUpdate)`,
    );
  }
  const { surrogate } = config.algorithm.loss;
  if (config.editedKernel && surrogate !== 'clip' && surrogate !== 'gate') {
    fail(
      'The edited kernel would never run',
      'editedKernel.name',
      config.editedKernel.name,
      `a loss that runs policy_loss: surrogate clip or gate, not ${surrogate}`,
      'Choose another method, or take the edited kernel out of the run.',
    );
  }
  const { leavesPerTree } = config.algorithm.rollout;
  const grown = grownRows(config.algorithm.rollout);
  if (leavesPerTree > 2 * grown) {
    fail(
      'Most rows would be copies of one leaf',
      'algorithm.rollout.leavesPerTree',
      leavesPerTree,
      `at most ${2 * grown}: ${grown} leaves grow, the rest is duplicated`,
    );
  }
}

/**
 * Checks a run's configuration, whatever it comes from: a preset, the page's knobs, a file, a link.
 * @throws RunConfigError or the model's ConfigError, naming the first bad setting by its path
 */
export function parseRunConfig(value: unknown): RunConfig {
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) {
    throw new RunConfigError(
      issueReport(parsed.issues, value, {
        what: 'The run cannot be configured like this',
        root: 'config',
        next: NEXT,
      }),
    );
  }
  const model: ModelConfig = checkModelConfig(parsed.output.model);
  const config: RunConfig = { ...parsed.output, model };
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
      fail('There is no such setting', path, value, `a setting of the configuration${settingsOf(node)}`);
    const record = node as Record<string, unknown>;
    return { ...record, [key]: rest.length === 0 ? value : set(record[key], rest) };
  };
  return set(config, path.split('.')) as RunConfig; // unchecked: parseRunConfig comes after the last change
}

const settingsOf = (node: unknown): string =>
  typeof node === 'object' && node !== null && !Array.isArray(node)
    ? `: ${Object.keys(node).join(', ')}`
    : '';
