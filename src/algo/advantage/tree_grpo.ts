/** Tree-GRPO: rows against all rows of their prompt and against those of their own tree. */
import { ROOT, type AdvantageRule, type RecordedTree, type NodeId, type NodeTable } from '../../units.ts';
import { groupStatistics, statisticsOf } from '../credit/normalise.ts';
import {
  creditStep,
  standardise,
  leafEntry,
  type CreditStep,
  type CreditTerm,
  type Statistics,
  type Sum,
} from '../credit/trace.ts';
import { defineRules, eachTree, type AssignAdvantages } from './method.ts';
import { explainedRows, rowsOf, tokenwise, type Row } from './rows.ts';
import { childrenFirst, leavesBelow } from '../tree/tree.ts';

/** Numbers by the name of their group. */
function grouped(values: readonly number[], groups: readonly unknown[]): ReadonlyMap<unknown, number[]> {
  const byGroup = new Map<unknown, number[]>();
  values.forEach((value, at) => byGroup.set(groups[at], [...(byGroup.get(groups[at]) ?? []), value]));
  return byGroup;
}

/** GRPO statistics of each number's group. */
export function statisticsByGroup(
  values: readonly number[],
  groups: readonly unknown[],
): readonly Statistics[] {
  const statistics = new Map([...grouped(values, groups)].map(([name, of]) => [name, groupStatistics(of)]));
  return values.map((value, at) => statistics.get(groups[at]) ?? groupStatistics([value]));
}

/** Statistics over the token rewards of each row's group; a single token gives 0. */
export function tokenStatistics(
  tokens: readonly (readonly number[])[], // by row, sampled tokens only
  groups: readonly unknown[],
): readonly Statistics[] {
  const names = tokens.flatMap((row, at) => row.map(() => groups[at]));
  const statistics = new Map(
    [...grouped(tokens.flat(), names)].map(([name, of]) => {
      const { mean, deviation, ...rest } = statisticsOf(of, 1);
      return [name, { ...rest, mean, deviation: of.length === 1 ? 1 : deviation }];
    }),
  );
  return groups.map((name) => statistics.get(name) ?? groupStatistics([0]));
}

const treesOf = (tree: RecordedTree, rows: readonly Row[]): readonly number[] =>
  rows.map(({ leaf }) => tree.nodes[leaf].tree);

interface Within {
  readonly over: string;
  readonly statistics: readonly Statistics[]; // by row
}

/** Steps that give each row's reward in each of some groups. */
function partSteps(
  tree: RecordedTree,
  kind: AdvantageRule,
  rows: readonly Row[],
  groups: readonly Within[],
): readonly CreditStep[] {
  return groups.flatMap(({ over, statistics }) =>
    rows.map(({ leaf, reward }, row) => {
      const terms = [{ node: leaf, weight: 1, value: reward }];
      return creditStep(tree, kind, leaf, { terms, statistics: statistics[row] }, { part: over });
    }),
  );
}

const PROMPT = 'standardised over the prompt';
const TREE = 'standardised over its tree';

function withinBoth(tree: RecordedTree, rows: readonly Row[]) {
  const rewards = rows.map(({ reward }) => reward);
  const inter = { over: PROMPT, statistics: statisticsByGroup(rewards, rows.map(() => tree.prompt.index)) }; // prettier-ignore
  const intra = { over: TREE, statistics: statisticsByGroup(rewards, treesOf(tree, rows)) };
  return { inter, intra };
}

const interPlusIntra: AssignAdvantages = eachTree((valued) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const { inter, intra } = withinBoth(tree, rows);
  const sums = rows.map(({ leaf, reward }, row): Sum => {
    const term = ({ over, statistics }: Within): CreditTerm => ({
      node: leaf,
      weight: 1,
      value: standardise(reward, statistics[row]),
      label: over,
    });
    return { terms: [term(inter), term(intra)], statistics: null };
  });
  return explainedRows(tree, 'tree_grpo', rows, sums, partSteps(tree, 'tree_grpo', rows, [inter, intra]));
});

const intraOnly: AssignAdvantages = eachTree((valued) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const { statistics } = withinBoth(tree, rows).intra;
  const sums = rows.map(({ leaf, reward }, row) => ({
    terms: [{ node: leaf, weight: 1, value: reward }],
    statistics: statistics[row],
  }));
  return explainedRows(tree, 'tree_grpo_intra', rows, sums);
});

const normalisedTwice: AssignAdvantages = eachTree((valued) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const { inter } = withinBoth(tree, rows);
  const once = rows.map(({ reward }, row) => standardise(reward, inter.statistics[row]));
  const again = statisticsByGroup(once, treesOf(tree, rows));
  const sums = rows.map(({ leaf }, row) => ({
    terms: [{ node: leaf, weight: 1, value: once[row], label: PROMPT }],
    statistics: again[row],
  }));
  const parts = partSteps(tree, 'tree_grpo_two_norms', rows, [inter]);
  return explainedRows(tree, 'tree_grpo_two_norms', rows, sums, parts);
});

/** A token's reward: the row's at its last sampled token, else 0. */
const tokenRewards = ({ reward, sampledCount }: Row): readonly number[] =>
  Array.from({ length: sampledCount }, (_, at) => (at === sampledCount - 1 ? reward : 0));

const perToken: AssignAdvantages = eachTree((valued) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const rewards = rows.map(tokenRewards);
  const inter = tokenStatistics(rewards, rows.map(() => tree.prompt.index)); // prettier-ignore
  const intra = tokenStatistics(rewards, treesOf(tree, rows));
  const trace: CreditStep[] = [];
  const tokens = rows.map((row, index) => {
    const numbers = new Array<number>(row.length).fill(0);
    row.turns
      .flatMap(({ sampled }) => sampled)
      .forEach((at, place) => {
        const reward = rewards[index][place];
        numbers[at] = standardise(reward, inter[index]) + standardise(reward, intra[index]);
      });
    trace.push(...perTokenSteps(tree, row, [inter[index], intra[index]]));
    return numbers;
  });
  return tokenwise(tree, rows, tokens, trace);
});

/** Of each turn of a row, the mean over its sampled tokens: of both parts, and of their sum. */
function perTokenSteps(
  tree: RecordedTree,
  { leaf, reward, turns }: Row,
  statistics: readonly [Statistics, Statistics],
): readonly CreditStep[] {
  return turns.flatMap(({ node, sampled }, turn) => {
    const weight = turn === turns.length - 1 ? 1 / sampled.length : 0; // the reward stands at one token
    const parts = [PROMPT, TREE].map((part, at) =>
      creditStep(
        tree,
        'tree_grpo_per_token',
        node,
        { terms: [{ node: leaf, weight, value: reward }], statistics: statistics[at] },
        { leaf, part: `${part}, token by token` },
      ),
    );
    const terms = parts.map(({ result, part }): CreditTerm => ({
      node,
      weight: 1,
      value: result,
      label: part,
    }));
    const step = creditStep(tree, 'tree_grpo_per_token', node, { terms, statistics: null }, { leaf });
    return [...parts, step];
  });
}

const ofRewards = { settings: [], signals: {} } as const;
const SOURCE = 'arXiv:2509.21240 (Tree-GRPO)';

export const TREE_GRPO_RULES = defineRules({
  tree_grpo: {
    ...ofRewards,
    option: {
      value: 'tree_grpo',
      title: 'Between and within trees',
      formula: 'A = z(r over the prompt) + z(r over its tree)',
      description:
        'Two GRPO advantages added: against all rows of the prompt and against those of the same tree.',
      source: `${SOURCE}, eq. (6)–(7); released code, tree`,
      evidence: 'reference',
      difference: 'A tree of one row adds its raw reward (released code).',
    },
    assign: interPlusIntra,
  },
  tree_grpo_two_norms: {
    ...ofRewards,
    option: {
      value: 'tree_grpo_two_norms',
      title: 'Normalised twice',
      formula: 'A = z(z(r over the prompt) over its tree)',
      description: 'Standardised over the prompt, and the result again over the tree.',
      source: `${SOURCE}; released code, tree_2norm`,
      evidence: 'reference',
    },
    assign: normalisedTwice,
  },
  tree_grpo_intra: {
    ...ofRewards,
    option: {
      value: 'tree_grpo_intra',
      title: 'Within trees only',
      formula: 'A = z(r over its tree)',
      description: 'The paper’s ablation; with two or three leaves per tree it collapses.',
      source: `${SOURCE}; released code, tree_inner`,
      evidence: 'reference',
    },
    assign: intraOnly,
  },
  tree_grpo_per_token: {
    ...ofRewards,
    option: {
      value: 'tree_grpo_per_token',
      title: 'Between and within, token by token',
      formula: 'A(t) = z(r_t over the prompt’s tokens) + z(r_t over its tree’s tokens)',
      description: 'The reward stands at a row’s last token, and statistics run over tokens instead of rows.',
      source: `${SOURCE}; released code, tree_per_token`,
      evidence: 'reference',
    },
    assign: perToken,
  },
});

// Process scores from leaf means: Tree-GRPO's released alternative, after TreeRL.

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
