/** A rule as a picker offers it: its choices, where they come from and how sure we are of them. */

/** How sure we are that a method here is the method of its paper. */
export const EVIDENCE = {
  reference: 'equals the numbers of the published code',
  code: 'follows the authors’ code or full text, checked against a derivation of our own',
  uncertain: 'follows a formula that was reconstructed from secondary sources',
  own: 'is a combination of this lab',
} as const;
export type Evidence = keyof typeof EVIDENCE;

/** One choice of a rule, for a picker. */
export interface RuleOption<Value extends string> {
  readonly value: Value;
  readonly title: string;
  readonly formula: string; // plain text
  readonly description: string; // one line
  readonly source: string;
  readonly evidence?: Evidence; // absent: as the algorithm's
  readonly difference?: string; // where its paper and its code differ, or both from here
}

/** A rule on which the paper and the released code offer more than one reading. */
export interface Rule<Value extends string> {
  readonly path: string; // dotted, into AlgorithmConfig
  readonly title: string;
  readonly paperTerm: string;
  readonly options: readonly RuleOption<Value>[];
}
