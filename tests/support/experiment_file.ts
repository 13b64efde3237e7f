/** An experiment of two arms, and runs of it with given scores. */
import type { Curves } from '../../src/experiment/collapse.ts';
import { parseExperiment, plannedRuns, type Experiment } from '../../src/experiment/experiment.ts';
import { readRunFile, type RunFile, type Runs } from '../../src/experiment/results.ts';

export const FILE = {
  name: 'reduction',
  question: 'Does a mean over tokens keep AT²PO alive?',
  base: { preset: 'instant', settings: ['datasets=musique'] },
  arms: [
    { name: 'rows', algorithm: 'at2po' },
    { name: 'tokens', algorithm: 'at2po', settings: ['algorithm.loss.reduction=token-mean'] },
  ],
  seeds: [1, 2, 3, 4, 5, 6],
  budget: { by: 'tokens', amount: 200_000, mostUpdates: 80 },
  evaluation: { questions: 300 },
  equalWithin: 0.05,
} as const;

export const changed = (changes: object): Experiment => parseExperiment({ ...FILE, ...changes });

export const steady = (value: number, count = 12): number[] => Array.from({ length: count }, () => value);
export const LIVING: Curves = { exactMatch: [...steady(0.1, 6), ...steady(0.3, 6)], depth: steady(4), deadTrees: steady(0.2), entropy: steady(0.2) }; // prettier-ignore
export const DYING: Curves = { exactMatch: steady(0.05), depth: [...steady(4, 6), ...steady(2, 6)], deadTrees: [...steady(0.2, 5), ...steady(0.8, 7)], entropy: steady(0.2) }; // prettier-ignore

/** Runs of the experiment with these scores, by arm; null: not there. */
export function runsOf(
  experiment: Experiment,
  scores: Readonly<Record<string, readonly (number | null)[]>>,
  curves = LIVING,
): Runs {
  const runs = plannedRuns(experiment).flatMap((planned): [string, RunFile][] => {
    const score = scores[planned.arm][experiment.seeds.indexOf(planned.seed)];
    if (score === null || score === undefined) return [];
    const at = (exactMatch: number) => ({ exactMatch, greedyExactMatch: exactMatch });
    const file = { id: planned.id, options: planned.options, seed: planned.seed, adapter: { vendor: 'v', architecture: 'a' }, date: '2026-11-28T00:00:00Z', heldOut: { questions: 300, before: at(0.05), after: at(score) }, used: { updates: 60, tokens: 2e5, generated: 3e5, seconds: 100 }, metrics: curves }; // prettier-ignore
    return [[planned.id, readRunFile(JSON.stringify(file), planned, 'f')]];
  });
  return new Map(runs);
}

/** Scores of an arm, a seed each. */
export const FIRST = [0.3, 0.32, 0.28, 0.31, 0.29, 0.3];
