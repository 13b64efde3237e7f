/** Ranges of knobs, in short. */
import type { RuleOption } from '../algo/algorithm.ts';
import type { KnobRange } from './protocol.ts';

export const integer = (min: number, max: number): KnobRange => ({ kind: 'integer', min, max });
export const linear = (min: number, max: number): KnobRange => ({
  kind: 'number',
  min,
  max,
  scale: 'linear',
});
export const logarithmic = (min: number, max: number): KnobRange => ({
  kind: 'number',
  min,
  max,
  scale: 'log',
});
export const choice = (...options: string[]): KnobRange => ({ kind: 'choice', options });
export const SWITCH: KnobRange = { kind: 'switch' };

/** One of some named parts; the picker says what each is. */
export const parts = (
  options: readonly Pick<RuleOption<string>, 'value' | 'title' | 'formula'>[],
): KnobRange => ({
  kind: 'choice',
  options: options.map(({ value }) => value),
  titles: options.map(({ title, formula }) => (formula ? `${title}: ${formula}` : title)),
});
