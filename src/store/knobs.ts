/** Reads and writes one setting of a RunConfig by its dotted path, as KnobDescription names it. */
import type { KnobDescription, KnobValue } from '../train/protocol.ts';
export type { KnobDescription, KnobValue } from '../train/protocol.ts';
import { grownRows, scaleAlgorithm, type LabScale } from '../algo/scale.ts';
import type { AlgorithmConfig, RunConfig } from '../units.ts';

type Branch = Readonly<Record<string, unknown>>;

/** @returns undefined where the config has no such path */
export function readKnob(config: RunConfig, path: string): KnobValue | undefined {
  let value: unknown = config;
  for (const key of path.split('.')) value = (value as Branch | undefined)?.[key];
  return value as KnobValue | undefined; // paths come from the engine, which owns RunConfig's shape
}

/** Whether the configuration's parts read this setting at all. */
export const isRead = (config: RunConfig, { when }: KnobDescription): boolean =>
  when.every(({ path, values }) => {
    const value = readKnob(config, path);
    return value !== undefined && values.includes(value);
  });

function written(branch: Branch, [key, ...rest]: readonly string[], value: KnobValue): Branch {
  return { ...branch, [key]: rest.length === 0 ? value : written(branch[key] as Branch, rest, value) };
}

/** Rows of a tree follow from its shape. */
function withLeafCount(config: RunConfig): RunConfig {
  const rollout = { ...config.algorithm.rollout, leavesPerTree: grownRows(config.algorithm.rollout) };
  return { ...config, algorithm: { ...config.algorithm, rollout } };
}

const TREE_SHAPE = /\.(shape|initialBranches|iterations|picks)$/;

/** @returns a new config; what shapes the tree also sets the leaves per tree */
export function writeKnob(config: RunConfig, path: string, value: KnobValue): RunConfig {
  const changed = written(config as unknown as Branch, path.split('.'), value) as unknown as RunConfig;
  return TREE_SHAPE.test(path) ? withLeafCount(changed) : changed;
}

/** Another algorithm at the size of a preset. */
export const withAlgorithm = (config: RunConfig, algorithm: AlgorithmConfig, scale: LabScale): RunConfig => ({
  ...config,
  algorithm: scaleAlgorithm(algorithm, scale),
});
