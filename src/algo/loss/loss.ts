/**
 * Every policy loss of the lab as one function of LossConfig, and the objective round it, in float64 on packed scored
 * tokens. A loss is three choices: over which tokens the log-ratio is averaged (a token, a turn, a row), what a token
 * or a row makes of it (loss_terms.ts, row_losses.ts), and how tokens are weighted (penalties.ts).
 * @see arXiv:2601.04767 eq. 8–10; the released code's `compute_policy_loss*`; where we differ: algo/README.md
 */
import {
  LabError,
  NO_EXTRAS,
  type ClipState,
  type LossConfig,
  type LossExtras,
  type RatioLevel,
  type Surrogate,
} from '../../units.ts';
import { clipTerm, gateTerm, type TokenTerm } from './loss_terms.ts';
import { balancedAdvantage, entropyMoments, klTerm, tokenMeanWeight } from './penalties.ts';
import { comparison, isRowLoss, rowTerm } from './row_losses.ts';

/** Scored tokens of a batch; turns and weights are TokenBatch's. S tokens, K turns, B rows. */
export interface LossTokens {
  readonly turnStart: ArrayLike<number>; // [K+1] offsets into the scored tokens
  readonly turnRow: ArrayLike<number>; // [K] ascending
  readonly turnIndex: ArrayLike<number>; // [S]
  readonly rowCount: number; // B
  readonly advantage: ArrayLike<number>; // [S] dimensionless
  readonly weight: ArrayLike<number>; // [S] share of the token in the loss, 1 / (B·n_i) for AT²PO
  readonly logProb: ArrayLike<number>; // [S] nats, current policy
  readonly oldLogProb: ArrayLike<number>; // [S] nats, sampling policy
  readonly refLogProb?: ArrayLike<number> | null; // [S] nats; needed by KL, 'regression' and 'preference'
  readonly entropy?: ArrayLike<number>; // [S] nats, whole distribution; needed by entropyAdvantage and its bonus
}

/** What of LossConfig the policy loss reads. */
export type PolicyLossConfig = Omit<
  LossConfig,
  'reduction' | 'entropyCoefficient' | 'klCoefficient' | 'klKind' | 'formatMask'
>;

/** What is known of a surrogate beside its term; which settings it reads stands in their rows (units/loss.ts). */
export interface SurrogateRule {
  readonly title: string;
  readonly formula: string; // plain text
  readonly readsReference: boolean; // it compares with the policy before training
}

export const surrogates: Readonly<Record<Surrogate, SurrogateRule>> = {
  clip: { title: 'Clip', formula: 'max(−A·r, −A·clip(r))', readsReference: false },
  gate: { title: 'Gate', formula: '−A·4/τ·σ(τ(r − 1)) (SAPO)', readsReference: false },
  regression: {
    title: 'Regression',
    formula: '(β·Σ log-ratio − target)² (A*-PO)',
    readsReference: true,
  },
  preference: {
    title: 'Preference',
    formula: '−ln σ(β·(Δ better − Δ worse)) (DPO)',
    readsReference: true,
  },
  none: { title: 'None', formula: 'evaluation only (ReAct)', readsReference: false },
};

export interface PolicyLoss {
  readonly loss: number; // Σ weight·tokenLoss, to be minimised
  readonly turnLogRatio: Float64Array; // [K] nats, mean over the turn; 0 for an empty turn
  readonly ratio: Float64Array; // [S] at the level in force; 1 for losses of whole rows and 'none'
  readonly tokenLoss: Float64Array; // [S] before weighting
  readonly clipState: readonly ClipState[]; // [S]
  readonly dlogProb: Float64Array; // [S] ∂loss/∂logProb, weighted
}

export class LossInputError extends LabError {
  constructor(what: string, got: string, wanted: string) {
    const next = 'Score the batch that the loss is computed on.';
    super('LossInputError', { what, where: 'src/algo/loss/loss.ts', got, wanted, next });
  }
}

/** @throws LossInputError when an array is missing or differs in length */
function wanted(name: string, values: ArrayLike<number> | null | undefined, length: number) {
  if (values?.length === length) return values;
  throw new LossInputError(`${name} does not match`, `${values?.length ?? 'none'}`, `${length} values`);
}

function checkLengths(tokens: LossTokens): void {
  const scored = tokens.turnIndex.length;
  for (const name of ['advantage', 'weight', 'logProb', 'oldLogProb'] as const)
    wanted(name, tokens[name], scored);
}

/** Sum of logProb − otherLogProb over each segment [start[k], start[k+1]), nats. */
export function summedLogRatios(
  start: ArrayLike<number>,
  logProb: ArrayLike<number>,
  otherLogProb: ArrayLike<number>,
): Float64Array {
  const sums = new Float64Array(start.length - 1);
  for (let k = 0; k < sums.length; k += 1) {
    for (let s = start[k]; s < start[k + 1]; s += 1) sums[k] += logProb[s] - otherLogProb[s];
  }
  return sums;
}

/** Mean of logProb − oldLogProb over each segment, nats; 0 where the segment is empty. */
export const meanLogRatios = (
  start: ArrayLike<number>,
  logProb: ArrayLike<number>,
  oldLogProb: ArrayLike<number>,
): Float64Array =>
  summedLogRatios(start, logProb, oldLogProb).map((sum, k) => sum / Math.max(1, start[k + 1] - start[k]));

/** Runs of scored tokens that share one log-ratio, and the run of each token. */
export interface Segments {
  readonly start: Uint32Array<ArrayBuffer>; // [K'+1] offsets into the scored tokens
  readonly index: Uint32Array<ArrayBuffer>; // [S]
}

type Turns = Pick<LossTokens, 'turnStart' | 'turnRow' | 'turnIndex' | 'rowCount'>;

/** Offsets of rows into the scored tokens, [B+1]; a row without a scored token is empty. */
export function rowStarts({
  turnStart,
  turnRow,
  rowCount,
}: Omit<Turns, 'turnIndex'>): Uint32Array<ArrayBuffer> {
  const lengths = new Uint32Array(rowCount + 1);
  for (let k = 0; k < turnRow.length; k += 1) lengths[turnRow[k] + 1] += turnStart[k + 1] - turnStart[k];
  for (let row = 0; row < rowCount; row += 1) lengths[row + 1] += lengths[row];
  return lengths;
}

/** The segments of a ratio level: single tokens, turns or rows. */
export function segmentsOf(tokens: Turns, level: RatioLevel): Segments {
  const { turnStart, turnRow, turnIndex } = tokens;
  switch (level) {
    case 'token':
      return {
        start: Uint32Array.from({ length: turnIndex.length + 1 }, (_, s) => s),
        index: Uint32Array.from(turnIndex, (_, s) => s),
      };
    case 'turn':
      return { start: Uint32Array.from(turnStart), index: Uint32Array.from(turnIndex) };
    case 'sequence':
      return { start: rowStarts(tokens), index: Uint32Array.from(turnIndex, (turn) => turnRow[turn]) };
    default:
      return level satisfies never;
  }
}

/** Row of each scored token, [S]. */
const rowIndex = ({ turnRow, turnIndex }: Turns): Uint32Array =>
  Uint32Array.from(turnIndex, (turn) => turnRow[turn]);

/** Advantages that the clip and the gate see, [S]: AEPO's factor on top of the batch's. */
export function effectiveAdvantages(
  tokens: Pick<LossTokens, 'advantage' | 'entropy'>,
  entropyAdvantage: number,
): Float64Array {
  const { advantage } = tokens;
  if (entropyAdvantage === 0) return Float64Array.from(advantage);
  const entropy = wanted('entropy', tokens.entropy, advantage.length);
  const moments = entropyMoments(entropy);
  return Float64Array.from(advantage, (A, s) => balancedAdvantage(A, entropy[s], moments, entropyAdvantage));
}

/**
 * Weight of each row's loss as 'regression' and 'preference' count it, [B]: the sum of its tokens' weights.
 */
export function rowWeights(tokens: Turns & Pick<LossTokens, 'weight'>): Float64Array {
  const weights = new Float64Array(tokens.rowCount);
  rowIndex(tokens).forEach((row, s) => (weights[row] += tokens.weight[s]));
  return weights;
}

const NO_TERM: TokenTerm = { ratio: 1, tokenLoss: 0, dlogProb: 0, clipState: 0 };

/** Terms of each token under 'clip' or 'gate', dlogProb weighted. */
function tokenTerms(tokens: LossTokens, config: PolicyLossConfig, extras: LossExtras): TokenTerm[] {
  const { start, index } = segmentsOf(tokens, config.ratioLevel);
  const logRatio = meanLogRatios(start, tokens.logProb, tokens.oldLogProb);
  const advantages = effectiveAdvantages(tokens, config.entropyAdvantage);
  const rows = rowIndex(tokens);
  const termOf = config.surrogate === 'gate' ? gateTerm : clipTerm;
  return Array.from(advantages, (advantage, s) => {
    const clipScale = extras.clipScale?.[s] ?? 1;
    const ratioFactor = extras.ratioFactor?.[rows[s]] ?? 1;
    const term = termOf(logRatio[index[s]], { advantage, clipScale, ratioFactor }, config);
    return { ...term, dlogProb: tokens.weight[s] * term.dlogProb };
  });
}

/** Terms of each token under 'regression' or 'preference', dlogProb weighted. */
function rowTerms(tokens: LossTokens, config: PolicyLossConfig, extras: LossExtras): TokenTerm[] {
  const { logProb, rowCount, turnIndex } = tokens;
  const { rowTarget, partner } = extras;
  if (config.surrogate === 'regression') wanted('rowTarget', rowTarget, rowCount);
  else {
    const stray = Array.from(wanted('partner', partner, rowCount)).find(
      (p) => comparison(p).other >= rowCount,
    );
    if (stray !== undefined) throw new LossInputError('partner', `${stray}`, `a row below ${rowCount}`);
  }
  const refLogProb = wanted('refLogProb', tokens.refLogProb, turnIndex.length);
  const inputs = {
    logRatio: summedLogRatios(rowStarts(tokens), logProb, refLogProb),
    weight: rowWeights(tokens),
    target: rowTarget,
    partner,
  };
  const rows = Array.from({ length: rowCount }, (_, row) => rowTerm(row, inputs, config));
  return Array.from(rowIndex(tokens), (row) => ({
    ...NO_TERM,
    tokenLoss: rows[row].loss,
    dlogProb: rows[row].dlogProb,
  }));
}

function termsOf(tokens: LossTokens, config: PolicyLossConfig, extras: LossExtras): TokenTerm[] {
  if (config.surrogate === 'none') return Array.from(tokens.turnIndex, () => NO_TERM);
  return isRowLoss(config.surrogate) ? rowTerms(tokens, config, extras) : tokenTerms(tokens, config, extras);
}

/**
 * L = Σ_s weight_s·tokenLoss_s. For AT²PO: tokenLoss = max(−A·r, −A·clip(r, 1 − ε_low, 1 + ε_high)) with the ratio r
 * from the mean log-ratio of the turn.
 * @throws LossInputError when arrays differ in length, or what the surrogate reads is missing
 */
export function policyLoss(
  tokens: LossTokens,
  config: PolicyLossConfig,
  extras: LossExtras = NO_EXTRAS,
): PolicyLoss {
  checkLengths(tokens);
  const terms = termsOf(tokens, config, extras);
  return {
    loss: terms.reduce((sum, { tokenLoss }, s) => sum + tokens.weight[s] * tokenLoss, 0),
    turnLogRatio: meanLogRatios(tokens.turnStart, tokens.logProb, tokens.oldLogProb),
    ratio: Float64Array.from(terms, ({ ratio }) => ratio),
    tokenLoss: Float64Array.from(terms, ({ tokenLoss }) => tokenLoss),
    clipState: terms.map(({ clipState }) => clipState),
    dlogProb: Float64Array.from(terms, ({ dlogProb }) => dlogProb),
  };
}

/** The objective and its terms; gradients are of the total. */
export interface Objective {
  readonly total: number; // policy.loss − c_ent·entropy + c_kl·kl
  readonly policy: PolicyLoss;
  readonly kl: number; // token mean, nats; 0 when off
  readonly entropy: number; // token mean, nats
  readonly dlogProb: Float64Array; // [S] through the chosen token's log-probability
  readonly dentropy: number; // ∂total/∂entropy, the same for every token
}

/**
 * Policy loss, entropy bonus and KL penalty against the reference policy (both token means).
 * @throws LossInputError when arrays differ in length, or klCoefficient ≠ 0 without refLogProb
 */
export function objective(
  tokens: LossTokens & { readonly entropy: ArrayLike<number> },
  config: LossConfig,
  extras: LossExtras = NO_EXTRAS,
): Objective {
  const policy = policyLoss(tokens, config, extras);
  const scored = tokens.turnIndex.length;
  const mean = tokenMeanWeight(scored);
  const dlogProb = policy.dlogProb.slice();
  let entropy = 0;
  for (let s = 0; s < scored; s += 1) entropy += mean * tokens.entropy[s];
  let kl = 0;
  if (config.klCoefficient !== 0) {
    const refLogProb = wanted('refLogProb', tokens.refLogProb, scored);
    for (let s = 0; s < scored; s += 1) {
      const term = klTerm(config.klKind, tokens.logProb[s], refLogProb[s]);
      kl += mean * term.kl;
      dlogProb[s] += config.klCoefficient * mean * term.dlogProb;
    }
  }
  const total = policy.loss - config.entropyCoefficient * entropy + config.klCoefficient * kl;
  return { total, policy, kl, entropy, dlogProb, dentropy: -config.entropyCoefficient * mean };
}
