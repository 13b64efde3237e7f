/** When a run has collapsed, and which warning told it first. */
import { expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import {
  collapseOf,
  earlySigns,
  EARLY_SIGNS,
  firstWarning,
  type Curves,
} from '../../src/experiment/collapse.ts';
import { saySigns, signTable } from '../../src/experiment/report.ts';
import { DYING, LIVING, steady } from '../support/experiment_file.ts';

test('a run collapses where its answers are flat and its paths short or its trees dead, to the end', () => {
  expect(collapseOf(LIVING)).toBeNull();
  expect(collapseOf(DYING)).toBe(10); // the first window of which the start is whole
  expect(collapseOf({ ...DYING, deadTrees: steady(0.2) })).toBe(10); // by its paths alone
  expect(collapseOf({ ...DYING, depth: steady(4) })).toBe(10); // by its trees alone
  const back = { ...DYING, depth: [...DYING.depth!, ...steady(4, 9)], deadTrees: [...DYING.deadTrees!, ...steady(0.1, 9)], exactMatch: [...DYING.exactMatch!, ...steady(0.3, 9)] }; // prettier-ignore
  expect(collapseOf(back)).toBeNull(); // it recovered
  expect(collapseOf({ exactMatch: steady(0.05, 9), depth: steady(1, 9) })).toBeNull(); // too short to tell
  expect(collapseOf({ ...DYING, exactMatch: DYING.exactMatch!.map(() => null) })).toBeNull();
});

test('signs are counted by run: told in time, missed, false', () => {
  const dead = EARLY_SIGNS.filter(({ signal }) => signal === 'deadTrees');
  expect(dead.map((sign) => firstWarning(DYING, sign))).toEqual([6, 7, 8, 9]); // windows of five: 0.32, 0.44, 0.56, 0.68
  const [first] = earlySigns([DYING, LIVING, { ...LIVING, deadTrees: steady(0.35) }], dead);
  expect(first).toMatchObject({ collapsed: 1, inTime: 1, leads: [4], lead: 4, survived: 2, falseAlarms: 1 });
  const depth = EARLY_SIGNS.filter(({ signal }) => signal === 'depth');
  expect(earlySigns([DYING], depth).map(({ inTime }) => inTime)).toEqual([0, 0, 0, 0]); // with it, not before
  const shorter = { depth: [...steady(4, 5), ...steady(3.65, 7)] }; // 2.65 of 3 turns beyond the first
  expect(depth.map((sign) => firstWarning(shorter, sign))).toEqual([10, null, null, null]);
  const entropy = earlySigns(
    [DYING],
    EARLY_SIGNS.filter(({ signal }) => signal === 'entropy'),
  );
  expect(entropy.map(({ inTime, lead }) => [inTime, lead])).toEqual(
    Array.from({ length: 4 }, () => [0, null]),
  );
});

test('of 34 runs of the prototype the two collapse whose alarms never ended', () => {
  const { runs } = JSON.parse(readFileSync('docs/results/prototype/curves.json', 'utf8')) as { runs: Record<string, Curves> }; // prettier-ignore
  const down = Object.entries(runs).filter(([, curves]) => collapseOf(curves) !== null);
  expect(down.map(([name, curves]) => [name, collapseOf(curves)])).toEqual([
    ['grpo_hard_s1', 10], // dead trees since 9, before the start is known
    ['grpo_hard_s2', 13],
  ]);
  expect(Object.keys(runs)).toHaveLength(34);
});

test('the page ranks warnings only where collapses are enough, and says what was chosen on what', () => {
  const runs = [DYING, LIVING, { ...LIVING, deadTrees: steady(0.35) }, { exactMatch: steady(0.1, 3) }];
  expect(saySigns(earlySigns(runs), runs)).toBe(
    '1 of 4 runs are too short to tell. 1 of 3 runs collapsed. The largest share told in time less the share of false alarms has “dead trees at least 0.4”: 1 of 1 told, 3 updates before in the median, 0 false alarms in 2 runs. It was chosen on these runs, so on others it will do worse; 1 collapse cannot tell one warning from the next (see the intervals).',
  );
  expect(saySigns(earlySigns([LIVING]), [LIVING])).toMatch(/^None of the 1 runs collapsed/);
  expect(signTable(earlySigns([DYING, LIVING]))).toContain(
    '| dead trees at least 0.3 | 1 of 1 (0.207 to 1.000) | 4 | 0 | 0 of 1 (0.000 to 0.793) |',
  );
});
