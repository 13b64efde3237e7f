/** losses.json: every policy loss, with its metrics, and the KL terms in float64. */
import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { policyLoss } from '../../src/algo/loss/loss.ts';
import { lossMetrics } from '../../src/algo/loss/metrics.ts';
import { klTerm } from '../../src/algo/loss/penalties.ts';
import {
  KL_KINDS,
  LOSS_REDUCTIONS,
  type KlKind,
  type LossConfig,
  type LossReduction,
} from '../../src/units.ts';
import { packPadded, unpackPadded, type PaddedTokens } from '../support/padded.ts';
import { Checker, FLOAT64_TOLERANCE, unknownFamily, type ConformResult } from './report.ts';

type Rows = readonly (readonly number[])[]; // [B][T]
type RowsWithGaps = readonly (readonly (number | null)[])[]; // null: the reference gave NaN or infinity

export interface LossCase {
  readonly name: string;
  readonly hyper: {
    readonly cliprange?: number;
    readonly cliprange_low?: number;
    readonly cliprange_high?: number;
    readonly clip_ratio_c?: number;
    readonly loss_agg_mode?: string;
    readonly enable_entropy_balanced_clipping?: boolean;
    readonly enable_entropy_balanced_advantage?: boolean;
    readonly tau_pos?: number;
    readonly tau_neg?: number;
  };
  readonly old_log_prob: Rows;
  readonly log_prob: Rows;
  readonly advantages: Rows;
  readonly response_mask: Rows;
  readonly entropy?: Rows;
  readonly turns: readonly (readonly (readonly number[])[])[];
  readonly loss: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly grad_log_prob: RowsWithGaps;
  readonly reference_nonfinite?: boolean;
}

export interface KlCase {
  readonly name: string;
  readonly kl_type: string;
  readonly loss_agg_mode: string;
  readonly log_prob: Rows;
  readonly ref_log_prob: Rows;
  readonly response_mask: Rows;
  readonly kld: Rows;
  readonly loss: number;
  readonly grad_log_prob: Rows;
}

export interface LossesFile {
  readonly families: Readonly<Record<string, readonly unknown[]>>;
  readonly kl?: readonly KlCase[];
}

const TURN_ENTROPY_TOLERANCE = 5e-8; // the reference takes log N in float32

/** Numbers that the reference could give; where it gave NaN, ours need only be finite. */
function compareKnown(
  check: Checker,
  what: string,
  got: number,
  want: number | null,
  tolerance?: number,
): void {
  if (want === null) check.same(`${what} is finite`, Number.isFinite(got), true);
  else check.close(what, got, want, tolerance);
}

/** Half-open runs of each row, from the packed turns. */
function runsByRow(tokens: PaddedTokens): number[][][] {
  const rows = Array.from({ length: tokens.rowCount }, (): number[][] => []);
  tokens.turnRow.forEach((row, turn) => {
    const last = tokens.turnStart[turn + 1] - 1;
    rows[row].push([tokens.position[tokens.turnStart[turn]], tokens.position[last] + 1]);
  });
  return rows;
}

const SEQUENCE: Partial<LossConfig> = { ratioLevel: 'sequence' };
const SOFT: Partial<LossConfig> = { lowerEdge: 'soft', upperEdge: 'soft' };

/** Each family of the released code as settings of the one loss; what a case says of itself comes on top. */
const FAMILIES: Readonly<Record<string, LossConfig>> = {
  atpo: TURN_LOSS,
  gspo: { ...TURN_LOSS, ...SEQUENCE },
  gspo_soft_clip: { ...TURN_LOSS, ...SEQUENCE, ...SOFT },
  gspo_turn_soft_clip: { ...TURN_LOSS, ...SOFT },
  ppo_dual_clip: TOKEN_LOSS,
  dapo: TOKEN_LOSS,
  aepo: TOKEN_LOSS,
  gppo: { ...TOKEN_LOSS, ...SOFT },
  gppo_half: { ...TOKEN_LOSS, upperEdge: 'soft' },
  sapo: { ...TOKEN_LOSS, surrogate: 'gate', reduction: 'seq-mean-token-mean' },
};

const ENTROPY_ADVANTAGE = 0.2; // the released code's constant

/** Null for a family we do not know. */
export function lossConfigOf(family: string, { hyper }: LossCase): LossConfig | null {
  if (!Object.hasOwn(FAMILIES, family)) return null;
  const base = FAMILIES[family];
  const balanced = hyper.enable_entropy_balanced_advantage;
  return {
    ...base,
    clipLow: hyper.cliprange_low ?? hyper.cliprange ?? base.clipLow,
    clipHigh: hyper.cliprange_high ?? hyper.cliprange ?? base.clipHigh,
    dualClip: hyper.clip_ratio_c ?? base.dualClip,
    gatePositive: hyper.tau_pos ?? base.gatePositive,
    gateNegative: hyper.tau_neg ?? base.gateNegative,
    upperEdge: hyper.enable_entropy_balanced_clipping ? 'soft' : base.upperEdge,
    entropyAdvantage: balanced ? ENTROPY_ADVANTAGE : 0,
    reduction: LOSS_REDUCTIONS.find((name) => name === hyper.loss_agg_mode) ?? base.reduction,
  };
}

export const packCase = (want: LossCase, { reduction }: LossConfig): PaddedTokens =>
  packPadded(
    {
      responseMask: want.response_mask,
      logProb: want.log_prob,
      oldLogProb: want.old_log_prob,
      advantage: want.advantages,
      ...(want.entropy && { entropy: want.entropy }),
    },
    reduction,
  );

/** Names of a loss's metrics in the reference → ours. */
const METRICS = {
  'actor/pg_clipfrac': 'clipFraction',
  'actor/pg_clipfrac_lower': 'clipFractionLower',
  'actor/ppo_kl': 'ppoKl',
  'actor/turn_kl_entropy': 'turnKlEntropy',
  'actor/single_turn_count': 'singleTurnCount',
} as const;

function checkLoss(check: Checker, want: LossCase, config: LossConfig): void {
  const tokens = packCase(want, config);
  const policy = policyLoss(tokens, config);
  const metrics = lossMetrics(tokens, config);
  check.same('turns', runsByRow(tokens), want.turns);
  compareKnown(check, 'loss', policy.loss, want.loss);
  const gradient = unpackPadded(tokens, policy.dlogProb);
  want.grad_log_prob.forEach((row, b) =>
    row.forEach((value, t) => compareKnown(check, `gradient[${b}][${t}]`, gradient[b][t], value)),
  );
  for (const [name, value] of Object.entries(want.metrics)) {
    const ours = METRICS[name as keyof typeof METRICS];
    if (ours === undefined) {
      check.same(`${name} is known`, false, true);
      continue;
    }
    const tolerance = ours === 'turnKlEntropy' ? TURN_ENTROPY_TOLERANCE : undefined;
    compareKnown(check, name, metrics[ours], value, tolerance);
  }
}

const isOneOf = <T extends string>(names: readonly T[], name: string): name is T =>
  (names as readonly string[]).includes(name);

function checkKl(check: Checker, want: KlCase, kind: KlKind, reduction: LossReduction): void {
  const rows = { responseMask: want.response_mask, logProb: want.log_prob, oldLogProb: want.ref_log_prob };
  const tokens = packPadded({ ...rows, advantage: want.log_prob }, reduction);
  want.kld.forEach((row, b) =>
    row.forEach((value, t) => {
      const term = klTerm(kind, want.log_prob[b][t], want.ref_log_prob[b][t]);
      check.close(`kl[${b}][${t}]`, term.kl, value);
    }),
  );
  const terms = Array.from(tokens.logProb as Float64Array, (logProb, s) =>
    klTerm(kind, logProb, tokens.oldLogProb[s]),
  );
  check.close(
    'loss',
    terms.reduce((sum, { kl }, s) => sum + tokens.weight[s] * kl, 0),
    want.loss,
  );
  const gradient = unpackPadded(
    tokens,
    terms.map(({ dlogProb }, s) => tokens.weight[s] * dlogProb),
  );
  want.grad_log_prob.forEach((row, b) => check.closeAll(`gradient[${b}]`, gradient[b], row));
}

function conformKl(cases: readonly KlCase[]): readonly ConformResult[] {
  const check = new Checker('losses/kl', FLOAT64_TOLERANCE);
  const unknown = new Map<string, number>();
  for (const want of cases) {
    const { kl_type, loss_agg_mode } = want;
    if (isOneOf(KL_KINDS, kl_type) && isOneOf(LOSS_REDUCTIONS, loss_agg_mode)) {
      check.case(want.name, () => checkKl(check, want, kl_type, loss_agg_mode));
    } else {
      const name = `losses/kl/${kl_type}/${loss_agg_mode}`;
      unknown.set(name, (unknown.get(name) ?? 0) + 1);
    }
  }
  const report = check.report();
  const listed = [...unknown].map(([name, count]) => unknownFamily(name, count));
  return report.cases > 0 ? [report, ...listed] : listed;
}

function conformFamily(name: string, cases: readonly LossCase[]): ConformResult {
  const check = new Checker(familyTitle(name, cases), FLOAT64_TOLERANCE);
  for (const want of cases) {
    const config = lossConfigOf(name, want);
    if (config === null) return unknownFamily(`losses/${name}`, cases.length);
    check.case(want.name, () => checkLoss(check, want, config));
  }
  return check.report();
}

/** A row without a trained-on token makes the reference divide 0 by 0; ours counts it in B and adds 0. The name says so. */
export const familyTitle = (name: string, cases: readonly LossCase[]): string =>
  `losses/${name}${cases.some((entry) => entry.reference_nonfinite) ? ', empty row: 0 for NaN' : ''}`;

export function conformLosses(file: LossesFile): readonly ConformResult[] {
  const families = Object.entries(file.families).map(([name, cases]) =>
    conformFamily(name, cases as readonly LossCase[]),
  );
  return [...families, ...(file.kl ? conformKl(file.kl) : [])];
}
