/** Experiments as data, their runs, the answer and its page. */
import { expect, test } from 'vitest';
import { compareArms } from '../../src/experiment/answer.ts';
import {
  armDifference,
  armRole,
  comparedWith,
  ExperimentError,
  parseExperiment,
  plannedRuns,
  readExperiment,
  type Experiment,
} from '../../src/experiment/experiment.ts';
import { markdownOf, resultsOf } from '../../src/experiment/report.ts';
import { readRunFile, summariseArms, type RunFile, type Runs } from '../../src/experiment/results.ts';
import { changed, DYING, FILE, FIRST, LIVING, runsOf, steady } from '../support/experiment_file.ts';

test('an experiment stands for its runs: arms of one seed first, each with the options of the lab', () => {
  const runs = plannedRuns(parseExperiment(FILE));
  expect(runs.map(({ id }) => id).slice(0, 3)).toEqual(['rows-1', 'tokens-1', 'rows-2']);
  expect(runs).toHaveLength(12);
  expect(runs[1].options.join(' ')).toBe(
    '--preset instant --algorithm at2po --seed 1 --updates 80 --until tokens=200000 --eval-questions 300 --set datasets=musique --set algorithm.loss.reduction=token-mean',
  );
  const equal = changed({ budget: { by: 'updates', amount: 60 }, arms: [{ name: 'a' }] });
  expect(plannedRuns(equal)[0].options.join(' ')).toBe(
    '--preset instant --seed 1 --updates 60 --eval-questions 300 --set datasets=musique',
  );
  const tasks = [{ name: 'far', settings: ['datasets=musique'] }, { name: 'near' }];
  expect(plannedRuns(changed({ tasks })).map(({ id }) => id)).toContain('tokens-near-6');
});

test('what differs between arms is said in words', () => {
  const arms = [
    { name: 'a', algorithm: 'at2po', settings: ['optimiser.learningRate=3e-4'] },
    { name: 'b', settings: ['datasets=hotpot'] },
  ];
  const experiment = changed({ arms });
  expect(armDifference(experiment, experiment.arms[0])).toBe('');
  expect(armDifference(experiment, experiment.arms[1])).toBe(
    'method the preset’s for at2po; datasets hotpot for musique; optimiser.learningRate the preset’s for 3e-4',
  );
});

/** Two pairs: a with b, c with d; c is there for d alone. */
const PAIRS = [
  { name: 'a', title: 'plain' },
  { name: 'b', title: 'with KL', settings: ['algorithm.loss.klCoefficient=0.001'] },
  { name: 'c', algorithm: 'dapo', against: null },
  {
    name: 'd',
    title: 'DAPO with KL',
    algorithm: 'dapo',
    against: 'c',
    settings: ['algorithm.loss.klCoefficient=0.001'],
  },
] as const;

test('an arm is compared with the one that it names, with the first where it names none, or with none', () => {
  const experiment = changed({ arms: PAIRS });
  expect(experiment.arms.map((arm) => comparedWith(experiment, arm)?.name)).toEqual([undefined, 'a', undefined, 'c']); // prettier-ignore
  expect(experiment.arms.map((arm) => armRole(experiment, arm))).toEqual([
    'what with KL is compared with',
    'algorithm.loss.klCoefficient 0.001 for the preset’s',
    'method dapo for the preset’s; what DAPO with KL is compared with',
    'algorithm.loss.klCoefficient 0.001 for the preset’s; compared with c',
  ]);
  const plain = parseExperiment(FILE);
  expect(plain.arms.map((arm) => armRole(plain, arm))).toEqual(['what the others are compared with', 'algorithm.loss.reduction token-mean for the preset’s']); // prettier-ignore
});

test('a single arm is compared with none', () => {
  const experiment = changed({ arms: [{ name: 'a' }] });
  expect(armRole(experiment, experiment.arms[0])).toBe('compared with none');
  expect(compared(experiment, runsOf(experiment, { a: FIRST }))).toEqual([]);
});

test('each pair is tested on its own scores, and pays for the pairs that there are', () => {
  const experiment = changed({ arms: PAIRS });
  const high = FIRST.map((score) => score + 0.4);
  const scores = { a: FIRST, b: moved([0.001, -0.002]), c: high, d: high.map((score, at) => score - 0.1 - 0.01 * (at % 2)) }; // prettier-ignore
  const runs = runsOf(experiment, scores);
  const [first, second, ...others] = compared(experiment, runs);
  expect(others).toEqual([]); // not of c with a
  expect([first, second].map(({ arm, base }) => [arm, base])).toEqual([['with KL', 'plain'], ['DAPO with KL', 'c']]); // prettier-ignore
  expect(first.sentence).toMatch(/^With KL and plain are equal within ±0\.05/);
  expect(second.difference?.mean).toBeCloseTo(-0.105, 12);
  expect(second.difference?.p).toBeCloseTo(2 / 64, 12);
  expect(second.adjusted).toBeCloseTo(4 / 64, 12); // of two, not of three
  const page = markdownOf(resultsOf(experiment, runs), 'x', runs);
  expect(page).toMatch(
    /## Differences\n\n.*\n.*\n\| `with KL` \| `plain` \| 6 \|.*\n\| `DAPO with KL` \| `c` \| 6 \| −0\.105 \|/,
  );
  const right = (id: string): string => (id.startsWith('d') ? '01' : '11');
  const told = new Map([...runs].map(([id, run]): [string, RunFile] => [id, { ...run, heldOut: { ...run.heldOut, after: { ...run.heldOut.after, right: { sampled: right(id), greedy: right(id) } } } }])); // prettier-ignore
  const spreads = resultsOf(experiment, told).spreads.map(({ arm, less }) => [arm, less]);
  expect(spreads.slice(4)).toEqual([['b', 'a'], ['d', 'c']]); // prettier-ignore
});

test.each([
  [
    { arms: [{ name: 'a' }, { name: 'b', against: 'c' }, { name: 'c' }] },
    /experiment\.arms\).*“against” the name of an earlier arm, or null/,
  ],
  [{ arms: [{ name: 'a', against: 'a' }] }, /“against” the name of an earlier arm/],
  [{ arms: [{ name: 'a' }, { name: 'b', against: 3 }] }, /experiment\.arms\.1\.against/],
  [{ seeds: [1, 1] }, /experiment\.seeds\): got \[1,1\], wanted seeds that differ/],
  [{ seeds: [] }, /at least one seed/],
  [{ arms: [{ name: 'a' }, { name: 'a' }] }, /experiment\.arms.*names that differ/],
  [{ arms: [{ name: '../x' }] }, /experiment\.arms\.0\.name.*it names files/],
  [{ arms: [{ name: 'a', settings: ['x'] }] }, /settings\.0\): got "x", wanted path=value/],
  [{ budget: { by: 'updates', amount: 1.5 } }, /whole number of updates/],
  [{ budget: { by: 'money', amount: 1 } }, /budget\.by.*one of updates, tokens, generated, calls, seconds/],
  [{ budget: { by: 'seconds', amount: 0 } }, /number above 0/],
  [{ evaluation: { questions: 0 } }, /whole number from 1 to 1000/],
  [{ equalWithin: 1 }, /between 0 and 1/],
  [{ tuned: true }, /experiment\.tuned\): got a setting of this name/],
])('a file that is no experiment is refused with its field: %j', (changes, message) => {
  expect(() => changed(changes)).toThrow(ExperimentError);
  expect(() => changed(changes)).toThrow(message);
});

test('text that is no JSON is refused', () => {
  expect(() => readExperiment('{', 'x.json')).toThrow(
    /x\.json\): got text that is no JSON.*docs\/experiments\.md/,
  );
  expect(readExperiment(JSON.stringify(FILE), 'x.json').arms).toHaveLength(2);
});

const compared = (experiment: Experiment, runs: Runs) =>
  compareArms(experiment, summariseArms(experiment, runs));

const moved = (by: readonly number[]): number[] => FIRST.map((score, at) => score + by[at % by.length]);

test.each([
  ['better', moved([0.1, 0.12, 0.09]), /^tokens is better than rows by 0\.103 \(95 % interval \+0\.\d+ to \+0\.\d+; 6 seeds, p = 0\.031\); a run of it beats one of rows with probability 1\.00\.$/], // prettier-ignore
  ['worse', moved([-0.1, -0.12]), /^tokens is worse than rows by 0\.110/],
  [
    'equal',
    moved([0.004, -0.006, 0.001]),
    /^tokens and rows are equal within ±0\.05 \(6 seeds, p = 0\.016 of a larger/,
  ],
  ['identical', FIRST, /^tokens and rows scored the same on all 6 seeds\.$/],
  [
    'open',
    moved([0.2, -0.18, 0.1, -0.1]),
    /^No difference seen between tokens and rows \(6 seeds\): it is −0\.\d+ to \+0\.\d+ .* About \d+ more seeds would settle this/,
  ],
  [
    'open',
    moved([0.1, 0.12]).slice(0, 3),
    /^tokens looks better than rows, but chance is not ruled out \(3 seeds\): it is \+0\.100 to \+0\.120 \(range of the pairs, which holds the median 75 times in 100\).* 3 seeds cannot reach p = 0\.05, whatever they say\. About [23] more seeds/,
  ],
  ['open', [0.5], /^One pair of runs says nothing about chance: tokens scored \+0\.200 against rows\.$/],
  ['open', [], /^Nothing is known of tokens yet/],
] as const)('the answer is %s, in a sentence with its uncertainty', (verdict, scores, sentence) => {
  const experiment = parseExperiment(FILE);
  const [comparison] = compared(experiment, runsOf(experiment, { rows: FIRST, tokens: scores }));
  expect(comparison.sentence).toMatch(sentence);
  expect(comparison.verdict).toBe(verdict);
});

test('without a band nothing is called equal, and of several comparisons each pays for the others', () => {
  const arms = ['rows', 'tokens', 'c', 'd'].map((name) => ({ name }));
  const text = JSON.stringify({ ...FILE, arms, equalWithin: undefined }); // JSON has none
  const experiment = readExperiment(text, 'x.json');
  const scores = { rows: FIRST, tokens: moved([0.1, 0.12]), c: moved([0.002, -0.002]), d: FIRST };
  const [tokens, c] = compared(experiment, runsOf(experiment, scores));
  expect(tokens.difference?.p).toBeCloseTo(2 / 64, 12);
  expect(tokens.adjusted).toBeCloseTo(6 / 64, 12);
  expect(tokens.sentence).toMatch(/6 seeds cannot reach p = 0\.05 among 3 comparisons/);
  expect([c.equivalence, c.verdict]).toEqual([null, 'open']);
});

test('collapses are said beside the answer, with the exact McNemar test of pairs', () => {
  const experiment = parseExperiment(FILE);
  const scores = { rows: FIRST, tokens: moved([0.2, -0.18, 0.1, -0.1]) };
  const runs = new Map(runsOf(experiment, scores));
  for (const id of ['rows-1', 'rows-2', 'rows-4', 'tokens-2'])
    runs.set(id, { ...runs.get(id)!, metrics: DYING as RunFile['metrics'] });
  const [comparison] = compared(experiment, runs);
  expect(comparison.survival).toBe(0.5); // two pairs differ, both one way: 2·2⁻²
  expect(comparison.sentence).toMatch(
    /stays as it is\. 1 of 6 runs of tokens and 3 of 6 runs of rows collapsed \(p = 0\.500\)\.$/,
  );
  const summary = summariseArms(experiment, runs)[0];
  expect(summary.survived).toMatchObject({ count: 3, total: 6 });
  expect(summary.meanOfSurvivors).toBeCloseTo((0.28 + 0.29 + 0.3) / 3, 12);
});

/** Held-out exact match of `instant` on musique after 60 updates, seeds 1 to 5, measured on a card on 2026-11-27. */
const MEASURED = {
  random_tree_grpo: [0.03, 0.367, 0.367, 0.433, 0.413],
  grpo: [0.21, 0.073, 0.25, 0.417, 0.363],
  tree_grpo: [0.243, 0.257, 0.27, 0.297, 0.203],
  at2po: [0.3, 0.047, 0.037, 0.33, 0.023],
  random_tree_turn_loss: [0.04, 0.023, 0.043, 0.04, 0.29],
};

test('of five seeds of measured runs no method is called better, however far apart their means are', () => {
  const arms = Object.keys(MEASURED).map((name) => ({ name, algorithm: name }));
  const experiment = changed({ arms, seeds: [1, 2, 3, 4, 5] });
  const comparisons = compared(experiment, runsOf(experiment, MEASURED));
  expect(comparisons.map(({ verdict }) => verdict)).toEqual(['open', 'open', 'open', 'open']);
  expect(comparisons[3].difference?.mean).toBeCloseTo(-0.2348, 10);
  expect(comparisons[3].sentence).toMatch(
    /^No difference seen between random_tree_turn_loss and random_tree_grpo \(5 seeds\): it is −0\.393 to \+0\.010 \(range of the pairs, which holds the median 93 times in 100\), −0\.235 in the mean\. 5 seeds cannot reach p = 0\.05 among 4 comparisons/,
  );
});

test('what is missing or has no score is left out of pairs and counted, and the page says so', () => {
  const experiment = parseExperiment(FILE);
  const runs = new Map(runsOf(experiment, { rows: [0.3, null, 0.3, 0.3, 0.3, 0.3], tokens: FIRST }));
  runs.set('tokens-4', { ...runs.get('tokens-4')!, adapter: { vendor: 'w', architecture: 'b' } });
  const bad = runs.get('tokens-3')!;
  runs.set('tokens-3', {
    ...bad,
    heldOut: { ...bad.heldOut, after: { exactMatch: null, greedyExactMatch: 0 } },
  });
  const summary = summariseArms(experiment, runs)[1];
  expect([summary.runs, summary.unscored, summary.scores[0][2]]).toEqual([6, 1, null]);
  const greedy = changed({ evaluation: { questions: 300, score: 'greedy' } });
  expect(summariseArms(greedy, runs)[1].scores[0][2]).toBe(0);
  const short = { ...LIVING, exactMatch: steady(0.1, 9) }; // nothing is told of survival
  const [untold] = summariseArms(experiment, runsOf(experiment, { rows: FIRST, tokens: FIRST }, short));
  expect([untold.survived, untold.meanOfSurvivors, untold.runs]).toEqual([null, null, 6]);
  expect(compared(experiment, runs)[0].difference?.pairs).toBe(4);
  const page = markdownOf(resultsOf(experiment, runs), 'npm run …', runs);
  expect(page).toContain('**1 of 12 runs are not there yet.**');
  expect(page).toContain('1 runs have no finite score');
  expect(page).toContain('**Runs of several adapters are mixed**');
  expect(page).toContain('Adapter v a, w b;');
  expect(page).toContain('| `tokens` | 0.300 | 0.320 | – | 0.310 | 0.290 | 0.300 |');
  expect(page).toMatch(/\| `rows` \| what the others are compared with \|.*\| 5 of 5 \(0\.566 to 1\.000\)/);
  for (const table of page.match(/(?:^\|.*\n)+/gm)!)
    expect(
      new Set(
        table
          .trim()
          .split('\n')
          .map((row) => row.split(' | ').length),
      ).size,
      table,
    ).toBe(1);
  expect(markdownOf(resultsOf(experiment, new Map()), '', new Map())).toContain(
    'Nothing is known of tokens yet',
  );
});

test('a run of other settings is not taken for this one', () => {
  const experiment = parseExperiment(FILE);
  const [planned, other] = plannedRuns(experiment);
  const run = runsOf(experiment, { rows: FIRST, tokens: FIRST }).get(planned.id);
  expect(() => readRunFile(JSON.stringify(run), other, 'runs/tokens-1.json')).toThrow(
    /runs\/tokens-1\.json\): got a run of/,
  );
  expect(() => readRunFile('{"id":"x"}', planned, 'f')).toThrow(/f\.options/);
  expect(() => readRunFile('{', planned, 'runs/a.json')).toThrow(
    /no run.*runs\/a\.json\): got text that is no JSON.*--out/,
  );
});
