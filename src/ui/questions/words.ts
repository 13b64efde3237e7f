/** Answers to questions about rollouts, a sentence each with its numbers; what a file does not say is unknown, with what would tell. */
import { adviceOn, type Lack } from '../../store/record/import_advice.ts';
import {
  type Answers,
  type Corrected,
  type Correction,
  type GroupSilence,
  type MaskFault,
  type MaskFinding,
  type ToolUse,
} from '../../store/questions/questions.ts';
import { countWords, formatCount, formatNumber, formatShare, formatSigned } from '../parts/format.ts';

const shareOf = (part: number, all: number): string => `${formatCount(part)} of ${formatCount(all)}`;
const digits = 3;

/** By what is missing: the sentence, and how one comes by it whoever wrote the file. */
export const SWITCH_ON: Readonly<Record<Lack | 'steps', readonly [lacks: string, anyhow: string]>> = {
  reward: [
    'the file has no reward of each rollout',
    'a numeric field in each row, named with “Read otherwise”',
  ],
  masks: ['the file has no masks', 'verl, rollout.trace.backend=mlflow or weave; verifiers, state_columns=["trajectory"]; prime-rl writes them by itself'], // prettier-ignore
  sampler: ['the file has no log-probabilities', 'verl, rollout.calculate_log_probs=True with a rollout trace; vLLM, logprobs=1'], // prettier-ignore
  trainer: ['the file has no log-probabilities of the trainer', 'prime-rl 0.9.1.dev29 or later, and open its whole folder traces/; verl writes them in no file of its own'], // prettier-ignore
  contexts: ['the file does not hold the ids of a turn’s whole context, only what each turn adds', 'verifiers, state_columns=["trajectory"]; rLLM, prompt_ids and response_ids in each step'], // prettier-ignore
  ids: ['the file has no token ids', 'verl, rollout.trace.backend=mlflow or weave; verifiers, state_columns=["trajectory"]'], // prettier-ignore
  groups: ['there is no group of two rollouts with rewards', 'a reward and the prompt’s id in each row'],
  steps: ['there are fewer than three steps so far. Of files, open those of all steps together', ''],
};

/** What to switch on in the trainer of this format, where that is known. @param format '' of none */
function unknown(missing: keyof typeof SWITCH_ON, format: string): string {
  const [lacks, anyhow] = SWITCH_ON[missing];
  const own = missing === 'steps' ? null : adviceOn(format, missing);
  return `Unknown: ${lacks}.${anyhow === '' ? '' : ` Switch on: ${own?.set ?? anyhow}.`}`;
}

// Why is nothing learnt?

const trainedOn = ({ silence }: Answers): readonly GroupSilence[] => silence.groups.filter(({ kind }) => kind !== 'dropped' && kind !== 'unscored'); // prettier-ignore

export function learningWords(answers: Answers): string {
  const { silence } = answers;
  if (silence.rollouts === 0) return 'No rollout of this update is at hand.';
  const trained = trainedOn(answers);
  const dropped = silence.groups.filter(({ kind }) => kind === 'dropped').length;
  if (trained.length === 0 && dropped > 0) return `Nothing is learnt: the filter dropped ${shareOf(dropped, silence.groups.length)} groups, and the others have no rewards.`; // prettier-ignore
  if (trained.length === 0) return unknown('reward', answers.format);
  if (silence.masked === silence.rollouts && silence.tokenless.length === silence.rollouts)
    return `Nothing is learnt: ${shareOf(silence.tokenless.length, silence.rollouts)} rollouts have no token under the loss.`;
  const count = (of: GroupSilence['kind']): number => trained.filter(({ kind }) => kind === of).length;
  const ofAll = (part: number): string => shareOf(part, trained.length);
  const [dead, alone, live] = [count('dead'), count('alone'), count('live')];
  const same = dead > 0 || alone === 0 ? [`in ${ofAll(dead)} groups all rollouts earned the same`] : [];
  const single = alone > 0 ? [`${ofAll(alone)} groups have one rollout, whose reward GRPO takes for its advantage`] : []; // prettier-ignore
  if (silence.push === 0) return `Nothing is learnt from the rewards: ${[...same, ...single.map((words) => `${words}: 0`)].join('; ')}, so every advantage is 0.`; // prettier-ignore
  const some = [...(live > 0 || alone === 0 ? [`${ofAll(live)} groups have rewards that differ`] : []), ...single].join('; '); // prettier-ignore
  const cancels = alone === 0 ? ', and the advantages of a group add up to 0' : '; of a group of several they add up to 0'; // prettier-ignore
  return `Something is learnt: ${some}; GRPO’s advantages there have a mean |A| of ${formatNumber(silence.push, digits)}. Their loss reads ${formatNumber(silence.sequenceLoss, digits)} all the same while the ratio is 1: it is −mean A${cancels}. The gradient does not cancel, since each A has its own ∂ log π.`;
}

const MOST_TERMS = 8;

const sumWords = (terms: readonly string[], joiner = ' '): string =>
  terms.length <= MOST_TERMS ? terms.join(joiner) : `${terms.slice(0, MOST_TERMS).join(joiner)} … (${terms.length} terms)`; // prettier-ignore

/** The sum of a group, term by term. */
export function groupSum({
  advantages,
  mean,
  deviation,
  rollouts,
  kind,
  ...group
}: GroupSilence): readonly string[] {
  // prettier-ignore
  if (kind === 'unscored') return ['a reward is unknown'];
  if (!advantages) return [];
  const rewards = rollouts.map(({ reward }) => formatNumber(reward, digits));
  const signed = advantages.map((each) => formatSigned(each));
  const sizes = advantages.map((each, at) => `${at === 0 ? '' : '+ '}${formatNumber(Math.abs(each))}`);
  const count = advantages.length;
  return [
    `r = ${sumWords(rewards, ', ')}; mean ${formatNumber(mean, digits)}, deviation ${formatNumber(deviation, digits)}`,
    `A = (r − mean) / (deviation + 10⁻⁶) = ${sumWords(signed, ', ')}`,
    `loss at ratio 1, over rollouts: −(${sumWords(signed)}) / ${count} = ${formatSigned(group.sequenceLoss, digits)}`,
    group.tokenLoss === null
      ? 'over tokens: unknown, their numbers are not in the file'
      : `over tokens: −(${sumWords(advantages.map((each, at) => `${at === 0 ? '' : '+ '}${group.lossTokens[at]}·${formatSigned(each)}`))}) / ${formatCount(group.lossTokens.reduce<number>((sum, each) => sum + (each ?? 0), 0))} = ${formatSigned(group.tokenLoss, digits)}`,
    `what pushes: (${sumWords(sizes)}) / ${count} = ${formatNumber(group.push, digits)}`,
  ];
}

/** What else keeps tokens from the loss: name and number of each. */
export function silenceFacts(answers: Answers): readonly (readonly [name: string, words: string])[] {
  const { silence, losses } = answers;
  const { groups, ratio, unadvantaged } = silence;
  const count = (kind: GroupSilence['kind']): string => shareOf(groups.filter((group) => group.kind === kind).length, groups.length); // prettier-ignore
  return [
    ['dead groups', count('dead')],
    ['groups of one', count('alone')],
    ['without all rewards', count('unscored')],
    ['dropped by a filter', count('dropped')],
    ['rollouts cut by length', shareOf(silence.cut.length, silence.rollouts)],
    ['without a token in the loss', silence.masked === 0 ? unknown('masks', answers.format) : shareOf(silence.tokenless.length, silence.masked)], // prettier-ignore
    ['ratio trainer / sampler', ratio ? `exactly 1 for ${formatCount(ratio.ones)} of ${countWords(ratio.tokens, 'token')}; |log ratio| at most ${formatNumber(ratio.farthest, 4)}` : unknown(answers.hasSampler ? 'trainer' : 'sampler', answers.format)], // prettier-ignore
    ['turns that the trainer gave A = 0', unadvantaged ? shareOf(unadvantaged.zero, unadvantaged.turns) : 'unknown: the file has no advantages'], // prettier-ignore
    ...(losses.length > 0 ? [['loss of mini-batches', losses.slice(0, MOST_TERMS).map((each) => formatSigned(each, 5)).join(', ')] as const] : []), // prettier-ignore
  ];
}

// Masks.

export const FAULT_WORDS: Readonly<Record<MaskFault, string>> = {
  'read-in-loss': 'read tokens under the loss',
  'written-outside': 'written tokens outside the loss',
  'last-certain': 'turns whose last token has log-probability exactly 0',
  'ids-missing': 'turns without ids, of rollouts that have some',
};
const FAULT_NEEDS: Readonly<Record<MaskFault, Lack>> = {
  'read-in-loss': 'masks',
  'written-outside': 'masks',
  'last-certain': 'sampler',
  'ids-missing': 'ids',
};

export const faultWords = (
  { fault, checked, tokens, ofTokens, rollouts }: MaskFinding,
  format: string,
): string => {
  if (checked === 0) return unknown(FAULT_NEEDS[fault], format);
  const found = `${shareOf(tokens, ofTokens)} (${formatShare(ofTokens === 0 ? 0 : tokens / ofTokens, 1)})`;
  return tokens === 0 ? found : `${found}, in ${countWords(rollouts, 'rollout')}`;
};

export function maskWords({ masks, innerZeros: { zero, of }, format }: Answers): string {
  const known = masks.filter(({ checked }) => checked > 0);
  if (known.length === 0) return unknown('ids', format);
  const faults = known.filter(({ tokens }) => tokens > 0);
  const most = Math.max(...known.map(({ checked }) => checked));
  const last = faults.some(({ fault }) => fault === 'last-certain') ? ` Of the tokens before the last, ${shareOf(zero, of)} have exactly 0 too: ${zero === 0 ? 'the last ones were put there rather than sampled.' : 'some tokens are simply certain.'}` : ''; // prettier-ignore
  const open = known.length < masks.length ? ` ${countWords(masks.length - known.length, 'check')} cannot be made: see below.` : ''; // prettier-ignore
  return `${faults.length === 0 ? 'No fault' : `${faults.length} of ${known.length} checks find a fault`} in ${countWords(most, 'turn')}.${last}${open}`;
}

// Boundaries.

export function boundaryWords({ boundaries, isOurs, rollouts, format }: Answers): string {
  const { compared, unknown: open, drifted, rewritten } = boundaries;
  if (isOurs) return 'No: tokens go in as they came out of the sampler here, and no conversation is rendered again.'; // prettier-ignore
  if (compared === 0 && open === 0 && rollouts.length > 0) return 'No rollout has a second turn, so no conversation is rendered again.'; // prettier-ignore
  if (compared === 0) return unknown('contexts', format);
  const rest = open === 0 ? '' : ` ${countWords(open, 'more turn')} cannot be compared.`;
  const edited = rewritten.length === 0 ? '' : ` In ${formatCount(rewritten.length)} the words differ too: the context was edited.`; // prettier-ignore
  return drifted.length === 0
    ? `No: of ${countWords(compared, 'context')} that can be compared, ${formatCount(compared - rewritten.length)} begin with the tokens as they were sampled.${edited}${rest}`
    : `Yes: ${shareOf(drifted.length, compared)} contexts hold other tokens for the same words, so the trainer scores what was not sampled.${edited}${rest}`;
}

// Sampler against trainer.

export function mismatchWords({ mismatch, hasSampler, format }: Answers): string {
  if (!mismatch) return unknown(hasSampler ? 'trainer' : 'sampler', format);
  const { all, probability, without } = mismatch;
  const [least, , , , , , most] = all.quantiles;
  const rest = without === 0 ? '' : ` ${countWords(without, 'rollout')} do not say.`;
  return `Over ${countWords(all.tokens, 'token')} the trainer’s log-probability lies ${formatSigned(all.mean, 4)} nats from the sampler’s on average, |Δ| ${formatNumber(all.meanSize, 4)}, from ${formatSigned(least, 4)} to ${formatSigned(most, 4)}. |Δ probability| has mean ${formatNumber(probability.mean, 4)}, most ${formatNumber(probability.most, 4)}, deviation ${formatNumber(probability.deviation, 4)} (verl: rollout_probs_diff).${rest}`;
}

export const CORRECTION_WORDS: Readonly<Record<Correction, { readonly title: string; readonly key: string }>> = {
  'truncate-token': { title: 'truncate, by token', key: 'rollout_is=token' },
  'truncate-sequence': { title: 'truncate, by rollout', key: 'rollout_is=sequence' },
  'reject-token': { title: 'reject tokens', key: 'rollout_rs=token' },
  'reject-sequence': { title: 'reject rollouts', key: 'rollout_rs=sequence' },
  'reject-geometric': { title: 'reject rollouts, geometric', key: 'rollout_rs=geometric' },
}; // prettier-ignore

export function correctionWords(rule: Correction, threshold: number, found: Corrected): string {
  const { tokens, touched, sequences, touchedSequences, meanWeight, effective } = found;
  const cut = rule.startsWith('truncate') ? 'cuts the weight of' : 'drops';
  return `At ${formatNumber(threshold, digits)} it ${cut} ${formatCount(touched)} of ${countWords(tokens, 'token')} (${formatShare(touched / tokens, 1)}), in ${shareOf(touchedSequences.length, sequences)} rollouts. Mean weight ${formatNumber(meanWeight, digits)}; effective sample size (Σw)²/Σw² = ${formatCount(Math.round(effective * 10) / 10)} of ${countWords(tokens, 'token')} (${formatShare(effective / tokens, 1)}).`;
}

// Rewards of turns.

export function turnRewardWords({ turnRewards, format }: Answers): string {
  if (!turnRewards) return unknown('groups', format);
  const { groups, turns, mixed, alone, flippedRollout, comparedState, flippedState, leftOut } = turnRewards;
  const ofTurns = groups.filter((group) => group.ofTurns).length;
  const what = ofTurns === 0 ? 'No turn has a reward of its own: each gets the outcome.' : `${shareOf(ofTurns, groups.length)} groups have a reward for each turn.`; // prettier-ignore
  const state = comparedState === 0 ? 'no two rollouts stand in the same state' : `against the mean of the same state ${shareOf(flippedState.length, comparedState)}`; // prettier-ignore
  const rest = leftOut === 0 ? '' : ` Left out: ${countWords(leftOut, 'rollout')} of several rows, without a reward, or alone.`; // prettier-ignore
  return `${what} A baseline by turn index mixes different states in ${formatCount(mixed)} of ${countWords(turns, 'turn')}, and leaves ${formatCount(alone)} with 0 since nobody else lives so long. It turns the sign of A in ${formatCount(flippedRollout.length)} of ${countWords(turns, 'turn')} against the whole rollout’s; ${state}.${rest}`;
}

// Tool use.

const TRENDS: Readonly<Record<ToolUse['trend'], string>> = {
  never: 'No tool is called in any of these steps.',
  collapsed: 'Yes: less than half of the calls are left',
  declined: 'It declines: less than nine tenths of the calls are left',
  steady: 'No: the calls stay',
  rose: 'No: the calls rise',
};

export function toolUseWords(use: ToolUse | null): string {
  if (!use) return unknown('steps', '');
  const { trend, start, end, startReward, endReward, declinesFrom, window, steps } = use;
  if (trend === 'never') return TRENDS.never;
  const reward = startReward === null || endReward === null ? 'the reward is unknown' : `the reward goes from ${formatNumber(startReward)} to ${formatNumber(endReward)}`; // prettier-ignore
  const from = declinesFrom === null ? '' : `, and stay below nine tenths from step ${declinesFrom.step} on`;
  const r = use.correlation === null ? 'unknown, since one of the two does not vary' : formatSigned(use.correlation); // prettier-ignore
  return `${TRENDS[trend]}: they go from ${formatNumber(start)} to ${formatNumber(end)} a rollout (means of ${countWords(window, 'step')} of ${steps.length})${from}, while ${reward}. Slope ${formatSigned(use.slope, digits)} calls a step; correlation of calls and reward over the steps ${r}.`;
}

export const withinWords = ({ callsWithin: { rollouts, correlation } }: Answers): string =>
  correlation === null
    ? 'Within the groups of this update calls or rewards do not vary, so nothing is said of one for the other.'
    : `Within the groups of this update (${countWords(rollouts, 'rollout')}) those who call more earn ${correlation < 0 ? 'less' : 'more'}: correlation ${formatSigned(correlation)}.`;
