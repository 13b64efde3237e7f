/** credit.json: leaf normalisation, values and advantages under every rule, and their assignment to tokens. */
import { NODEWISE } from '../../src/algo/advantage/method.ts';
import { packRows } from '../../src/algo/batch/batch.ts';
import { TREE_CREDIT } from '../../src/algo/catalogue/defaults.ts';
import {
  advantageInRow,
  backUpValues,
  normaliseLeaves,
  turnAdvantages,
  type TurnAdvantages,
} from '../../src/algo/credit/credit.ts';
import { leavesBelow } from '../../src/algo/tree/tree.ts';
import {
  NO_SIGNALS,
  nodeId,
  tokenId,
  type AdvantageRule,
  type RolloutTree,
  type SampledNode,
  type ValueRule,
} from '../../src/units.ts';
import { Checker, FLOAT64_TOLERANCE, type FamilyReport } from './report.ts';

type RunLengths = readonly (readonly (readonly [number, number, number])[])[]; // per leaf [start, end, value]

interface CreditCase {
  readonly name: string;
  readonly prompt_length: number;
  readonly response_length: number;
  readonly leaf_value_norm: boolean;
  readonly nodes: readonly {
    readonly id: number;
    readonly parent: number;
    readonly depth: number;
    readonly inc_tokens: number;
    readonly entropy: number;
    readonly is_leaf: boolean;
    readonly reward: number | null;
  }[];
  readonly leaf_order: readonly number[];
  readonly normalised_leaf_values: readonly number[];
  readonly values_paper_eq3_own_code: readonly number[];
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly advantages: Readonly<Record<string, readonly number[]>>;
  readonly token_level: Readonly<Record<string, { advantages_rle: RunLengths; values_rle: RunLengths }>>;
  readonly vanilla_leaf_advantages: readonly number[];
}

export interface CreditFile {
  readonly cases: readonly CreditCase[];
}

/** The case's tree. Every token counts as sampled, so that token assignment can be read from the packed row. */
export function treeOfCase(want: CreditCase): RolloutTree {
  const nodes = want.nodes.map((node): SampledNode => ({
    id: nodeId(node.id),
    parent: node.parent < 0 ? null : nodeId(node.parent),
    children: want.nodes.filter(({ parent }) => parent === node.id).map(({ id }) => nodeId(id)),
    tree: 0,
    depth: node.depth,
    origin: node.parent < 0 ? { kind: 'root' } : { kind: 'continuation' },
    tokens: Array.from({ length: node.inc_tokens }, () => tokenId(0)),
    mask: Array.from({ length: node.inc_tokens }, () => 1),
    logProb: Array.from({ length: node.inc_tokens }, () => -node.entropy),
    entropy: Array.from({ length: node.inc_tokens }, () => node.entropy),
    turnSurprisal: node.entropy,
    lastGenerationLength: node.inc_tokens,
    callCount: 0,
    ending: node.is_leaf ? 'answer' : null,
    pruned: false,
  }));
  const tokens = Array.from({ length: want.prompt_length }, () => tokenId(0));
  const prompt = { index: 0, dataset: 'fixture', seed: 0, tokens, answer: [] };
  return { prompt, nodes, leaves: leavesBelow({ nodes }), expansions: [] };
}

export const rewardsOfCase = (want: CreditCase): readonly (number | null)[] =>
  want.nodes.map(({ reward }) => reward);

/** The last part of a 'value_rule/advantage_rule' name. */
const rulesOf = (name: string) => name.split('/') as [ValueRule, AdvantageRule];

const VALUE_RULES: readonly string[] = ['child_mean', 'leaf_mean', 'child_softmax'];
const ADVANTAGE_RULES: readonly string[] = ['node_value', 'diff_parent', 'diff_global', 'diff_localglobal'];

function expand(runs: RunLengths[number], length: number): number[] {
  const values = new Array<number>(length).fill(0);
  for (const [start, end, value] of runs) values.fill(value, start, end);
  return values;
}

/** Token-level numbers of one table by leaf: positions beyond the leaf are 0; float32 in the fixture. */
function compareTokens(
  check: Checker,
  what: string,
  tree: RolloutTree,
  want: CreditCase,
  table: TurnAdvantages,
  runLengths: RunLengths,
): void {
  const batch = packRows([tree], [table], want.prompt_length + want.response_length);
  batch.rows.forEach((row, index) => {
    const got = Array.from(batch.advantage.subarray(row.scoredStart, row.scoredEnd));
    const padding = new Array<number>(want.response_length - got.length).fill(0);
    check.closeAll(
      `${what} leaf ${row.leaf}`,
      [...got, ...padding],
      expand(runLengths[index], want.response_length),
      1e-7,
    );
  });
}

function checkCase(check: Checker, want: CreditCase): void {
  const tree = treeOfCase(want);
  const rewards = rewardsOfCase(want);
  check.same('leaves', tree.leaves, want.leaf_order);
  const normalised = normaliseLeaves(tree, rewards, want.leaf_value_norm).byNode;
  const leafValues = tree.leaves.map((leaf) => normalised[leaf] ?? NaN);
  check.closeAll('normalised', leafValues, want.normalised_leaf_values);
  const values = (rule: ValueRule) => backUpValues(tree, normalised, rule).byNode;
  const advantagesOf = (rule: ValueRule, advantageRule: AdvantageRule): TurnAdvantages =>
    turnAdvantages([{ tree, rewards, signals: NO_SIGNALS, values: values(rule) }], {
      ...TREE_CREDIT,
      advantageRule,
    })[0];
  check.closeAll('child_entropy', values('child_entropy'), want.values_paper_eq3_own_code);
  for (const [rule, expected] of Object.entries(want.values)) {
    if (!VALUE_RULES.includes(rule)) throw new Error(`value rule ${rule} is not implemented`);
    check.closeAll(rule, values(rule as ValueRule), expected);
  }
  for (const [name, expected] of Object.entries(want.advantages)) {
    const [valueRule, advantageRule] = rulesOf(name);
    if (!ADVANTAGE_RULES.includes(advantageRule))
      throw new Error(`advantage rule ${advantageRule} is not implemented`);
    check.closeAll(name, advantagesOf(valueRule, advantageRule).byNode, expected);
  }
  for (const [name, expected] of Object.entries(want.token_level)) {
    const [valueRule, advantageRule] = rulesOf(name);
    const byNode = values(valueRule);
    const advantages = advantagesOf(valueRule, advantageRule);
    compareTokens(check, `${name} tokens`, tree, want, advantages, expected.advantages_rle);
    compareTokens(
      check,
      `${name} values`,
      tree,
      want,
      { byNode, ...NODEWISE, trace: [] },
      expected.values_rle,
    );
  }
  const vanilla = advantagesOf('child_softmax', 'vanilla');
  const rows = tree.leaves.map((leaf) => advantageInRow(vanilla, leaf, leaf, 0));
  check.closeAll('vanilla', rows, want.vanilla_leaf_advantages);
}

export function conformCredit(file: CreditFile): FamilyReport {
  const check = new Checker('credit', FLOAT64_TOLERANCE);
  for (const want of file.cases) check.case(want.name, () => checkCase(check, want));
  return check.report();
}
