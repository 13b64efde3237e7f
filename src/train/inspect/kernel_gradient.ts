/** The loss kernel's gradient against finite differences of its loss, and a person's text of it tried out. */
import { kernels } from '../../../shaders/index.ts';
import * as oracle from '../../../shaders/policy_loss/policy_loss.oracle.ts';
import {
  checkGradient,
  FLOAT32,
  FLOAT64,
  TOKEN_VERDICTS,
  type LossPoint,
  type TokenGradient,
  type TokenVerdict,
} from '../../algo/loss/loss_gradient.ts';
import type { Gpu } from '../../gpu/device.ts';
import { ShaderCompileError } from '../../gpu/errors.ts';
import { contractDifferences, runOnce } from '../../gpu/kernel_check.ts';
import type { KernelCase } from '../../gpu/kernel.ts';
import { compile, type AnyKernel } from '../../gpu/pipelines.ts';
import type {
  CheckedToken,
  GradientCheck,
  KernelBatch,
  KernelTrial,
  TextProblem,
  TryKernel,
} from '../../protocol/protocol.ts';
import { ENDLESS, endlessLoop } from './loop_guard.ts';
import { apart, policyLossCase, runsPolicyLoss } from './loss_case.ts';

const withText = (source: string): AnyKernel => ({ ...kernels.policy_loss, source });

async function lossAt(
  gpu: Gpu,
  kernel: AnyKernel,
  testCase: Omit<KernelCase, 'expected'>,
): Promise<{ readonly tokenLoss: Float32Array; readonly dlogProb: Float32Array }> {
  const { tokenLoss, dlogProb } = await runOnce(gpu, kernel, testCase);
  const { scored } = testCase.params;
  const cut = (values: typeof tokenLoss) => (values as Float32Array).subarray(0, scored); // both are f32
  return { tokenLoss: cut(tokenLoss), dlogProb: cut(dlogProb) };
}

/** Where each scored token of a mini-batch stands. */
const placesOf = (batch: KernelBatch | null) =>
  batch?.rows.flatMap(({ prompt, leaf, tokenIndex }) =>
    tokenIndex.map((_, place) => ({ prompt, leaf, place })),
  );

/** How far a token is from agreeing: what fails first, then by share of what is allowed. */
function badness({ verdict, numeric, stated, allowed }: TokenGradient): number {
  if (verdict === 'not-finite') return Infinity;
  const share = Math.abs(numeric - stated) / (allowed || Number.MIN_VALUE);
  if (verdict === 'differs') return 2 + Math.min(share, 1e300);
  if (verdict === 'agrees') return Number.isFinite(share) ? Math.min(share, 1) : 0;
  return -1; // left out
}

function summarise(
  of: GradientCheck['of'],
  title: string,
  found: readonly TokenGradient[],
  batch: KernelBatch | null,
): GradientCheck {
  const places = placesOf(batch);
  const tokens = found.map((token, s): CheckedToken => ({
    ...token,
    ...(places?.[s] ?? { prompt: null, leaf: null, place: s }),
  }));
  const count = (verdict: TokenVerdict): number => found.filter((token) => token.verdict === verdict).length;
  const counts = Object.fromEntries(TOKEN_VERDICTS.map((verdict) => [verdict, count(verdict)]));
  return {
    of,
    title: batch ? '' : title,
    counts: counts as GradientCheck['counts'], // one entry per verdict
    tokens: tokens.toSorted((a, b) => badness(b) - badness(a)),
  };
}

/** The float64 formula of src/algo on a case of policy_loss. */
export async function formulaGradient(
  testCase: KernelCase,
  batch: KernelBatch | null,
): Promise<GradientCheck> {
  const { tokens, config, at } = apart(testCase);
  const { segment, tokens: inputs } = at(tokens.logRatio).buffers;
  const evaluate = (logRatio: Float64Array): LossPoint =>
    oracle.policyLoss(segment, logRatio, inputs, config);
  return summarise('formula', testCase.title, await checkGradient(tokens, evaluate, FLOAT64), batch);
}

/** A text of policy_loss as the device computes it. */
export async function kernelGradient(
  gpu: Gpu,
  source: string,
  testCase: KernelCase,
  batch: KernelBatch | null,
): Promise<GradientCheck> {
  const { tokens, at } = apart(testCase);
  const evaluate = (logRatio: Float64Array): Promise<LossPoint> =>
    lossAt(gpu, withText(source), at(logRatio));
  return summarise('kernel', testCase.title, await checkGradient(tokens, evaluate, FLOAT32), batch);
}

/** What keeps a text from running: what the compiler says, or what of the contract is gone. */
async function problemsOf(gpu: Gpu, kernel: AnyKernel): Promise<readonly TextProblem[]> {
  const broken = contractDifferences(kernel);
  try {
    await compile(gpu, kernel);
  } catch (error) {
    if (!(error instanceof ShaderCompileError)) throw error;
    return error.messages.map(({ line, column, message }) => ({ line, column, message }));
  }
  return broken.map((message) => ({
    line: 0,
    column: 0,
    message: `The contract may not change. ${message}`,
  }));
}

async function lossesOf(
  gpu: Gpu,
  kernel: AnyKernel,
  cases: readonly KernelCase[],
): Promise<KernelTrial['loss']> {
  let [edited, original, changed] = [0, 0, 0];
  for (const testCase of cases) {
    const mine = await lossAt(gpu, kernel, testCase);
    const own = await lossAt(gpu, kernels.policy_loss, testCase);
    own.tokenLoss.forEach((loss, s) => {
      const weight = testCase.buffers.tokens[4 * s + 1];
      edited += weight * mine.tokenLoss[s];
      original += weight * loss;
      if (mine.tokenLoss[s] !== loss || mine.dlogProb[s] !== own.dlogProb[s]) changed += 1;
    });
  }
  return { edited, original, changed };
}

/**
 * Compiles a text of the loss kernel and, where asked, checks its gradient on a mini-batch or the catalogue's cases.
 * @throws OutOfMemoryError, DeviceLostError
 */
export async function tryKernel(gpu: Gpu, question: TryKernel): Promise<KernelTrial> {
  const { name, source, checkGradient: isAsked } = question;
  const batch = question.batch && runsPolicyLoss(question.batch) ? question.batch : null;
  const startMs = performance.now();
  const kernel = withText(source);
  const problems = await problemsOf(gpu, kernel);
  const answer = {
    name,
    source,
    problems,
    batch: batch && { update: batch.update, minibatch: batch.minibatch },
  };
  if (problems.length > 0 || !isAsked)
    return { ...answer, gradients: null, loss: null, ms: performance.now() - startMs };
  const cases: readonly KernelCase[] = batch ? [policyLossCase(batch)] : kernels.policy_loss.cases();
  const line = await endlessLoop(gpu, source, cases);
  if (line !== null) {
    const endless = [{ line, column: 1, message: ENDLESS }];
    return { ...answer, problems: endless, gradients: null, loss: null, ms: performance.now() - startMs };
  }
  const gradients: GradientCheck[] = [];
  for (const testCase of cases) gradients.push(await kernelGradient(gpu, source, testCase, batch));
  return { ...answer, gradients, loss: await lossesOf(gpu, kernel, cases), ms: performance.now() - startMs };
}
