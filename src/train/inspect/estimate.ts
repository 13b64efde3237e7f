/** What a configuration would need of the device, or why it would not run. */
import type { ErrorReport } from '../../units.ts';
import { parseRunConfig } from '../config/config.ts';
import { reportOf } from '../../protocol/errors.ts';
import { fieldOf, type QuestionKind } from './question.ts';

export interface Footprint {
  readonly bytes: number | null; // at most, in all; null where the configuration is not valid or nothing is known
  readonly problem: ErrorReport | null; // why it would not run
}

/** The configuration is a draft: its faults are in the answer, and no failure. */
export const estimate: QuestionKind<{ readonly config: unknown }, Footprint> = {
  parse: (value) => ({ config: fieldOf(value, 'config') }),
  async answer({ config }, lender) {
    try {
      const backend = await lender.backend();
      return { bytes: (await backend.checkFits?.(parseRunConfig(config), false)) ?? null, problem: null };
    } catch (error) {
      return { bytes: null, problem: reportOf(error, 'question estimate') };
    }
  },
};
