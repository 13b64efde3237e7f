/** Settings of an algorithm: its parts by name, and the numbers that each part reads. */
import {
  ADVANTAGE_RULE,
  EXPANSION_RULE,
  VALUE_RULE,
  type RuleOption,
} from '../../algo/catalogue/algorithm.ts';
import { algorithms } from '../../algo/catalogue/index.ts';
import type { RuleSetting } from '../../algo/advantage/index.ts';
import { settingsRead } from '../../algo/credit/signals.ts';
import { FILTER_RULE } from '../../algo/reward/filters.ts';
import { REWARD_RULE } from '../../algo/reward/reward_rules.ts';
import { rollouts } from '../../algo/rollouts/index.ts';
import type { KnobCondition, KnobDescription, KnobRange, KnobValue } from '../../protocol/protocol.ts';
import {
  ADVANTAGE_RULES,
  CLIP_EDGES,
  KL_KINDS,
  LOSS_REDUCTIONS,
  RATIO_LEVELS,
  ROLLOUT_SHAPES,
  type Surrogate,
} from '../../units.ts';

// Ranges of knobs, in short.

export const integer = (min: number, max: number): KnobRange => ({ kind: 'integer', min, max });
export const linear = (min: number, max: number): KnobRange => ({
  kind: 'number',
  min,
  max,
  scale: 'linear',
});
export const logarithmic = (min: number, max: number): KnobRange => ({
  kind: 'number',
  min,
  max,
  scale: 'log',
});
export const choice = (...options: string[]): KnobRange => ({ kind: 'choice', options });
export const SWITCH: KnobRange = { kind: 'switch' };

/** One of some named parts; the picker says what each is. */
export const parts = (
  options: readonly Pick<RuleOption<string>, 'value' | 'title' | 'formula'>[],
): KnobRange => ({
  kind: 'choice',
  options: options.map(({ value }) => value),
  titles: options.map(({ title, formula }) => (formula ? `${title}: ${formula}` : title)),
});

type Row = readonly [
  path: string,
  title: string,
  term: string,
  unit: string,
  range: KnobRange,
  description: string,
  when?: readonly KnobCondition[],
];

const surrogate = (...values: Surrogate[]): readonly KnobCondition[] => [
  { path: 'algorithm.loss.surrogate', values },
];

/** A setting of credit is shown for the rules that it reaches. */
const readByRule = (setting: RuleSetting): readonly KnobCondition[] => [
  {
    path: 'algorithm.credit.advantageRule',
    values: ADVANTAGE_RULES.filter((rule) => settingsRead(rule).includes(setting)),
  },
];

/** Of a soft edge only. */
const softEdge = (edge: 'lowerEdge' | 'upperEdge'): readonly KnobCondition[] => [
  ...surrogate('clip'),
  { path: `algorithm.loss.${edge}`, values: ['soft'] },
];

const SURROGATES = [
  { value: 'clip', title: 'Clip', formula: 'max(−A·r, −A·clip(r))' },
  { value: 'gate', title: 'Gate', formula: '−A·4/τ·σ(τ(r − 1)) (SAPO)' },
  { value: 'regression', title: 'Regression', formula: '(β·Σ log-ratio − target)² (A*-PO)' },
  { value: 'preference', title: 'Preference', formula: '−ln σ(β·(Δ better − Δ worse)) (DPO)' },
  { value: 'none', title: 'None', formula: 'evaluation only (ReAct)' },
] as const satisfies readonly { value: Surrogate; title: string; formula: string }[];

/** Shapes as a picker offers them. */
const SHAPES = ROLLOUT_SHAPES.map((value) => ({
  value,
  title: rollouts[value].title,
  formula: rollouts[value].formula,
}));

/** A setting of the rollout is shown for the shapes that declare it. */
const readByShape = (path: string): readonly KnobCondition[] => {
  const values = ROLLOUT_SHAPES.filter((name) => rollouts[name].settings.includes(path));
  return [{ path: 'algorithm.rollout.shape', values }];
};

const ROLLOUT: readonly Row[] = [
  ['rollout.shape', 'Shape', 'rollout', '', parts(SHAPES), 'How a prompt’s group of paths comes to be.'],
  ['rollout.initialBranches', 'First turns', 'M', 'turns', integer(1, 32), 'Chains started per prompt before anything branches; the trees of Tree-GRPO.'],
  ['rollout.iterations', 'Rounds', 'L', 'rounds', integer(0, 32), 'Rounds of picking turns and sampling more from them; simulations of a search tree.'],
  ['rollout.picks', 'Picks per round', 'K', 'turns', integer(1, 12), 'Turns picked in each round, per tree.'],
  ['rollout.leavesPerTree', 'Rows per prompt', 'samples per prompt', 'rows', integer(1, 64), 'Rows that are trained on. Fewer than grow are pruned at random, more are filled with copies of the last.'],
  ['rollout.siblingPenalty', 'Sibling penalty', 'α', 'nats per sibling', linear(0, 1), 'Taken off a turn’s entropy for each sibling it has, so that picks spread over the tree.'],
  ['rollout.expansion', 'Expand', EXPANSION_RULE.paperTerm, '', parts(EXPANSION_RULE.options), 'Which turns are sampled again: the most uncertain ones, or any.'],
  ['rollout.branchRule', 'Branch by', 'P', '', choice('arpo', 'aepo'), 'ARPO branches where entropy rose; AEPO also pays for branching again and again.'],
  ['rollout.beam', 'Beam', 'beam', 'paths', integer(1, 8), 'A path splits into at most this many.'],
  ['rollout.branchBase', 'Base probability', 'q', '', linear(0, 1), 'Probability of branching where entropy did not change.'],
  ['rollout.branchWeight', 'Entropy weight', 'w', '', linear(0, 2), 'How much a change of entropy moves the probability.'],
  ['rollout.dynamicInitial', 'First rollouts from entropy', 'm', '', SWITCH, 'AEPO: a first path decides how many chains start and how many branch.'],
  ['rollout.segmentTokens', 'Tokens per segment', '', 'tokens', integer(1, 64), 'A path may fork after every so many sampled tokens.'],
  ['rollout.width', 'Children', 'n', 'turns', integer(1, 8), 'Continuations sampled where a path forks.'],
  ['rollout.levels', 'Levels', 'T', 'levels', integer(1, 16), 'Depth below which paths no longer fork.'],
  ['rollout.similarity', 'Similarity limit', 'J', '', linear(0, 1), 'Siblings whose results overlap more than this are pruned; 1 keeps all.'],
  ['rollout.explorationWeight', 'Exploration', 'w', '', linear(0, 4), 'Weight of the prior in the choice of the next turn.'],
  ['rollout.hybridRows', 'Hybrid rows', 'N_hybrid', 'rows', integer(0, 32), 'Chains that may borrow stored steps.'],
  ['rollout.retrieveProbability', 'Retrieval', '', '', linear(0, 1), 'Probability, at every turn after the first, that a stored step is spliced in.'],
]; // prettier-ignore

const REWARD: readonly Row[] = [
  ['reward.rule', 'Reward', REWARD_RULE.paperTerm, '', parts(REWARD_RULE.options), 'What a path earns in the end, before it is normalised.'],
  ['reward.overlongBuffer', 'Overlong buffer', 'L_cache', 'tokens', integer(0, 256), 'The penalty for length grows over the last so many tokens; 0 turns it off.'],
  ['reward.overlongPenalty', 'Overlong penalty', '', '', linear(0, 2), 'Taken off a path that reaches the limit.'],
  ['reward.turnPenalty', 'Failed call penalty', '', '', linear(0, 1), 'Taken off a turn whose call is malformed or fails.'],
]; // prettier-ignore

const FILTER: readonly Row[] = [
  ['filter.rule', 'Groups trained on', FILTER_RULE.paperTerm, '', parts(FILTER_RULE.options), 'All prompts; only those whose rewards differ, sampling more (DAPO); those whose rewards spread most (StarPO-S).'],
  ['filter.generationBatches', 'Generation batches', '', 'batches', integer(1, 8), 'Most rollout batches sampled for one update.', [{ path: 'algorithm.filter.rule', values: ['dynamic_sampling'] }]],
  ['filter.keptShare', 'Kept share', '', '', linear(0.05, 1), 'Share of the prompts that is kept.', [{ path: 'algorithm.filter.rule', values: ['reward_spread'] }]],
]; // prettier-ignore

const CREDIT: readonly Row[] = [
  ['credit.advantageRule', 'Advantage rule', ADVANTAGE_RULE.paperTerm, '', parts(ADVANTAGE_RULE.options), 'What a turn is credited with.'],
  ['credit.leafNormalisation', 'Normalise leaves', 'r̂', '', SWITCH, 'Rewards minus their mean over the tree’s leaves, divided by the population deviation.', readByRule('leafNormalisation')],
  ['credit.valueRule', 'Value rule', VALUE_RULE.paperTerm, '', parts(VALUE_RULE.options), 'How a turn’s value follows from what lies below it.', readByRule('valueRule')],
  ['credit.discount', 'Discount', 'γ', '', linear(0, 1), 'Weight of what happens a step later.', readByRule('discount')],
  ['credit.lambda', 'GAE λ', 'λ', '', linear(0, 1), 'How far GAE looks past the critic.', readByRule('lambda')],
  ['credit.mixing', 'Weight of the turn’s own signal', 'α', '', linear(0, 2), 'Beside the outcome: α of A²TGPO, w of iStar, a of RAPO, the similarity reward of GTPO.', readByRule('mixing')],
]; // prettier-ignore

const LOSS: readonly Row[] = [
  ['loss.surrogate', 'Surrogate', 'ℓ', '', parts(SURROGATES), 'What a token makes of ratio and advantage.'],
  ['loss.ratioLevel', 'Ratio level', 'ρ', '', choice(...RATIO_LEVELS), 'Over which tokens the log-ratio is averaged.', surrogate('clip', 'gate')],
  ['loss.clipLow', 'Clip below', 'ε_low', '', logarithmic(1e-4, 0.5), 'Negative advantages stop pushing once their ratio is below 1 − ε_low. Goes with the learning rate.', surrogate('clip')],
  ['loss.clipHigh', 'Clip above', 'ε_high', '', logarithmic(1e-4, 0.5), 'Positive advantages stop pushing once their ratio is above 1 + ε_high.', surrogate('clip')],
  ['loss.lowerEdge', 'Lower bound', '', '', choice(...CLIP_EDGES), 'At a soft bound the gradient is that of the bound, at a hard one it is 0.', surrogate('clip')],
  ['loss.upperEdge', 'Upper bound', '', '', choice(...CLIP_EDGES), 'At a soft bound the gradient is that of the bound, at a hard one it is 0.', surrogate('clip')],
  ['loss.lowerFactor', 'Lower bound keeps', 'β₁', '', linear(0, 1), 'Share of the gradient that a soft lower bound keeps: 1 is GPPO, 0 PPO; CE-GPPO reports 0.75 as its best.', softEdge('lowerEdge')],
  ['loss.upperFactor', 'Upper bound keeps', 'β₂', '', linear(0, 1), 'Share of the gradient that a soft upper bound keeps: 1 is GPPO and CE-GPPO’s best, 0 PPO.', softEdge('upperEdge')],
  ['loss.dualClip', 'Dual clip', 'c', '', linear(0, 20), 'Most that a token with negative advantage may cost, in units of −A; 0 turns it off.', surrogate('clip')],
  ['loss.logRatioCap', 'Log-ratio cap', '', 'nats', linear(1, 20), 'Above it the ratio saturates and its gradient is zero.', surrogate('clip', 'gate')],
  ['loss.gatePositive', 'Gate, A > 0', 'τ_pos', '', linear(0.1, 5), 'Steepness of the gate for positive advantages.', surrogate('gate')],
  ['loss.gateNegative', 'Gate, A ≤ 0', 'τ_neg', '', linear(0.1, 5), 'Steepness of the gate for the others.', surrogate('gate')],
  ['loss.beta', 'Beta', 'β', '', logarithmic(1e-4, 1), 'Scale of the log-ratio in regression and preference, and of iStar’s implicit rewards.'],
  ['loss.entropyAdvantage', 'Entropy-balanced advantage', '', '', linear(0, 1), 'Advantages of uncertain tokens are raised by this share per deviation (AEPO 0.2).', surrogate('clip')],
  ['loss.clipAdaptation', 'Adaptive band', '', '', linear(0, 1), 'The band of a turn widens or narrows by this share with its gain (A²TGPO 0.3).', surrogate('clip')],
  ['loss.retrievalRatio', 'Retrieval ratio', 'm', '', linear(0, 1), 'Ratios of rows with borrowed steps are raised by this times their share (RAPO 0.05).', surrogate('clip')],
  ['loss.formatMask', 'Spare format tokens', 'M_t', '', SWITCH, 'Words of the grammar are not pushed down by failing rows (DialTree).'],
  ['loss.reduction', 'Reduction', 'loss_agg_mode', '', choice(...LOSS_REDUCTIONS), 'How tokens weigh in the loss.'],
  ['loss.entropyCoefficient', 'Entropy bonus', 'c_ent', '', linear(0, 0.05), 'Rewards spread-out token distributions; 0 turns it off.'],
  ['loss.klCoefficient', 'KL penalty', 'c_kl', '', linear(0, 0.1), 'Holds the policy near its starting point; 0 turns it off.'],
  ['loss.klKind', 'KL estimate', 'k', '', choice(...KL_KINDS), 'Which estimate of the divergence is penalised.'],
]; // prettier-ignore

/** Paper's default and source are AT²PO's own; the algorithm's card says those of others. */
function describe([path, title, term, unit, range, description, when]: Row): KnobDescription {
  const [group, key] = path.split('.');
  const ofShape = group === 'rollout' && key !== 'shape';
  const settings = algorithms.at2po.config as unknown as Readonly<
    Record<string, Readonly<Record<string, KnobValue>>>
  >;
  const source = algorithms.at2po.sources.find((entry) => entry.path === path)?.source;
  return {
    path: `algorithm.${path}`,
    title,
    term,
    unit,
    description,
    paperDefault: source ? settings[group][key] : null,
    source: source ?? 'of the methods that read it',
    range,
    when: when ?? (ofShape ? readByShape(path) : []),
  };
}

export const ALGORITHM_KNOBS: readonly KnobDescription[] = [
  ...ROLLOUT,
  ...REWARD,
  ...FILTER,
  ...CREDIT,
  ...LOSS,
].map(describe);
