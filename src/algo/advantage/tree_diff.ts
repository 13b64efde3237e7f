/** Process scores from leaf means: Tree-GRPO's released alternative, after TreeRL. */
import { ROOT, type NodeId, type NodeTable, type RecordedTree } from '../../units.ts';
import { creditStep, leafEntry, type CreditStep, type CreditTerm } from '../credit/trace.ts';
import { childrenFirst, leavesBelow } from '../tree/tree.ts';
import { defineRules, eachTree, type AssignAdvantages } from './method.ts';
import { rowsOf, tokenwise, type Row } from './rows.ts';

/** Gains up to this count as noise (released code). */
const MARGIN = 0.1;

export interface ProcessScore {
  readonly total: number; // of the leaf rewards below
  readonly terms: readonly CreditTerm[]; // of the score; none at the root and above no leaf
}

/**
 * score = (max(r̄ − r̄(parent) − margin, 0) + r̄) / √leaves, r̄ the mean reward of the leaves below.
 * @throws MissingRewardError naming the leaf
 * @see released code calculate_final_score_from_root
 */
export function processScores(
  tree: RecordedTree,
  rewards: NodeTable<number | null>,
  margin: number,
): NodeTable<ProcessScore> {
  const below = tree.nodes.map(({ id }) =>
    leavesBelow(tree, id).map((leaf) => leafEntry(tree, rewards, leaf)),
  );
  const totals = below.map((of) => of.reduce((sum, reward) => sum + reward, 0));
  const means = totals.map((total, id) => (below[id].length === 0 ? 0 : total / below[id].length));
  return tree.nodes.map(({ id, parent }) => {
    const total = totals[id];
    if (parent === null || below[id].length === 0) return { total, terms: [] };
    const weight = 1 / Math.sqrt(below[id].length);
    const gain = Math.max(means[id] - means[parent] - margin, 0);
    const terms = [
      { node: parent, weight, value: gain, label: 'gain beyond the margin' },
      { node: id, weight, value: means[id], label: 'mean of the leaves below' },
    ];
    return { total, terms };
  });
}

/**
 * Of a row: each ancestor's score on its tokens but the last; the leaf's own tokens get 0.
 * @param scores by node
 * @see released code get_token_level_score_from_leaf
 */
export function tokenScores(
  { leaf, turns, length }: Pick<Row, 'leaf' | 'turns' | 'length'>,
  scores: NodeTable<number>,
): readonly number[] {
  const tokens = new Array<number>(length).fill(0);
  for (const { node, start, end } of turns)
    if (node !== leaf && node !== ROOT) tokens.fill(scores[node], start, end - 1);
  return tokens;
}

const diffScores: AssignAdvantages = eachTree((valued) => {
  const { tree, rewards } = valued;
  const rows = rowsOf(valued);
  const sums = processScores(tree, rewards, MARGIN);
  const ends = new Set<NodeId>(tree.leaves);
  const trace = childrenFirst(tree).map((id): CreditStep => {
    const terms = ends.has(id)
      ? sums[id].terms.map((term) => ({ ...term, weight: 0 })) // the last turn is not scored
      : sums[id].terms;
    return creditStep(tree, 'tree_diff', id, { terms, statistics: null });
  });
  const scores = tree.nodes.map(() => 0);
  for (const { node, result } of trace) scores[node] = result;
  const tokens = rows.map((row) => tokenScores(row, scores));
  return { ...tokenwise(tree, rows, tokens, trace), byNode: scores };
});

export const TREE_DIFF_RULES = defineRules({
  tree_diff: {
    option: {
      value: 'tree_diff',
      title: 'Process scores',
      formula: 'A(n) = (max(r̄(n) − r̄(parent) − 0.1, 0) + r̄(n)) / √leaves; last turns 0',
      description:
        'Mean outcome below a turn, and what it gained over its parent. Never centred: positive rewards push everything up.',
      source: 'Tree-GRPO’s released code, tree_diff with no_estimator',
      evidence: 'reference',
      difference: 'Not the paper’s method; an option of its code. A turn’s last token is left out.',
    },
    settings: [],
    signals: {},
    assign: diffScores,
  },
});
