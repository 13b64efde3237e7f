import { describe, expect, test } from 'vitest';
import { expansionWhatIf } from '../../src/store/credit/expansion_what_if.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN } from '../../src/store/record/run_state.ts';
import { nodeId, type ExpansionRecord } from '../../src/units.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const KEY = { seed: 7, update: 1 };
const OWN = { siblingPenalty: 0.05, picks: 2, expansion: 'entropy' } as const;

/** Turn, entropy, siblings; the run's own scores are beside the point. */
const recordOf = (rows: readonly (readonly [number, number, number])[]): ExpansionRecord => ({
  iteration: 0,
  picks: [],
  candidates: rows.map(([node, turnSurprisal, siblingCount]) => ({
    node: nodeId(node),
    turnSurprisal,
    siblingCount,
    penalty: 9,
    score: -9,
    rank: 9,
    pickCount: 9,
  })),
});
const RECORD = recordOf([
  [0, 0, 3],
  [1, 0.5, 3],
  [2, 0.45, 0],
  [5, 0.2, 1],
]);

describe('another rule for the same choice', () => {
  test('ranks by entropy less the penalty and picks the first K', () => {
    const { candidates, picks, threshold } = expansionWhatIf(RECORD, OWN, KEY, 0);
    expect(picks).toEqual([2, 1]);
    expect(candidates.map(({ rank, pickCount }) => [rank, pickCount])).toEqual([
      [3, 0],
      [1, 1],
      [0, 1],
      [2, 0],
    ]);
    expect(threshold).toBeCloseTo(0.35, 12); // n1: 0.5 − 3 · 0.05
  });

  test('without a penalty the most uncertain turn comes first; with a heavy one siblings fall behind', () => {
    expect(expansionWhatIf(RECORD, { ...OWN, siblingPenalty: 0 }, KEY, 0).picks).toEqual([1, 2]);
    expect(expansionWhatIf(RECORD, { ...OWN, siblingPenalty: 0.2 }, KEY, 0).picks).toEqual([2, 5]);
  });

  test('starts again from the top when there are fewer turns than picks, and has no threshold then', () => {
    const all = expansionWhatIf(RECORD, { ...OWN, picks: 5 }, KEY, 0);
    expect(all.picks).toEqual([2, 1, 5, 0, 2]);
    expect([all.threshold, all.candidates[2].pickCount]).toEqual([null, 2]);
  });
});

describe('the rule of the run itself', () => {
  for (const expansion of ['entropy', 'random'] as const)
    test(`gives back every choice of a run that picks by ${expansion}`, async () => {
      const base = smallConfig({ updates: 1 });
      const rollout = { ...base.algorithm.rollout, expansion };
      const config = { ...base, algorithm: { ...base.algorithm, rollout } };
      const run = foldEvents(EMPTY_RUN, await scriptedRun(config));
      const records = run.updates[0].trees.flatMap((tree) =>
        tree.expansions.map((record) => ({ record, prompt: tree.prompt.index })),
      );
      expect(records.length).toBeGreaterThan(0);
      for (const { record, prompt } of records) {
        const same = expansionWhatIf(record, rollout, { seed: config.seed, update: 1 }, prompt);
        expect(same.picks).toEqual(record.picks);
        expect(same.candidates).toEqual(record.candidates);
      }
    });
});
