/** What Compare shows of a leaf or a tree as tables, each headed by what run or file it is of. Pure. */
import type { AdvantageRule, NodeId } from '../../units.ts';
import type { RuleLine, TokenPair } from '../credit/compare.ts';
import { ADVANTAGE_RULE } from '../credit/credit.ts';
import type { RunState, TreeState } from '../record/run_state.ts';
import { joinerOf, pathTokens, tokenText } from '../record/reading.ts';
import { headLines, provenanceOf, quoted } from './run_export.ts';

/** Which tree of the run is compared. */
export interface ComparedTree {
  readonly update: number;
  readonly state: TreeState;
}

const titleOf = (rule: AdvantageRule): string =>
  ADVANTAGE_RULE.options.find(({ value }) => value === rule)?.title ?? rule;

const csv = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => `${row.map((cell) => quoted(String(cell))).join(',')}\n`).join('');

const head = (run: RunState, { update, state }: ComparedTree, facts: Readonly<Record<string, unknown>>) =>
  headLines(provenanceOf(run, update), {
    prompt: state.prompt.index,
    question: state.prompt.tokens.map((id) => tokenText(run.texts, id)).join(joinerOf(run)),
    ...facts,
  });

/**
 * Every rule on the turns of one leaf: least and greatest advantage over the tokens of each turn, dimensionless. A rule that
 * reads what the run did not measure has empty cells.
 */
export function rulesCsv(run: RunState, of: ComparedTree, leaf: NodeId, lines: readonly RuleLine[]): string {
  const turns = lines.find((line) => line.turns !== null)?.turns ?? [];
  const names = turns.flatMap(({ turn }) => [`turn ${turn + 1} least [1]`, `turn ${turn + 1} greatest [1]`]);
  const rows = lines.map(({ rule, turns: own }) => [
    ...[rule, titleOf(rule)],
    ...turns.flatMap((_, turn): readonly (string | number)[] => own?.[turn]?.range ?? ['', '']),
  ]);
  return `${head(run, of, { leaf })}\n${csv([['rule', 'title', ...names], ...rows])}`;
}

/** Two rules side by side, a line for each trained-on token of each row of the tree. */
export function creditCsv(
  run: RunState,
  of: ComparedTree,
  rules: { readonly a: AdvantageRule; readonly b: AdvantageRule },
  rows: readonly { readonly leaf: NodeId; readonly pairs: readonly TokenPair[] }[],
): string {
  const names = ['leaf', 'turn', 'node', 'position', 'word', `A ${rules.a} [1]`, `B ${rules.b} [1]`, 'B − A [1]']; // prettier-ignore
  const lines = rows.flatMap(({ leaf, pairs }) => {
    const words = pathTokens(of.state, leaf, run.texts);
    return pairs.map(({ turn, node, position, a, b }) => [leaf, turn + 1, node, position, words[position]?.text ?? '', a, b, b - a]); // prettier-ignore
  });
  return `${head(run, of, { A: titleOf(rules.a), B: titleOf(rules.b) })}\n${csv([names, ...lines])}`;
}
