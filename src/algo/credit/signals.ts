/** What credit and loss read beside rewards: which of it an algorithm needs, and how it follows from scores. */
import {
  nodeId,
  ROOT,
  type AdvantageRule,
  type AlgorithmConfig,
  type Environment,
  type NodeId,
  type NodeTable,
  type RecordedTree,
  type RolloutTree,
  type TokenBatch,
  type TokenId,
  type TurnNode,
} from '../../units.ts';
import { advantageMethods, type RuleSetting, type SignalNeeds } from '../advantage/index.ts';
import { scoredNodes } from '../batch/batch.ts';
import { surrogates } from '../loss/loss.ts';
import { breadthFirst, failedTurns, isLeaf, lastTurn, lengthTo, pathTo, resultAfter } from '../tree/tree.ts';

/** What an advantage rule reads: two rules may share a signal where they mean the same by it. */
export const signalsRead = (advantageRule: AdvantageRule): SignalNeeds => ({
  belief: null,
  baseline: null,
  stepReward: null,
  ...advantageMethods[advantageRule].signals,
});

/** Settings of credit that reach a rule: its own, and the likeness of queries that GTPO's step rewards weigh by mixing. */
export function settingsRead(advantageRule: AdvantageRule): readonly RuleSetting[] {
  const { settings, signals } = advantageMethods[advantageRule];
  return signals.stepReward === 'penalties' ? [...settings, 'mixing'] : settings;
}

/** Whether the loss compares with the policy before training. */
export const lossReadsReference = ({ loss }: Pick<AlgorithmConfig, 'loss'>): boolean =>
  loss.surrogate !== 'none' && (loss.klCoefficient !== 0 || surrogates[loss.surrogate].readsReference);

/** Whether a run keeps the policy before training, to score with or to sample from. */
export const needsReference = (algorithm: Pick<AlgorithmConfig, 'loss' | 'credit'>): boolean =>
  lossReadsReference(algorithm) || signalsRead(algorithm.credit.advantageRule).baseline === 'optimal';

/** Whether a run trains a second network beside the policy. */
export const needsRewardModel = (algorithm: Pick<AlgorithmConfig, 'credit'>): boolean =>
  signalsRead(algorithm.credit.advantageRule).stepReward === 'implicit';

// ---------------------------------------------------------------- belief

/** The true answer put after every turn of a tree: a tree whose rows score nothing but that answer. */
export interface BeliefProbe {
  readonly tree: RecordedTree; // the given one without a mask, and a leaf for each probe
  readonly probed: readonly NodeId[]; // by row: the node after which the answer stands
}

/**
 * Probes after the root and after every turn that was answered: the path, the result of the call if it is to be known,
 * the environment's bridge, the answer. A probe that would leave the context is left out, as is one in the middle of a
 * turn.
 */
export function probeBelief(
  tree: RolloutTree,
  env: Pick<Environment, 'answerProbe' | 'contextLength'>,
  when: 'after_call' | 'after_result',
): BeliefProbe {
  const { bridge, answer } = env.answerProbe(tree.prompt);
  const probes: { readonly after: NodeId; readonly tokens: readonly TokenId[] }[] = [];
  for (const after of breadthFirst(tree)) {
    const result = resultAfter(tree, after);
    if (isLeaf(tree.nodes[after]) || (after !== ROOT && result.length === 0)) continue;
    const tokens = [...(when === 'after_result' ? result : []), ...bridge, ...answer];
    const length = tree.prompt.tokens.length + lengthTo(tree, after) + tokens.length;
    if (length <= env.contextLength) probes.push({ after, tokens });
  }
  const nodes: TurnNode[] = tree.nodes.map((node) => ({ ...node, mask: node.mask.map(() => 0) }));
  const first = nodes.length;
  for (const { after, tokens } of probes) {
    const mask = tokens.map((_, place) => (place < tokens.length - answer.length ? 0 : 1));
    const silent = tokens.map(() => 0);
    const id = nodeId(nodes.length);
    const leaf = { tokens, mask, logProb: silent, entropy: silent, children: [], ending: 'answer' as const };
    nodes.push({ ...nodes[after], ...leaf, id, parent: after });
  }
  return {
    tree: { ...tree, nodes, leaves: probes.map((_, row) => nodeId(first + row)) },
    probed: probes.map(({ after }) => after),
  };
}

/**
 * ln p of the true answer after each node, nats, mean per answer token; null at leaves. Where no probe fitted, the belief
 * before the node stands: nothing was learnt that could be measured.
 * @param means by row of the probe
 */
export function beliefs(
  tree: RecordedTree,
  { probed }: BeliefProbe,
  means: readonly number[],
): NodeTable<number | null> {
  const byNode: (number | null)[] = tree.nodes.map(() => null);
  for (const id of breadthFirst(tree)) {
    const { parent } = tree.nodes[id];
    if (isLeaf(tree.nodes[id])) continue;
    const row = probed.indexOf(id);
    byNode[id] = row >= 0 ? means[row] : parent === null ? null : byNode[parent];
  }
  return byNode;
}

/** Mean of a number over the scored tokens of each row. */
export const rowMeans = ({ rows }: TokenBatch, values: Float32Array): readonly number[] =>
  rows.map(({ scoredStart, scoredEnd }) => {
    const own = values.subarray(scoredStart, scoredEnd);
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  });

// ---------------------------------------------------------------- rewards of turns

/** Cosine of two bags of tokens, [0, 1]; 0 where one is empty. */
export function likeness(a: readonly TokenId[], b: readonly TokenId[]): number {
  const count = (bag: readonly TokenId[]): Map<TokenId, number> => {
    const counts = new Map<TokenId, number>();
    for (const token of bag) counts.set(token, (counts.get(token) ?? 0) + 1);
    return counts;
  };
  const [left, right] = [count(a), count(b)];
  const square = (counts: Map<TokenId, number>): number =>
    [...counts.values()].reduce((sum, n) => sum + n * n, 0);
  const shared = [...left].reduce((sum, [token, n]) => sum + n * (right.get(token) ?? 0), 0);
  return shared === 0 ? 0 : shared / Math.sqrt(square(left) * square(right));
}

/** Words of the calls on a path, without those of the grammar. */
function queries(tree: RecordedTree, leaf: NodeId, formatTokens: readonly TokenId[]): readonly TokenId[] {
  const callers = pathTo(tree, leaf).filter((id) => id !== leaf);
  return callers.flatMap((id) => lastTurn(tree.nodes[id]).filter((token) => !formatTokens.includes(token)));
}

/**
 * GTPO's rewards of turns: −penalty for each failed one; at the end of a wrong row, weight · the mean likeness of its
 * queries to those of the right rows (token overlap, where the paper compares embeddings).
 * @param right whether the answer of each row is right, in row order
 * @see arXiv:2511.14846; formulas from third-party implementations
 */
export function penaltyRewards(
  tree: RecordedTree,
  env: Pick<Environment, 'callFailed' | 'formatTokens'>,
  right: readonly boolean[],
  { penalty, similarity }: { readonly penalty: number; readonly similarity: number },
): NodeTable<number> {
  const failed = failedTurns(tree, env);
  const byNode = tree.nodes.map((_, id) => (failed[id] ? -penalty : 0));
  const asked = tree.leaves.map((leaf) => queries(tree, leaf, env.formatTokens));
  const models = asked.filter((_, row) => right[row]);
  if (models.length === 0) return byNode;
  tree.leaves.forEach((leaf, row) => {
    if (right[row]) return;
    const alike = models.reduce((sum, model) => sum + likeness(asked[row], model), 0) / models.length;
    byNode[leaf] += similarity * alike;
  });
  return byNode;
}

/**
 * iStar's rewards of turns: β·Σ (ln π_φ − ln π_old) over the tokens of each node.
 * @param batch rows of these trees, tree by tree, each in leaf order
 * @param model [S] nats, of the second network
 * @param old [S] nats, of the policy that sampled
 * @see arXiv:2509.19199
 */
export function implicitRewards(
  trees: readonly RecordedTree[],
  batch: TokenBatch,
  model: Float32Array,
  old: Float32Array,
  beta: number,
): readonly NodeTable<number>[] {
  let first = 0; // row of the tree
  return trees.map((tree) => {
    const byNode = tree.nodes.map(() => 0);
    const known = new Set<NodeId>(); // a shared turn stands in several rows, with the same numbers
    for (let row = first; row < first + tree.leaves.length; row += 1) {
      const nodes = scoredNodes(batch, row);
      const { scoredStart } = batch.rows[row];
      nodes.forEach((node, index) => {
        if (known.has(node)) return;
        byNode[node] += beta * (model[scoredStart + index] - old[scoredStart + index]);
      });
      nodes.forEach((node) => known.add(node));
    }
    first += tree.leaves.length;
    return byNode;
  });
}
