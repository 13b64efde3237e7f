/** Credit on screen against the numbers that the trainer logged, step by step, rule by rule, on every kind of run. */
import { isLogged } from '../../src/protocol/protocol.ts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { devtools } from '../support/devtools.ts';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { OWN_CREDIT, recredit, type CreditChoice } from '../../src/store/credit/credit.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { lossRowOf } from '../../src/store/loss/loss_reading.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatCredit, formatNumber, formatSigned } from '../../src/ui/parts/format.ts';
import { RUN_SOURCES } from '../support/run_sources.ts';
import { liveTree, scriptedLab, scriptedLog } from '../support/scripted_lab.ts';

let screen: RenderResult;

afterEach(() => cleanup());

const text = (selector: string): string => screen.container.querySelector(selector)?.textContent ?? '';
const all = (selector: string): readonly Element[] => [...screen.container.querySelectorAll(selector)];
/** By node, as drawn. */
const labels = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    all('.tree-drawing [data-node]').map((node): readonly [string, string] => [
      node.getAttribute('data-node') ?? '',
      node.querySelector('.node-label')?.textContent ?? '',
    ]),
  );

async function open(lab: Lab): Promise<ReturnType<typeof liveTree>> {
  const live = liveTree(lab);
  lab.selection.select({ view: 'credit', update: 1, prompt: live.tree.prompt.index, stride: 'number' });
  screen = await render(<App lab={lab} />);
  return live;
}

describe.each(RUN_SOURCES)('on %s', (_, show) => {
  test('every step of every phase says the trainer’s number, in its sentence and as the result of its formula', async () => {
    const lab = createLab(() => undefined);
    show(lab, (await scriptedLog()).filter(isLogged));
    const { update, tree } = await open(lab);
    const { normalised, values, advantages } = tree.credit!;
    const slider = screen.getByRole('slider', { name: 'Credit step' });
    const length = Number(slider.element().getAttribute('max'));
    const next = screen.getByRole('button', { name: 'Next ▶' }).element() as HTMLElement;
    const phases: string[] = [];
    for (let step = 1; step <= length; step += 1) {
      next.click();
      await expect.poll(() => text('.credit-view output'), { interval: 5 }).toBe(`${step}/${length}`);
      const phase = text('.phases [aria-current=step]').replace(' (done)', '');
      const name = text('section[aria-label=Formula] h2').split(':')[0];
      const node = name === 'root' ? 0 : Number(name.slice(1));
      if (!phases.includes(phase)) phases.push(phase);
      if (phase.startsWith('5')) {
        const { row } = lossRowOf(
          update,
          tree.prompt.index,
          tree.leaves.find((leaf) => leaf === node)!,
        )!;
        const cells = all('.row-turns tbody tr td:last-child').map((cell) => cell.textContent);
        const firsts = row.turnLogRatio.map((_, turn) => row.advantage[row.turnIndex.indexOf(turn)]);
        expect(cells).toEqual(firsts.map((advantage) => formatCredit(advantage, 3)));
        continue;
      }
      const table = [tree.rewards!, normalised, values, advantages][Number(phase[0]) - 1]!;
      expect(all('.formula.live .formula-number').at(-1)?.textContent.replace(/[()]/g, '')).toBe(
        formatNumber(table[node], 3),
      );
      expect(text('.step-sentence')).toContain(
        phase.startsWith('1') ? formatNumber(table[node], 0) : formatSigned(table[node]),
      );
    }
    expect(phases).toEqual(['1 rewards', '2 normalise', '3 back up values', '4 advantages', '5 tokens']);
    const known = tree.nodes.flatMap((node) =>
      node && !node.pruned && node.parent !== null ? [node.id] : [],
    );
    for (const id of known) expect(labels()[id]).toBe(`n${id} A ${formatSigned(advantages[id])}`);
  });
});

/** What each node’s label comes to under a choice. */
function wanted(lab: Lab, choice: Partial<CreditChoice>): Readonly<Record<string, string>> {
  const { update, tree } = liveTree(lab);
  const own = lab.run.getState().header!.config!.algorithm.credit;
  const { advantages } = recredit(tree, own, { ...OWN_CREDIT, ...choice }, update.trees)!;
  return Object.fromEntries(
    tree.nodes.flatMap((node) =>
      node && !node.pruned && node.parent !== null
        ? [[String(node.id), formatSigned(advantages.byNode[node.id])]]
        : [],
    ),
  );
}

async function expectLabels(numbers: Readonly<Record<string, string>>): Promise<void> {
  for (const [id, number] of Object.entries(numbers))
    await expect.poll(() => labels()[id].replace(/[↑↓]/g, '')).toBe(`n${id} A ${number}`);
}

test('other value and advantage rules, and no normalisation, show the algorithms’ numbers at every turn', async () => {
  const lab = await scriptedLab();
  await open(lab);
  lab.selection.select({ creditFrame: 1e6 });
  await screen.getByRole('combobox', { name: 'value' }).selectOptions('child_mean');
  await expectLabels(wanted(lab, { valueRule: 'child_mean' }));
  await screen.getByRole('combobox', { name: 'advantage' }).selectOptions('diff_parent');
  await expectLabels(wanted(lab, { valueRule: 'child_mean', advantageRule: 'diff_parent' }));
  await screen.getByRole('checkbox', { name: 'normalise leaves' }).click();
  const all = { valueRule: 'child_mean', advantageRule: 'diff_parent', leafNormalisation: false } as const;
  expect(Object.values(wanted(lab, all))).not.toEqual(Object.values(wanted(lab, {})));
  await expectLabels(wanted(lab, all));
});

/** Numbers that a node shows on its way, frame by frame, in the second after `change`; the frames are ours, not the clock's. */
async function onTheWay(node: number, change: () => void): Promise<readonly string[]> {
  const seen: string[] = [];
  vi.useFakeTimers({ toFake: ['requestAnimationFrame', 'cancelAnimationFrame', 'performance'] });
  try {
    change();
    for (let frame = 0; frame < 60; frame += 1) {
      await new Promise((resolve) => setTimeout(resolve)); // React renders
      const label = labels()[node];
      if (seen.at(-1) !== label) seen.push(label);
      vi.advanceTimersToNextFrame();
    }
    return seen;
  } finally {
    vi.useRealTimers();
  }
}

const lessMotion = (value: 'reduce' | ''): Promise<unknown> =>
  devtools('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-reduced-motion', value }] });

test('another rule moves the numbers visibly, and at once where a person asks for less motion', async () => {
  const lab = await scriptedLab();
  const { tree } = await open(lab);
  lab.selection.select({ creditFrame: 1e6 });
  const leaf = tree.leaves.find((id) => tree.rewards![id] !== 1)!;
  await expect.poll(() => labels()[leaf]).toContain('A');
  const moved = await onTheWay(leaf, () => lab.selection.select({ whatIf: [{ leaf, reward: 1 }] }));
  expect(moved.length).toBeGreaterThan(3);
  try {
    await lessMotion('reduce');
    expect(matchMedia('(prefers-reduced-motion: reduce)').matches).toBe(true);
    const still = await onTheWay(leaf, () => lab.selection.select({ whatIf: [] }));
    expect(still.length).toBeLessThanOrEqual(2); // before and after
    expect(still.at(-1)).toBe(`n${leaf} A ${formatSigned(tree.credit!.advantages[leaf])}`);
  } finally {
    await lessMotion('');
  }
});
