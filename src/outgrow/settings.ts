/**
 * Where each setting of a run goes in verl, one row each: keys of its configuration, a file of the folder, nowhere since the
 * method does not read it, or nowhere since verl cannot say it. The compiler asks for a row of every setting.
 */
import { settingsRead } from '../algo/credit/signals.ts';
import { rollouts } from '../algo/rollouts/index.ts';
import { settingsOfSurrogate, type RunConfig } from '../units.ts';
import { creditPart, lossPart, rolloutPart, SEGMENT_TOKENS, sessionsOf } from './parts.ts';

export type Value = string | number | boolean | readonly number[] | null;

/** What becomes of a setting. A value that begins with $ is a variable of launch.sh. */
export type Said =
  | { readonly kind: 'keys'; readonly keys: Readonly<Record<string, Value>>; readonly note?: string }
  | { readonly kind: 'file'; readonly file: string; readonly note?: string }
  | { readonly kind: 'unread'; readonly note: string }
  | { readonly kind: 'missing'; readonly note: string }; // verl cannot say it, and neither does the folder

type Say = (config: RunConfig) => Said;
type SayAll<Group> = { readonly [Name in keyof Group]-?: Say };

const keys = (of: Readonly<Record<string, Value>>, note?: string): Said => ({ kind: 'keys', keys: of, ...(note && { note }) }); // prettier-ignore
const file = (name: string, note?: string): Said => ({ kind: 'file', file: name, ...(note && { note }) });
const unread = (note = 'this method does not read it'): Said => ({ kind: 'unread', note });
const missing = (note: string): Said => ({ kind: 'missing', note });
const YOURS = 'yours to choose: a variable at the head of launch.sh';

const ACTOR = 'actor_rollout_ref.actor';
const ROLLOUT = 'actor_rollout_ref.rollout';
const SETTINGS = 'turnwise_settings.py';

const noneOf =
  (off: (config: RunConfig) => boolean, why: string): Say =>
  (config) => (off(config) ? unread('off') : missing(why)); // prettier-ignore

type Rollout = RunConfig['algorithm']['rollout'];

/** A setting of the rollout: of the tree loop it is read from the settings, of chains it is n, of other shapes nobody has it. */
const ofShape =
  (name: keyof Rollout): Say =>
  ({ algorithm }) => {
    const isRead = rollouts[algorithm.rollout.shape].settings.includes(`rollout.${name}`);
    if (!isRead) return unread('this shape does not read it');
    return rolloutPart(algorithm) === null
      ? missing(`the shape ${algorithm.rollout.shape} is not in turnwise_growth.py`)
      : file(SETTINGS, 'ROLLOUT, read by turnwise_growth.py');
  };

type Loss = RunConfig['algorithm']['loss'];

/** A setting that only some surrogates read: a key where verl's loss has one, else the settings of the folder's loss. */
const ofLoss =
  (name: keyof Loss, key?: (value: Loss) => Readonly<Record<string, Value>>): Say =>
  ({ algorithm }) => {
    const part = lossPart(algorithm);
    const { loss } = algorithm;
    const read: readonly string[] = settingsOfSurrogate(loss.surrogate);
    if (!read.includes(name)) return unread('this surrogate does not read it');
    if (part === null) return missing('a loss of whole rows against the reference policy: verl hands its losses no reference'); // prettier-ignore
    if (part === 'turnwise') return file(SETTINGS, 'LOSS, read by turnwise_loss.py');
    return key ? keys(key(loss)) : unread(`fixed in verl’s loss ${part}, at the same value`);
  };

const ofCredit =
  (name: keyof RunConfig['algorithm']['credit'], key?: string): Say =>
  ({ algorithm }) => {
    const { advantageRule } = algorithm.credit;
    const read: readonly string[] = settingsRead(advantageRule);
    if (!read.includes(name)) return unread('this rule does not read it');
    const part = creditPart(algorithm);
    if (part?.kind === 'own') return file(SETTINGS, 'CREDIT, read by turnwise_credit.py');
    return part && key ? keys({ [key]: algorithm.credit[name] }) : missing(`the rule ${advantageRule} is not in the folder`); // prettier-ignore
  };

const RUN: SayAll<Omit<RunConfig, 'model' | 'algorithm' | 'optimiser' | 'evaluation'>> = {
  preset: () => unread('a name'),
  seed: ({ seed }) => keys({ 'data.seed': seed, [`${ACTOR}.data_loader_seed`]: seed, [`${ROLLOUT}.seed`]: seed }, 'the numbers are not those of the lab: other sampler, other shuffle'), // prettier-ignore
  updates: ({ updates }) => keys({ 'trainer.total_training_steps': updates }),
  environment: ({ environment }) => environment === 'search' ? file('tools.py', 'its tools as a template; a task of your own goes there') : missing(`tools.py is a template of the search world, not of ${environment}`), // prettier-ignore
  datasets: () => missing(`the lab’s questions stay here: TRAIN_FILES and VAL_FILES, ${YOURS}`),
  weights: () => missing(`the lab’s policy stays here: MODEL, ${YOURS}`),
  promptsPerUpdate: ({ promptsPerUpdate }) => keys({ 'data.train_batch_size': promptsPerUpdate }),
  promptsPerMinibatch: (config) => {
    const rows = rolloutPart(config.algorithm) === 'tree' ? config.algorithm.rollout.leavesPerTree : 1;
    return keys({ [`${ACTOR}.ppo_mini_batch_size`]: config.promptsPerMinibatch * rows }, rows > 1 ? 'in rows: verl multiplies by rollout.n, which is 1 for a tree' : undefined); // prettier-ignore
  },
  temperature: ({ temperature }) => keys({ [`${ROLLOUT}.temperature`]: temperature }),
  editedKernel: ({ editedKernel }) => editedKernel ? missing('an edited WGSL kernel: write its arithmetic into turnwise_loss.py') : unread('none'), // prettier-ignore
};

const STAYS: Say = () => missing(`the shape of the lab’s policy: MODEL, ${YOURS}`);
const MODEL: SayAll<RunConfig['model']> = {
  ...{ vocabularySize: STAYS, channels: STAYS, layers: STAYS, heads: STAYS, kvHeads: STAYS, headSize: STAYS },
  ...{ hidden: STAYS, rmsEpsilon: STAYS, ropeTheta: STAYS, queryKeyNorm: STAYS, tiedOutput: STAYS },
  ...{ previousTokenMixing: STAYS, logitScale: STAYS },
};

const SHAPES: SayAll<Rollout> = {
  shape: ({ algorithm }) => {
    const part = rolloutPart(algorithm);
    if (part === 'tree') return keys({ [`${ROLLOUT}.agent.default_agent_loop`]: 'turnwise_tree', [`${ROLLOUT}.agent.agent_loop_config_path`]: '$HERE/agent_loops.yaml' }); // prettier-ignore
    const chains = { [`${ROLLOUT}.agent.default_agent_loop`]: 'tool_agent' };
    return part === 'chains' ? keys(chains) : missing(`the shape ${algorithm.rollout.shape} is not in turnwise_growth.py; the script would run independent chains`); // prettier-ignore
  },
  leavesPerTree: (config) => {
    const n = { [`${ROLLOUT}.n`]: sessionsOf(config) };
    return rolloutPart(config.algorithm) === 'tree' ? keys(n, `one session grows the tree; its ${config.algorithm.rollout.leavesPerTree} rows are cut by ROLLOUT in ${SETTINGS}. It fills up no rows with copies`) : keys(n); // prettier-ignore
  },
  initialBranches: (config) => rolloutPart(config.algorithm) === 'chains' ? unread('of chains, rollout.n says it') : ofShape('initialBranches')(config), // prettier-ignore
  iterations: ofShape('iterations'),
  picks: ofShape('picks'),
  expansion: ofShape('expansion'),
  siblingPenalty: ofShape('siblingPenalty'),
  branchRule: ofShape('branchRule'),
  beam: ofShape('beam'),
  branchBase: ofShape('branchBase'),
  branchWeight: ofShape('branchWeight'),
  dynamicInitial: ofShape('dynamicInitial'),
  segmentTokens: (config) => config.algorithm.rollout.shape === 'segment_tree' ? file(SETTINGS, `ROLLOUT, read by turnwise_growth.py: ${SEGMENT_TOKENS}, as the released script has it; the lab’s run had ${config.algorithm.rollout.segmentTokens}, in proportion to its short answers`) : ofShape('segmentTokens')(config), // prettier-ignore
  width: ofShape('width'),
  levels: ofShape('levels'),
  similarity: ofShape('similarity'),
  explorationWeight: ofShape('explorationWeight'),
  hybridRows: ofShape('hybridRows'),
  retrieveProbability: ofShape('retrieveProbability'),
};

const REWARD: SayAll<RunConfig['algorithm']['reward']> = {
  rule: ({ algorithm: { reward } }) => reward.rule === 'boundary' ? missing('BAPO’s reward looks at the group and at the run so far; a reward function of verl sees one row') : file('reward.py', `REWARD in ${SETTINGS}`), // prettier-ignore
  overlongBuffer: noneOf(({ algorithm: { reward } }) => reward.overlongBuffer === 0, 'reward.py is handed no token counts; verl has a reward manager named dapo for it'), // prettier-ignore
  overlongPenalty: noneOf(({ algorithm: { reward } }) => reward.overlongBuffer === 0, 'as overlongBuffer'),
  turnPenalty: noneOf(({ algorithm: { reward } }) => reward.turnPenalty === 0, 'a reward of one turn: verl adds rewards up to one number a row'), // prettier-ignore
};

const FILTER: SayAll<RunConfig['algorithm']['filter']> = {
  rule: ({ algorithm: { filter } }) => {
    if (filter.rule === 'reward_spread') return missing('verl keeps or drops a group by whether its rewards differ at all'); // prettier-ignore
    const isOn = filter.rule === 'dynamic_sampling';
    return keys({ 'algorithm.filter_groups.enable': isOn, ...(isOn && { 'algorithm.filter_groups.metric': 'score' }) }, isOn ? 'verl goes on until the batch is full; the lab fills up with groups that do not vary' : undefined); // prettier-ignore
  },
  generationBatches: ({ algorithm: { filter } }) => filter.rule === 'dynamic_sampling' ? keys({ 'algorithm.filter_groups.max_num_gen_batches': filter.generationBatches }) : unread('off'), // prettier-ignore
  keptShare: noneOf(({ algorithm: { filter } }) => filter.rule !== 'reward_spread', 'as the filter’s rule'),
};

const CREDIT: SayAll<RunConfig['algorithm']['credit']> = {
  advantageRule: ({ algorithm }) => {
    const part = creditPart(algorithm);
    const { advantageRule } = algorithm.credit;
    if (!part)
      return missing(`the rule ${advantageRule} is not in the folder; the script would run verl’s grpo`);
    if (part.kind === 'own') return keys({ 'algorithm.adv_estimator': 'grpo', 'trainer.v1.trainer_mode': 'turnwise' }, `CREDIT in ${SETTINGS}: the trainer of turnwise_trainer.py puts its own advantages in the place of grpo’s`); // prettier-ignore
    const plain: Readonly<Record<string, Value>> = advantageRule === 'dr_grpo' ? { 'algorithm.norm_adv_by_std_in_grpo': false } : {}; // prettier-ignore
    return keys({ 'algorithm.adv_estimator': part.estimator, ...plain }, advantageRule === 'reinforce_pp' ? 'verl’s return begins anew at every tool result, so that only the last turn hears of the outcome' : undefined); // prettier-ignore
  },
  leafNormalisation: ofCredit('leafNormalisation'),
  valueRule: ofCredit('valueRule'),
  discount: ofCredit('discount', 'algorithm.gamma'),
  lambda: ofCredit('lambda', 'algorithm.lam'),
  mixing: ofCredit('mixing'),
};

const KL_TYPES = { k1: 'kl', abs: 'abs', k2: 'mse', k3: 'low_var_kl' } as const;
const BONUS = 'verl weighs it by loss_agg_mode, the lab as a mean over tokens';

const LOSS: SayAll<Loss> = {
  surrogate: ({ algorithm }) => {
    const part = lossPart(algorithm);
    if (part === null) return missing(`${algorithm.loss.surrogate}: a loss of whole rows against the reference policy; verl hands its losses no reference`); // prettier-ignore
    return part === 'evaluation' ? keys({ 'trainer.val_only': true }) : keys({ [`${ACTOR}.policy_loss.loss_mode`]: part }); // prettier-ignore
  },
  ratioLevel: ofLoss('ratioLevel'),
  lowerEdge: ofLoss('lowerEdge'),
  upperEdge: ofLoss('upperEdge'),
  clipLow: ofLoss('clipLow', ({ clipLow }) => ({ [`${ACTOR}.clip_ratio_low`]: clipLow })),
  clipHigh: ofLoss('clipHigh', ({ clipHigh }) => ({ [`${ACTOR}.clip_ratio_high`]: clipHigh })),
  lowerFactor: ofLoss('lowerFactor'),
  upperFactor: ofLoss('upperFactor'),
  dualClip: (config) => lossPart(config.algorithm) === 'vanilla' ? ofLoss('dualClip', ({ dualClip }) => ({ [`${ACTOR}.clip_ratio_c`]: dualClip }))(config) : ofLoss('dualClip')(config), // prettier-ignore
  logRatioCap: ofLoss('logRatioCap'),
  gatePositive: ofLoss('gatePositive', ({ gatePositive }) => ({ [`${ACTOR}.tau_pos`]: gatePositive })),
  gateNegative: ofLoss('gateNegative', ({ gateNegative }) => ({ [`${ACTOR}.tau_neg`]: gateNegative })),
  beta: ({ algorithm }) => lossPart(algorithm) === null || algorithm.credit.advantageRule === 'istar' ? missing(algorithm.credit.advantageRule === 'istar' ? 'of a second network, which verl’s actor has not' : 'as the surrogate') : unread(), // prettier-ignore
  entropyAdvantage: noneOf(({ algorithm: { loss } }) => loss.entropyAdvantage === 0, 'the factor follows the entropies of the step; verl hands its losses none'), // prettier-ignore
  clipAdaptation: noneOf(({ algorithm: { loss } }) => loss.clipAdaptation === 0, 'the band of a turn follows its gain in belief; verl hands its losses none'), // prettier-ignore
  retrievalRatio: noneOf(({ algorithm: { loss } }) => loss.retrievalRatio === 0, 'the ratio of a row follows what it borrowed; verl hands its losses nothing of it'), // prettier-ignore
  formatMask: ({ algorithm: { loss } }) => loss.formatMask ? file(SETTINGS, 'LOSS: the trainer sets advantages of the grammar to 0; which words are grammar says GRAMMAR in turnwise_trainer.py') : unread('off'), // prettier-ignore
  reduction: ({ algorithm: { loss } }) => loss.reduction === 'seq-mean-token-sum-norm' ? keys({ [`${ACTOR}.loss_agg_mode`]: loss.reduction, [`${ACTOR}.loss_scale_factor`]: '$MAX_RESPONSE' }, 'verl also divides by the rows, the lab does not: AdamW’s step is the same, the gradient’s norm (and its clip) is not') : keys({ [`${ACTOR}.loss_agg_mode`]: loss.reduction }), // prettier-ignore
  entropyCoefficient: ({ algorithm: { loss } }) => keys({ [`${ACTOR}.entropy_coeff`]: loss.entropyCoefficient }, loss.entropyCoefficient === 0 ? undefined : BONUS), // prettier-ignore
  klCoefficient: ({ algorithm: { loss } }) => keys({ [`${ACTOR}.use_kl_loss`]: loss.klCoefficient !== 0, ...(loss.klCoefficient !== 0 && { [`${ACTOR}.kl_loss_coef`]: loss.klCoefficient }), 'algorithm.use_kl_in_reward': false }, loss.klCoefficient === 0 ? undefined : BONUS), // prettier-ignore
  klKind: ({ algorithm: { loss } }) => loss.klCoefficient === 0 ? unread('the KL penalty is off') : keys({ [`${ACTOR}.kl_loss_type`]: KL_TYPES[loss.klKind] }), // prettier-ignore
};

const OPTIM = `${ACTOR}.optim`;
const OPTIMISER: SayAll<RunConfig['optimiser']> = {
  learningRate: ({ optimiser }) => keys({ [`${OPTIM}.lr`]: '$LR' }, `LR is 1e-6, as papers have it for billions of parameters; the lab’s run had ${optimiser.learningRate}`), // prettier-ignore
  beta1: ({ optimiser }) => keys({ [`${OPTIM}.betas`]: [optimiser.beta1, optimiser.beta2] }),
  beta2: ({ optimiser }) => keys({ [`${OPTIM}.betas`]: [optimiser.beta1, optimiser.beta2] }),
  epsilon: ({ optimiser }) => keys({ [`${OPTIM}.override_optimizer_config`]: `{eps:${optimiser.epsilon}}` }),
  weightDecay: ({ optimiser }) => keys({ [`${OPTIM}.weight_decay`]: optimiser.weightDecay }),
  gradientClip: ({ optimiser }) => keys({ [`${OPTIM}.clip_grad`]: optimiser.gradientClip }),
};

const EVALUATION: SayAll<RunConfig['evaluation']> = {
  every: ({ evaluation }) => keys({ 'trainer.test_freq': evaluation.every === 0 ? -1 : evaluation.every }),
  questions: ({ evaluation }) => keys({ 'data.val_max_samples': evaluation.questions === 0 ? -1 : evaluation.questions * evaluation.datasets.length }, evaluation.questions === 0 ? 'verl takes -1 for all of VAL_FILES' : undefined), // prettier-ignore
  datasets: () => missing(`the lab’s questions stay here: VAL_FILES, ${YOURS}`),
};

const GROUPS = {
  ...{ '': RUN, 'model.': MODEL, 'algorithm.rollout.': SHAPES, 'algorithm.reward.': REWARD },
  ...{ 'algorithm.filter.': FILTER, 'algorithm.credit.': CREDIT, 'algorithm.loss.': LOSS },
  ...{ 'optimiser.': OPTIMISER, 'evaluation.': EVALUATION },
};

/** A setting of the run by its path, its value, and what becomes of it. */
export interface Mapped {
  readonly path: string;
  readonly value: unknown;
  readonly said: Said;
}

const valueAt = (config: RunConfig, path: string): unknown =>
  path.split('.').reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>> | undefined)?.[key], config); // prettier-ignore

/** Every setting of a run, in the order of the table. */
export const mapSettings = (config: RunConfig): readonly Mapped[] =>
  Object.entries(GROUPS).flatMap(([group, rows]) =>
    Object.entries(rows as Readonly<Record<string, Say>>).map(([name, say]) => ({
      path: `${group}${name}`,
      value: valueAt(config, `${group}${name}`),
      said: say(config),
    })),
  );

/** Settings of the task and the policy, which are yours to choose whatever the method. */
const OF_THE_LAB = /^(model\.|weights$|datasets$|evaluation\.datasets$)/;

/** What makes the method another one than here: settings that neither verl nor the folder can say. */
export const notExpressed = (config: RunConfig): readonly Mapped[] =>
  mapSettings(config).filter(({ path, said }) => said.kind === 'missing' && !OF_THE_LAB.test(path));
