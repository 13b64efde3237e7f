import * as v from 'valibot';
import { grownRows } from '../../algo/catalogue/defaults.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import { signalsRead } from '../../algo/credit/signals.ts';
import { environments } from '../../env/index.ts';
import { checkModelConfig, ROW_LIMIT } from '../../model/config.ts';
import { RunConfigError } from '../../protocol/errors.ts';
import { issueReport, wanted } from '../../protocol/schema.ts';
import {
  EDITABLE_KERNELS,
  GRADIENT_VERDICTS,
  quote,
  shorten,
  type AlgorithmConfig,
  type Environment,
  type ModelConfig,
  type RunConfig,
} from '../../units.ts';
import { WARM_STARTS } from './presets.ts';
import {
  CREDIT,
  EVALUATION,
  FILTER,
  LOSS,
  name,
  OPTIMISER,
  REWARD,
  ROLLOUT,
  RUN,
  schemasOf,
} from './settings.ts';

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

/** What the shapes of a model's parameters follow from. */
const SHAPES = ['channels', 'layers', 'heads', 'kvHeads', 'headSize', 'hidden', 'vocabularySize', 'queryKeyNorm', 'tiedOutput', 'previousTokenMixing'] as const satisfies readonly (keyof ModelConfig)[]; // prettier-ignore

/** A shipped warm start has one shape; a file loaded by hand is compared when it is read. */
function checkWarmStart({ model, weights }: RunConfig): void {
  const made = weights === null ? undefined : WARM_STARTS.get(weights);
  const field = made && SHAPES.find((name) => model[name] !== made[name]);
  if (!made || !field) return;
  const sizes = SHAPES.slice(0, 6).map((name) => `${name} ${String(made[name])}`);
  refuseSetting(
    'The warm start does not fit this size of the model',
    `model.${field}`,
    model[field],
    `${String(made[field])}: ${weights} has ${sizes.join(', ')}`,
    'Choose warm start none (weights null) to start from random parameters, or load a weights file of this size.',
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
  checkWarmStart(config);
  checkEditedKernel(config);
  checkTree(config.algorithm);
  checkWholeRows(config);
  checkPaths(config);
}

export { LOADED_BY_HAND } from '../../units.ts';

const LONGEST_KERNEL = 100_000; // characters; the lab's own have a few thousand
export const kernelText = v.pipe(
  v.string('the text of a kernel'),
  wanted(
    ({ length }) => length > 0 && length <= LONGEST_KERNEL,
    `WGSL of at most ${LONGEST_KERNEL} characters`,
  ),
);

export const creditSchema = v.strictObject(schemasOf(CREDIT));

const schema = v.strictObject({
  preset: name('a name'),
  ...schemasOf(RUN),
  model: v.unknown(), // checkModelConfig says more
  weights: v.nullable(name('the name of a file in public/')),
  algorithm: v.strictObject({
    name: name('a name'),
    rollout: v.strictObject(schemasOf(ROLLOUT)),
    reward: v.strictObject(schemasOf(REWARD)),
    filter: v.strictObject(schemasOf(FILTER)),
    credit: creditSchema,
    loss: v.strictObject(schemasOf(LOSS)),
  }),
  optimiser: v.strictObject(schemasOf(OPTIMISER)),
  evaluation: v.strictObject(schemasOf(EVALUATION)),
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
