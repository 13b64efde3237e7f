/** tree_grpo.json: advantages between and within trees, their variants, and the process scores of tree_diff. */
import { rowsOf } from '../../src/algo/advantage/rows.ts';
import {
  processScores,
  tokenScores,
  statisticsByGroup,
  tokenStatistics,
} from '../../src/algo/advantage/tree_grpo.ts';
import { standardise, sumTerms } from '../../src/algo/credit/trace.ts';
import { leavesBelow } from '../../src/algo/tree/tree.ts';
import { nodeId, tokenId, type RolloutTree, type SampledNode } from '../../src/units.ts';
import { Checker, FLOAT64_TOLERANCE, type ConformResult } from './report.ts';

type Table = readonly (readonly number[])[]; // [B][T]

interface TreeCase {
  readonly name: string;
  readonly uid: readonly string[];
  readonly tree_uid: readonly string[];
  readonly token_level_rewards: Table;
  readonly response_mask: Table;
  readonly inter_tree: Table;
  readonly inner_tree: Table;
  readonly tree: Table;
  readonly tree_2norm: Table;
  readonly tree_inner: Table;
  readonly tree_per_token: Table;
}

interface DiffCase {
  readonly name: string;
  readonly margin: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly parent: number;
    readonly tokens: number; // response tokens at the end of the node
    readonly is_leaf: boolean;
    readonly score: number | null;
  }[];
  readonly final_score: readonly number[];
  readonly subtree_leaf_score: readonly number[];
  readonly token_level_scores: Readonly<Record<string, readonly number[]>>;
}

export interface TreeGrpoFile {
  readonly cases: readonly TreeCase[];
  readonly tree_diff: readonly DiffCase[];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function checkRows(check: Checker, want: TreeCase): void {
  const { uid, tree_uid, token_level_rewards, response_mask } = want;
  const rewards = token_level_rewards.map(sum);
  const z = (values: readonly number[], groups: readonly string[]): readonly number[] => {
    const statistics = statisticsByGroup(values, groups);
    return values.map((value, row) => standardise(value, statistics[row]));
  };
  const inter = z(rewards, uid);
  const inner = z(rewards, tree_uid);
  const compare = (what: string, numbers: readonly number[], expected: Table): void =>
    expected.forEach((row, at) =>
      check.closeAll(
        `${what} row ${at}`,
        response_mask[at].map((bit) => bit * numbers[at]),
        row,
      ),
    );
  compare('inter_tree', inter, want.inter_tree);
  compare('inner_tree', inner, want.inner_tree);
  compare('tree', inter.map((value, row) => value + inner[row]), want.tree); // prettier-ignore
  compare('tree_inner', inner, want.tree_inner);
  compare('tree_2norm', z(inter, tree_uid), want.tree_2norm);

  const tokens = token_level_rewards.map((row, at) => row.filter((_, t) => response_mask[at][t] !== 0));
  const [perPrompt, perTree] = [tokenStatistics(tokens, uid), tokenStatistics(tokens, tree_uid)];
  want.tree_per_token.forEach((expected, at) => {
    const got = token_level_rewards[at].map(
      (reward, t) =>
        response_mask[at][t] * (standardise(reward, perPrompt[at]) + standardise(reward, perTree[at])),
    );
    check.closeAll(`tree_per_token row ${at}`, got, expected);
  });
}

/** The case's tree; every token counts as sampled. */
function treeOf(want: DiffCase): RolloutTree {
  const nodes = want.nodes.map(({ id, parent, tokens, is_leaf }): SampledNode => {
    const count = parent < 0 ? 0 : tokens - want.nodes[parent].tokens;
    const each = <T>(value: T): readonly T[] => Array.from({ length: count }, () => value);
    return {
      id: nodeId(id),
      parent: parent < 0 ? null : nodeId(parent),
      children: want.nodes.filter((node) => node.parent === id).map((node) => nodeId(node.id)),
      tree: 0,
      depth: 0,
      origin: parent < 0 ? { kind: 'root' } : { kind: 'continuation' },
      tokens: each(tokenId(0)),
      mask: each(1),
      logProb: each(0),
      entropy: each(0),
      turnSurprisal: 0,
      lastGenerationLength: count,
      callCount: 0,
      ending: is_leaf ? 'answer' : null,
      pruned: false,
    };
  });
  const prompt = { index: 0, dataset: 'fixture', seed: 0, tokens: [], answer: [] };
  return { prompt, nodes, leaves: leavesBelow({ nodes }), expansions: [] };
}

const FLOAT32_SCORES = 1e-7; // the file's token scores are float32 values below 2

function checkDiff(check: Checker, want: DiffCase): void {
  const tree = treeOf(want);
  const rewards = want.nodes.map(({ score, is_leaf }) => (is_leaf ? score : null));
  const scores = processScores(tree, rewards, want.margin);
  const finals = scores.map(({ terms }) => sumTerms(terms));
  check.closeAll('subtree_leaf_score', scores.map(({ total }) => total), want.subtree_leaf_score); // prettier-ignore
  check.closeAll('final_score', finals, want.final_score);
  for (const row of rowsOf({ tree, rewards })) {
    const expected = want.token_level_scores[String(row.leaf)];
    check.closeAll(`tokens of leaf ${row.leaf}`, tokenScores(row, finals), expected, FLOAT32_SCORES);
  }
}

export function conformTreeGrpo(file: TreeGrpoFile): readonly ConformResult[] {
  const rows = new Checker('tree_grpo', FLOAT64_TOLERANCE);
  for (const want of file.cases) rows.case(want.name, () => checkRows(rows, want));
  const diff = new Checker('tree_grpo/tree_diff', FLOAT64_TOLERANCE);
  for (const want of file.tree_diff) diff.case(want.name, () => checkDiff(diff, want));
  return [rows.report(), diff.report()];
}
