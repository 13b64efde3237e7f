/** losses.json: the turn-level loss and the KL terms in float64; other losses are listed. */
import { atpoLoss } from '../../src/algo/loss.ts';
import { lossMetrics } from '../../src/algo/metrics.ts';
import { packPadded, unpackPadded } from '../../src/algo/padded.ts';
import type { PaddedTokens } from '../../src/algo/padded.ts';
import { klTerm } from '../../src/algo/penalties.ts';
import { KL_KINDS, LOSS_REDUCTIONS, type KlKind, type LossReduction } from '../../src/units.ts';
import { Checker, FLOAT64_TOLERANCE, unknownFamily } from './report.ts';
import type { ConformResult, FamilyReport } from './report.ts';

type Rows = readonly (readonly number[])[]; // [B][T]
type RowsWithGaps = readonly (readonly (number | null)[])[]; // null: the reference gave NaN or infinity

export interface LossCase {
  readonly name: string;
  readonly hyper: {
    readonly cliprange: number;
    readonly cliprange_low?: number;
    readonly cliprange_high?: number;
  };
  readonly old_log_prob: Rows;
  readonly log_prob: Rows;
  readonly advantages: Rows;
  readonly response_mask: Rows;
  readonly turns: readonly (readonly (readonly number[])[])[];
  readonly loss: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly grad_log_prob: RowsWithGaps;
  readonly reference_nonfinite?: boolean;
}

interface KlCase {
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
const LOG_RATIO_CAP = 10;

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

export const clipOf = ({ hyper }: LossCase) => ({
  clipLow: hyper.cliprange_low ?? hyper.cliprange,
  clipHigh: hyper.cliprange_high ?? hyper.cliprange,
  logRatioCap: LOG_RATIO_CAP,
});

export const packCase = (want: LossCase): PaddedTokens =>
  packPadded({
    responseMask: want.response_mask,
    logProb: want.log_prob,
    oldLogProb: want.old_log_prob,
    advantage: want.advantages,
  });

function checkAtpo(check: Checker, want: LossCase): void {
  const tokens = packCase(want);
  const policy = atpoLoss(tokens, clipOf(want));
  const metrics = lossMetrics(tokens, clipOf(want));
  check.same('turns', runsByRow(tokens), want.turns);
  compareKnown(check, 'loss', policy.loss, want.loss);
  const gradient = unpackPadded(tokens, policy.dlogProb);
  want.grad_log_prob.forEach((row, b) =>
    row.forEach((value, t) => compareKnown(check, `gradient[${b}][${t}]`, gradient[b][t], value)),
  );
  const wanted = want.metrics;
  compareKnown(check, 'pg_clipfrac', metrics.clipFraction, wanted['actor/pg_clipfrac']);
  compareKnown(check, 'pg_clipfrac_lower', metrics.clipFractionLower, wanted['actor/pg_clipfrac_lower']);
  compareKnown(check, 'ppo_kl', metrics.ppoKl, wanted['actor/ppo_kl']);
  const turnEntropy = wanted['actor/turn_kl_entropy'];
  compareKnown(check, 'turn_kl_entropy', metrics.turnKlEntropy, turnEntropy, TURN_ENTROPY_TOLERANCE);
  compareKnown(check, 'single_turn_count', metrics.singleTurnCount, wanted['actor/single_turn_count']);
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

function conformAtpo(cases: readonly LossCase[]): FamilyReport {
  const check = new Checker('losses/atpo', FLOAT64_TOLERANCE);
  for (const want of cases) check.case(want.name, () => checkAtpo(check, want));
  return check.report();
}

export function conformLosses(file: LossesFile): readonly ConformResult[] {
  const families = Object.entries(file.families).map(([name, cases]): ConformResult => {
    if (name === 'atpo') return conformAtpo(cases as readonly LossCase[]);
    return unknownFamily(`losses/${name}`, cases.length);
  });
  return [...families, ...(file.kl ? conformKl(file.kl) : [])];
}
