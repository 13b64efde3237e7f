/** What is kept of a run: what it spent, which questions it answers rightly, and what the page makes of these. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CURRENCY_NAMES, isUsedUp, NOTHING_SPENT, spend } from '../../src/experiment/budget.ts';
import { parseExperiment, plannedRuns } from '../../src/experiment/experiment.ts';
import { markdownOf, resultsOf } from '../../src/experiment/report.ts';
import { readResultsFile, readRunFile, type RunFile } from '../../src/experiment/results.ts';
import { spreadOf } from '../../src/experiment/variance.ts';
import { leftIn } from '../../scripts/run_queue.mjs';
import { sixDigits } from '../../src/files/recording.ts';
import { isLogged } from '../../src/protocol/protocol.ts';
import { condense, summarise } from '../../src/train/engine/lab.ts';
import { changed, FILE, FIRST, runsOf } from '../support/experiment_file.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

test('what a run spends is counted from its log', async () => {
  const log = (await scriptedRun(smallConfig())).filter(isLogged);
  const used = log.reduce(spend, NOTHING_SPENT);
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
  expect(spend(used, grown).generated).toBe(used.generated + grown.node.tokens.length);
  expect(spend(used, copy)).toEqual(used);
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

test('the list that the page reads first says what is in the shipped files', () => {
  const folder = 'public/experiments/';
  const files = readdirSync(folder).filter((file) => file !== 'index.json').sort(); // prettier-ignore
  const inFiles = files.map((file) => {
    const { experiment, runs } = readResultsFile(readFileSync(folder + file, 'utf8'), file);
    const { name, question } = experiment;
    return { file, name, question, runs: runs.size, planned: plannedRuns(experiment).length };
  });
  expect(JSON.parse(readFileSync(`${folder}index.json`, 'utf8'))).toEqual(inFiles);
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
  expect(results.spreads.map(({ arm, less, seeds, questions }) => [arm, less, seeds, questions])).toEqual([
    ['rows', null, 3, 4],
    ['tokens', null, 2, 4],
    ['tokens', 'rows', 2, 4], // rows-3 has no other
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
  const apart = [{ name: 'rows' }, { name: 'tokens', settings: ['evaluation.datasets=musique'] }]; // asked fewer
  const fewer = resultsOf({ ...experiment, arms: parseExperiment({ ...FILE, arms: apart }).arms }, runs);
  expect(fewer.dataSets.map(({ title, arms: own }) => [title, own[1].mean])).toEqual([['hotpot', null], ['musique', 0], ['all', 0.5]]); // prettier-ignore
  const tasks = [{ name: 'two', settings: [] }, { name: 'one', settings: ['evaluation.datasets=nq'] }, { name: 'popqa', settings: ['evaluation.datasets=popqa'] }]; // prettier-ignore
  expect(resultsOf(changed({ tasks, base: { preset: 'instant', settings } }), new Map()).dataSets.map(({ title }) => title)).toEqual(['two, hotpot', 'two, musique', 'two, mean', 'one, nq', 'popqa']); // prettier-ignore
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
