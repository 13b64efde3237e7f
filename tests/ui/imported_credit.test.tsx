/** Credit of rollouts of others, read off the screen and computed again from the files' own rewards, on two formats. */
import { afterEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup } from 'vitest-browser-react';
import type { ChosenFile } from '../../src/protocol/protocol.ts';
import { formatSigned } from '../../src/ui/parts/format.ts';
import { open } from '../support/kept_runs.tsx';
import seven from '../fixtures/imports/verl_0_6/7.jsonl?raw';
import wordle from '../fixtures/imports/verifiers_wordle_results.jsonl?raw';

afterEach(async () => {
  await cleanup();
  await page.viewport(1280, 800);
});

type Opened = Awaited<ReturnType<typeof open>>;

/** The rewards of a file, row by row, by its own field. */
const rewardsIn = (text: string, field: string): readonly number[] =>
  text.trim().split('\n').map((line) => (JSON.parse(line) as Record<string, number>)[field]); // prettier-ignore

/** A tree of the record with the rewards of its rows as the file has them. */
interface Ground {
  readonly parents: readonly (number | null)[]; // by node
  readonly rewards: ReadonlyMap<number, number>; // by leaf, in row order
}

function groundOf({ lab }: Opened, prompt: number, rewards: readonly number[]): Ground {
  const { trees, rollouts } = lab.run.getState().updates[0];
  const own = rollouts!.filter((each) => each.prompt === prompt);
  const line = (place: string): number => Number(/:(\d+)/.exec(place)![1]);
  const known = new Map(own.map(({ leaf, place }) => [Number(leaf), rewards[line(place) - 1]] as const));
  return {
    parents: trees[prompt].nodes.map((node) => node?.parent ?? null),
    rewards: new Map(trees[prompt].leaves.map((leaf) => [Number(leaf), known.get(leaf)!] as const)),
  };
}

// The arithmetic, in plain float64 of its own.

const mean = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0) / list.length;
const deviation = (list: readonly number[], ddof: number): number =>
  Math.sqrt(list.reduce((sum, each) => sum + (each - mean(list)) ** 2, 0) / (list.length - ddof));

/** V by node: leaves standardised within the tree, and above them the plain mean of the children. */
function valuesOf({ parents, rewards }: Ground): ReadonlyMap<number, number> {
  const list = [...rewards.values()];
  const values = new Map<number, number>();
  const value = (node: number): number | null => {
    const reward = rewards.get(node);
    if (reward !== undefined) return (reward - mean(list)) / (deviation(list, 0) + 1e-6);
    const children = parents.flatMap((parent, id) => (parent === node ? (value(id) ?? []) : []));
    return children.length === 0 ? null : mean(children);
  };
  parents.forEach((_, node) => {
    const own = value(node);
    if (own !== null) values.set(node, own);
  });
  return values;
}

/** GRPO by row: over the sample deviation of the group. */
function grpoOf({ rewards }: Ground): ReadonlyMap<number, number> {
  const list = [...rewards.values()];
  return new Map([...rewards].map(([leaf, reward]) => [leaf, (reward - mean(list)) / (deviation(list, 1) + 1e-6)])); // prettier-ignore
}

const pathOf = ({ parents }: Ground, leaf: number): readonly number[] => {
  const above: number[] = [];
  for (let node: number | null = leaf; node !== null && node !== 0; node = parents[node]) above.unshift(node);
  return above;
};
const withReward = (ground: Ground, leaf: number, reward: number): Ground => ({
  ...ground,
  rewards: new Map([...ground.rewards].map(([id, own]) => [id, id === leaf ? reward : own] as const)),
});
const without = (ground: Ground, leaf: number): Ground => ({
  ...ground,
  rewards: new Map([...ground.rewards].filter(([id]) => id !== leaf)),
});

// What is on screen.

const labels = ({ screen }: Opened): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...screen.container.querySelectorAll('.credit-view .tree-drawing [data-node]')].map((node) => [
      node.getAttribute('data-node')!,
      node.querySelector('.node-label')?.textContent.replace(/[↑↓]/g, '') ?? '',
    ]),
  );
const wantedLabels = (ground: Ground): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...valuesOf(ground)].filter(([node]) => node !== 0).map(([node, value]) => [String(node), `n${node} A ${formatSigned(value)}`]), // prettier-ignore
  );

const FORMATS = [
  { name: 'verl dump with a tree', path: '7.jsonl', text: seven, field: 'score' },
  { name: 'verifiers results', path: 'results.jsonl', text: wordle, field: 'reward' },
] as const;

test.for(FORMATS)(
  '$name: what-if, leave one out and two rules side by side',
  async ({ path, text, field }) => {
    const opened = await open({});
    const { screen, lab } = opened;
    const files: ChosenFile[] = [{ path, blob: new Blob([text]) }];
    await lab.files.openAll(files);
    const { trees } = lab.run.getState().updates[0];
    const prompt = trees.findIndex(({ leaves, rewards }) => rewards !== null && new Set(leaves.map((leaf) => rewards[leaf])).size > 1); // prettier-ignore
    const ground = groundOf(opened, prompt, rewardsIn(text, field));
    const [first] = ground.rewards.keys();
    expect(new Set(ground.rewards.values()).size).toBeGreaterThan(1);

    lab.selection.select({ view: 'credit', update: 1, prompt, creditFrame: 1e6 });
    await expect.poll(() => labels(opened)).toMatchObject(wantedLabels(ground));

    // What if: by the slider of the first leaf, from its reward one step up or down.
    const slider = screen.getByRole('slider', { name: `What if the reward of n${first} were` });
    expect(Number(slider.element().getAttribute('max'))).toBeGreaterThanOrEqual(Math.max(...ground.rewards.values())); // prettier-ignore
    const asked = ground.rewards.get(first)! > 0.5 ? 0 : 1;
    lab.selection.select({ whatIf: [{ leaf: trees[prompt].leaves[0], reward: asked }] });
    const changed = withReward(ground, first, asked);
    await expect.poll(() => labels(opened)).toMatchObject(wantedLabels(changed));
    const said = screen.container.querySelector('.leaves tr[data-changed=true] .reward-cell')!.textContent;
    const [now, was] = said.split(' was ').map((number) => Number(number.replace('−', '-')));
    expect(now).toBe(asked);
    expect(Math.abs(was - ground.rewards.get(first)!)).toBeLessThanOrEqual(0.005); // two digits of it
    lab.selection.select({ whatIf: [] });

    // Leave one leaf out, of the first turn of the first row.
    const [turn] = pathOf(ground, first);
    lab.selection.select({ node: trees[prompt].nodes[turn]!.id });
    const own = valuesOf(ground).get(turn)!;
    const rows = () =>
      Object.fromEntries(
        [...screen.container.querySelectorAll('.influences tbody tr')].map((line) => {
          const [leaf, rest, influence] = [...line.querySelectorAll('td')].map((cell) => cell.textContent);
          return [/n(\d+)$/.exec(leaf)![1], [rest, influence.replace(/[▲▼] /, '')]];
        }),
      );
    const wanted = [...ground.rewards.keys()].map((leaf) => {
      const rest = valuesOf(without(ground, leaf)).get(turn);
      return [String(leaf), rest === undefined ? ['no such turn', ''] : [formatSigned(rest), formatSigned(own - rest)]]; // prettier-ignore
    });
    await expect.poll(rows).toEqual(Object.fromEntries(wanted));

    // Two rules side by side: the value itself against GRPO.
    lab.selection.select({ view: 'compare', leaf: trees[prompt].leaves[0], advantageRule: 'node_value', valueRule: 'child_mean', againstAdvantage: 'vanilla' }); // prettier-ignore
    const matrix = screen.getByRole('region', { name: 'Every rule on this leaf' });
    const turns = pathOf(ground, first);
    const line = (side: 'A' | 'B') =>
    [...matrix.element().querySelectorAll(`tr[data-side=${side}] td button`)].map((cell) => cell.textContent.replace(/^. /, '')); // prettier-ignore
    await expect.poll(() => line('A')).toEqual(turns.map((node) => formatSigned(valuesOf(ground).get(node))));
    expect(line('B')).toEqual(turns.map(() => formatSigned(grpoOf(ground).get(first))));
    const signs = (node: number, leaf: number) =>
    [valuesOf(ground).get(node)!, grpoOf(ground).get(leaf)!].map((value) => (Math.abs(value) < 1e-9 ? 0 : Math.sign(value))); // prettier-ignore
    for (const leaf of trees[prompt].leaves) {
      lab.selection.select({ leaf });
      const parted = pathOf(ground, leaf).findIndex((node) => new Set(signs(node, leaf)).size > 1);
      const sentence = parted < 0
      ? `In the row of n${leaf} the rules push every token the same way.`
      : `In the row of n${leaf} the rules first disagree at turn ${parted + 1} (n${pathOf(ground, leaf)[parted]})`; // prettier-ignore
      await expect.poll(() => screen.container.querySelector('.disagreement p')?.textContent).toContain(sentence); // prettier-ignore
    }
  },
);
