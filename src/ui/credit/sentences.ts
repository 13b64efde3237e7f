/** A credit step as a sentence and a symbolic formula. The live numbers are the step's own (credit_steps.ts). */
import type { CreditPhase, StepperStep } from '../../store/credit_steps.ts';
import type { AdvantageRule, ValueRule } from '../../units.ts';
import { formatNumber, formatSigned } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';

export const PHASE_TITLES: Readonly<Record<CreditPhase, string>> = {
  reward: 'rewards',
  normalise: 'normalise',
  value: 'back up values',
  advantage: 'advantages',
  tokens: 'tokens',
};

export interface RuleWords {
  readonly title: string; // in the picker
  readonly symbols: string; // the formula
  readonly meaning: string;
}

/** Names as in the released code; which ones are the paper's is said. */
export const VALUE_RULES: Readonly<Record<ValueRule, RuleWords>> = {
  child_softmax: {
    title: 'child_softmax (code)',
    symbols: 'V(n) = Σ w·V(child),  w = softmax(H)',
    meaning: 'children weighted by the softmax of their entropies',
  },
  child_mean: {
    title: 'child_mean',
    symbols: 'V(n) = (1/|C|)·Σ V(child)',
    meaning: 'plain mean of the children',
  },
  leaf_mean: {
    title: 'leaf_mean',
    symbols: 'V(n) = mean of v over the leaves below',
    meaning: 'plain mean of the leaves below',
  },
  child_entropy: {
    title: 'child_entropy (paper, eq. 3)',
    symbols: 'V(n) = Σ w·V(child),  w = H / Σ H',
    meaning: 'children weighted in proportion to their entropies',
  },
};

export const ADVANTAGE_RULES: Readonly<Record<AdvantageRule, RuleWords>> = {
  node_value: { title: 'node_value (default)', symbols: 'A(n) = V(n)', meaning: 'the value itself' },
  diff_parent: {
    title: 'diff_parent',
    symbols: 'A(n) = V(n) − V(parent)',
    meaning: 'what the turn adds to its parent',
  },
  diff_global: {
    title: 'diff_global',
    symbols: 'A(n) = V(n) − V(root)',
    meaning: 'what the turn adds to the root',
  },
  diff_localglobal: {
    title: 'diff_localglobal',
    symbols: 'A(n) = (V(n) − V(root)) + (V(n) − V(parent))',
    meaning: 'both differences added',
  },
  vanilla: {
    title: 'vanilla (GRPO)',
    symbols: 'A(row) = (r − mean) / (sample std + 1e−6)',
    meaning: 'no tree credit: one number for the whole row',
  },
};

/** The formula of a step in symbols. */
export function symbolsOf(step: StepperStep): string {
  switch (step.rule) {
    case 'reward':
      return 'r(leaf), paid by the environment';
    case 'normalise':
      return 'v = (r − mean) / (std + 1e−6), over the leaves of this tree';
    case 'raw':
      return 'v = r (normalisation is off)';
    case 'tokens':
      return 'every sampled token gets its turn’s advantage';
    case 'child_softmax':
    case 'child_mean':
    case 'leaf_mean':
    case 'child_entropy':
      return VALUE_RULES[step.rule].symbols;
    case 'node_value':
    case 'diff_parent':
    case 'diff_global':
    case 'diff_localglobal':
    case 'vanilla':
      return ADVANTAGE_RULES[step.rule].symbols;
  }
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** What the step does, in one sentence that stands alone for a screen reader. */
export function sentenceOf(step: StepperStep): string {
  const name = nodeName(step.node);
  const result = formatSigned(step.result);
  switch (step.phase) {
    case 'reward':
      return `Leaf ${name} earned a reward of ${formatNumber(step.result, Number.isInteger(step.result) ? 0 : 2)}.`;
    case 'normalise':
      return step.rule === 'raw'
        ? `Leaf ${name} keeps its reward: ${result}.`
        : `Leaf ${name}’s reward becomes ${result} once centred and scaled within the tree.`;
    case 'value': {
      const below = plural(step.lit.length, step.rule === 'leaf_mean' ? 'leaf' : 'child').replace(
        'leafs',
        'leaves',
      );
      return `Turn ${name} takes ${result} from its ${below.replace('childs', 'children')}.`;
    }
    case 'advantage':
      return step.rule === 'vanilla'
        ? `The whole row of leaf ${name} gets ${result}.`
        : `Turn ${name} is trained with an advantage of ${result}.`;
    case 'tokens': {
      const tokens = step.row.reduce((sum, turn) => sum + turn.tokenCount, 0);
      return `The row of leaf ${name}: ${plural(tokens, 'token')} in ${plural(step.row.length, 'turn')} get their turn’s advantage.`;
    }
  }
  return step.phase satisfies never;
}
