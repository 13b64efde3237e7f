import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import { leafInfluence } from '../../src/store/credit/credit_change.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { pathTokens } from '../../src/store/record/reading.ts';
import type { TreeState } from '../../src/store/record/run_state.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { steppedReward } from '../../src/ui/credit/RewardDrag.tsx';
import { formatCount, formatNumber, formatSetting, formatSigned } from '../../src/ui/parts/format.ts';
import { move, press, release } from '../support/mouse.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';
import { seriousFindings } from '../support/axe.ts';

let lab: Lab;
let tree: TreeState;
let screen: RenderResult;

afterEach(() => cleanup());

beforeEach(async () => {
  lab = await scriptedLab();
  ({ tree } = liveTree(lab));
  lab.selection.select({ view: 'credit', update: 1, prompt: tree.prompt.index, stride: 'number' });
  screen = await render(<App lab={lab} />);
});

const labelOf = (node: number): string =>
  screen.container.querySelector(`[data-node="${node}"] .node-label`)?.textContent ?? '';
const sentence = (): string => screen.container.querySelector('.step-sentence')?.textContent ?? '';
const snapshot = (): string => screen.container.querySelector('.tree-drawing')?.textContent ?? '';

test('Space steps to the end and the arrow keys step back to the first frame', async () => {
  const first = snapshot();
  expect(labelOf(tree.leaves[0])).toContain('?');
  await userEvent.keyboard(' ');
  const reward = tree.rewards![tree.leaves[0]]!;
  await expect.poll(sentence).toBe(`Leaf n${tree.leaves[0]} earned a reward of ${formatNumber(reward, 0)}.`);
  await userEvent.keyboard('{End}');
  await expect
    .poll(() => labelOf(tree.leaves[0]))
    .toBe(`n${tree.leaves[0]} A ${formatSigned(tree.credit!.advantages[tree.leaves[0]])}`);
  const length = lab.selection.getState().creditFrame;
  expect(length).toBeGreaterThan(tree.leaves.length * 3);
  await userEvent.keyboard('{ArrowLeft}'.repeat(length));
  await expect.poll(snapshot).toBe(first);
  expect(lab.selection.getState().creditFrame).toBe(0);
});

test('a backed-up value is shown with the formula that gives it', async () => {
  await screen.getByRole('button', { name: /3 back up values/ }).click();
  await expect.element(screen.getByText('V = Σ w·V(child), w = e^H / Σ e^H')).toBeVisible();
  const numbers = [...screen.container.querySelectorAll('.formula.live .formula-number')].map((element) =>
    Number(element.textContent.replace(/[()]/g, '').replace('−', '-')),
  );
  const result = numbers.pop()!;
  const sum = numbers.reduce(
    (total, value, index) => total + (index % 2 ? numbers[index - 1] * value : 0),
    0,
  );
  expect(sum).toBeCloseTo(result, 2);
});

test('a number of the formula lights its node', async () => {
  await screen.getByRole('button', { name: /3 back up values/ }).click();
  await screen
    .getByRole('button', { name: /, of n\d+/ })
    .first()
    .click();
  const node = lab.selection.getState().node;
  expect(node).not.toBeNull();
  const selected = screen.container.querySelector('[role=treeitem][aria-selected=true]');
  expect(selected?.getAttribute('data-node')).toBe(String(node));
});

test('another value rule recredits the same rollouts at once and says that it is a what-if', async () => {
  await userEvent.keyboard('{End}');
  const before = labelOf(tree.nodes[0]!.children[0]);
  await screen.getByRole('combobox', { name: 'advantage' }).selectOptions('diff_parent');
  await expect.element(screen.getByText('What-if: the run was not trained with this.')).toBeVisible();
  await expect.poll(() => labelOf(tree.nodes[0]!.children[0])).not.toBe(before);
  await screen.getByRole('button', { name: 'Back to the run’s own' }).click();
  await expect.poll(() => labelOf(tree.nodes[0]!.children[0])).toBe(before);
});

test('dragging a leaf’s reward changes the values above it, and only on screen', async () => {
  await userEvent.keyboard('{End}');
  const leaf = tree.leaves.find((id) => tree.rewards![id] !== 1)!;
  const before = labelOf(leaf);
  await screen.getByRole('slider', { name: `What if the reward of n${leaf} were` }).fill('1');
  await expect.poll(() => labelOf(leaf)).not.toBe(before);
  expect(lab.selection.getState().whatIf).toEqual([{ leaf, reward: 1 }]);
  expect(liveTree(lab).tree.rewards![leaf]).not.toBe(1);
});

test('axe finds nothing serious in the Credit view', async () => {
  await userEvent.keyboard('{End}');
  expect(await seriousFindings(screen.container)).toEqual([]);
});

const leafElement = (leaf: number): SVGGElement =>
  screen.container.querySelector<SVGGElement>(`[data-node="${leaf}"]`)!;

test('a leaf dragged up on the tree gets the reward, and every change is told with its number before and after', async () => {
  await userEvent.keyboard('{End}');
  const leaf = tree.leaves.find((id) => tree.rewards![id] === 0) ?? tree.leaves[0];
  const from = tree.rewards![leaf]!;
  const { left, top } = leafElement(leaf).getBoundingClientRect();
  const at = (type: string, y: number): void =>
    void leafElement(leaf).dispatchEvent(
      new PointerEvent(type, { bubbles: true, clientX: left + 5, clientY: y, pointerId: 1, isPrimary: true }),
    );
  const capture = vi.spyOn(Element.prototype, 'setPointerCapture').mockReturnValue(); // a made-up pointer has none
  at('pointerdown', top + 5);
  at('pointermove', top + 5 - 30);
  at('pointerup', top + 5 - 30);
  capture.mockRestore();
  expect(lab.selection.getState().whatIf).toEqual([{ leaf, reward: Math.min(1, from + 0.5) }]);
  const { whatIf } = lab.selection.getState();
  const own = lab.run.getState().header!.config!.algorithm.credit;
  const { trees } = lab.run.getState().updates[0];
  const after = recredit(tree, own, { ...OWN_CREDIT, whatIf }, trees)!;
  const panel = screen.getByRole('region', { name: 'What changes' });
  await expect.element(panel).toBeVisible();
  const changed = { values: 0, advantages: new Set<number>() };
  for (const line of panel.element().querySelectorAll('tbody tr')) {
    const [name, value, advantage] = [...line.querySelectorAll('td')].map((cell) => cell.textContent);
    const id = name === 'root' ? 0 : Number(name.slice(1));
    expect(value).toContain(formatSigned(after.values.byNode[id]));
    if (value.includes('→')) {
      changed.values += 1;
      expect(value).toContain(formatSigned(tree.credit!.values![id]));
    }
    if (name === 'root') continue;
    expect(advantage).toContain(formatSigned(after.advantages.byNode[id]));
    if (advantage.includes('→')) {
      changed.advantages.add(id);
      expect(advantage).toContain(formatSigned(tree.credit!.advantages[id]));
    }
  }
  const trained = tree.leaves
    .flatMap((id) => pathTokens(tree, id, []))
    .filter(({ source }) => source === 'policy');
  const touched = trained.filter(({ node }) => changed.advantages.has(node)).length;
  expect(changed.values).toBeGreaterThan(0);
  await expect
    .element(panel.getByRole('status'))
    .toHaveTextContent(
      `${changed.values} values, ${changed.advantages.size} advantages and ${formatCount(touched)} of ${formatCount(trained.length)} tokens`,
    );
  await expect.poll(() => labelOf(leaf)).toContain(`A ${formatSigned(after.advantages.byNode[leaf])}`);
});

test('Shift and an arrow on a focused leaf change its reward by a half', async () => {
  const leaf = tree.leaves.find((id) => tree.rewards![id] === 0) ?? tree.leaves[0];
  leafElement(leaf).focus();
  await userEvent.keyboard('{Shift>}{ArrowDown}{/Shift}');
  expect(lab.selection.getState().whatIf).toEqual([
    { leaf, reward: steppedReward(tree.rewards![leaf]!, -1) },
  ]);
});

test('the influence of each leaf on the chosen turn is on screen as credit without the leaf gives it', async () => {
  const node = tree.nodes[0]!.children[0];
  await userEvent.keyboard('{End}');
  lab.selection.select({ node });
  const own = lab.run.getState().header!.config!.algorithm.credit;
  const { trees } = lab.run.getState().updates[0];
  const answer = leafInfluence(tree, own, OWN_CREDIT, trees, node)!;
  const lines = (): readonly string[] =>
    [...screen.container.querySelectorAll('.influences tbody tr')].map((line) => line.textContent);
  await expect.poll(() => lines().length).toBe(tree.leaves.length);
  answer.leaves.forEach(({ leaf, without, influence }, at) => {
    expect(lines()[at]).toContain(`n${leaf}`);
    expect(lines()[at]).toContain(without === null ? 'no such turn' : formatSigned(without));
    if (influence !== null) expect(lines()[at]).toContain(formatSigned(influence));
  });
});

test('any step can be jumped to by its sentence', async () => {
  const jump = screen.getByRole('combobox', { name: 'Jump to a step' });
  await jump.selectOptions('7');
  expect(lab.selection.getState().creditFrame).toBe(7);
  await expect.poll(sentence).toBe((jump.element() as HTMLSelectElement).selectedOptions[0].text.slice(3));
});

test('axe finds nothing serious with a what-if and its panels', async () => {
  lab.selection.select({ whatIf: [{ leaf: tree.leaves[0], reward: 0.3 }] });
  await expect.element(screen.getByRole('region', { name: 'What changes' })).toBeVisible();
  expect(await seriousFindings(screen.container)).toEqual([]);
});

const noteOf = (leaf: number): string =>
  leafElement(leaf).querySelector('.node-hidden')?.textContent.trim() ?? '';

test('a drag of the mouse says the reward at its leaf all along, and selects no text', async () => {
  await userEvent.keyboard('{End}');
  const leaf = tree.leaves.find((id) => tree.rewards![id] === 0) ?? tree.leaves[0];
  const own = tree.rewards![leaf]!;
  await expect.poll(() => labelOf(leaf)).toContain('A '); // the last step stands, and with it the drawing
  const { left, top } = leafElement(leaf).querySelector('rect')!.getBoundingClientRect();
  const at = (up: number, aside = 0) => ({ x: left + 6 + aside, y: top + 6 - up });
  expect(noteOf(leaf)).toBe('');
  await press(at(0), at(-12), at(-30));
  await expect.poll(() => lab.selection.getState().whatIf).toEqual([{ leaf, reward: own - 0.5 }]);
  await expect.poll(() => noteOf(leaf)).toBe(`r ${formatSetting(own)} → ${formatSetting(own - 0.5)}`);
  await move(at(-12), at(0)); // back to what was paid, still held
  await expect.poll(() => noteOf(leaf)).toBe(`r ${formatSetting(own)}`);
  await move(at(-12, 60), at(-30, 150));
  expect(getSelection()?.toString()).toBe('');
  await release(at(-30, 150));
  await expect.poll(() => noteOf(leaf)).toBe(`r ${formatSetting(own)} → ${formatSetting(own - 0.5)}`);
  expect(leafElement(leaf).getAttribute('aria-label')).toContain(`reward set to ${formatSetting(own - 0.5)}, was ${formatSetting(own)}`); // prettier-ignore
});

test('panning a tree selects no text of it', async () => {
  lab.selection.select({ view: 'tree' });
  await expect.poll(() => screen.container.querySelector('.tree-frame[data-main=true]')).not.toBeNull();
  const { left, top } = screen.container.querySelector('.node-label')!.getBoundingClientRect();
  await press({ x: left + 1, y: top + 3 }, { x: left + 40, y: top + 40 }, { x: left + 200, y: top + 160 });
  expect(getSelection()?.toString()).toBe('');
  await release({ x: left + 200, y: top + 160 });
});

/** Texts and spoken names of a part of the page, as a person or a screen reader has them. */
const saidIn = (selector: string): string =>
  [...screen.container.querySelectorAll(`${selector}, ${selector} *`)]
    .flatMap((element) => [
      ...[...element.childNodes].flatMap((child) => (child.nodeType === 3 ? [child.textContent ?? ''] : [])),
      ...['aria-label', 'aria-valuetext', 'title'].map((name) => element.getAttribute(name) ?? ''),
    ])
    .join(' | ');
/** Numbers with decimals, which only rewards, values and advantages have here. */
const decimals = (text: string): readonly string[] => text.match(/\d\.\d+/g) ?? [];

test('before the first step no number of credit is on screen, in tables, drawing, lists or spoken names', async () => {
  await expect.element(screen.getByRole('region', { name: 'Leaves' })).toBeVisible();
  for (const part of ['.credit-side', '.tree-drawing', '[aria-label="Credit steps"] .jump', '.step-sentence'])
    expect([part, decimals(saidIn(part).replace(/\d×/g, ''))]).toEqual([part, []]);
  expect(saidIn('.leaves tbody')).not.toMatch(/[▲▼]/);
  expect(screen.container.querySelectorAll('.leaves input, .leaves output')).toHaveLength(0);
  await userEvent.keyboard('{End}');
  await expect.poll(() => decimals(saidIn('.leaves')).length).toBeGreaterThan(tree.leaves.length);
});

test('each table cell appears with the step that finds it', async () => {
  const cells = (): readonly (readonly string[])[] =>
    [...screen.container.querySelectorAll('.leaves tbody tr')].map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent),
    );
  await userEvent.keyboard(' ');
  await expect.poll(() => cells()[0][1]).toBe(formatNumber(tree.rewards![tree.leaves[0]], 0));
  expect(cells()[1][1]).toContain('?');
  expect(cells().every((row) => row[2].includes('?') && row[3].includes('?'))).toBe(true);
});

test('by parent and by phase Next goes as far as it says, and the path of the step is the thick one', async () => {
  await screen.getByRole('combobox', { name: 'Step by' }).selectOptions('one phase');
  await screen.getByRole('button', { name: 'Next ▶' }).click();
  await expect.poll(() => lab.selection.getState().creditFrame).toBe(tree.leaves.length);
  await expect.poll(sentence).toContain('Rewards earned');
  for (let phase = 2; phase <= 5; phase += 1) await screen.getByRole('button', { name: 'Next ▶' }).click();
  const leaf = tree.leaves.at(-1)!;
  const thick = (): readonly (string | null)[] =>
    [...screen.container.querySelectorAll('.tree-drawing [data-on-path=true]')].map((link) =>
      link.getAttribute('d'),
    );
  lab.selection.select({ node: tree.leaves[0] });
  await expect.poll(() => thick().length).toBeGreaterThan(0);
  const ofTheStep = thick();
  lab.selection.select({ creditFrame: 0, node: leaf });
  await expect.poll(sentence).toContain('Nothing is known yet');
  await expect.poll(thick).toEqual(ofTheStep);
  lab.selection.select({ node: tree.leaves[0] });
  await expect.poll(thick).not.toEqual(ofTheStep);
  await userEvent.keyboard('{End}');
  await expect.element(screen.getByText('A(token) = A(turn)')).toBeVisible();
  const words = [...screen.container.querySelectorAll('section[aria-label=Formula] .token')];
  expect(words.length).toBe(pathTokens(tree, leaf, []).filter(({ source }) => source !== 'prompt').length);
});

test('Play goes on by itself to the end, stride by stride', async () => {
  lab.selection.select({ stride: 'phase' });
  await screen.getByRole('combobox', { name: 'speed of the steps' }).selectOptions('8×');
  await screen.getByRole('button', { name: 'Play steps' }).click();
  await expect.element(screen.getByRole('button', { name: 'Next ▶' })).toBeDisabled();
  await expect.element(screen.getByRole('button', { name: 'Play steps' })).toBeVisible();
});

test('under GRPO no values are backed up and the row’s tokens get the row’s number', async () => {
  lab.selection.select({ advantageRule: 'vanilla' });
  const phases = (): readonly string[] =>
    [...screen.container.querySelectorAll('.phases button')].map((button) => button.textContent);
  await expect.poll(phases).toEqual(['1 rewards', '2 advantages', '3 tokens']);
  await userEvent.keyboard('{End}');
  await expect.poll(sentence).toContain('get the row’s advantage.');
  expect(screen.container.querySelector('.leaves thead')?.textContent).not.toContain('normalised');
});
