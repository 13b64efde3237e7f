import { expect, test } from 'vitest';
import type { Algorithm } from '../../src/algo/catalogue/algorithm.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { grownRows, scaleAlgorithm } from '../../src/algo/catalogue/defaults.ts';

const all: readonly (readonly [string, Algorithm])[] = Object.entries(algorithms);
const SMALL = { rows: 0.5, turnBand: [0.02, 0.03] } as const;

const settingAt = (config: object, path: string): unknown => {
  const [part, key] = path.split('.');
  return (config as Record<string, Record<string, unknown>>)[part][key];
};

test('every method is listed under its name, with a paper, a description and sources of settings that exist', () => {
  for (const [name, algorithm] of all) {
    expect(algorithm.name).toBe(name);
    expect(algorithm.config.name).toBe(name);
    expect(algorithm.paper.arxiv, name).toMatch(/^\d{4}\.\d{5}$/);
    expect(algorithm.description.length, name).toBeGreaterThan(40);
    expect(algorithm.sources.length, name).toBeGreaterThan(0);
    for (const { path } of algorithm.sources) expect(settingAt(algorithm.config, path), path).toBeDefined();
  }
});

test('a method that is uncertain says what', () => {
  for (const [name, { evidence, caution }] of all)
    if (evidence === 'uncertain') expect(caution, name).not.toBeNull();
});

test('no two methods are the same', () => {
  const configs = all.map(([, { config }]) => JSON.stringify({ ...config, name: '' }));
  expect(new Set(configs).size).toBe(all.length);
});

test('the paper’s tree keeps all its leaves', () => {
  const { initialBranches, iterations, picks, leavesPerTree } = algorithms.at2po.config.rollout;
  expect(leavesPerTree).toBe(initialBranches + iterations * picks);
  expect(leavesPerTree).toBe(22);
});

test('a preset scales counts and mean-ratio bands and keeps everything else', () => {
  const at2po = scaleAlgorithm(algorithms.at2po.config, SMALL);
  expect(at2po.rollout).toMatchObject({ initialBranches: 5, iterations: 2, picks: 3, leavesPerTree: 11 });
  expect(at2po.loss).toMatchObject({ clipLow: 0.02, clipHigh: 0.03 });
  const gspo = scaleAlgorithm(algorithms.gspo.config, SMALL);
  expect(gspo.loss).toMatchObject({ clipLow: 2e-3, clipHigh: 3e-3 });
  const grpo = scaleAlgorithm(algorithms.grpo.config, SMALL);
  expect(grpo.rollout).toMatchObject({ initialBranches: 8, leavesPerTree: 8 });
  expect(grpo.loss).toEqual(algorithms.grpo.config.loss); // token ratios keep the paper's band
  const treeGrpo = scaleAlgorithm(algorithms.tree_grpo.config, SMALL);
  expect(treeGrpo.rollout).toMatchObject({ initialBranches: 2, picks: 2 });
});

test('a scaled method keeps as many rows as it grows', () => {
  for (const [name, { config }] of all) {
    const { rollout } = scaleAlgorithm(config, SMALL);
    expect(rollout.leavesPerTree, name).toBe(grownRows(rollout));
  }
});
