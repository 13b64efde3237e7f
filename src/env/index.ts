/** The tasks, by name. To add one: write its file, add its line; the property suite runs on it. */
import type { Environment } from '../units.ts';
import { corridorEnvironment } from './corridor.ts';
import { searchEnvironment } from './search/search.ts';

export const environments = {
  search: searchEnvironment,
  corridor: corridorEnvironment,
} satisfies Record<string, Environment>;

export type EnvironmentName = keyof typeof environments;
