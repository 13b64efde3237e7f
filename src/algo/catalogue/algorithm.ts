/** What an algorithm offers: its settings with their sources, and the named rules it chooses among. */
import {
  ADVANTAGE_RULES,
  type AdvantageRule,
  type AlgorithmConfig,
  type RolloutConfig,
  type ValueRule,
} from '../../units.ts';
import { advantageMethods } from '../advantage/index.ts';
import type { Evidence, Rule } from './rule.ts';

export { EVIDENCE } from './rule.ts';
export type { Evidence, Rule, RuleOption } from './rule.ts';

/** Shelves of the picker, in order. */
export const FAMILIES = {
  table: 'The paper’s comparison',
  ablation: 'Steps from GRPO to AT²PO',
  arpo: 'ARPO',
  variant: 'Other losses and advantages',
  related: 'Related methods',
} as const;
export type Family = keyof typeof FAMILIES;

/** A method: one entry in methods/, made of named parts, so that another can be composed from them. */
export interface Algorithm {
  readonly name: string;
  readonly title: string;
  readonly family: Family;
  readonly description: string; // one or two sentences for the page
  readonly paper: { readonly title: string; readonly arxiv: string | null };
  readonly evidence: Evidence;
  readonly caution: string | null; // which formula is uncertain and why; null where none is
  readonly config: AlgorithmConfig; // the paper's settings
  readonly sources: readonly SettingSource[]; // of the settings that make the method what it is
  readonly differences: readonly Difference[]; // where its paper and its code differ
}

/** Where paper and released code differ, and what runs here. */
export interface Difference {
  readonly topic: string;
  readonly paper: string;
  readonly code: string;
  readonly here: string;
}

/** Where a default comes from. */
export interface SettingSource {
  readonly path: string; // dotted, into AlgorithmConfig
  readonly source: string; // section of the paper, released code, or ours
}

export const VALUE_RULE: Rule<ValueRule> = {
  path: 'credit.valueRule',
  title: 'Value of a turn',
  paperTerm: 'V(n), eq. (3)',
  options: [
    {
      value: 'child_softmax',
      title: 'Softmax of surprisal',
      formula: 'V = Σ w·V(child), w = e^H / Σ e^H',
      description:
        'Children whose tokens surprised the policy weigh a little more. H is mean surprisal, which the released code calls entropy.',
      source: 'released code, node_value_mode in the script',
    },
    {
      value: 'child_entropy',
      title: 'Proportional to surprisal',
      formula: 'V = Σ w·V(child), w = H / Σ H',
      description:
        'Children that surprised weigh much more: 0.1 against 1.0 nats gives 9 to 91, where softmax gives 29 to 71.',
      source: 'paper, eq. (3); not in the released code',
    },
    {
      value: 'child_mean',
      title: 'Mean of children',
      formula: 'V = mean of V(child)',
      description: 'Every child counts alike, however many leaves lie below it.',
      source: 'paper, Table 3; released code',
    },
    {
      value: 'leaf_mean',
      title: 'Mean of leaves',
      formula: 'V = mean of v over the leaves below',
      description: 'Every leaf counts alike: the empirical mean outcome after this turn.',
      source: 'paper, Table 3; released code',
    },
  ],
};

export const ADVANTAGE_RULE: Rule<AdvantageRule> = {
  path: 'credit.advantageRule',
  title: 'Advantage of a turn',
  paperTerm: 'A(n) = f(V), Table 3',
  options: ADVANTAGE_RULES.map((rule) => advantageMethods[rule].option),
};

export const EXPANSION_RULE: Rule<RolloutConfig['expansion']> = {
  path: 'rollout.expansion',
  title: 'Turns to expand',
  paperTerm: 's(n), Algorithm 1',
  options: [
    {
      value: 'entropy',
      title: 'Most uncertain',
      formula: 'score = H − α·siblings; the K highest',
      description:
        'Re-samples the turns whose tokens surprised the policy most, spread by the sibling penalty.',
      source: 'paper, Sec. 4.2; released code',
    },
    {
      value: 'random',
      title: 'Random',
      formula: 'K of the candidates, uniformly',
      description: 'The “random tree search” ablation.',
      source: 'paper, Table 2; released code, expansion_mode',
    },
  ],
};
