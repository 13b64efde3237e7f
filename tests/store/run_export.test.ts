/** Exported tables against the log that they are of, and against what `npm run lab -- --json` writes of the same log. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readLogPart, writeRecording } from '../../src/files/recording.ts';
import { isLogged, type EventOf, type RunEvent } from '../../src/protocol/protocol.ts';
import { ruleLines, tokenPairs, underRule } from '../../src/store/credit/compare.ts';
import { creditCsv, rulesCsv } from '../../src/store/export/compare_csv.ts';
import { contextLengthOf, rolloutTree } from '../../src/store/record/reading.ts';
import { bibtex } from '../../src/store/export/citation.ts';
import { LONGEST_LINK, linkOf, type LinkParts } from '../../src/store/export/link.ts';
import { jsonLines, metricsCsv, type LineKind } from '../../src/store/export/run_export.ts';
import { readLoss } from '../../src/store/loss/loss_reading.ts';
import { pathTokens } from '../../src/store/record/reading.ts';
import { decodeSelection } from '../../src/store/place/address.ts';
import { INITIAL_SELECTION } from '../../src/store/place/selection.ts';
import { createRunStore, type RunStore } from '../../src/store/record/run.ts';
import { summarise } from '../../src/train/engine/lab.ts';
import { PROGRAM, nodeId } from '../../src/units.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const config = smallConfig({ updates: 2, promptsPerUpdate: 4, promptsPerMinibatch: 2, seed: 11 });
const log = await scriptedRun(config);

function recordOf(events: readonly Parameters<RunStore['apply']>[0][number][]): RunStore {
  const record = createRunStore();
  record.apply(events);
  return record;
}

function table(csv: string) {
  const lines = csv.split('\n').filter((line) => line !== '');
  const [names, ...rows] = lines.filter((line) => !line.startsWith('#')).map((line) => line.split(','));
  return { head: lines.filter((line) => line.startsWith('#')), names, rows };
}

interface Line {
  readonly kind: string;
  readonly [key: string]: unknown;
}

async function linesOf(record: RunStore, kind: LineKind, update: number | 'all'): Promise<readonly Line[]> {
  let text = '';
  for await (const part of jsonLines(record, kind, update)) text += part;
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

test('the CSV holds the numbers of npm run lab -- --json, all digits, one row an update', () => {
  const result = summarise(log.filter(isLogged), 1);
  const { names, rows } = table(metricsCsv(recordOf(log).getState()));
  const at = (update: number, name: RegExp): number => {
    const column = names.findIndex((each) => name.test(each));
    return Number(rows.find(([number]) => Number(number) === update)![column]);
  };
  expect(rows.map(([update]) => Number(update))).toEqual([0, 1, 2]);
  for (const { update, ...metrics } of result.updates)
    for (const [key, value] of Object.entries(metrics))
      if (value !== null && Number.isFinite(value))
        expect(at(update, new RegExp(`^${key} \\[`)), `${key} of update ${update}`).toBe(value);
  for (const { update, dataset, greedy, exactMatch } of result.evaluations)
    expect(at(update, new RegExp(`^heldOut\\.exactMatch ${dataset} ${greedy ? 'greedy' : 'sampled'} `))).toBe(exactMatch); // prettier-ignore
  expect(names.filter((name) => !/^update$| \[[^\]]+\]$/.test(name))).toEqual([]); // a unit each
});

test('the first lines say which run it is', () => {
  const changed = { ...config, optimiser: { ...config.optimiser, learningRate: 0.123 } };
  const events = log.map((event) => (event.kind === 'run-started' ? { ...event, config: changed } : event));
  const head = table(metricsCsv(recordOf(events).getState())).head.join('\n');
  expect(head).toContain(`# program: ${PROGRAM}`);
  expect(head).toContain('# preset: instant');
  expect(head).toContain('# seed: 11');
  expect(head).toContain('# adapter: no GPU');
  expect(head).toMatch(/# differences: .*optimiser\.learningRate = 0\.123/);
});

test('the first lines say what a record counts and does not hold', async () => {
  const ended = { kind: 'update-ended', update: 2, elsewhere: { groups: 12, rollouts: 96 } } as const;
  const record = recordOf([...log, ended]);
  const words = '12 groups of 96 rollouts, which stand in the file alone';
  expect(table(metricsCsv(record.getState())).head).toContain(`# notHeld: ${words}`);
  expect((await linesOf(record, 'nodes', 2))[0]).toMatchObject({ notHeld: words });
  expect((await linesOf(record, 'nodes', 1))[0]).toMatchObject({ notHeld: 'nothing' });
});

test('tables of Compare: every rule on a leaf’s turns, and two rules token by token, headed by run, update and question', () => {
  const run = recordOf(log).getState();
  const [update] = run.updates;
  const [, state] = update.trees;
  const own = config.algorithm.credit;
  const tree = rolloutTree(state)!;
  const length = contextLengthOf(run);
  const leaf = tree.leaves[0];
  const lines = ruleLines(update, state, own, leaf, length);
  const matrix = table(rulesCsv(run, { update: 1, state }, leaf, lines));
  expect(matrix.head.join('\n')).toMatch(
    /# seed: 11[\s\S]*# update: 1[\s\S]*# prompt: 1[\s\S]*# question: \S/,
  );
  expect(matrix.rows.map(([rule]) => rule)).toEqual(lines.map(({ rule }) => rule));
  for (const { rule, turns } of lines) {
    const cells = matrix.rows.find(([name]) => name === rule)!.slice(-2 * lines[0].turns!.length); // a title may hold a comma
    expect(cells.map((cell) => (cell === '' ? null : Number(cell)))).toEqual(turns?.flatMap(({ range }) => range) ?? cells.map(() => null)); // prettier-ignore
  }
  const choice = (advantageRule: 'node_value' | 'vanilla') => underRule(update, state, own, { valueRule: null, advantageRule, leafNormalisation: null })!; // prettier-ignore
  const rows = tree.leaves.map((each) => ({ leaf: each, pairs: tokenPairs(tree, choice('node_value'), choice('vanilla'), each, length) })); // prettier-ignore
  const credit = table(creditCsv(run, { update: 1, state }, { a: 'node_value', b: 'vanilla' }, rows));
  expect(credit.names.slice(-3)).toEqual(['A node_value [1]', 'B vanilla [1]', 'B − A [1]']);
  expect(credit.rows.map((row) => row.slice(-3).map(Number))).toEqual(rows.flatMap(({ pairs }) => pairs.map(({ a, b }) => [a, b, b - a]))); // prettier-ignore
  const words = pathTokens(state, leaf, run.texts);
  expect(credit.rows[0].slice(0, 5)).toEqual([leaf, 1, rows[0].pairs[0].node, rows[0].pairs[0].position, words[rows[0].pairs[0].position].text].map(String)); // prettier-ignore
});

test('what is not finite or not known is empty', () => {
  const events = log.map((event): (typeof log)[number] =>
    event.kind === 'metrics' && event.update === 1
      ? { ...event, metrics: { ...event.metrics, loss: NaN, gradientNorm: Infinity, unknown: null } }
      : event,
  );
  const { names, rows } = table(metricsCsv(recordOf(events).getState()));
  const cells = (key: string) =>
    rows.map((row) => row[names.findIndex((name) => name.startsWith(`${key} [`))]);
  for (const key of ['loss', 'gradientNorm', 'unknown']) expect(cells(key)[1]).toBe('');
  expect(cells('loss')[2]).not.toBe('');
  expect(rows.every((row) => row.length === names.length)).toBe(true);
});

test('nodes: every node of the log once, with its words, value, advantage and reward', async () => {
  const record = recordOf(log);
  const lines = await linesOf(record, 'nodes', 'all');
  const nodes = log.filter((event) => event.kind === 'node');
  const told = lines.filter(({ kind }) => kind === 'node');
  expect(lines[0]).toMatchObject({
    kind: 'run',
    seed: 11,
    update: 'all',
    preset: 'instant',
    adapter: 'no GPU',
  });
  expect(told.filter(({ id }) => id !== 0)).toHaveLength(nodes.filter(({ node }) => node.id !== 0).length);
  const credits = log.filter((event) => event.kind === 'credit');
  const rewards = log.filter((event) => event.kind === 'rewards');
  expect(credits).toHaveLength(2);
  for (const line of told) {
    const { update, prompt, id } = line as unknown as { update: number; prompt: number; id: number };
    const ofTree = <T extends { readonly prompt: number }>(
      events: readonly { update: number; trees: readonly T[] }[],
    ) => events.find((event) => event.update === update)!.trees.find((tree) => tree.prompt === prompt)!;
    expect(line.value).toBe(ofTree(credits).values?.[id]);
    expect(line.reward).toBe(ofTree(rewards).byNode[id] ?? null);
    const advantage = ofTree(credits).advantages[id];
    if (id !== 0 && !line.pruned) expect(line.advantage).toEqual([advantage, advantage]); // node_value: one a turn
    const { texts, updates } = record.getState();
    const words = pathTokens(updates[update - 1].trees[prompt], nodeId(id), texts).filter(
      ({ node }) => node === id,
    );
    expect(`${String(line.observation)} ${String(line.generated)}`.trim()).toBe(
      words.map(({ text }) => text).join(' '),
    );
  }
});

test('tokens: every row of the loss, number by number; the question and turns outside of rows once', async () => {
  const record = recordOf(log);
  const run = record.getState();
  const lines = await linesOf(record, 'tokens', 2);
  const { updates } = run;
  expect(new Set(lines.slice(1).map(({ update }) => update))).toEqual(new Set([2]));
  let scored = 0;
  for (const tree of updates[1].trees)
    for (const leaf of tree.leaves) {
      const reading = readLoss(updates[1], tree, leaf, config.algorithm.loss)!;
      const own = lines.filter((line) => line.prompt === tree.prompt.index && line.leaf === leaf);
      const wanted = pathTokens(tree, leaf, run.texts).slice(tree.prompt.tokens.length);
      expect(
        own.map(({ text, author, position, sampledLogProb }) => ({ text, author, position, sampledLogProb })),
      ).toEqual(
        wanted.map(({ text, source, position, logProb }) => ({
          text,
          author: source,
          position,
          sampledLogProb: logProb,
        })),
      );
      for (const token of reading.turns.flatMap(({ tokens }) => tokens)) {
        const { ratio, clipState, advantage, oldLogProb, logProb, tokenLoss: loss } = token;
        expect(own.find(({ position }) => position === token.position)).toMatchObject({ ratio, clipState, advantage, oldLogProb, logProb, loss }); // prettier-ignore
        scored += 1;
      }
      expect(own.filter(({ author, ratio }) => author === 'environment' && ratio !== null)).toEqual([]);
    }
  expect(scored).toBe(lines.filter(({ ratio }) => typeof ratio === 'number').length);
  const questions = lines.filter(({ author }) => author === 'prompt');
  expect(questions).toHaveLength(updates[1].trees.reduce((sum, { prompt }) => sum + prompt.tokens.length, 0));
});

test('an update that left memory is read back; one that is lost says so', async () => {
  const kept = createRunStore({ keptBytes: 0, codec: { write: writeRecording, read: readLogPart } });
  const lost = createRunStore({ keptBytes: 0 });
  const longer = await scriptedRun({ ...config, updates: 4 });
  const firstTwo = async (store: RunStore) => {
    store.apply(longer);
    await store.settled();
    return linesOf(store, 'nodes', 1);
  };
  const whole = await linesOf(recordOf(longer), 'nodes', 1);
  const read = await firstTwo(kept);
  expect(kept.getState().updates[0].detail).toBe('archived');
  expect(read.map(({ id, generated }) => [id, generated])).toEqual(
    whole.map(({ id, generated }) => [id, generated]),
  );
  expect((await firstTwo(lost)).slice(1)).toEqual([{ kind: 'lost', update: 1 }]);
});

test('a record without a recipe has null where it does not say', async () => {
  const text = readFileSync('tests/fixtures/foreign_run.ndjson', 'utf8');
  const events = text.trim().split('\n').map((line) => JSON.parse(line) as RunEvent); // prettier-ignore
  const record = recordOf(events.filter((event) => 'kind' in event));
  const started = events.find(
    (event): event is RunEvent & EventOf<'run-started'> => event.kind === 'run-started',
  );
  const lines = await linesOf(record, 'tokens', 'all');
  expect(started?.config).toBe(null);
  expect(lines[0]).toMatchObject({ method: null, preset: null, seed: null, settings: null });
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.slice(1).every(({ ratio, clipState, loss }) => ratio === null && clipState === null && loss === null)).toBe(true); // prettier-ignore
});

test('the program’s version is the package’s and the citation file’s; both name the same authors', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(PROGRAM).toBe(`Turnwise ${version}`);
  const cff = readFileSync('CITATION.cff', 'utf8');
  expect(cff).toContain(`\nversion: ${version}\n`);
  const link = 'https://lab.example/#v1&view=tree&set={1}';
  const text = bibtex(link, '2026-11-28T10:00:00.000Z');
  expect(text).toContain(`version = {${version}}`);
  expect(text).toContain('url = {https://lab.example/#v1&view=tree&set=%7B1%7D}');
  const families = [...cff.matchAll(/family-names: (\w+), given-names: (\w+)/g)].map(([, family, given]) => `${family}, ${given}`); // prettier-ignore
  expect(families).toHaveLength(9);
  expect(text).toContain(`author = {${families.join(' and ')}}`);
});

const linkParts = (changes: Partial<LinkParts> = {}): LinkParts => ({
  run: recordOf(log).getState(),
  selection: { ...INITIAL_SELECTION, view: 'tree', prompt: 2 },
  base: 'https://lab.example/',
  ...{ source: 'live', isHosted: false, handTrees: 0, otherRuns: 0 },
  ...changes,
});
const withStart = (change: object) =>
  recordOf(log.map((event) => (event.kind === 'run-started' ? { ...event, ...change } : event))).getState();

test('a link opens the place on screen, the newest update included', () => {
  const { href, tooLong } = linkOf(linkParts());
  expect(decodeSelection(new URL(href).hash)).toMatchObject({ view: 'tree', prompt: 2, update: 2 });
  expect(tooLong).toBe(null);
});

test('a link says what it cannot carry, by where the run comes from', () => {
  const kernel = { name: 'adamw', source: '//', gradientCheck: 'unchecked' as const };
  const said = (changes: Partial<LinkParts>) => linkOf(linkParts(changes)).limits.join(' ');
  expect(said({ source: 'recorded' })).toBe('');
  expect(said({ source: 'file', isHosted: true })).toBe('');
  expect(said({})).toMatch(/log of the run.*Trained weights/);
  expect(said({ run: withStart({ config: { ...config, editedKernel: kernel } }) })).toMatch(
    /edited kernel adamw/,
  );
  expect(said({ run: withStart({ origin: { kind: 'forked', run: 'at2po', update: 3 } }) })).toMatch(/weights that it began from, of at2po after update 3/); // prettier-ignore
  expect(said({ run: withStart({ config: null, origin: { kind: 'imported', file: 'r.jsonl', format: 'verl' } }) })).toMatch(/rollouts of r\.jsonl/); // prettier-ignore
  expect(said({ source: 'recorded', handTrees: 2 })).toBe(
    'Turns that were made by hand, in 2 trees of this run.',
  );
});

test('a link that programs cut is said to be too long', () => {
  const find = { text: 'x'.repeat(LONGEST_LINK), tag: '', reward: '', low: null, high: null };
  const { href, tooLong } = linkOf(linkParts({ selection: { ...INITIAL_SELECTION, view: 'tree', find } }));
  expect(href.length).toBeGreaterThan(LONGEST_LINK);
  expect(tooLong).toContain(href.length.toLocaleString('en-US'));
});
