/** Rules that compare a row with the subtrees it stands in: ARPO's hard attribution and TreePO's nested groups. */
import type { RecordedTree } from '../../units.ts';
import { sharedValue, whiteningStatistics } from '../credit/normalise.ts';
import { creditStep, resultOf, type CreditStep, type Sum } from '../credit/trace.ts';
import { childrenFirst, leavesBelow, pathTo } from '../tree/tree.ts';
import { grpo } from './group.ts';
import { defineRules, eachTree, NODEWISE, type AssignAdvantages } from './method.ts';
import { explainedRows, rowsOf, type Row } from './rows.ts';

/** A node's tokens get the mean of the group advantages of the rows through it. */
const hardAttribution: AssignAdvantages = eachTree((valued) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const sums = grpo(rows);
  const parts = rows.map(({ leaf }, row) =>
    creditStep(tree, 'arpo_hard', leaf, sums[row], { part: 'advantage of the row' }),
  );
  const ofLeaf = new Map(parts.map(({ node, result }) => [node, result]));
  const byNode = tree.nodes.map(() => 0);
  const trace = childrenFirst(tree).map((id): CreditStep => {
    const leaves = leavesBelow(tree, id);
    const terms = leaves.map((leaf) => ({
      node: leaf,
      weight: 1 / leaves.length,
      value: ofLeaf.get(leaf) ?? 0,
    }));
    const step = creditStep(tree, 'arpo_hard', id, { terms, statistics: null });
    byNode[id] = step.result;
    return step;
  });
  return { byNode, ...NODEWISE, trace: [...parts, ...trace] };
});

/**
 * Σ_j |G_j|·(r − mean of G_j) / Σ_j |G_j| over the ancestors' groups of leaves; the root's always, deeper ones only
 * with more than one leaf.
 */
function subgroupSums(tree: RecordedTree, rows: readonly Row[]): readonly Sum[] {
  const rewardOf = new Map(rows.map(({ leaf, reward }) => [leaf, reward]));
  const groups = tree.nodes.map(({ id }) => {
    const rewards = leavesBelow(tree, id).map((leaf) => rewardOf.get(leaf) ?? 0);
    const plain = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    return { size: rewards.length, mean: sharedValue(rewards) ?? plain };
  });
  return rows.map(({ leaf, reward }) => {
    const counted = pathTo(tree, leaf).filter((id, depth) => depth === 0 || groups[id].size > 1);
    const total = counted.reduce((sum, id) => sum + groups[id].size, 0);
    const terms = counted.map((id) => ({
      node: id,
      weight: groups[id].size / total,
      value: reward - groups[id].mean,
      label: 'reward over the mean below',
    }));
    return { terms, statistics: null };
  });
}

const nestedGroups: AssignAdvantages = (trees) => {
  const groups = trees.map(rowsOf);
  const sums = groups.map((rows, t) => subgroupSums(trees[t].tree, rows));
  const tokens = groups.flatMap((rows, t) =>
    rows.flatMap(({ sampledCount }, row) => new Array<number>(sampledCount).fill(resultOf(sums[t][row]))),
  );
  const statistics = whiteningStatistics(tokens);
  return trees.map(({ tree }, t) =>
    explainedRows(
      tree,
      'treepo',
      groups[t],
      sums[t].map(({ terms }) => ({ terms, statistics })),
    ),
  );
};

export const SUBTREE_RULES = defineRules({
  arpo_hard: {
    option: {
      value: 'arpo_hard',
      title: 'Mean of the rows through it',
      formula: 'A(n) = mean over leaves below of (r − mean) / (deviation + 1e-6)',
      description:
        'Own tokens get their row’s GRPO advantage, shared tokens the mean over the rows that share them.',
      source: 'arXiv:2507.19849 (ARPO), hard advantage estimation',
      evidence: 'code',
      difference: 'The released code runs the soft form only, which is GRPO per row (vanilla).',
    },
    settings: [],
    signals: {},
    assign: hardAttribution,
  },
  treepo: {
    option: {
      value: 'treepo',
      title: 'Nested groups, whitened',
      formula: 'A = whiten(Σ |G|·(r − mean(G)) / Σ |G|), G = leaves below each ancestor',
      description:
        'A row is compared with its whole tree and with every smaller subtree that holds other rows; large ones count more.',
      source: 'arXiv:2508.17445 (TreePO); released code, rfpp baseline',
      evidence: 'code',
    },
    settings: [],
    signals: {},
    assign: nestedGroups,
  },
});
