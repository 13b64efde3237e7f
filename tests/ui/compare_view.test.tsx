import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { fileStem } from '../../src/store/export/run_export.ts';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { bestLeaf, rolloutTree } from '../../src/store/record/reading.ts';
import { agreementOf, firstDisagreement, ruleLine, tokenPairs } from '../../src/store/credit/compare.ts';
import type { TreeState, UpdateState } from '../../src/store/record/run_state.ts';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import type { AdvantageRule } from '../../src/units.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatCredit, formatNumber, formatRange, formatSigned } from '../../src/ui/parts/format.ts';
import { seriousFindings } from '../support/axe.ts';
import { listen, type Listener } from '../support/questions.ts';
import { liveTree, scriptedLog } from '../support/scripted_lab.ts';

let lab: Lab;
let listener: Listener;
let tree: TreeState;
let update: UpdateState;
let screen: RenderResult;

afterEach(() => cleanup());

beforeEach(async () => {
  listener = listen();
  lab = createLab(() => undefined, '', readRecording, null, listener);
  lab.run.apply(await scriptedLog());
  ({ tree, update } = liveTree(lab));
  lab.selection.select({ view: 'compare', update: 1, prompt: tree.prompt.index });
  lab.selection.select({ leaf: bestLeaf(tree) });
  screen = await render(<App lab={lab} />);
});

const header = () => lab.run.getState().header!;
const under = (advantageRule: AdvantageRule) =>
  recredit(tree, header().config!.algorithm.credit, { ...OWN_CREDIT, advantageRule }, update.trees)!;
const textOf = (selector: string): string => screen.container.querySelector(selector)?.textContent ?? '';

test('two rules stand side by side, each node with its own advantage', () => {
  const sides = [...screen.container.querySelectorAll('.compare-side')];
  /** What a node says of itself, up to what it is and by which expansion it came. */
  const labels = (side: Element): string[] =>
    [...side.querySelectorAll('[role=treeitem]')].map((item) =>
      item
        .getAttribute('aria-label')!
        .split(',')[0]
        .replace(/ \+\d+(?=$| to )/, ''),
    );
  const { contextLength } = header().environment!;
  /** What the tokens of a node are trained with, in all rows: no mean of them is shown. */
  const numbersOf = (rule: AdvantageRule, id: number): readonly number[] =>
    tree.leaves.flatMap((leaf) =>
      tokenPairs(rolloutTree(tree)!, under(rule), under(rule), leaf, contextLength)
        .filter(({ node }) => node === id)
        .map(({ a }) => a),
    );
  const want = (rule: AdvantageRule): string[] =>
    tree.nodes.flatMap((node) => {
      if (!node || node.parent === null || node.pruned) return [];
      const numbers = numbersOf(rule, node.id);
      const ends = [Math.min(...numbers), Math.max(...numbers)].map((value) => formatSigned(value));
      return [`n${node.id} ${[...new Set(ends)].join(' to ')}`];
    });
  expect(want('vanilla').some((label) => /−.* to \+/.test(label))).toBe(true); // rows of one turn are trained either way
  const below = [...sides[1].querySelectorAll('.node-hidden')].map(({ textContent }) => textContent.trim());
  expect(below.filter((note) => note.startsWith('to ')).toSorted()).toEqual(
    want('vanilla')
      .flatMap((label) => / (to .*)$/.exec(label)?.[1] ?? [])
      .toSorted(),
  );
  expect(
    labels(sides[0])
      .filter((label) => !label.startsWith('root'))
      .toSorted(),
  ).toEqual(want('node_value').toSorted());
  expect(
    labels(sides[1])
      .filter((label) => !label.startsWith('root'))
      .toSorted(),
  ).toEqual(want('vanilla').toSorted());
});

test('the first turn and token at which the rules disagree are those of the engine’s numbers', async () => {
  const complete = rolloutTree(tree)!;
  lab.selection.select({ againstAdvantage: 'diff_parent' });
  const { contextLength } = header().environment!;
  const rows = complete.leaves.map((leaf) => ({
    leaf,
    pairs: tokenPairs(complete, under('node_value'), under('diff_parent'), leaf, contextLength),
  }));
  const parted = rows.find(({ pairs }) => firstDisagreement(pairs))!;
  lab.selection.select({ leaf: parted.leaf });
  const first = firstDisagreement(parted.pairs)!;
  await expect
    .poll(() => textOf('.disagreement'))
    .toContain(`turn ${first.turn + 1} (n${first.node}), token ${first.position} `);
  expect(textOf('.disagreement')).toContain(`(${formatSigned(first.a)}), B`);
  const { opposite, tokens } = agreementOf(rows.flatMap(({ pairs }) => pairs));
  expect(textOf('.disagreement')).toContain(`${opposite} of ${tokens} trained tokens`);
  await screen.getByRole('button', { name: 'Show the token' }).click();
  expect(lab.selection.getState()).toMatchObject({ node: first.node, token: first.position });
});

test('without a chosen leaf the first one on which the rules part is shown', async () => {
  const complete = rolloutTree(tree)!;
  const { contextLength } = header().environment!;
  const [a, b] = [under('node_value'), under('diff_parent')];
  const parted = complete.leaves.find((leaf) =>
    firstDisagreement(tokenPairs(complete, a, b, leaf, contextLength)),
  )!;
  lab.selection.select({ againstAdvantage: 'diff_parent', leaf: null });
  await expect
    .poll(() => textOf('.disagreement'))
    .toContain(`In the row of n${parted} the rules first disagree`);
});

test('tokens say both advantages and their difference', () => {
  const leaf = bestLeaf(tree)!;
  const complete = rolloutTree(tree)!;
  const { contextLength } = header().environment!;
  const [pair] = tokenPairs(complete, under('node_value'), under('vanilla'), leaf, contextLength);
  const trained = [...screen.container.querySelectorAll('.compare-view .transcript .token')].filter((token) =>
    token.getAttribute('title')?.includes('B − A'),
  );
  expect(trained[0].getAttribute('title')).toContain(`B − A ${formatSigned(pair.b - pair.a)}`);
});

test('the matrix has a line per rule with the numbers of every turn', async () => {
  const leaf = bestLeaf(tree)!;
  const complete = rolloutTree(tree)!;
  const { contextLength } = header().environment!;
  const lines = [...screen.container.querySelectorAll('.rule-matrix tbody tr')];
  const rloo = lines.find((line) => line.textContent.includes('rloo'))!;
  const want = ruleLine(complete, under('rloo'), leaf, contextLength).map(({ range }) => formatRange(range));
  const got = [...rloo.querySelectorAll('td')].map((cell) => cell.textContent.replace(/^[▲▼±·] /, ''));
  expect(got).toEqual(want);
  const remax = lines.find((line) => line.textContent.includes('remax'))!;
  expect(remax.textContent).toContain('did not measure');
  (rloo.querySelector('button') as HTMLElement).click();
  await expect.poll(() => lab.selection.getState().againstAdvantage).toBe('rloo');
});

test('both tables are saved as CSV, named after the run and the tree', async () => {
  const written: Blob[] = [];
  const createObjectURL = URL.createObjectURL.bind(URL);
  const spy = vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    written.push(blob as Blob);
    return createObjectURL(blob);
  });
  const { prompt } = lab.selection.getState();
  const stem = fileStem(lab.run.getState());
  const line = () => screen.container.querySelector('.compare-view')?.textContent ?? '';
  const save = async (button: string, what: string): Promise<readonly string[]> => {
    await screen.getByRole('button', { name: button }).click();
    await expect.poll(line).toMatch(new RegExp(`Saved ${stem}-update\\d+-prompt${prompt}-${what}\\.csv\\.`));
    const text = await written.at(-1)!.text();
    return text
      .trimEnd()
      .split('\n')
      .filter((row) => !row.startsWith('#'));
  };
  const rules = await save('Every rule (CSV)', 'rules');
  const shown = [...screen.container.querySelectorAll('.rule-matrix tbody tr')];
  expect(rules[0]).toMatch(/^rule,title,turn 1 least/);
  expect(rules).toHaveLength(1 + shown.length);
  const credit = await save('A beside B (CSV)', 'credit');
  expect(credit[0]).toMatch(/^leaf,turn,node,position,word,A /);
  expect(credit.length).toBeGreaterThan(tree.leaves.length);
  spy.mockRestore();
});

test('the engine is asked for gradients of all rollouts, and its answer is shown', async () => {
  lab.transport.receive([
    { kind: 'ready', adapter: header().adapter!, algorithms: [], environments: [], presets: [], knobs: [] },
  ]);
  await screen.getByRole('button', { name: 'Compute the gradients on the GPU' }).click();
  const [question] = listener.of('compare-gradients');
  expect(question.rollouts).toHaveLength(update.trees.length);
  expect(question.rules[0].advantageRule).toBe('node_value');
  expect(question.rules[1].advantageRule).toBe('vanilla');
  const rules = question.rules.slice(0, 2);
  const cosines = [
    [1, -0.25],
    [-0.25, 1],
  ];
  await listener.answer('compare-gradients', {
    update: 1,
    rules,
    norms: [2, 0.5],
    cosines,
    parameters: 'starting',
    scoredTokens: 321,
    ms: 12,
  });
  await expect.poll(() => textOf('.gradient-cosines')).toContain('321 row tokens');
  const cells = [...screen.container.querySelectorAll('.cosines tbody td')].map((cell) => cell.textContent);
  expect(cells).toEqual(['2', '1.000', '−0.250', '0.5', '−0.250', '1.000']);
  const names = (): readonly string[] =>
    [...screen.container.querySelectorAll('.cosines thead th')].map((cell) => cell.textContent);
  expect(names()).toEqual(['rule', 'norm', 'A', 'B']);
  lab.selection.select({ againstAdvantage: 'rloo' }); // the answer is not of this rule
  await expect.poll(names).toEqual(['rule', 'norm', 'A', '2']);
});

test('a kept run and a recording stand beside the run on screen', async () => {
  await screen.getByRole('button', { name: 'Runs side by side' }).click();
  await screen.getByRole('button', { name: 'Keep the run on screen' }).click();
  await expect.poll(() => textOf('.what-changed')).toContain('Nothing came out differently');
  const log = (await scriptedLog()).map((event) =>
    event.kind === 'rewards' && event.update === 2
      ? {
          ...event,
          trees: event.trees.map((entry) => ({ ...entry, byNode: entry.byNode.map((r) => r && r + 1) })),
        }
      : event,
  );
  const file = Object.assign(new Blob([await writeRecording(log)]), { name: 'other.ndjson.gz' });
  await lab.shelf.open(file);
  const { runs } = lab.shelf.getState();
  lab.shelf.remove(runs[0].id);
  await expect.poll(() => textOf('.what-changed')).toContain('the rewards of update 2');
  expect(screen.container.querySelectorAll('.compare-runs .compare-side')).toHaveLength(2);
  expect(textOf('.compare-runs .curves')).toContain('Exact match');
});

test('has no serious accessibility findings', async () => {
  expect(await seriousFindings(screen.container)).toEqual([]);
});

test('where the rules disagree leads to the turn in Credit, at the step that finds its number, and to the token in Loss', async () => {
  const { contextLength } = header().environment!;
  const own = header().config!.algorithm.credit.advantageRule;
  const other = own === 'vanilla' ? 'node_value' : 'vanilla';
  const rows = tree.leaves.map((leaf) => firstDisagreement(tokenPairs(rolloutTree(tree)!, under(own), under(other), leaf, contextLength))); // prettier-ignore
  const at = rows.findIndex((row) => row !== null);
  const [leaf, first] = [tree.leaves[at], rows[at]!];
  lab.selection.select({ leaf });
  await screen.getByRole('button', { name: 'In Credit' }).click();
  expect(lab.selection.getState()).toMatchObject({ view: 'credit', leaf, node: first.node });
  await expect.poll(() => textOf('section[aria-label=Formula] h2')).toContain(`n${first.node}: `);
  const result = [...screen.container.querySelectorAll('.formula.live .formula-number')].at(-1)!;
  expect(result.textContent.replace(/[()]/g, '')).toBe(formatNumber(first.a, 3));
  lab.selection.select({ view: 'compare' });
  await screen.getByRole('button', { name: 'In Loss' }).click();
  expect(lab.selection.getState()).toMatchObject({
    view: 'loss',
    leaf,
    node: first.node,
    token: first.position,
  });
  await expect.poll(() => textOf('section[aria-label=Token] dl')).toContain(formatCredit(first.a, 3));
});
