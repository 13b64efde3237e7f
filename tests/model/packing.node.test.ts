/** In float64: a packed tree has the loss and the gradients of its rows, one by one. */
import { describe, expect, test } from 'vitest';
import { packRows, packTrees } from '../../src/algo/batch/batch.ts';
import { TREE_CREDIT } from '../../src/algo/catalogue/defaults.ts';
import { objective } from '../../src/algo/loss/loss.ts';
import { packGroups } from '../../src/algo/batch/pack.ts';
import { keyedRandom } from '../../src/algo/random.ts';
import { scoreLeaves } from '../../src/algo/reward/reward.ts';
import { RATIO_LEVELS, type LossConfig, type ModelConfig, type TokenBatch } from '../../src/units.ts';
import { gradientError } from '../support/central_difference.ts';
import { LOSS, namedParameters, randomParameters } from '../support/gpu_policies.ts';
import { differentiableScores } from '../support/model_gradient.oracle.ts';
import { oracleScores } from '../support/model.oracle.ts';
import { randomGroups, separately } from '../support/row_groups.ts';
import { creditOf } from '../algo/credit_of.ts';
import { toyTrees, toyWorld } from '../algo/toy_world.ts';

const TINY: ModelConfig = {
  vocabularySize: 8,
  channels: 8,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  headSize: 4,
  hidden: 8,
  rmsEpsilon: 1e-6,
  ropeTheta: 10000,
  queryKeyNorm: true,
  tiedOutput: true,
  previousTokenMixing: true,
  logitScale: 0.5,
};
const named = namedParameters(TINY, randomParameters(TINY, 3));
const TEMPERATURE = 0.8;

interface Outcome {
  readonly total: number;
  readonly clipped: number; // tokens without gradient
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

/** Ratios spread over the clip band, advantages and old log-probabilities of each row its own. */
function outcome(batch: TokenBatch, loss: LossConfig): Outcome {
  const random = keyedRandom({ seed: 5, update: 0 }, 83);
  const scores = differentiableScores(TINY, named, batch, TEMPERATURE);
  const near = () => Float32Array.from(scores.logProb, (value) => value + 0.1 * (random.uniform() - 0.5));
  const tokens = { ...batch, ...scores, oldLogProb: near(), refLogProb: near(), rowCount: batch.rows.length };
  const { total, policy, dlogProb, dentropy } = objective(tokens, loss);
  return {
    total,
    clipped: policy.clipState.filter((state) => state !== 0).length,
    gradients: scores.gradients(
      dlogProb,
      dlogProb.map(() => dentropy),
    ),
  };
}

/** Largest |a − b| over all parameters, and the largest |b|. */
function worst(a: Outcome, b: Outcome): { readonly error: number; readonly largest: number } {
  let [error, largest] = [0, 0];
  for (const [name, values] of b.gradients) {
    values.forEach((value, n) => {
      error = Math.max(error, Math.abs(a.gradients.get(name)![n] - value));
      largest = Math.max(largest, Math.abs(value));
    });
  }
  return { error, largest };
}

function expectSame(packed: TokenBatch, plain: TokenBatch, loss: LossConfig): Outcome {
  const [got, want] = [outcome(packed, loss), outcome(plain, loss)];
  const { error, largest } = worst(got, want);
  expect(Math.abs(got.total - want.total)).toBeLessThan(1e-12);
  expect(error).toBeLessThan(1e-12);
  expect(largest).toBeGreaterThan(1e-3);
  return want;
}

describe('the differentiable oracle', () => {
  const batch = packGroups(randomGroups(TINY.vocabularySize, 2, 4, 7));

  test('scores tokens as the plain one', () => {
    const got = differentiableScores(TINY, named, batch, TEMPERATURE);
    const want = oracleScores(TINY, (name) => named.get(name)!, batch, TEMPERATURE);
    got.logProb.forEach((value, s) => expect(value).toBeCloseTo(want.logProb[s], 12));
    got.entropy.forEach((value, s) => expect(value).toBeCloseTo(want.entropy[s], 12));
  });

  test('has the gradients of central differences of the plain one', () => {
    const moved = new Map([...named].map(([name, values]) => [name, values.slice()]));
    const [a, b] = [0.7, -0.3];
    const value = (): number => {
      const { logProb, entropy } = oracleScores(TINY, (name) => moved.get(name)!, batch, TEMPERATURE);
      return logProb.reduce((sum, x, s) => sum + a * x * Math.cos(s) + b * entropy[s], 0);
    };
    const scores = differentiableScores(TINY, named, batch, TEMPERATURE);
    const gradients = scores.gradients(
      scores.logProb.map((_, s) => a * Math.cos(s)),
      scores.logProb.map(() => b),
    );
    for (const name of [
      'embed.weight',
      'previous.weight',
      'layers.0.attn.q_norm.weight',
      'layers.0.attn.k_proj.weight',
      'layers.1.attn.v_proj.weight',
      'layers.0.mlp.gate_proj.weight',
      'layers.1.post_attn_norm.weight',
      'final_norm.weight',
    ])
      // prettier-ignore
      expect(gradientError(value, moved.get(name)!, gradients.get(name)!)).toBeLessThan(1e-6);
  });
});

describe('packed rows have the loss and every gradient of separate rows within 1e-12,', () => {
  test.each(RATIO_LEVELS)(
    'with ratios by %s, on random groups with cut, copied and silent rows',
    (ratioLevel) => {
      let clipped = 0;
      for (const seed of [1, 2, 3]) {
        const groups = randomGroups(TINY.vocabularySize, 2, 7, seed);
        const [packed, plain] = [packGroups(groups), packGroups(separately(groups))];
        expect(packed.tokens.length).toBeLessThan(0.8 * plain.tokens.length);
        clipped += expectSame(packed, plain, { ...LOSS, ratioLevel, klCoefficient: 0.1 }).clipped;
      }
      expect(clipped).toBeGreaterThan(5);
    },
  );

  test.each(['node_value', 'vanilla'] as const)('on grown trees under %s', async (advantageRule) => {
    const credit = { ...TREE_CREDIT, advantageRule };
    for (const [seed, contextLength] of [
      [1, 24],
      [2, 13],
    ] as const) {
      // prettier-ignore
      const trees = await toyTrees(seed, 2, { initialBranches: 2, picks: 1, leavesPerTree: 5 });
      expect(trees.flatMap(({ nodes }) => nodes).some(({ origin }) => origin.kind === 'duplicate')).toBe(
        true,
      );
      const advantages = trees.map((tree) => {
        return creditOf(tree, scoreLeaves(tree, toyWorld).byNode, credit).advantages;
      });
      const [packed, plain] = [packTrees, packRows].map((pack) => pack(trees, advantages, contextLength));
      expectSame(packed, plain, LOSS);
    }
  });
});
