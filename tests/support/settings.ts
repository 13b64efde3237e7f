/** Settings of a configuration, listed and read by their paths. */
import type { RunConfig } from '../../src/units.ts';

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Dotted paths of all settings, those of groups left out, e.g. 'algorithm.loss.clipLow'. */
export const settingPaths = (node: object, prefix = ''): readonly string[] =>
  Object.entries(node).flatMap(([key, value]) =>
    isGroup(value) ? settingPaths(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  );

export const valueAt = (config: RunConfig, path: string): unknown =>
  path.split('.').reduce<unknown>((node, key) => (isGroup(node) ? node[key] : undefined), config);
