/** What pickers are built from: methods, environments and settings as the engine describes them. */
import type { AlgorithmConfig } from '../units.ts';

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

/** A method as its card shows it. */
export interface AlgorithmDescription extends CatalogueEntry {
  readonly family: string; // shelf of the picker
  readonly paper: { readonly title: string; readonly arxiv: string | null };
  readonly evidence: string; // how sure we are, in words
  readonly verified: boolean; // equals the published code's numbers
  readonly caution: string | null;
  readonly config: AlgorithmConfig; // the paper's sizes; a run scales them to its preset
  readonly sources: readonly { readonly path: string; readonly source: string }[];
  readonly differences: readonly {
    readonly topic: string;
    readonly paper: string;
    readonly code: string;
    readonly here: string;
  }[];
}

/** What a knob may be set to. */
export type KnobRange =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly multipleOf?: number }
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly scale: 'linear' | 'log' }
  | { readonly kind: 'switch' }
  | { readonly kind: 'choice'; readonly options: readonly string[]; readonly titles?: readonly string[] } // same order
  | { readonly kind: 'choices'; readonly options: readonly string[] }; // several at once

export type KnobValue = number | boolean | string | readonly string[];

/** One setting of a run, for the page's knobs and for `npm run lab -- --set path=value`. */
export interface KnobDescription {
  readonly path: string; // dotted, into RunConfig
  readonly title: string;
  readonly term: string; // the paper's symbol or term; '' where it has none
  readonly unit: string; // '' if dimensionless
  readonly description: string;
  readonly paperDefault: KnobValue | null; // null: the paper has no such setting
  readonly source: string; // section of the paper, released code, or ours
  readonly range: KnobRange;
  readonly basic: boolean; // among the few that a newcomer is shown
  readonly when: readonly KnobCondition[]; // read only where all hold; [] always
}

/** A knob counts only where another setting has one of these values. */
export interface KnobCondition {
  readonly path: string;
  readonly values: readonly KnobValue[];
}
