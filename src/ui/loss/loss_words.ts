/** How the Loss view says what a LossConfig does to a token: names, states and formulas. */
import type { LossBalance } from '../../store/loss/batch_reading.ts';
import type { LossToken, LossTurn } from '../../store/loss/loss_reading.ts';
import type { MaskReason, NetWeight, Silence } from '../../store/loss/net_weight.ts';
import { pullToStop, type FailureTrees, type StoppingTurn } from '../../store/loss/stopping.ts';
import type { ClipState, LossConfig, LossReduction, RatioLevel } from '../../units.ts';
import { countWords, formatNumber, formatRatio, formatShare, formatSigned } from '../parts/format.ts';

export const CLIP_WORDS: Readonly<Record<ClipState, string>> = {
  0: 'not clipped',
  1: 'clipped above: no gradient',
  2: 'clipped below: no gradient',
  3: 'log-ratio beyond its cap: no gradient',
  4: 'loss at its limit (dual clip): no gradient',
  5: 'above the band: the gradient of its upper edge',
  6: 'below the band: the gradient of its lower edge',
};

export const LEVEL_WORDS: Readonly<Record<RatioLevel, string>> = {
  token: 'token',
  turn: 'turn',
  sequence: 'row',
};

/** Whether the loss compares with the sampling policy at all: has ratios, and a band. */
export const hasRatio = ({ surrogate }: LossConfig): boolean => surrogate === 'clip' || surrogate === 'gate';

const UNCLIPPED: Readonly<Record<Exclude<LossConfig['surrogate'], 'clip'>, string>> = {
  gate: 'weighed by the gate',
  regression: 'loss of the whole row',
  preference: 'loss of the whole pair',
  none: 'not trained on',
};

/** The state of a turn in words; where tokens have ratios of their own, how many are clipped. */
export function turnState({ tokens, clipState, clippedCount }: LossTurn, { surrogate }: LossConfig): string {
  if (clippedCount > 0 && clippedCount < tokens.length)
    return `${clippedCount} of ${countWords(tokens.length, 'token')} clipped`;
  return surrogate === 'clip' || clipState !== 0 ? CLIP_WORDS[clipState] : UNCLIPPED[surrogate];
}

/** Why a ratio beyond the band is not clipped; null where it is inside, or clipped, or there is no band. */
export function outsideBand(
  { ratio, band: [low, high], advantage, clipState }: LossToken,
  { surrogate }: LossConfig,
): string | null {
  if (surrogate !== 'clip' || clipState !== 0 || (ratio >= low && ratio <= high)) return null;
  const [side, edge] = ratio > high ? ['above', high] : ['below', low];
  const start = `The ratio ${formatRatio(ratio)} is ${side} the band’s ${formatRatio(edge)} and is not clipped: `;
  if (advantage === 0) return `${start}A = 0, so there is no push to stop.`;
  const [sign, wanted, went] = advantage < 0 ? ['A < 0', 'less', 'more'] : ['A > 0', 'more', 'less'];
  return `${start}${sign} wants the token ${wanted} likely, and it has become ${went} likely since it was sampled. The clip stops only a push that has gone far enough; this one goes back towards 1, and keeps its gradient.`;
}

export interface Formula {
  readonly symbols: string;
  readonly live: string | null; // the same with the token's numbers; null where they lie in other rows
}

/** Loss of one token before its weight. */
export function lossFormula(token: LossToken, config: LossConfig): Formula {
  const { advantage: A, ratio, band } = token;
  switch (config.surrogate) {
    case 'clip': {
      const clipped = Math.min(Math.max(ratio, band[0]), band[1]);
      const single = `max(${formatSigned(-A * ratio, 4)}, ${formatSigned(-A * clipped, 4)})`;
      if (A >= 0 || config.dualClip === 0) return { symbols: 'ℓ = max(−A·s, −A·clip(s))', live: single };
      const limit = formatSigned(-A * config.dualClip, 4);
      return { symbols: 'ℓ = min(max(−A·s, −A·clip(s)), −A·c)', live: `min(${single}, ${limit})` };
    }
    case 'gate': {
      const tau = A > 0 ? config.gatePositive : config.gateNegative;
      const symbols = 'ℓ = −A·4/τ·σ(τ(s − 1))';
      const inner = `${formatNumber(tau, 2)}·(${formatRatio(ratio)} − 1)`;
      return { symbols, live: `${formatSigned(-A, 3)} · 4/${formatNumber(tau, 2)} · σ(${inner})` };
    }
    case 'regression':
      return { symbols: 'ℓ = (β·Σ ln(π/π_ref) − (r − V*))², Σ over the row', live: null };
    case 'preference':
      return { symbols: 'ℓ = −ln σ(β(Δ_better − Δ_worse)), Δ = Σ ln(π/π_ref) of a side', live: null };
    case 'none':
      return { symbols: 'ℓ = 0', live: null };
  }
  return config.surrogate satisfies never;
}

/** ∂loss/∂log-probability of one token, its weight w included. */
export function gradientFormula(token: LossToken, config: LossConfig): Formula {
  const { surrogate, lowerFactor, upperFactor } = config;
  const { advantage, ratio, band, weight, clipState } = token;
  const product = (factor: string): string =>
    `−${formatNumber(weight, 6)} · (${formatSigned(advantage, 3)}) · ${factor}`;
  const atEdge = (edge: string, symbol: string, factor: number, bound: number): Formula =>
    factor === 1
      ? { symbols: `∂L/∂logπ = −w·A·(${edge})`, live: product(formatRatio(bound)) }
      : {
          symbols: `∂L/∂logπ = −w·A·${symbol}·(${edge})`,
          live: product(`${formatNumber(factor, 2)} · ${formatRatio(bound)}`),
        };
  switch (surrogate) {
    case 'clip':
      if (clipState === 5) return atEdge('upper edge', 'β₂', upperFactor, band[1]);
      if (clipState === 6) return atEdge('lower edge', 'β₁', lowerFactor, band[0]);
      return clipState === 0
        ? { symbols: '∂L/∂logπ = −w·A·s', live: product(formatRatio(ratio)) }
        : { symbols: '∂L/∂logπ = −w·A·s·0', live: `${product(formatRatio(ratio))} · 0` };
    case 'gate':
      return { symbols: `∂L/∂logπ = −w·4A·σ(1 − σ)·s${clipState === 0 ? '' : '·0'}`, live: null };
    case 'regression':
      return { symbols: '∂L/∂logπ = W·2β·(β·Σ ln(π/π_ref) − (r − V*)), W = Σ w of the row', live: null };
    case 'preference':
      return { symbols: '∂L/∂logπ = ∓W·β·σ(−β(Δ_better − Δ_worse)), W = Σ w of both rows', live: null };
    case 'none':
      return { symbols: '∂L/∂logπ = 0', live: null };
  }
  return surrogate satisfies never;
}

// The answer to "the loss reads 0.00, is it learning?" in words. Pure.

/** The first words: yes, no, or not yet. */
export function isLearning({ gradientNorm, push, skipped }: LossBalance): string {
  if (skipped) return 'No: the gradient was not a finite number, and the step was skipped.';
  if (push === 0 && (gradientNorm === null || gradientNorm === 0)) return 'No: no token is pushed.';
  if (gradientNorm === null) return 'The step is not done yet.';
  return `Yes: the gradient has norm ${formatNumber(gradientNorm, 4)}.`;
}

/** What of the sum survives, below which the halves are said to cancel. */
const CANCELS = 0.25;

/** Why the loss is near zero, or is not. */
export function whyTheLoss(balance: LossBalance): string {
  const { gain, cost, loss, push, deadPrompts, prompts } = balance;
  if (push === 0)
    return deadPrompts === prompts
      ? 'All leaves of every prompt earned the same: every advantage is 0.'
      : 'Every token is clipped or has an advantage of 0.';
  const halves = `${formatSigned(gain, 4)} from tokens with an advantage above zero and ${formatSigned(cost, 4)} from those below`;
  const share = Math.abs(loss) / Math.max(cost - gain, 1e-12);
  if (share >= CANCELS)
    return `The loss adds up to ${halves}; they do not balance here, since prefixes that rows share count in each of them and rows differ in length.`;
  return (
    `The loss adds up to ${halves}: ${formatShare(1 - share)} of it cancels, since advantages are centred within a prompt and ratios are close to 1. ` +
    'The gradient cancels only where rows share a token, since all other terms push different ones. The number on the curve says little; the gradient’s norm and the reward say more.'
  );
}

// Why a token has no loss, or no push, in words.

/** Short, after a token on hover; and a sentence that explains. */
export interface MaskWords {
  readonly short: string;
  readonly sentence: string;
}

export const MASK_WORDS: Readonly<Record<MaskReason, MaskWords>> = {
  prompt: {
    short: 'the question',
    sentence: 'The question: the policy read it and did not write it, so there is nothing to reinforce.',
  },
  environment: {
    short: 'environment text',
    sentence:
      'The environment wrote it (the result of a tool, or a notice). The policy reads it; pushing it up would teach the policy to make results up.',
  },
  retrieved: {
    short: 'copied from a stored step',
    sentence: 'Copied from a stored step of an earlier rollout: the policy of this update did not sample it.',
  },
  cut: {
    short: 'beyond the context, cut off',
    sentence: 'The row is cut at the context’s length; the policy sampled this token beyond it.',
  },
  dropped: {
    short: 'the group was dropped',
    sentence: 'The run’s filter dropped all rollouts of this question: none of their tokens is trained on.',
  },
  unused: {
    short: 'in no mini-batch yet',
    sentence: 'This row is in no mini-batch: the update has not come so far, or the row was not chosen.',
  },
};

export const SILENCE_WORDS: Readonly<Record<Silence, string>> = {
  clip: 'Its ratio is clipped: the gradient stops there.',
  'format-mask':
    'It is a word of the grammar in a row that failed: the format mask sets its advantage to 0, so that the policy does not unlearn how to write a call.',
  dead: 'All leaves of this question earned the same reward: nothing stands out, every advantage is 0.',
  'zero-advantage': 'The advantage of its turn is exactly 0.',
  'no-loss': 'The loss gives this token no gradient.',
};

// Which way the step pushes a token, in words: by all rows that share it, since it is computed once for all of them.

const DIGITS = 6;

/** What is left of pushes that cancel, by their size: rounding. */
const CANCELLED = 1e-9;

/** ∂loss/∂logProb below zero pushes a token up. */
const way = (dlogProb: number): string => (dlogProb < 0 ? 'more likely' : 'less likely');

/** Why a row gives a token nothing. */
function silence({ clipState }: LossToken, turn: LossTurn, config: LossConfig): string {
  if (clipState !== 0) return CLIP_WORDS[clipState];
  return hasRatio(config) ? 'the advantage is zero' : turnState(turn, config);
}

/** The net push of the rows that share the token, and this row's share of it where there are several. */
export function pushWords(token: LossToken, turn: LossTurn, net: NetWeight, config: LossConfig): string {
  const size = net.rows.reduce((sum, { dlogProb }) => sum + Math.abs(dlogProb), 0);
  if (net.rows.length < 2)
    return token.dlogProb === 0
      ? `No push: ${silence(token, turn, config)}.`
      : `The step makes this token ${way(token.dlogProb)} here.`;
  const share =
    token.dlogProb === 0
      ? `This row has no share: ${silence(token, turn, config)}.`
      : `This row’s share, ${formatSigned(token.dlogProb, DIGITS)}, would make it ${way(token.dlogProb)}.`;
  const rows = `${countWords(net.rows.length, 'row')} share it`;
  if (size === 0) return `No push: ${rows}, and none pushes it. ${share}`;
  if (Math.abs(net.dlogProb) <= CANCELLED * size) return `No net push: ${rows}, and they cancel. ${share}`;
  return `The step makes this token ${way(net.dlogProb)} here: ${rows}, net ∂L/∂logπ ${formatSigned(net.dlogProb, DIGITS)}. ${share}`;
}

/** What the loss is a mean or a sum over. */
export const REDUCTION_WORDS: Readonly<Record<LossReduction, string>> = {
  'token-mean': 'mean over tokens',
  'seq-mean-token-mean': 'mean over rows',
  'seq-mean-token-sum': 'sum over tokens, mean over rows',
  'seq-mean-token-sum-norm': 'sum over tokens, by a constant',
};

/** The first turn at which some rows answer and others go on, in words. */
export function stoppingSentence(
  own: readonly StoppingTurn[],
  other: readonly StoppingTurn[] | null,
  asked: LossReduction | null,
): string {
  const fork = own.find((turn) => pullToStop(turn) !== null);
  if (!fork) return 'At no turn do some rows answer and others go on: nothing is taught about stopping.';
  const { turn, answering, goingOn, failing } = fork;
  const rows = answering.rows + goingOn.rows + failing.rows;
  const pull = pullToStop(fork)!;
  const versus = other && asked ? pullToStop(other[turn - 1]) : null;
  const taught =
    pull > 0 ? 'answering is pushed harder than going on' : pull < 0 ? 'going on is pushed harder than answering' : 'both are pushed alike'; // prettier-ignore
  return [
    `At turn ${turn}, ${answering.rows} of ${countWords(rows, 'row')} ${answering.rows === 1 ? 'answers' : 'answer'} and ${goingOn.rows} ${goingOn.rows === 1 ? 'goes' : 'go'} on.`,
    `A token of the former weighs ${formatNumber(answering.loudness)} times the mean, of the latter ${formatNumber(goingOn.loudness)} times;`,
    `${taught}, by ${formatSigned(pull, 3)}.`,
    ...(versus === null || !asked ? [] : [`Under a ${REDUCTION_WORDS[asked]} it would be ${formatSigned(versus, 3)}.`]), // prettier-ignore
  ].join(' ');
}

/** What trees without a success teach, in words; '' where there are none. */
export function failureSentence({ live, trees, pushShare }: FailureTrees): string {
  if (trees === 0) return '';
  const nobody = `In ${trees} of ${countWords(live, 'live tree')} nobody earned more than 0`;
  return `${nobody}: wrong is better than malformed is all that ${trees === 1 ? 'it teaches' : 'they teach'}, with ${formatShare(pushShare)} of the push. Where a malformed row earns 0 such trees are dead.`;
}
