import { TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { expect, test } from 'vitest';
import { NODEWISE } from '../../src/algo/advantage/method.ts';
import { packTrees } from '../../src/algo/batch/batch.ts';
import { meanEntropy, stepMetrics, treeMetrics } from '../../src/train/run/update_metrics.ts';
import {
  ROOT,
  nodeId,
  tokenId,
  type Grade,
  type NodeOrigin,
  type RolloutTree,
  type SampledNode,
} from '../../src/units.ts';

const PROMPT = [1, 2, 3].map(tokenId);

interface Sketch {
  readonly parent: number;
  readonly origin: NodeOrigin;
  readonly mask: readonly number[];
  readonly turnSurprisal: number;
  readonly callCount: number;
  readonly ending?: SampledNode['ending'];
}

function node(id: number, sketch: Sketch, children: readonly number[]): SampledNode {
  const { parent, mask, ending = null, ...rest } = sketch;
  return {
    ...rest,
    id: nodeId(id),
    parent: id === 0 ? null : nodeId(parent),
    children: children.map(nodeId),
    tree: 0,
    depth: 0,
    tokens: mask.map((_, i) => tokenId(10 * id + i)),
    mask,
    logProb: mask.map(() => -0.5),
    entropy: mask.map(() => 1),
    lastGenerationLength: mask.filter((bit) => bit === 1).length,
    ending,
    pruned: false,
  };
}

const call = (parent: number, origin: NodeOrigin, turnSurprisal: number): Sketch => ({ parent, origin, mask: [1, 1], turnSurprisal, callCount: 1 }); // prettier-ignore
const answer = (parent: number, origin: NodeOrigin, mask: number[], turnSurprisal: number, callCount: number): Sketch => ({ parent, origin, mask, turnSurprisal, callCount, ending: 'answer' }); // prettier-ignore

/**
 * 0 ─ 1 ─ 2 (leaf, after a result of two tokens)
 *   ├ 3 (leaf: a first turn that answers)
 *   └ 4 (expansion of 1) ─ 5 (leaf)
 */
const tree: RolloutTree = {
  prompt: { index: 0, dataset: 'x', seed: 1, tokens: PROMPT, answer: [tokenId(9)] },
  nodes: [
    node(0, { parent: 0, origin: { kind: 'root' }, mask: [], turnSurprisal: 0, callCount: 0 }, [1, 3, 4]),
    node(1, call(0, { kind: 'initial', branch: 0 }, 0.2), [2]),
    node(2, answer(1, { kind: 'continuation' }, [0, 0, 1, 1], 0.4, 1), []),
    node(3, answer(0, { kind: 'initial', branch: 1 }, [1, 1, 1], 0.6, 0), []),
    node(4, call(0, { kind: 'expansion', iteration: 0, pick: 0, resampled: nodeId(1) }, 0.8), [5]),
    node(5, answer(4, { kind: 'continuation' }, [0, 1], 1, 1), []),
  ],
  leaves: [3, 2, 5].map(nodeId),
  expansions: [],
};
const rewards = [null, null, 1, 0, null, -1];
const grade = (exactMatch: 0 | 1, formatValid = true, unknown = false): Grade => ({ exactMatch, f1: exactMatch, formatValid, answer: PROMPT, unknown, toolsUsed: 1 }); // prettier-ignore
const grades = [grade(0), grade(1), grade(0, false)]; // leaves 3, 2, 5

test('the numbers of a small tree are as counted by hand', () => {
  const metrics = treeMetrics([{ tree, rewards, grades }]);
  expect(metrics.exactMatch).toBe(1 / 2); // leaves 2 and 3; leaf 5 is expanded
  expect(metrics.meanReward).toBe(0);
  expect(metrics.malformed).toBe(1 / 3);
  expect(metrics.turnSurprisal).toBeCloseTo((0.2 + 0.4 + 0.6 + 0.8 + 1) / 5, 12);
  expect(metrics.depth).toBeCloseTo((1 + 2 + 2) / 3, 12);
  expect(metrics.toolCalls).toBeCloseTo(2 / 3, 12);
  expect(metrics.unknown).toBe(0);
  expect(metrics.reliability).toBe(1 / 2);
  expect(metrics.deadTrees).toBe(0);
  expect(metrics.sampledTokens).toBe(2 + 2 + 3 + 2 + 1);
});

test('a tree is dead when all its leaves earned the same', () => {
  const equal = [null, null, 0, 0, null, 0];
  expect(
    treeMetrics([
      { tree, rewards, grades },
      { tree, rewards: equal, grades },
    ]).deadTrees,
  ).toBe(0.5);
});

test('copies of a leaf count as rows, not as sampled turns', () => {
  const copy = { ...tree.nodes[3], id: nodeId(6), origin: { kind: 'duplicate', of: nodeId(3) } as const };
  const root = { ...tree.nodes[ROOT], children: [1, 3, 4, 6].map(nodeId) };
  const padded = { ...tree, nodes: [root, ...tree.nodes.slice(1), copy], leaves: [3, 6, 2, 5].map(nodeId) };
  const before = treeMetrics([{ tree, rewards, grades }]);
  const after = treeMetrics([{ tree: padded, rewards: [...rewards, 0], grades: [grades[0], ...grades] }]);
  expect(after.sampledTokens).toBe(before.sampledTokens);
  expect(after.exactMatch).toBe(before.exactMatch);
  expect(after.malformed).toBe(1 / 4);
});

test('mini-batch numbers are means, counts are sums, and the last one’s clipping stands alone', () => {
  const values = [0, 0, 1, -1, 0, -1]; // by node
  const batch = packTrees([tree], [{ ...NODEWISE, byNode: values, trace: [] }], 64);
  const scored = batch.scored.length;
  expect(scored).toBe(3 + 4 + 3);
  const old = new Float32Array(scored).fill(-1);
  const trained = (shift: number, gradientNorm: number, skipped: boolean) => {
    const logProb = old.map((value) => value + shift);
    const loss = { logProb, entropy: old, turnLogRatio: old, tokenLoss: old, dlogProb: old, loss: shift };
    const step = { gradientNorm, gradientNorms: {}, headNorms: [], skipped };
    return { batch, oldScores: { logProb: old, entropy: old }, loss, step };
  };
  const config = { ...TURN_LOSS, clipLow: 0.02, clipHigh: 0.03 };
  const metrics = stepMetrics([trained(0, 2, false), trained(0.5, 4, true)], config);
  const positive = 2; // sampled tokens of node 2; the others have A ≤ 0, which 1 + 0.5 does not clip
  expect(metrics.clipFractionLast).toBeCloseTo(positive / scored, 6);
  expect(metrics.clipFraction).toBeCloseTo(positive / scored / 2, 6);
  expect(metrics.ppoKl).toBeCloseTo(-0.25, 6);
  expect(metrics.loss).toBe(0.25);
  expect(metrics.gradientNorm).toBe(3);
  expect(metrics.skippedSteps).toBe(1);
  expect(metrics.singleTurnCount).toBe(2); // one of three rows has a single turn, in each of two mini-batches
  expect(metrics.rowTokens).toBe(2 * (3 * 3 + 3 + 6 + 4));
  expect(metrics.uniqueTokens).toBe(2 * (3 + 2 + 4 + 3 + 2 + 2));
  // Rows 2 and 3 moved by 0.5 per token: shares 1/2, 1/2 and 2/3, 1/3; a row of one turn counts 0.
  const entropyOf = (a: number, b: number): number => {
    const p = Math.exp(a) / (Math.exp(a) + Math.exp(b));
    return -(p * Math.log(p) + (1 - p) * Math.log(1 - p)) / Math.log(2);
  };
  expect(metrics.turnKlEntropy).toBeCloseTo((entropyOf(1 / 2, 1 / 2) + entropyOf(2 / 3, 1 / 3)) / 3 / 2, 6);
});

test('the mean entropy weighs every scored token alike', () => {
  expect(meanEntropy([{ entropy: Float32Array.of(1, 2, 3) }, { entropy: Float32Array.of(6) }])).toBe(3);
  expect(meanEntropy([])).toBe(0);
});
