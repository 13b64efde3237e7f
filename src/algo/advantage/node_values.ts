/** Rules of a node: the values around it. In every row a turn is trained with the same number. */
import { ROOT, type AdvantageRule, type NodeId, type NodeTable } from '../../units.ts';
import { whiteningStatistics } from '../credit/normalise.ts';
import { creditStep, sumTerms, type CreditStep, type CreditTerm, type Sum } from '../credit/trace.ts';
import { childrenFirst, leavesBelow } from '../tree/tree.ts';
import {
  defineRules,
  eachTree,
  NODEWISE,
  type AssignAdvantages,
  type TurnAdvantages,
  type ValuedTree,
  type ValueSetting,
  VALUE_SETTINGS,
} from './method.ts';
import { rowsOf } from './rows.ts';

/** What a node that is not the root adds up. */
type Explain = (id: NodeId, parent: NodeId, values: NodeTable<number>) => readonly CreditTerm[];

const term = (values: NodeTable<number>, node: NodeId, weight: number): CreditTerm => ({
  node,
  weight,
  value: values[node],
});

const itself: Explain = (id, _parent, values) => [term(values, id, 1)];
const overParent: Explain = (id, parent, values) => [term(values, id, 1), term(values, parent, -1)];
const overRoot: Explain = (id, _parent, values) => [term(values, id, 1), term(values, ROOT, -1)];
const overBoth: Explain = (id, parent, values) => [
  ...overRoot(id, parent, values),
  ...overParent(id, parent, values),
];

/** One step per node, children before parents; the root's number is its value and reaches no token. */
function explainNodes(
  { tree, values }: ValuedTree,
  rule: AdvantageRule,
  explain: (id: NodeId, parent: NodeId) => Sum,
): TurnAdvantages {
  const byNode = tree.nodes.map(() => 0);
  const trace = childrenFirst(tree).map((id): CreditStep => {
    const { parent } = tree.nodes[id];
    const rootSum = { terms: [term(values, id, 1)], statistics: null };
    const step = creditStep(tree, rule, id, parent === null ? rootSum : explain(id, parent));
    byNode[id] = step.result;
    return step;
  });
  return { byNode, ...NODEWISE, trace };
}

const ofValues = (rule: AdvantageRule, explain: Explain): AssignAdvantages<ValueSetting> =>
  eachTree((valued) =>
    explainNodes(valued, rule, (id, parent) => ({
      terms: explain(id, parent, valued.values),
      statistics: null,
    })),
  );

/** Both gains over √leaves: a turn above many leaves stands in as many rows. */
const overRootOfLeaves: AssignAdvantages<ValueSetting> = eachTree((valued) =>
  explainNodes(valued, 'tree_rl', (id, parent) => {
    const scale = 1 / Math.sqrt(Math.max(1, leavesBelow(valued.tree, id).length));
    const terms = overBoth(id, parent, valued.values);
    return { terms: terms.map((each) => ({ ...each, weight: each.weight * scale })), statistics: null };
  }),
);

/** Gains over the parent, standardised over all trained tokens of the update; a shared token counts once per row. */
const segmentGains: AssignAdvantages<ValueSetting> = (trees) => {
  const tokens = trees.flatMap((valued) =>
    rowsOf(valued).flatMap(({ turns }) =>
      turns.flatMap(({ node, parent, sampled }) => {
        const gain = sumTerms(overParent(node, parent, valued.values));
        return sampled.map(() => gain);
      }),
    ),
  );
  const statistics = whiteningStatistics(tokens);
  return trees.map((valued) =>
    explainNodes(valued, 'treepo_segment', (id, parent) => ({
      terms: overParent(id, parent, valued.values),
      statistics,
    })),
  );
};

const ofTree = { settings: VALUE_SETTINGS, signals: {} } as const;

export const NODE_RULES = defineRules({
  node_value: {
    ...ofTree,
    option: {
      value: 'node_value',
      title: 'Value itself',
      formula: 'A = V(n)',
      description:
        'Leaves are centred on their tree, so the value already is a difference from the tree’s mean.',
      source: 'paper, main setting; released script',
      evidence: 'reference',
    },
    assign: ofValues('node_value', itself),
  },
  diff_parent: {
    ...ofTree,
    option: {
      value: 'diff_parent',
      title: 'Gain over the parent',
      formula: 'A = V(n) − V(parent)',
      description: 'Zero for every turn without siblings, which is most of them: learns slowly.',
      source: 'paper, Table 3; released code',
      evidence: 'reference',
    },
    assign: ofValues('diff_parent', overParent),
  },
  diff_global: {
    ...ofTree,
    option: {
      value: 'diff_global',
      title: 'Gain over the root',
      formula: 'A = V(n) − V(root)',
      description: 'Centred on the tree’s weighted value instead of its leaf mean.',
      source: 'paper, Table 3; released code',
      evidence: 'reference',
    },
    assign: ofValues('diff_global', overRoot),
  },
  diff_localglobal: {
    ...ofTree,
    option: {
      value: 'diff_localglobal',
      title: 'Both gains',
      formula: 'A = (V(n) − V(root)) + (V(n) − V(parent))',
      description: 'The sum of the two differences, the weakest of the paper’s table.',
      source: 'paper, Table 3; released code',
      evidence: 'reference',
    },
    assign: ofValues('diff_localglobal', overBoth),
  },
  tree_rl: {
    ...ofTree,
    option: {
      value: 'tree_rl',
      title: 'Both gains over √leaves',
      formula: 'A = ((V(n) − V(root)) + (V(n) − V(parent))) / √leaves',
      description:
        'A turn above many leaves is trained in as many rows; the root of their number evens that out.',
      source: 'arXiv:2506.11902 (TreeRL); what TreePS-RAG (arXiv:2601.06922) most likely uses',
      evidence: 'uncertain',
      difference:
        'TreePS-RAG published neither code nor this formula. TreeRL’s script adds V(n) to the sum. Its V is the mean of the leaves below: value rule leaf_mean.',
    },
    assign: overRootOfLeaves,
  },
  treepo_segment: {
    ...ofTree,
    option: {
      value: 'treepo_segment',
      title: 'Gain of a segment, whitened',
      formula: 'A = whiten(V(n) − V(parent)), over all trained tokens of the update',
      description: 'TreePO’s variant: what a segment adds to the mean outcome, at one scale for all prompts.',
      source: 'arXiv:2508.17445; released code, rfpp progress',
      evidence: 'code',
      difference:
        'The released code first replaces rewards by subgroup advantages, backs up child means and sets the root’s value to 0.',
    },
    assign: segmentGains,
  },
});
