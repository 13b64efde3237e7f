/** Experiments as data, their runs, the answer and its page; early signs; what a run spends. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compareArms } from '../../src/experiment/answer.ts';
import { CURRENCY_NAMES, isUsedUp, spendingMeter, spentBy } from '../../src/experiment/budget.ts';
import {
  collapseOf,
  earlySigns,
  EARLY_SIGNS,
  firstWarning,
  type Curves,
} from '../../src/experiment/collapse.ts';
import {
  armDifference,
  ExperimentError,
  parseExperiment,
  plannedRuns,
  readExperiment,
  type Experiment,
} from '../../src/experiment/experiment.ts';
import { markdownOf, resultsOf, saySigns, signTable } from '../../src/experiment/report.ts';
import { readRunFile, summariseArms, type RunFile, type Runs } from '../../src/experiment/results.ts';
import { spreadOf } from '../../src/experiment/variance.ts';
import { leftIn } from '../../scripts/run_queue.mjs';
import { sixDigits } from '../../src/files/recording.ts';
import { isLogged } from '../../src/protocol/protocol.ts';
import { condense, summarise } from '../../src/train/engine/lab.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const FILE = {
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

const changed = (changes: object): Experiment => parseExperiment({ ...FILE, ...changes });

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

test.each([
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

const steady = (value: number, count = 12): number[] => Array.from({ length: count }, () => value);
const LIVING: Curves = { exactMatch: [...steady(0.1, 6), ...steady(0.3, 6)], depth: steady(4), deadTrees: steady(0.2), entropy: steady(0.2) }; // prettier-ignore
const DYING: Curves = { exactMatch: steady(0.05), depth: [...steady(4, 6), ...steady(2, 6)], deadTrees: [...steady(0.2, 5), ...steady(0.8, 7)], entropy: steady(0.2) }; // prettier-ignore

/** Runs of the experiment with these scores, by arm; null: not there. */
function runsOf(
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

const compared = (experiment: Experiment, runs: Runs) =>
  compareArms(experiment, summariseArms(experiment, runs));

const FIRST = [0.3, 0.32, 0.28, 0.31, 0.29, 0.3];
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
  expect(page).toMatch(/\| `rows` \| the first.*\| 5 of 5 \(0\.566 to 1\.000\)/);
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

test('what a run spends is counted from its log', async () => {
  const log = (await scriptedRun(smallConfig())).filter(isLogged);
  const used = spentBy(log);
  const metrics = log.flatMap((event) => (event.kind === 'metrics' ? [event.metrics] : []));
  const nodes = log.flatMap((event) =>
    event.kind === 'node' && event.node.origin.kind !== 'duplicate' ? [event.node] : [],
  );
  const sampled = nodes.flatMap(({ mask }) => mask).filter((bit) => bit === 1).length;
  expect(used.updates).toBe(2);
  expect(used.tokens).toBe(metrics.reduce((sum, { sampledTokens }) => sum + sampledTokens, 0));
  expect(used.tokens).toBe(sampled); // all that was sampled has an event
  expect(used.generated).toBe(nodes.reduce((sum, { tokens }) => sum + tokens.length, 0));
  expect(used.generated).toBeGreaterThan(used.tokens);
  const answers = nodes.filter(({ origin, mask }) => origin.kind === 'continuation' && mask[0] === 0); // of chains each is a call's
  const unread = nodes.filter(({ ending }) => ending === 'tool-failure' || ending === 'empty-call');
  expect(used.calls).toBe(answers.length + unread.length);
  expect(used.calls).toBeGreaterThan(0);
  const grown = log.find((event) => event.kind === 'node' && event.node.origin.kind !== 'root');
  if (grown?.kind !== 'node') throw new Error('no node grew');
  const copy = {
    ...grown,
    node: { ...grown.node, origin: { kind: 'duplicate', of: grown.node.id } },
  } as const;
  expect(spendingMeter(used)(grown).generated).toBe(used.generated + grown.node.tokens.length);
  expect(spendingMeter(used)(copy)).toEqual(used);
  expect(isUsedUp(used, { by: 'tokens', amount: used.tokens })).toBe(true);
  expect(isUsedUp(used, { by: 'tokens', amount: used.tokens + 1 })).toBe(false);
});

test('what the queue keeps of a run is a run of the experiment, and one that was left goes on with its options alone', async () => {
  const [planned, other] = plannedRuns(parseExperiment(FILE));
  const { id, options } = planned;
  const result = summarise((await scriptedRun(smallConfig())).filter(isLogged), 1);
  const file = readRunFile(JSON.stringify({ id, options, ...condense(result) }), planned, 'f');
  expect(file.used).toMatchObject({ updates: 2, tokens: result.used.tokens });
  expect(file.heldOut.after.exactMatch).toBe(sixDigits(result.heldOut.after.exactMatch));
  expect(file.metrics.depth).toEqual(result.updates.map(({ depth }) => Number(depth.toPrecision(5))));
  expect(leftIn('runs', id, options)).toMatch(/^runs.rows-1\.[0-9a-f]{8}\.turnwise$/);
  expect(leftIn('runs', id, other.options)).not.toBe(leftIn('runs', id, options));
});

test('the command line knows the currencies', () => {
  const text = readFileSync('scripts/lab.mjs', 'utf8');
  const list = /const CURRENCIES = \[([^\]]*)\]/.exec(text)?.[1].replaceAll(/['\s]/g, '');
  expect(list?.split(',')).toEqual(CURRENCY_NAMES);
});

test('the page tells the spread by seeds from that by questions, of scores and of differences, where runs tell their answers', () => {
  const experiment = changed({ seeds: [1, 2, 3] });
  const plain = runsOf(experiment, { rows: [0.5, 0.5, 0.5], tokens: [0.5, 0.5, 0.5] });
  expect(markdownOf(resultsOf(experiment, plain), 'x', plain)).not.toContain('Seeds or questions');
  const digits: Readonly<Record<string, string>> = {
    ...{ 'rows-1': '1100', 'rows-2': '1010', 'rows-3': '0110' },
    ...{ 'tokens-1': '1110', 'tokens-2': '1111' },
  };
  const runs = new Map(
    [...plain].map(([id, run]): [string, RunFile] => {
      if (!digits[id]) return [id, run];
      const after = { ...run.heldOut.after, right: { sampled: digits[id], greedy: '0000' } };
      return [id, { ...run, heldOut: { ...run.heldOut, after } }];
    }),
  );
  const results = resultsOf(experiment, runs);
  expect(results.spreads.map(({ arm, of, seeds, questions }) => [arm, of, seeds, questions])).toEqual([
    ['rows', 'score', 3, 4],
    ['tokens', 'score', 2, 4],
    ['tokens', 'difference', 2, 4], // rows-3 has no other
  ]);
  const [, , difference] = results.spreads;
  const matrix = [[0, 0, 1, 0], [0, 1, 0, 1]]; // prettier-ignore
  expect(difference).toMatchObject(spreadOf(matrix));
  const page = markdownOf(results, 'x', runs);
  expect(page).toContain(`| \`tokens\` − \`rows\` | task | 2 × 4 | ${difference.bySeed.toFixed(3)} |`);
  const greedy = resultsOf({ ...experiment, evaluation: { questions: 4, score: 'greedy' } }, runs);
  expect(greedy.spreads[0]).toMatchObject({ bySeed: 0, byQuestion: 0, standardError: 0 });
});

test('the page has a column a data set where runs were evaluated on several, counted from single answers', () => {
  const settings = ['evaluation.datasets=hotpot', 'evaluation.datasets=hotpot,musique']; // the later counts
  const experiment = changed({ seeds: [1, 2, 3], base: { preset: 'instant', settings }, evaluation: { questions: 2 } }); // prettier-ignore
  const answers: Readonly<Record<string, string>> = {
    ...{ 'rows-1': '1100', 'rows-2': '1010', 'rows-3': '1101' },
    ...{ 'tokens-1': '0011' },
  };
  const runs = new Map(
    [...runsOf(experiment, { rows: [0.5, 0.5, 0.75], tokens: [0.5] })].map(([id, run]): [string, RunFile] => {
      const after = { ...run.heldOut.after, right: { sampled: answers[id], greedy: '0000' } };
      return [id, { ...run, heldOut: { ...run.heldOut, after } }];
    }),
  );
  const results = resultsOf(experiment, runs);
  expect(results.dataSets.map(({ title, arms }) => [title, ...arms.map(({ mean: of }) => of)])).toEqual([
    ['hotpot', (1 + 0.5 + 1) / 3, 0],
    ['musique', (0 + 0.5 + 0.5) / 3, 1],
    ['all', (0.5 + 0.5 + 0.75) / 3, 0.5],
  ]);
  const [{ arms }] = results.dataSets;
  expect(arms[0].interval).toEqual({ low: 0.5, high: 1 });
  expect(arms[1].interval).toBeNull(); // one seed
  expect(markdownOf(results, 'x', runs)).toContain('| `rows` | 0.833 (0.500 to 1.000) | 0.333 (0.000 to 0.500) | 0.583 (0.500 to 0.750) |'); // prettier-ignore
  const tasks = [{ name: 'two', settings: [] }, { name: 'one', settings: ['evaluation.datasets=nq'] }]; // prettier-ignore
  expect(resultsOf(changed({ tasks, base: { preset: 'instant', settings } }), new Map()).dataSets.map(({ title }) => title)).toEqual(['two, hotpot', 'two, musique', 'two, mean', 'one, nq']); // prettier-ignore
  expect(resultsOf(changed({ base: { preset: 'instant', settings: ['evaluation.datasets=nq'] } }), runs).dataSets).toEqual([]); // prettier-ignore
});

test('answers of questions that are no digits 0 and 1 are refused', () => {
  const experiment = parseExperiment(FILE);
  const [planned] = plannedRuns(experiment);
  const run = runsOf(experiment, { rows: FIRST, tokens: FIRST }).get(planned.id)!;
  const after = { ...run.heldOut.after, right: { sampled: '0121', greedy: '' } };
  const text = JSON.stringify({ ...run, heldOut: { ...run.heldOut, after } });
  expect(() => readRunFile(text, planned, 'f')).toThrow(/heldOut\.after\.right\.sampled.*0121/);
});
