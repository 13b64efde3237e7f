/** Reads and writes one setting of a RunConfig by its dotted path, as KnobDescription names it. */
import type { KnobValue } from '../train/protocol.ts';
export type { KnobDescription, KnobValue } from '../train/protocol.ts';
import type { AlgorithmConfig, RunConfig } from '../units.ts';

type Branch = Readonly<Record<string, unknown>>;

/** @returns undefined where the config has no such path */
export function readKnob(config: RunConfig, path: string): KnobValue | undefined {
  let value: unknown = config;
  for (const key of path.split('.')) value = (value as Branch | undefined)?.[key];
  return value as KnobValue | undefined; // paths come from the engine, which owns RunConfig's shape
}

function written(branch: Branch, [key, ...rest]: readonly string[], value: KnobValue): Branch {
  return { ...branch, [key]: rest.length === 0 ? value : written(branch[key] as Branch, rest, value) };
}

/** Rows of a tree follow from its shape: M + L·K. */
function withLeafCount(config: RunConfig): RunConfig {
  const { rollout } = config.algorithm;
  const leavesPerTree = rollout.initialBranches + rollout.iterations * rollout.picks;
  return { ...config, algorithm: { ...config.algorithm, rollout: { ...rollout, leavesPerTree } } };
}

const TREE_SHAPE = /\.(initialBranches|iterations|picks)$/;

/** @returns a new config; M, L and K also set the leaves per tree */
export function writeKnob(config: RunConfig, path: string, value: KnobValue): RunConfig {
  const changed = written(config as unknown as Branch, path.split('.'), value) as unknown as RunConfig;
  return TREE_SHAPE.test(path) ? withLeafCount(changed) : changed;
}

/** Another algorithm: its expansion and credit rules; the tree's size and the clip band stay the config's own. */
export function withAlgorithm(config: RunConfig, { name, rollout, credit }: AlgorithmConfig): RunConfig {
  const { expansion } = rollout;
  const own = config.algorithm;
  return { ...config, algorithm: { name, rollout: { ...own.rollout, expansion }, credit, loss: own.loss } };
}
