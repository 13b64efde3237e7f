/** losses.json on the GPU: turn_ratio and atpo_loss run one after the other on every case of the turn-level loss. */
import { atpoLoss, turnRatio } from '../../shaders/atpo_loss/atpo_loss.kernel.ts';
import { unpackPadded } from '../../src/algo/padded.ts';
import type { PaddedTokens } from '../../src/algo/padded.ts';
import { BufferOwner } from '../../src/gpu/buffers.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { Program } from '../../src/gpu/program.ts';
import { Readback, f32 } from '../../src/gpu/readback.ts';
import { dispatch } from '../../src/gpu/steps.ts';
import { clipOf, packCase } from './losses.ts';
import type { LossCase, LossesFile } from './losses.ts';
import { Checker } from './report.ts';
import type { FamilyReport } from './report.ts';

/** Loss relative to max(1, |loss|), gradient relative to its largest entry (the fixtures' float32 tolerances). */
const FLOAT32_TOLERANCE = 2e-6;

interface KernelLoss {
  readonly tokenLoss: Float32Array<ArrayBuffer>; // [S]
  readonly dlogProb: Float32Array<ArrayBuffer>; // [S]
}

async function runKernels(gpu: Gpu, tokens: PaddedTokens, want: LossCase): Promise<KernelLoss> {
  const owner = new BufferOwner(gpu, 'conform');
  const readback = new Readback(gpu);
  const [scored, turns] = [tokens.turnIndex.length, tokens.turnRow.length];
  const floats = (name: string, values: ArrayLike<number>) => owner.storage(name, Float32Array.from(values));
  const words = (name: string, values: ArrayLike<number>) => owner.storage(name, Uint32Array.from(values));
  const logProb = floats('logProb', tokens.logProb);
  const turnLogRatio = owner.storage('turnLogRatio', turns);
  const outputs = {
    tokenLoss: owner.storage('tokenLoss', scored),
    dlogProb: owner.storage('dlogProb', scored),
  };
  const ratioInputs = {
    turnStart: words('turnStart', tokens.turnStart),
    logProb,
    oldLogProb: floats('oldLogProb', tokens.oldLogProb),
  };
  const lossInputs = {
    turnIndex: words('turnIndex', tokens.turnIndex),
    turnLogRatio,
    logProb,
    refLogProb: owner.storage('refLogProb', scored),
    advantage: floats('advantage', tokens.advantage),
    weight: floats('weight', tokens.weight),
  };
  try {
    await owner.ready();
    const config = { ...clipOf(want), klCoefficient: 0, tokenMeanWeight: 0 };
    const program = await Program.build(gpu, 'conform losses', [
      dispatch(turnRatio, { ...ratioInputs, turnLogRatio }, () => ({ turns })),
      dispatch(atpoLoss, { ...lossInputs, ...outputs }, () => ({ scored, ...config })),
    ]);
    program.run({});
    const read = await readback.read({ tokenLoss: f32(outputs.tokenLoss), dlogProb: f32(outputs.dlogProb) });
    program.destroy();
    return { tokenLoss: read.tokenLoss.slice(0, scored), dlogProb: read.dlogProb.slice(0, scored) };
  } finally {
    owner.destroy();
    readback.destroy();
  }
}

async function checkCase(check: Checker, gpu: Gpu, want: LossCase): Promise<void> {
  const tokens = packCase(want);
  const got = await runKernels(gpu, tokens, want);
  const loss = got.tokenLoss.reduce((sum, tokenLoss, s) => sum + tokens.weight[s] * tokenLoss, 0);
  if (want.loss === null) check.same('loss is finite', Number.isFinite(loss), true);
  else check.close('loss', loss, want.loss);
  const gradient = unpackPadded(tokens, got.dlogProb);
  const largest = Math.max(
    ...want.grad_log_prob.flat().map((value) => Math.abs(value ?? 0)),
    Number.MIN_VALUE,
  );
  want.grad_log_prob.forEach((row, b) =>
    row.forEach((value, t) => {
      if (value === null) check.same(`gradient[${b}][${t}] is finite`, Number.isFinite(gradient[b][t]), true);
      else check.close(`gradient[${b}][${t}] / largest`, gradient[b][t] / largest, value / largest);
    }),
  );
}

/** Empty when the file has no case of this loss. */
export async function conformLossKernels(gpu: Gpu, file: LossesFile): Promise<readonly FamilyReport[]> {
  const cases = (file.families.atpo ?? []) as readonly LossCase[];
  const check = new Checker('losses/atpo (GPU)', FLOAT32_TOLERANCE);
  for (const want of cases) await check.caseAsync(want.name, () => checkCase(check, gpu, want));
  return cases.length > 0 ? [check.report()] : [];
}
