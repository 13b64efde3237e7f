/**
 * The credit stepper: every step of reward → normalise → value → advantage → tokens in one list, and
 * `creditFrame(steps, cursor)`, what is known after the first `cursor` steps. A frame is always built from the
 * start, so going backwards is exact. Numbers come from the algorithms' traces; nothing is computed here.
 */
import { advantageInRow, type Credit, type CreditStep, type Statistics, advantageMethods } from '../../algo/credit/credit.ts'; // prettier-ignore
import { pathTo, rowSpans } from '../../algo/tree/tree.ts';
import {
  advantageRanges,
  rangeInRow,
  widen,
  type AdvantageRange,
  type AdvantageRanges,
} from './advantage_range.ts';
import type { Stride } from '../place/selection.ts';
import { ROOT, type AdvantageRule, type NodeId, type NodeTable, type RecordedTree } from '../../units.ts';

export const CREDIT_PHASES = ['reward', 'normalise', 'value', 'advantage', 'tokens'] as const;
export type CreditPhase = (typeof CREDIT_PHASES)[number];

/** A number or a word of a formula; a number knows the node it belongs to. */
export type FormulaPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number; readonly node: NodeId; readonly label?: string };

/** What one turn of a row is trained with. */
export interface TurnInRow {
  readonly node: NodeId;
  readonly tokenCount: number; // sampled tokens
  readonly range: AdvantageRange; // over them
  readonly total: number; // Σ of their advantages
}

export interface StepperStep {
  readonly phase: CreditPhase;
  readonly node: NodeId; // whose number is found
  readonly lit: readonly NodeId[]; // whose numbers are used
  readonly result: number | null; // null in the tokens phase
  readonly rule: CreditStep['kind'] | 'tokens';
  readonly leaf: NodeId | null; // the row, where the number is for one row only
  readonly part: string | null; // what the number is, on the way to the advantage
  readonly wholeRow: boolean; // every token of the leaf's row gets it
  readonly formula: readonly FormulaPart[];
  readonly row: readonly TurnInRow[]; // tokens phase only
  readonly share: 'row' | 'turn' | 'token' | null; // tokens phase only: whose number each token gets
  readonly trained: AdvantageRange | null; // what the step's turn is trained with; null before the advantage is whole
}

const text = (words: string): FormulaPart => ({ kind: 'text', text: words });
const number = (value: number, node: NodeId, label?: string): FormulaPart =>
  label === undefined ? { kind: 'number', value, node } : { kind: 'number', value, node, label };

const isValueRule = (kind: CreditStep['kind']): boolean =>
  kind === 'child_softmax' || kind === 'child_mean' || kind === 'child_entropy' || kind === 'leaf_mean';

/** The sum of a step with its live numbers, in the order of its terms. */
function sumParts(step: CreditStep): readonly FormulaPart[] {
  return step.terms.flatMap(({ node, weight, value, label }, index) => {
    const weighted = isValueRule(step.kind) || Math.abs(weight) !== 1; // differences and single terms need no weights
    const minus = weight < 0 && !weighted;
    const join = index === 0 ? (minus ? '− ' : '') : minus ? ' − ' : ' + ';
    const factor = weighted ? [number(weight, node, 'weight'), text(' · ')] : [];
    return [text(join), ...factor, number(value, node, label)];
  });
}

/** A sum that is standardised; what is 0 is left out. */
function standardisedParts(step: CreditStep, statistics: Statistics): readonly FormulaPart[] {
  const { mean, deviation, epsilon } = statistics;
  const added = epsilon === 0 ? [] : [text(` + ${epsilon.toExponential(0).replace('-', '−')}`)];
  const centred = mean === 0 ? [] : [text(' − '), number(mean, step.node, 'mean')];
  return [
    text('('),
    ...sumParts(step),
    ...centred,
    text(') / ('),
    number(deviation, step.node, 'deviation'),
    ...added,
    text(')'),
  ];
}

function formulaOf(step: CreditStep): readonly FormulaPart[] {
  const result = number(step.result, step.node);
  if (step.terms.length === 0) return [text('nothing below: '), result];
  const parts = step.statistics ? standardisedParts(step, step.statistics) : sumParts(step);
  return [...parts, text(' = '), result];
}

const fromTrace =
  (phase: CreditPhase, wholeRow = false) =>
  (step: CreditStep): StepperStep => ({
    phase,
    node: step.node,
    lit: [...new Set(step.terms.map(({ node }) => node))],
    result: step.result,
    rule: step.kind,
    leaf: step.leaf ?? null,
    part: step.part ?? null,
    wholeRow,
    formula: formulaOf(step),
    row: [],
    share: null,
    trained: null,
  });

/** Turns of a leaf's row from the root down, with what their tokens are trained with. */
export function rowTurns(tree: RecordedTree, credit: Credit, leaf: NodeId): readonly TurnInRow[] {
  const turns: TurnInRow[] = [];
  for (const { node: id, start } of rowSpans(tree, leaf)) {
    const { mask } = tree.nodes[id];
    const range = rangeInRow(credit, mask, id, leaf, start);
    const sampled = mask.flatMap((bit, place) => (bit === 0 ? [] : [start + place]));
    const total = sampled.reduce((sum, place) => sum + advantageInRow(credit.advantages, id, leaf, place), 0);
    if (range) turns.push({ node: id, tokenCount: sampled.length, range, total });
  }
  return turns;
}

function tokenStep(tree: RecordedTree, credit: Credit, leaf: NodeId): StepperStep {
  const row = rowTurns(tree, credit, leaf);
  const formula = row.flatMap((turn, index) => [
    text(`${index === 0 ? '' : ' | '}${turn.tokenCount} × `),
    ...[...new Set(turn.range)].flatMap((end, place) => [
      ...(place === 0 ? [] : [text('…')]),
      number(end, turn.node),
    ]),
  ]);
  return {
    phase: 'tokens',
    node: leaf,
    lit: row.map(({ node }) => node),
    result: null,
    rule: 'tokens',
    leaf,
    part: null,
    wholeRow: true,
    formula,
    row,
    share:
      credit.advantages.byToken === null
        ? credit.advantages.byLeaf === null
          ? 'turn'
          : 'row'
        : row.some(({ range }) => range[0] !== range[1])
          ? 'token'
          : 'turn',
    trained: null,
  };
}

/** With what each turn is trained: the step's own number, or where tokens of the turn differ from where to where. */
function advantageSteps(tree: RecordedTree, credit: Credit): readonly StepperStep[] {
  const { trace, byLeaf } = credit.advantages;
  const ranges = advantageRanges(tree, credit);
  const rows = new Map(tree.leaves.map((leaf) => [leaf, rowTurns(tree, credit, leaf)]));
  return trace.map(fromTrace('advantage', byLeaf !== null)).map((step) => {
    if (step.part !== null || step.result === null || step.node === ROOT) return step;
    const inRow = rows.get(step.leaf ?? step.node)?.find(({ node }) => node === step.node)?.range;
    const found = step.leaf === null && byLeaf === null ? ranges[step.node] : inRow;
    return { ...step, trained: found ?? [step.result, step.result] };
  });
}

/** Whether an advantage rule reads values: the others go from rewards to advantages, without leaf values and without backing up. */
export const readsValues = (rule: AdvantageRule): boolean =>
  advantageMethods[rule].settings.includes('valueRule');

/** The phases of a rule, in order. */
export const phasesOf = (rule: AdvantageRule): readonly CreditPhase[] =>
  CREDIT_PHASES.filter((phase) => readsValues(rule) || (phase !== 'normalise' && phase !== 'value'));

/**
 * All steps of a tree's credit, in order: leaves, leaves, parents deepest first, nodes, rows.
 * @param rule in force: what it does not read has no steps
 */
export function creditSteps(
  tree: RecordedTree,
  rewardSteps: readonly CreditStep[],
  credit: Credit,
  rule: AdvantageRule,
): readonly StepperStep[] {
  const backedUp = readsValues(rule)
    ? [...credit.normalised.trace.map(fromTrace('normalise')), ...credit.values.trace.map(fromTrace('value'))]
    : [];
  return [
    ...rewardSteps.map(fromTrace('reward')),
    ...backedUp,
    ...advantageSteps(tree, credit),
    ...tree.leaves.map((leaf) => tokenStep(tree, credit, leaf)),
  ];
}

/** What is known after the first `cursor` steps; null where nothing is known yet. */
export interface CreditFrame {
  readonly cursor: number;
  readonly length: number; // of the step list
  readonly current: StepperStep | null; // the step that led here; null at the first frame
  readonly rewards: NodeTable<number | null>;
  readonly normalised: NodeTable<number | null>;
  readonly values: NodeTable<number | null>;
  readonly advantages: AdvantageRanges; // over the rows so far
  readonly rowsDone: readonly NodeId[]; // leaves whose tokens have their advantage
}

export function creditFrame(
  tree: { readonly nodes: readonly unknown[] },
  steps: readonly StepperStep[],
  cursor: number,
): CreditFrame {
  const at = Math.min(Math.max(0, Math.floor(cursor)), steps.length);
  const empty = (): (number | null)[] => tree.nodes.map(() => null);
  const known = { reward: empty(), normalise: empty(), value: empty() };
  const advantages: (AdvantageRange | null)[] = tree.nodes.map(() => null);
  const rowsDone: NodeId[] = [];
  for (const step of steps.slice(0, at)) {
    if (step.phase === 'tokens') rowsDone.push(step.node);
    else if (step.phase === 'advantage') {
      if (step.trained) advantages[step.node] = widen(advantages[step.node], step.trained);
    } else known[step.phase][step.node] = step.result;
    if (step.phase === 'normalise') known.value[step.node] = step.result; // a leaf's value is its normalised reward
  }
  return {
    cursor: at,
    length: steps.length,
    current: at === 0 ? null : steps[at - 1],
    rewards: known.reward,
    normalised: known.normalise,
    values: known.value,
    advantages,
    rowsDone,
  };
}

/** Cursor that has just done the first step of a phase: where the phase buttons jump to. */
export const phaseStart = (steps: readonly StepperStep[], phase: CreditPhase): number =>
  steps.findIndex((step) => step.phase === phase) + 1;

/** Cursor after the last step of a phase. */
export const phaseEnd = (steps: readonly StepperStep[], phase: CreditPhase): number =>
  steps.findLastIndex((step) => step.phase === phase) + 1;

/**
 * Cursor at which a turn's advantage in a leaf's row is found: the turn's own, else its row's; the end where no step says it.
 */
export function advantageStep(steps: readonly StepperStep[], node: NodeId, leaf: NodeId): number {
  const whole = steps.map(({ phase, part }) => phase === 'advantage' && part === null);
  const own = steps.findIndex((step, at) => whole[at] && step.node === node && (step.leaf ?? leaf) === leaf && !step.wholeRow); // prettier-ignore
  const row = steps.findIndex((step, at) => whole[at] && step.node === leaf && step.wholeRow);
  const at = own >= 0 ? own : row;
  return at < 0 ? steps.length : at + 1;
}

// Strides: how many steps a person takes at once.

/** The step says again what the phase before has found: A = V. */
export const restates = ({ phase, part, formula, node, leaf }: StepperStep): boolean => {
  const numbers = formula.flatMap((part) => (part.kind === 'number' ? [part] : []));
  const [term, result] = numbers;
  return (
    phase === 'advantage' &&
    part === null &&
    leaf === null &&
    numbers.length === 2 &&
    term.node === node &&
    term.value === result.value &&
    term.label === undefined
  );
};

/** Steps of one stride have the same key and follow each other. */
function strideKey(tree: RecordedTree, step: StepperStep, index: number, stride: Stride): string {
  const { phase, node, leaf } = step;
  if (stride === 'number') return String(index);
  if (stride === 'phase' || restates(step)) return phase;
  const { parent } = tree.nodes[node];
  const depth = pathTo(tree, node).length;
  switch (phase) {
    case 'reward':
    case 'normalise':
      return stride === 'level' ? phase : `${phase} below ${parent}`;
    case 'tokens':
      return stride === 'level' ? phase : `${phase} of ${node}`;
    case 'value':
      return stride === 'level' ? `${phase} at ${depth}` : `${phase} of ${node}`;
    case 'advantage':
      if (leaf !== null) return stride === 'level' ? phase : `${phase} of row ${leaf}`;
      return stride === 'level' ? `${phase} at ${depth}` : `${phase} below ${parent}`;
  }
  return phase satisfies never;
}

/**
 * Where strides end, as cursors, ascending; the last is the number of steps. Children of a parent, a depth or a phase are one
 * stride; what only says A = V is one stride for the whole tree, but by single numbers.
 */
export function strideEnds(
  tree: RecordedTree,
  steps: readonly StepperStep[],
  stride: Stride,
): readonly number[] {
  const keys = steps.map((step, index) => strideKey(tree, step, index, stride));
  return keys.flatMap((key, index) => (key === keys[index + 1] ? [] : [index + 1]));
}
