/** Cases of the loss kernels made of a mini-batch that a run has logged, and the loss kernel's case token by token. */
import { effectiveAdvantages, meanLogRatios, segmentsOf } from '../../algo/loss/loss.ts';
import { clipStateOf, type TermConfig } from '../../algo/loss/loss_terms.ts';
import { loggedLoss } from '../../algo/batch/batch.ts';
import type { GradientTokens } from '../../algo/loss/loss_gradient.ts';
import { poison } from '../../../shaders/case_data.ts';
import { SURROGATE_CODES, termParams } from '../../../shaders/policy_loss/packing.ts';
import * as oracle from '../../../shaders/policy_loss/policy_loss.oracle.ts';
import type { KernelCase } from '../../gpu/kernel.ts';
import type { RatioLevel, Surrogate } from '../../units.ts';
import type { KernelBatch } from '../../protocol/protocol.ts';

/** Cases, or why the mini-batch's own numbers make none. */
export type BatchCases = readonly KernelCase[] | string;

const rounded = <T extends object>(settings: T): T =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'number' ? Math.fround(value) : value,
    ]),
  ) as T; // same keys, numbers as the device reads them

const titleOf = ({ update, minibatch }: KernelBatch): string =>
  `update ${update}, mini-batch ${minibatch + 1}`;

/** The log-ratios of a level, as segment_log_ratio is asked for them. */
function ratioCase(batch: KernelBatch, level: RatioLevel): KernelCase {
  const { tokens } = loggedLoss(batch.rows);
  const { start } = segmentsOf(tokens, level);
  const { logProb, oldLogProb } = tokens;
  const buffers = {
    start,
    logProb: Float32Array.from(logProb),
    otherLogProb: Float32Array.from(oldLogProb),
    logRatio: poison(start.length - 1),
  };
  return {
    title: `${titleOf(batch)}: log-ratios of each ${level === 'sequence' ? 'row' : level}`,
    params: { segments: start.length - 1, first: 0, isMean: 1 },
    buffers,
    expected: () => ({
      logRatio: oracle.segmentLogRatio(
        buffers.logRatio,
        0,
        true,
        start,
        buffers.logProb,
        buffers.otherLogProb,
      ),
    }),
  };
}

/** policy_loss on the tokens of a mini-batch, advantages as the kernel sees them. */
export function policyLossCase(batch: KernelBatch): KernelCase {
  const config = batch.config.algorithm.loss;
  const { tokens, extras } = loggedLoss(batch.rows);
  const { start, index } = segmentsOf(tokens, config.ratioLevel);
  const logRatio = Float32Array.from(meanLogRatios(start, tokens.logProb, tokens.oldLogProb));
  const advantage = effectiveAdvantages(tokens, config.entropyAdvantage);
  const inputs = Float32Array.from({ length: 4 * advantage.length }, (_, at) => {
    const s = Math.floor(at / 4);
    const factor = extras.ratioFactor?.[tokens.turnRow[tokens.turnIndex[s]]] ?? 1;
    return [advantage[s], tokens.weight[s], extras.clipScale?.[s] ?? 1, factor][at % 4];
  });
  const term = rounded(config);
  return {
    title: titleOf(batch),
    params: { scored: advantage.length, ...termParams(term) },
    buffers: {
      ...{ segment: index, logRatio, tokens: inputs },
      ...{ tokenLoss: poison(advantage.length), dlogProb: poison(advantage.length) },
    },
    expected: () => oracle.policyLoss(index, logRatio, inputs, term),
  };
}

function momentsCase(batch: KernelBatch): KernelCase {
  const { entropy } = loggedLoss(batch.rows).tokens;
  return {
    title: titleOf(batch),
    params: { scored: entropy.length },
    buffers: { entropy, moments: new Float32Array(3) },
    expected: () => ({ moments: oracle.entropyMoments(entropy) }),
  };
}

function balanceCase(batch: KernelBatch): KernelCase {
  const { tokens } = loggedLoss(batch.rows);
  const { entropy } = tokens;
  const coefficient = Math.fround(batch.config.algorithm.loss.entropyAdvantage);
  const moments = Float32Array.from(oracle.entropyMoments(entropy));
  const inputs = Float32Array.from({ length: 4 * entropy.length }, (_, at) => {
    const s = Math.floor(at / 4);
    return [tokens.advantage[s], tokens.weight[s], 1, 1][at % 4];
  });
  return {
    title: titleOf(batch),
    params: { scored: entropy.length, coefficient },
    buffers: { entropy, moments, tokens: inputs },
    expected: () => ({ tokens: oracle.entropyBalance(entropy, moments, inputs, coefficient) }),
  };
}

/** Whether a run's loss is one that policy_loss computes. */
export function runsPolicyLoss({ config }: Pick<KernelBatch, 'config'>): boolean {
  const { surrogate } = config.algorithm.loss;
  return surrogate === 'clip' || surrogate === 'gate';
}

/** What of a mini-batch a loss kernel reads; a text where that is not in the log, or the method does not run it. */
const MAKERS: Readonly<Record<string, (batch: KernelBatch) => BatchCases>> = {
  segment_log_ratio: (batch) => {
    const level = batch.config.algorithm.loss.ratioLevel;
    const levels: readonly RatioLevel[] = level === 'turn' ? ['turn'] : ['turn', level];
    return levels.map((each) => ratioCase(batch, each));
  },
  policy_loss: (batch) =>
    runsPolicyLoss(batch)
      ? [policyLossCase(batch)]
      : 'this run’s loss is one of whole rows, which another kernel computes',
  entropy_moments: (batch) => [momentsCase(batch)],
  entropy_balance: (batch) =>
    batch.config.algorithm.loss.entropyAdvantage === 0
      ? 'this run’s advantages are not scaled by entropy'
      : [balanceCase(batch)],
  kl_penalty: () => 'a log does not keep the reference policy’s log-probabilities',
  row_loss: () => 'a log does not keep the rows’ targets and partners',
};

/** @returns null for a kernel that reads nothing that a log keeps */
export const casesOfBatch = (kernel: string, batch: KernelBatch): BatchCases | null =>
  Object.hasOwn(MAKERS, kernel) ? MAKERS[kernel](batch) : null;

/** policy_loss's params as the float64 formula reads them. */
function termConfig(params: Readonly<Record<string, number>>): TermConfig {
  const surrogate = (Object.keys(SURROGATE_CODES) as Surrogate[]).find(
    (name) => SURROGATE_CODES[name] === params.surrogate,
  );
  return {
    ...(params as unknown as TermConfig), // fields of the same names; those that are coded follow
    surrogate: surrogate ?? 'none',
    ratioLevel: params.capBelow ? 'token' : 'turn',
    lowerEdge: params.isLowerSoft ? 'soft' : 'hard',
    upperEdge: params.isUpperSoft ? 'soft' : 'hard',
  };
}

/** A case of policy_loss in which every token has a log-ratio of its own, so that each can be moved alone. */
export interface ApartCase {
  readonly tokens: GradientTokens;
  readonly config: TermConfig;
  readonly at: (logRatio: ArrayLike<number>) => Omit<KernelCase, 'expected'>;
}

export function apart({ title, params, overrides, buffers }: KernelCase): ApartCase {
  const inputs = buffers.tokens;
  const scored = params.scored;
  const own = Uint32Array.from({ length: scored }, (_, s) => s);
  const config = termConfig(params);
  const logRatio = Float32Array.from(own, (s) => buffers.logRatio[buffers.segment[s]]);
  const softEdge = (s: number): boolean => {
    const state = clipStateOf(
      logRatio[s],
      { advantage: inputs[4 * s], clipScale: inputs[4 * s + 2], ratioFactor: inputs[4 * s + 3] },
      config,
    );
    return state === 5 || state === 6; // the gradient of the edge, where the loss is flat
  };
  return {
    tokens: { logRatio, weight: Float32Array.from(own, (s) => inputs[4 * s + 1]), isByRule: softEdge },
    config,
    at: (moved) => ({
      title,
      params,
      overrides,
      buffers: {
        ...{ segment: own, logRatio: Float32Array.from(moved), tokens: inputs },
        ...{ tokenLoss: poison(scored), dlogProb: poison(scored) },
      },
    }),
  };
}
