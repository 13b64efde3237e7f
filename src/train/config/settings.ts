/**
 * Every setting of a run, said once: what is valid of it (and what it was in files that are older than it), how the page and the
 * command line show it, and which parts read it. Sources: [P] arXiv:2601.04767, [C] its released code at commit 98e60f6; an
 * algorithm's own settings say theirs. A range is what is sensible, a schema what is valid at all.
 */
import * as v from 'valibot';
import type { RuleSetting } from '../../algo/advantage/index.ts';
import {
  ADVANTAGE_RULE,
  EXPANSION_RULE,
  VALUE_RULE,
  type RuleOption,
} from '../../algo/catalogue/algorithm.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import { settingsRead } from '../../algo/credit/signals.ts';
import { surrogates } from '../../algo/loss/loss.ts';
import { FILTER_RULE } from '../../algo/reward/filters.ts';
import { REWARD_RULE } from '../../algo/reward/reward_rules.ts';
import { rollouts } from '../../algo/rollouts/index.ts';
import { MODEL_SIZES } from '../../model/config.ts';
import type { KnobCondition, KnobDescription, KnobRange, KnobValue } from '../../protocol/descriptions.ts';
import { real, wanted, whole, zeroOr } from '../../protocol/schema.ts';
import {
  ADVANTAGE_RULES,
  FILTER_RULES,
  LOSS_ROWS,
  REWARD_RULES,
  ROLLOUT_SHAPES,
  SURROGATES,
  VALUE_RULES,
  type CreditConfig,
  type FilterConfig,
  type LossConfig,
  type LossRow,
  type ModelConfig,
  type OptimiserConfig,
  type RewardConfig,
  type RolloutConfig,
  type RunConfig,
} from '../../units.ts';

// Ranges of knobs, in short.

const integer = (min: number, max: number): KnobRange => ({ kind: 'integer', min, max });
const linear = (min: number, max: number): KnobRange => ({
  kind: 'number',
  min,
  max,
  scale: 'linear',
});
const logarithmic = (min: number, max: number): KnobRange => ({
  kind: 'number',
  min,
  max,
  scale: 'log',
});
const choice = (...options: string[]): KnobRange => ({ kind: 'choice', options });
const SWITCH: KnobRange = { kind: 'switch' };

/** One of some named parts; the picker says what each is. */
const parts = (options: readonly Pick<RuleOption<string>, 'value' | 'title' | 'formula'>[]): KnobRange => ({
  kind: 'choice',
  options: options.map(({ value }) => value),
  titles: options.map(({ title, formula }) => (formula ? `${title}: ${formula}` : title)),
});

/** What the knobs choose from, as far as it depends on the catalogues. */
export interface KnobChoices {
  readonly environments: readonly string[];
  readonly datasets: readonly string[];
}

/** How a setting is shown. */
interface Knob {
  readonly title: string;
  readonly term?: string; // the paper's word or symbol
  readonly unit?: string;
  readonly range: KnobRange | ((choices: KnobChoices) => KnobRange);
  readonly description: string;
  readonly paperDefault?: KnobValue; // AT²PO's, of settings that no algorithm brings along
  readonly source?: string;
  readonly when?: readonly KnobCondition[]; // which parts read it; absent: every run does
  readonly basic?: true; // shown before all are asked for
}

/** What is valid of a setting; its default is what files say that are older than it. Without a knob only a file sets it. */
interface Hidden<Value> {
  readonly schema: v.GenericSchema<unknown, Value>;
}

type Setting<Value> = Hidden<Value> | (Hidden<Value> & Knob);

/** A table of a group: every one of its settings and none else, each valid as what the group's type says. */
export type SettingsOf<Group> = { readonly [Name in keyof Group]-?: Setting<Group[Name]> };

/** A table's schemas, by name. */
export const schemasOf = <Table extends Readonly<Record<string, Hidden<unknown>>>>(
  table: Table,
): { readonly [Name in keyof Table]: Table[Name]['schema'] } =>
  Object.fromEntries(Object.entries(table).map(([key, { schema }]) => [key, schema])) as {
    readonly [Name in keyof Table]: Table[Name]['schema']; // keys are the table's
  };

const datasets = v.pipe(
  v.array(v.string('the name of a data set'), 'a list of data sets'),
  wanted((list) => list.length > 0, 'at least one data set'),
);

const LONGEST_NAME = 80; // characters; messages quote names whole
export const name = (what: string) =>
  v.pipe(
    v.string(what),
    wanted(({ length }) => length <= LONGEST_NAME, `${what}, at most ${LONGEST_NAME} characters`),
  );

const share = real(0, 1);

const ofDatasets = (choices: KnobChoices): KnobRange => ({ kind: 'choices', options: choices.datasets });

/** A setting of credit is shown for the rules that it reaches. */
const readByRule = (setting: RuleSetting): readonly KnobCondition[] => [
  {
    path: 'algorithm.credit.advantageRule',
    values: ADVANTAGE_RULES.filter((rule) => settingsRead(rule).includes(setting)),
  },
];

/** Shapes as a picker offers them. */
const SHAPES = ROLLOUT_SHAPES.map((value) => ({
  value,
  title: rollouts[value].title,
  formula: rollouts[value].formula,
}));

/** A setting of the rollout is shown for the shapes that declare it. */
const readByShape = (setting: string): readonly KnobCondition[] => {
  const values = ROLLOUT_SHAPES.filter((shape) => rollouts[shape].settings.includes(`rollout.${setting}`));
  return [{ path: 'algorithm.rollout.shape', values }];
};

// prettier-ignore
export const RUN = {
  seed: { schema: whole(0, 2 ** 32 - 1), title: 'Seed', range: integer(0, 2 ** 32 - 1), description: 'Keys every random number of the run. The same seed on the same adapter gives the same run.', source: 'ours', basic: true },
  updates: { schema: whole(0, 100_000), title: 'Updates', term: 'steps', range: integer(1, 1000), description: 'Rollout batches; each is followed by one optimiser step per mini-batch.', paperDefault: 240, source: '[P] Table 4', basic: true },
  promptsPerUpdate: { schema: whole(1, 1024), title: 'Prompts per update', term: 'train batch size', unit: 'prompts', range: integer(1, 128), description: 'Questions of one update; each grows one tree.', paperDefault: 64, source: '[P] Table 4', basic: true },
  promptsPerMinibatch: { schema: whole(1, 1024), title: 'Prompts per mini-batch', term: 'mini-batch size', unit: 'prompts', range: integer(1, 128), description: 'Trees of one optimiser step. Divides the prompts per update. Ratios move only from the second mini-batch on.', paperDefault: 8, source: '[P] Table 4' },
  temperature: { schema: real(0.01, 10), title: 'Temperature', term: 'τ', range: linear(0.2, 2), description: 'Divides the logits when sampling, and again when the trainer scores the tokens.', paperDefault: 1, source: '[C] rollout settings', basic: true }, // its inverse multiplies logits: below, their rounding is above 1e-4 nats
  environment: { schema: name('the name of an environment'), title: 'Environment', term: 'task', range: ({ environments }) => choice(...environments), description: 'The world that the policy acts in.', source: 'ours' },
  datasets: { schema: datasets, title: 'Training data', term: 'data sets', range: ofDatasets, description: 'Families of questions, taken in turn.', source: '[P] Sec. 5.1 (analogues)', basic: true },
} as const satisfies SettingsOf<Pick<RunConfig, 'seed' | 'updates' | 'promptsPerUpdate' | 'promptsPerMinibatch' | 'temperature' | 'environment' | 'datasets'>>;

/** What is valid of a size, model/config.ts says; these are the sensible ones. The other fields follow from weights and environment. */
const size = (min: number, max: number, multipleOf = 1): KnobRange => ({
  kind: 'integer',
  min,
  max,
  multipleOf,
});

// prettier-ignore
const MODEL = {
  layers: { title: 'Layers', term: 'n_layers', unit: 'layers', range: size(1, 12), description: 'Transformer blocks, one after the other.', source: 'ours', basic: true },
  channels: { title: 'Width', term: 'd_model', unit: 'channels', range: size(16, 512, 4), description: 'Numbers that stand for a token between layers. A multiple of 4.', source: 'ours', basic: true },
  heads: { title: 'Query heads', term: 'n_heads', unit: 'heads', range: size(1, 16), description: 'Heads of attention in each layer.', source: 'ours' },
  kvHeads: { title: 'Key and value heads', term: 'n_kv_heads', unit: 'heads', range: size(1, 16), description: 'Query heads share them in groups (GQA): a divisor of the query heads, which they follow while both are equal.', source: 'ours' },
  headSize: { title: 'Head size', term: 'd_head', unit: 'channels', range: size(4, MODEL_SIZES.headSize, 4), description: 'Width of a head, of its own: heads × head size need not be d_model. A multiple of 4.', source: 'ours' },
  hidden: { title: 'Feed-forward width', term: 'd_ff', unit: 'channels', range: size(16, 2048, 4), description: 'Inner width of the SwiGLU layer. A multiple of 4.', source: 'ours' },
} as const satisfies Partial<Record<keyof ModelConfig, Knob>>;

// prettier-ignore
export const ROLLOUT = {
  shape: { schema: v.picklist(ROLLOUT_SHAPES), title: 'Shape', term: 'rollout', range: parts(SHAPES), description: 'How a prompt’s group of paths comes to be.', basic: true },
  initialBranches: { schema: whole(1, 256), title: 'First turns', term: 'M', unit: 'turns', range: integer(1, 32), description: 'Chains started per prompt before anything branches; the trees of Tree-GRPO.', when: readByShape('initialBranches'), basic: true },
  iterations: { schema: whole(0, 256), title: 'Rounds', term: 'L', unit: 'rounds', range: integer(0, 32), description: 'Rounds of picking turns and sampling more from them; simulations of a search tree.', when: readByShape('iterations'), basic: true },
  picks: { schema: whole(1, 64), title: 'Picks per round', term: 'K', unit: 'turns', range: integer(1, 12), description: 'Turns picked in each round, per tree.', when: readByShape('picks'), basic: true },
  leavesPerTree: { schema: whole(1, 256), title: 'Rows per prompt', term: 'samples per prompt', unit: 'rows', range: integer(1, 64), description: 'Rows that are trained on. Fewer than grow are pruned at random, more are filled with copies of the last.', when: readByShape('leavesPerTree') },
  siblingPenalty: { schema: real(0, 100), title: 'Sibling penalty', term: 'α', unit: 'nats per sibling', range: linear(0, 1), description: 'Taken off a turn’s surprisal for each sibling it has, so that picks spread over the tree.', when: readByShape('siblingPenalty') },
  expansion: { schema: v.picklist(['entropy', 'random'], 'entropy or random'), title: 'Expand', term: EXPANSION_RULE.paperTerm, range: parts(EXPANSION_RULE.options), description: 'Which turns are sampled again: the most uncertain ones, or any.', when: readByShape('expansion') },
  branchRule: { schema: v.picklist(['arpo', 'aepo']), title: 'Branch by', term: 'P', range: choice('arpo', 'aepo'), description: 'ARPO branches where entropy rose; AEPO also pays for branching again and again.', when: readByShape('branchRule') },
  beam: { schema: whole(1, 16), title: 'Beam', term: 'beam', unit: 'paths', range: integer(1, 8), description: 'A path splits into at most this many.', when: readByShape('beam') },
  branchBase: { schema: share, title: 'Base probability', term: 'q', range: linear(0, 1), description: 'Probability of branching where entropy did not change.', when: readByShape('branchBase') },
  branchWeight: { schema: real(0, 100), title: 'Entropy weight', term: 'w', range: linear(0, 2), description: 'How much a change of entropy moves the probability.', when: readByShape('branchWeight') },
  dynamicInitial: { schema: v.boolean('true or false'), title: 'First rollouts from entropy', term: 'm', range: SWITCH, description: 'AEPO: a first path decides how many chains start and how many branch.', when: readByShape('dynamicInitial') },
  segmentTokens: { schema: whole(1, 4096), title: 'Tokens per segment', unit: 'tokens', range: integer(1, 64), description: 'A path may fork after every so many sampled tokens.', when: readByShape('segmentTokens') },
  width: { schema: whole(1, 64), title: 'Children', term: 'n', unit: 'turns', range: integer(1, 8), description: 'Continuations sampled where a path forks.', when: readByShape('width') },
  levels: { schema: whole(1, 64), title: 'Levels', term: 'T', unit: 'levels', range: integer(1, 16), description: 'Depth below which paths no longer fork.', when: readByShape('levels') },
  similarity: { schema: share, title: 'Similarity limit', term: 'J', range: linear(0, 1), description: 'Siblings whose results overlap more than this are pruned; 1 keeps all.', when: readByShape('similarity') },
  explorationWeight: { schema: real(0, 100), title: 'Exploration', term: 'w', range: linear(0, 4), description: 'Weight of the prior in the choice of the next turn.', when: readByShape('explorationWeight') },
  hybridRows: { schema: whole(0, 256), title: 'Hybrid rows', term: 'N_hybrid', unit: 'rows', range: integer(0, 32), description: 'Chains that may borrow stored steps.', when: readByShape('hybridRows') },
  retrieveProbability: { schema: share, title: 'Retrieval', range: linear(0, 1), description: 'Probability, at every turn after the first, that a stored step is spliced in.', when: readByShape('retrieveProbability') },
} as const satisfies SettingsOf<RolloutConfig>;

// prettier-ignore
export const REWARD = {
  rule: { schema: v.picklist(REWARD_RULES), title: 'Reward', term: REWARD_RULE.paperTerm, range: parts(REWARD_RULE.options), description: 'What a path earns in the end, before it is normalised.' },
  overlongBuffer: { schema: whole(0, 4096), title: 'Overlong buffer', term: 'L_cache', unit: 'tokens', range: integer(0, 256), description: 'The penalty for length grows over the last so many tokens; 0 turns it off.' },
  overlongPenalty: { schema: real(0, 100), title: 'Overlong penalty', range: linear(0, 2), description: 'Taken off a path that reaches the limit.' },
  turnPenalty: { schema: real(0, 100), title: 'Failed call penalty', range: linear(0, 1), description: 'Taken off a turn whose call is malformed or fails.' },
} as const satisfies SettingsOf<RewardConfig>;

// prettier-ignore
export const FILTER = {
  rule: { schema: v.picklist(FILTER_RULES), title: 'Groups trained on', term: FILTER_RULE.paperTerm, range: parts(FILTER_RULE.options), description: 'All prompts; only those whose rewards differ, sampling more (DAPO); those whose rewards spread most (StarPO-S).' },
  generationBatches: { schema: whole(1, 64), title: 'Generation batches', unit: 'batches', range: integer(1, 8), description: 'Most rollout batches sampled for one update.', when: [{ path: 'algorithm.filter.rule', values: ['dynamic_sampling'] }] },
  keptShare: { schema: real(1e-6, 1), title: 'Kept share', range: linear(0.05, 1), description: 'Share of the prompts that is kept.', when: [{ path: 'algorithm.filter.rule', values: ['reward_spread'] }] },
} as const satisfies SettingsOf<FilterConfig>;

// prettier-ignore
export const CREDIT = {
  advantageRule: { schema: v.picklist(ADVANTAGE_RULES), title: 'Advantage rule', term: ADVANTAGE_RULE.paperTerm, range: parts(ADVANTAGE_RULE.options), description: 'What a turn is credited with.', basic: true },
  leafNormalisation: { schema: v.boolean('true or false'), title: 'Normalise leaves', term: 'r̂', range: SWITCH, description: 'Rewards minus their mean over the tree’s leaves, divided by the population deviation.', when: readByRule('leafNormalisation') },
  valueRule: { schema: v.picklist(VALUE_RULES), title: 'Value rule', term: VALUE_RULE.paperTerm, range: parts(VALUE_RULE.options), description: 'How a turn’s value follows from what lies below it.', when: readByRule('valueRule'), basic: true },
  discount: { schema: share, title: 'Discount', term: 'γ', range: linear(0, 1), description: 'Weight of what happens a step later.', when: readByRule('discount') },
  lambda: { schema: share, title: 'GAE λ', term: 'λ', range: linear(0, 1), description: 'How far GAE looks past the critic.', when: readByRule('lambda') },
  mixing: { schema: real(0, 100), title: 'Weight of the turn’s own signal', term: 'α', range: linear(0, 2), description: 'Beside the outcome: α of A²TGPO, w of iStar, a of RAPO, the similarity reward of GTPO.', when: readByRule('mixing') },
} as const satisfies SettingsOf<CreditConfig>;

/** A row of the loss's table (units/loss.ts) as a setting. */
function lossSetting(row: LossRow): Hidden<unknown> & Knob {
  const { title, description, readBy, ofSoft, isReadElsewhere } = row;
  const words = {
    title,
    description,
    ...(row.term && { term: row.term }),
    ...(row.unit && { unit: row.unit }),
    ...(row.basic && { basic: row.basic }),
  };
  const soft = ofSoft ? [{ path: `algorithm.loss.${ofSoft}`, values: ['soft'] }] : [];
  const when =
    readBy && !isReadElsewhere ? [{ path: 'algorithm.loss.surrogate', values: readBy }, ...soft] : soft;
  const of = (schema: v.GenericSchema<unknown>, range: KnobRange) => ({ ...words, range, when, schema });
  if ('options' in row) return of(v.picklist(row.options), choice(...row.options));
  if (!('valid' in row)) return of(v.boolean('true or false'), SWITCH);
  const [scale, min, max] = row.shown;
  const valid = real(...row.valid);
  return of(row.isNewer ? v.optional(valid, row.default) : valid, { kind: 'number', min, max, scale });
}

const LOSS_SETTINGS = Object.fromEntries(
  Object.entries<LossRow>(LOSS_ROWS).map(([name, row]) => [name, lossSetting(row)]),
) as SettingsOf<LossConfig>;

export const LOSS: SettingsOf<LossConfig> = {
  ...LOSS_SETTINGS,
  surrogate: {
    ...LOSS_SETTINGS.surrogate,
    range: parts(SURROGATES.map((value) => ({ value, ...surrogates[value] }))),
  },
};

// prettier-ignore
export const OPTIMISER = {
  learningRate: { schema: zeroOr(1e-12, 1), title: 'Learning rate', term: 'lr', range: logarithmic(1e-6, 1e-2), description: 'AdamW’s step. The paper’s suits billions of parameters; a tiny policy wants about 5e-4.', paperDefault: 1e-6, source: '[P] Table 4', basic: true },
  beta1: { schema: real(0, 0.99999), title: 'First moment decay', term: 'β₁', range: linear(0, 0.999), description: 'How long AdamW remembers the gradient.', paperDefault: 0.9, source: '[C] fsdp_workers' },
  beta2: { schema: real(0, 0.99999), title: 'Second moment decay', term: 'β₂', range: linear(0, 0.9999), description: 'How long AdamW remembers the squared gradient. Short runs want 0.99.', paperDefault: 0.999, source: '[C] fsdp_workers' },
  epsilon: { schema: real(1e-16, 1) }, // above every gradient whose square float32 takes for 0
  weightDecay: { schema: real(0, 1), title: 'Weight decay', term: 'λ', range: linear(0, 0.1), description: 'Decoupled, on all parameters.', paperDefault: 0.01, source: '[C] fsdp_workers' },
  gradientClip: { schema: real(1e-9, 1e6), title: 'Gradient clip', term: 'max norm', range: linear(0.1, 10), description: 'Global norm above which the gradient is scaled down.', paperDefault: 1, source: '[C] yaml' }, // so that squares of what is left are not 0
} as const satisfies SettingsOf<OptimiserConfig>;

// prettier-ignore
export const EVALUATION = {
  every: { schema: whole(0, 100_000), title: 'Evaluate every', unit: 'updates', range: integer(0, 100), description: '0 evaluates only before the first and after the last update.', source: 'ours', basic: true },
  questions: { schema: whole(0, 10_000), title: 'Held-out questions', unit: 'per data set', range: integer(0, 500), description: 'Questions that training never sees, answered once by sampling and once greedily; 0 leaves evaluation out.', source: 'ours' },
  datasets: { schema: datasets, title: 'Held-out data', term: 'data sets', range: ofDatasets, description: 'Families of questions that evaluation asks.', source: 'ours' },
} as const satisfies SettingsOf<RunConfig['evaluation']>;

/** Knobs of a group, in its order; of an algorithm's settings AT²PO's file says default and source. */
const knobsOf = (
  group: string,
  table: Readonly<Record<string, Setting<unknown> | Knob>>,
  choices: KnobChoices,
) =>
  Object.entries(table).flatMap(([key, setting]): readonly KnobDescription[] => {
    if (!('title' in setting)) return [];
    const path = `${group}${key}`;
    const { title, term = '', unit = '', range, description, when = [], basic = false } = setting;
    const { paperDefault = null, source = 'ours' } = group.startsWith('algorithm.')
      ? ofAlgorithm(path)
      : setting;
    const shown = typeof range === 'function' ? range(choices) : range;
    return [{ path, title, term, unit, description, paperDefault, source, range: shown, basic, when }];
  });

/** Paper's default and source are AT²PO's own; the algorithm's card says those of others. */
function ofAlgorithm(path: string): { readonly paperDefault: KnobValue | null; readonly source: string } {
  const [, group, key] = path.split('.');
  const settings = algorithms.at2po.config as unknown as Readonly<
    Record<string, Readonly<Record<string, KnobValue>>>
  >;
  const source = algorithms.at2po.sources.find((entry) => entry.path === `${group}.${key}`)?.source;
  return {
    paperDefault: source ? settings[group][key] : null,
    source: source ?? 'of the methods that read it',
  };
}

/** All knobs, in the order of the page. */
export function describeKnobs(choices: KnobChoices): readonly KnobDescription[] {
  const { datasets: heldOut, ...evaluation } = EVALUATION;
  return [
    ...knobsOf('', RUN, choices),
    ...knobsOf('evaluation.', { datasets: heldOut }, choices),
    ...knobsOf('model.', MODEL, choices),
    ...knobsOf('algorithm.rollout.', ROLLOUT, choices),
    ...knobsOf('algorithm.reward.', REWARD, choices),
    ...knobsOf('algorithm.filter.', FILTER, choices),
    ...knobsOf('algorithm.credit.', CREDIT, choices),
    ...knobsOf('algorithm.loss.', LOSS, choices),
    ...knobsOf('optimiser.', OPTIMISER, choices),
    ...knobsOf('evaluation.', evaluation, choices),
  ];
}
