import { afterEach, beforeEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup, render, type RenderResult } from 'vitest-browser-react';
import { environments } from '../../src/env/index.ts';
import { handTree } from '../../src/store/ask/interventions.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { formatCredit, formatNumber } from '../../src/ui/parts/format.ts';
import { ROOT } from '../../src/units.ts';
import { seriousFindings } from '../support/axe.ts';
import { answerByHand } from '../support/hand_answer.ts';
import type { Listener } from '../support/questions.ts';
import { askingLab, liveTree } from '../support/scripted_lab.ts';

let lab: Lab;
let listener: Listener;
let screen: RenderResult;

afterEach(() => cleanup());

beforeEach(async () => {
  ({ lab, listener } = await askingLab());
  const { tree } = liveTree(lab);
  lab.selection.select({ view: 'tree', update: 1, prompt: tree.prompt.index });
  screen = await render(<App lab={lab} />);
});

/** Answers the last question as the engine does, with the scripted policy. */
async function answer() {
  const question = listener.of('intervene').at(-1)!;
  const grown = await answerByHand(question);
  await listener.answer('intervene', grown);
  return { question, grown };
}

const own = () => liveTree(lab).tree;
const hand = () => handTree(lab.interventions.getState(), lab.run.getState(), lab.selection.getState());
const drawn = (): number => screen.container.querySelectorAll('.tree-drawing [data-node]').length;
const standing = (nodes: readonly ({ pruned: boolean } | undefined)[]): number =>
  nodes.filter((node) => node && !node.pruned).length;
const text = (selector: string): string => screen.container.querySelector(selector)?.textContent ?? '';

/** A turn that a tool result opened. */
const opened = () => own().nodes.find((node) => node && node.depth === 1 && !node.pruned)!;

test('branching here adds turns to a copy, marked and counted; the run’s tree stays as it is', async () => {
  const before = own();
  lab.selection.select({ node: opened().id });
  await screen.getByRole('spinbutton', { name: 'turns' }).fill('3');
  await screen.getByRole('button', { name: 'Branch here' }).click();
  await expect.element(screen.getByRole('button', { name: 'Writing …' })).toBeDisabled();
  const { grown } = await answer();
  await expect.poll(drawn).toBe(standing(before.nodes) + grown.nodes.length);
  expect(own()).toBe(before);
  const marks = [...screen.container.querySelectorAll('[data-node]:has(.by-hand)')];
  expect(marks).toHaveLength(grown.nodes.length);
  for (const mark of marks) expect(mark.getAttribute('aria-label')).toContain('by hand');
  const copy = hand()!.tree;
  const rewards = copy.leaves.map((leaf) => copy.rewards![leaf]!);
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  expect(text('.hand-bar')).toContain('1 intervention; not part of the run; not trained on');
  expect(text('.hand-bar')).toContain(`Leaves ${before.leaves.length} → ${copy.leaves.length}`);
  expect(text('.hand-bar')).toContain(`→ ${formatNumber(mean, 3)}`);
  expect(text('.hand-bar')).toContain(
    `V(root) ${formatCredit(before.credit!.values![ROOT])} → ${formatCredit(copy.credit!.values![ROOT])}`,
  );
  expect(copy.leaves.length).toBe(
    before.leaves.length + grown.rewards.filter((reward) => reward !== null).length,
  );
  expect(text('.interventions')).toContain('written by the run’s starting policy');
  expect(await seriousFindings(screen.container)).toEqual([]);
  await screen.getByRole('button', { name: 'as the run grew it' }).click();
  await expect.poll(drawn).toBe(standing(before.nodes));
  await screen.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => text('.hand-bar')).toBe('');
});

test('an edited observation is what the engine is asked with, and both stand on the page', async () => {
  const turn = opened();
  const { vocabulary } = environments.search;
  lab.selection.select({ node: turn.id });
  await screen.getByRole('button', { name: 'Edit observation' }).click();
  const field = screen.getByRole('textbox', { name: /Observation before/ });
  await field.fill('<result> nobodyy </result>');
  await screen.getByRole('button', { name: 'Continue from the edited observation' }).click();
  await expect.poll(() => text('.observation-editor [role=alert]')).toContain('no word “nobodyy”');
  expect(text('.observation-editor [role=alert]')).toContain('The nearest:');
  expect(listener.of('intervene')).toEqual([]);
  const words = ['<result>', vocabulary[40], vocabulary[41], '</result>'];
  await field.fill(words.join(' '));
  await screen.getByRole('button', { name: 'Continue from the edited observation' }).click();
  const { question } = await answer();
  expect(question.opening!.tokens.map((id) => vocabulary[id])).toEqual(words);
  await expect.poll(() => text('.observation-change')).toContain(words.join(' '));
  const head = hand()!.tree.nodes[own().nodes.length]!;
  expect(screen.container.querySelector(`[data-node="${head.id}"]`)?.textContent).toContain(
    'observation edited',
  );
  expect(lab.selection.getState().node).toBe(head.id);
  await userEvent.keyboard('x'); // the run's own tree has no such turn
  await expect.poll(() => lab.selection.getState().node).toBe(null);
});

test('a pick is vetoed without an engine, a candidate is expanded with the run’s own K', async () => {
  const before = own();
  const { picks } = lab.run.getState().header!.config!.algorithm.rollout;
  await screen.getByRole('button', { name: 'iteration 1' }).click();
  await screen
    .getByRole('button', { name: /^Veto the picks/ })
    .first()
    .click();
  await expect.poll(() => hand()?.done.length).toBe(1);
  const vetoed = hand()!.tree;
  expect(vetoed.leaves.length).toBeLessThan(before.leaves.length);
  await expect.poll(drawn).toBe(standing(vetoed.nodes));
  expect(text('.hand-bar')).toContain(`Leaves ${before.leaves.length} → ${vetoed.leaves.length}`);
  expect(own()).toBe(before);
  await screen
    .getByRole('button', { name: /^Expand .* by hand/ })
    .first()
    .click();
  const { question, grown } = await answer();
  expect(question.count).toBe(picks);
  await expect.poll(drawn).toBe(standing(vetoed.nodes) + grown.nodes.length);
});

test('without WebGPU the controls say why they are off', async () => {
  lab.selection.select({ node: opened().id });
  lab.transport.engineUnavailable({ what: 'none', where: '', got: '', wanted: '', next: '' });
  await expect.element(screen.getByRole('button', { name: 'Branch here' })).toBeDisabled();
  expect(text('.hand-panel')).toContain('needs WebGPU');
});
