/** losses.json on the GPU: the loss kernels run one after the other on every case of every policy loss. */
import {
  entropyBalance,
  entropyMoments,
  klPenalty,
  policyLoss,
  segmentLogRatio,
} from '../../shaders/policy_loss/policy_loss.kernel.ts';
import { termParams } from '../../shaders/policy_loss/packing.ts';
import { segmentsOf } from '../../src/algo/loss/loss.ts';
import { BufferOwner, type BufferView } from '../../src/gpu/buffers.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { Program } from '../../src/gpu/program.ts';
import { f32, Readback } from '../../src/gpu/readback.ts';
import { dispatch, type Sizes, type Step } from '../../src/gpu/steps.ts';
import { KL_KINDS, LOSS_REDUCTIONS, type LossConfig } from '../../src/units.ts';
import { packPadded, unpackPadded, type PaddedTokens } from '../support/padded.ts';
import {
  familyTitle,
  lossConfigOf,
  packCase,
  type KlCase,
  type LossCase,
  type LossesFile,
} from './losses.ts';
import { Checker, type FamilyReport } from './report.ts';

/** Loss relative to max(1, |loss|), gradient relative to its largest entry (the fixtures' float32 tolerances). */
const FLOAT32_TOLERANCE = 2e-6;

type Floats = Float32Array<ArrayBuffer>;

/** Buffers for one case; `run` reads back what the steps wrote. */
async function withBuffers<Names extends string>(
  gpu: Gpu,
  make: (owner: BufferOwner) => {
    readonly steps: readonly Step<Sizes>[];
    readonly results: Readonly<Record<Names, BufferView>>;
    readonly length: number;
  },
): Promise<Record<Names, Floats>> {
  const owner = new BufferOwner(gpu, 'conform');
  const readback = new Readback(gpu);
  try {
    const { steps, results, length } = make(owner);
    await owner.ready();
    const program = await Program.build(gpu, 'conform losses', steps);
    program.run({});
    const ranges = Object.entries<BufferView>(results).map(([name, view]) => [name, f32(view)] as const);
    const read = await readback.read(Object.fromEntries(ranges));
    program.destroy();
    const cut = Object.entries(read).map(([name, values]) => [name, values.slice(0, length)]);
    return Object.fromEntries(cut) as Record<Names, Floats>; // every range above is f32
  } finally {
    owner.destroy();
    readback.destroy();
  }
}

const floats = (owner: BufferOwner, name: string, values: ArrayLike<number>): BufferView =>
  owner.storage(name, Float32Array.from(values));
const words = (owner: BufferOwner, name: string, values: ArrayLike<number>): BufferView =>
  owner.storage(name, Uint32Array.from(values));

function runLoss(gpu: Gpu, padded: PaddedTokens, config: LossConfig) {
  return withBuffers(gpu, (owner) => {
    const scored = padded.turnIndex.length;
    const { start, index } = segmentsOf(padded, config.ratioLevel);
    const { advantage, weight, entropy, entropyAdvantage } = { ...padded, ...config };
    const interleaved = Array.from({ length: scored }, (_, s) => [advantage[s], weight[s], 1, 1]).flat();
    const tokens = floats(owner, 'tokens', interleaved);
    const logRatio = owner.storage('logRatio', scored);
    const ratioInputs = {
      start: words(owner, 'start', start),
      logProb: floats(owner, 'logProb', padded.logProb),
      otherLogProb: floats(owner, 'oldLogProb', padded.oldLogProb),
    };
    const results = {
      tokenLoss: owner.storage('tokenLoss', scored),
      dlogProb: owner.storage('dlogProb', scored),
    };
    const steps: Step<Sizes>[] = [
      dispatch(segmentLogRatio, { ...ratioInputs, logRatio }, () => ({
        ...{ segments: start.length - 1, first: 0, isMean: 1 },
      })),
      dispatch(policyLoss, { segment: words(owner, 'segment', index), logRatio, tokens, ...results }, () => ({
        scored,
        ...termParams(config),
      })),
    ];
    if (entropy && entropyAdvantage !== 0) {
      const view = floats(owner, 'entropy', entropy);
      const moments = owner.storage('moments', 3);
      const balance = dispatch(entropyBalance, { entropy: view, moments, tokens }, () => ({
        ...{ scored, coefficient: entropyAdvantage },
      }));
      steps.unshift(
        dispatch(entropyMoments, { entropy: view, moments }, () => ({ scored })),
        balance,
      );
    }
    return { steps, results, length: scored };
  });
}

/** Entries relative to the largest one. */
function compareGradient(
  check: Checker,
  got: readonly (readonly number[])[],
  want: readonly (readonly (number | null)[])[],
): void {
  const largest = Math.max(...want.flat().map((value) => Math.abs(value ?? 0)), Number.MIN_VALUE);
  want.forEach((row, b) =>
    row.forEach((value, t) => {
      if (value === null) check.same(`gradient[${b}][${t}] is finite`, Number.isFinite(got[b][t]), true);
      else check.close(`gradient[${b}][${t}] / largest`, got[b][t] / largest, value / largest);
    }),
  );
}

async function checkLoss(check: Checker, gpu: Gpu, want: LossCase, config: LossConfig): Promise<void> {
  const tokens = packCase(want, config);
  const got = await runLoss(gpu, tokens, config);
  const loss = got.tokenLoss.reduce((sum, tokenLoss, s) => sum + tokens.weight[s] * tokenLoss, 0);
  if (want.loss === null) check.same('loss is finite', Number.isFinite(loss), true);
  else check.close('loss', loss, want.loss);
  compareGradient(check, unpackPadded(tokens, got.dlogProb), want.grad_log_prob);
}

/** The kernel weights all tokens alike, as a token mean does; the case's weights are put in here. */
async function checkKl(check: Checker, gpu: Gpu, want: KlCase): Promise<void> {
  const reduction = LOSS_REDUCTIONS.find((name) => name === want.loss_agg_mode);
  const kind = KL_KINDS.findIndex((name) => name === want.kl_type);
  const { response_mask, log_prob, ref_log_prob } = want;
  const rows = { responseMask: response_mask, logProb: log_prob, oldLogProb: ref_log_prob };
  const tokens = packPadded({ ...rows, advantage: log_prob }, reduction);
  const scored = tokens.turnIndex.length;
  const { slope } = await withBuffers(gpu, (owner) => {
    const dlogProb = owner.storage('dlogProb', scored);
    const inputs = {
      logProb: floats(owner, 'logProb', tokens.logProb),
      refLogProb: floats(owner, 'refLogProb', tokens.oldLogProb),
    };
    const step = dispatch(klPenalty, { ...inputs, dlogProb }, () => ({ scored, kind, coefficient: 1 }));
    return { steps: [step], results: { slope: dlogProb }, length: scored };
  });
  const gradient = Array.from(slope, (value, s) => value * tokens.weight[s]);
  compareGradient(check, unpackPadded(tokens, gradient), want.grad_log_prob);
}

/** One report per family that we know; others are listed by the float64 check. */
export async function conformLossKernels(gpu: Gpu, file: LossesFile): Promise<readonly FamilyReport[]> {
  const reports: FamilyReport[] = [];
  for (const [name, listed] of Object.entries(file.families)) {
    const cases = listed as readonly LossCase[];
    const check = new Checker(`${familyTitle(name, cases)} (GPU)`, FLOAT32_TOLERANCE);
    for (const want of cases) {
      const config = lossConfigOf(name, want);
      if (config) await check.caseAsync(want.name, () => checkLoss(check, gpu, want, config));
    }
    if (cases.length > 0 && lossConfigOf(name, cases[0])) reports.push(check.report());
  }
  const check = new Checker('losses/kl (GPU)', FLOAT32_TOLERANCE);
  for (const want of file.kl ?? []) await check.caseAsync(want.name, () => checkKl(check, gpu, want));
  return file.kl ? [...reports, check.report()] : reports;
}
