/** How each task tells its episodes to a person. A task without a line here does not compile. */
import type { Teller } from '../units.ts';
import { tellCorridor } from './corridor.ts';
import type { EnvironmentName } from './index.ts';
import { tellSearch } from './search/words.ts';

const tellers: Readonly<Record<EnvironmentName, Teller>> = { search: tellSearch, corridor: tellCorridor };

/** @returns null for a task that is not one of ours: its texts speak for themselves */
export const tellerOf = (environment: string): Teller | null =>
  Object.hasOwn(tellers, environment) ? tellers[environment as EnvironmentName] : null; // its own keys
