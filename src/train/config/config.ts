import * as v from 'valibot';
import { grownRows } from '../../algo/catalogue/defaults.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import { signalsRead } from '../../algo/credit/signals.ts';
import { environments } from '../../env/index.ts';
import { checkModelConfig } from '../../model/config.ts';
import { ROW_LIMIT } from '../../model/policy_loss.ts';
import { issueReport, real, wanted, whole, zeroOr } from '../../protocol/schema.ts';
import {
  ADVANTAGE_RULES,
  CLIP_EDGES,
  EDITABLE_KERNELS,
  FILTER_RULES,
  GRADIENT_VERDICTS,
  KL_KINDS,
  LOSS_REDUCTIONS,
  quote,
  RATIO_LEVELS,
  REWARD_RULES,
  ROLLOUT_SHAPES,
  shorten,
  SURROGATES,
  VALUE_RULES,
  type AlgorithmConfig,
  type Environment,
  type ModelConfig,
  type RunConfig,
} from '../../units.ts';
import { RunConfigError } from '../engine/errors.ts';

// Settings that are each valid but do not go together, refused before a run takes anything.

export const CORRECT_SETTING = 'Correct this setting, or start from a preset.';

/** @throws RunConfigError always */
export const refuseSetting = (
  what: string,
  where: string,
  got: unknown,
  wantedText: string,
  next = CORRECT_SETTING,
): never => {
  throw new RunConfigError({ what, where: `config.${where}`, got: quote(got), wanted: wantedText, next });
};

/** @throws RunConfigError naming the environments that exist */
export function environmentNamed(name: string): Environment {
  const known: Readonly<Record<string, Environment>> = environments;
  if (!Object.hasOwn(known, name)) {
    refuseSetting(
      'There is no such environment',
      'environment',
      name,
      `one of ${Object.keys(known).join(', ')}`,
    );
  }
  return known[name];
}

function checkDatasets(where: string, list: readonly string[], environment: Environment): void {
  const unknown = list.find((name) => !environment.datasets.includes(name));
  if (unknown === undefined) return;
  refuseSetting(
    `The environment ${environment.name} has no such data set`,
    where,
    unknown,
    `some of ${environment.datasets.join(', ')}`,
  );
}

function checkEnvironment(config: RunConfig): void {
  const environment = environmentNamed(config.environment);
  checkDatasets('datasets', config.datasets, environment);
  checkDatasets('evaluation.datasets', config.evaluation.datasets, environment);
  const words = environment.vocabulary.length;
  if (config.model.vocabularySize === words) return;
  refuseSetting(
    'The model does not fit the environment',
    'model.vocabularySize',
    config.model.vocabularySize,
    `${words}, the words of ${environment.name}`,
  );
}

function checkMinibatches({ promptsPerUpdate, promptsPerMinibatch }: RunConfig): void {
  if (promptsPerUpdate % promptsPerMinibatch === 0) return;
  refuseSetting(
    'The mini-batches do not divide the update',
    'promptsPerMinibatch',
    promptsPerMinibatch,
    `a divisor of ${promptsPerUpdate} (promptsPerUpdate)`,
  );
}

function checkEditedKernel({ editedKernel, algorithm }: RunConfig): void {
  const { surrogate } = algorithm.loss;
  if (!editedKernel || surrogate === 'clip' || surrogate === 'gate') return;
  refuseSetting(
    'The edited kernel would never run',
    'editedKernel.name',
    editedKernel.name,
    `a loss that runs policy_loss: surrogate clip or gate, not ${surrogate}`,
    'Choose another method, or take the edited kernel out of the run.',
  );
}

/** A tree grows, its rows are not mostly copies, and a loss that compares siblings has two of them. */
function checkTree({ rollout, loss }: AlgorithmConfig): void {
  const { shape, leavesPerTree, iterations, width } = rollout;
  if (shape === 'search_tree' && iterations < 1) {
    const wanted = 'at least 1 simulation: a search tree grows by nothing else';
    refuseSetting('These settings make no tree', 'algorithm.rollout.iterations', iterations, wanted);
  }
  const grown = grownRows(rollout);
  if (leavesPerTree > 2 * grown) {
    refuseSetting(
      'Most rows would be copies of one leaf',
      'algorithm.rollout.leavesPerTree',
      leavesPerTree,
      `at most ${2 * grown}: ${grown} leaves grow, the rest is duplicated`,
    );
  }
  if (loss.surrogate !== 'preference') return;
  const refuse = (setting: 'leavesPerTree' | 'initialBranches' | 'width'): never =>
    refuseSetting(
      'A loss that compares sibling turns would have none to compare',
      `algorithm.rollout.${setting}`,
      rollout[setting],
      `at least 2 with surrogate preference and shape ${shape}`,
    );
  if (leavesPerTree < 2) refuse('leavesPerTree');
  if (shape === 'search_tree' && width < 2) refuse('width');
  if (grown < 2) refuse('initialBranches');
}

/** Most rows that one step of a loss over whole rows may have: those of iStar's network, of regression, of pairs. */
function wholeRowsOf({ algorithm, promptsPerUpdate, promptsPerMinibatch }: RunConfig) {
  const { loss, credit, rollout } = algorithm;
  const { leavesPerTree } = rollout;
  if (signalsRead(credit.advantageRule).stepReward === 'implicit')
    return { setting: 'promptsPerUpdate', prompts: promptsPerUpdate, perPrompt: leavesPerTree } as const;
  const perPrompt =
    loss.surrogate === 'regression'
      ? leavesPerTree
      : loss.surrogate === 'preference'
        ? 2 * (leavesPerTree - 1) // two sides of each turn that forks
        : 0;
  return { setting: 'promptsPerMinibatch', prompts: promptsPerMinibatch, perPrompt } as const;
}

function checkWholeRows(config: RunConfig): void {
  const { setting, prompts, perPrompt } = wholeRowsOf(config);
  if (prompts * perPrompt <= ROW_LIMIT) return;
  refuseSetting(
    'A loss of whole rows would have too many rows',
    setting,
    prompts,
    `at most ${Math.floor(ROW_LIMIT / perPrompt)}: a prompt may have ${perPrompt} rows, a step at most ${ROW_LIMIT} rows`,
  );
}

const MOST_PATHS = 2 ** 17; // of an update; a path is some kilobytes of tokens, numbers and events in a tab

/** Paths that an update grows stay within what a tab holds. */
function checkPaths({ algorithm, promptsPerUpdate }: RunConfig): void {
  const { rollout, filter } = algorithm;
  const perPrompt = Math.max(rollout.leavesPerTree, grownRows(rollout));
  const batches = filter.rule === 'dynamic_sampling' ? filter.generationBatches : 1;
  const prompts = Math.floor(MOST_PATHS / (perPrompt * batches));
  if (promptsPerUpdate <= prompts) return;
  const limit = `an update holds ${MOST_PATHS} paths`;
  const what = 'The update would grow more paths than a tab can hold';
  if (perPrompt <= MOST_PATHS)
    refuseSetting(
      what,
      'promptsPerUpdate',
      promptsPerUpdate,
      `at most ${prompts}: ${perPrompt} paths a prompt, rolled out up to ${batches} times; ${limit}`,
    );
  refuseSetting(
    what,
    'algorithm.rollout.iterations',
    rollout.iterations,
    `fewer: a prompt would grow ${perPrompt} paths; ${limit}`,
  );
}

/** @throws RunConfigError naming the setting that does not go with the others */
export function checkTogether(config: RunConfig): void {
  checkEnvironment(config);
  const { name } = config.algorithm;
  if (!Object.hasOwn(algorithms, name)) {
    const known = Object.keys(algorithms).join(', ');
    refuseSetting('There is no such algorithm', 'algorithm.name', name, `one of ${known}`);
  }
  checkMinibatches(config);
  checkEditedKernel(config);
  checkTree(config.algorithm);
  checkWholeRows(config);
  checkPaths(config);
}

export { LOADED_BY_HAND } from '../../units.ts';

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
