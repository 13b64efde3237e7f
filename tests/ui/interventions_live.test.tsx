/** Interventions in the page on a run that is training: real engine, real policy; and the run that nobody touched beside it. */
import { afterAll, afterEach, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { cleanup } from 'vitest-browser-react';
import { handTree } from '../../src/store/ask/interventions.ts';
import { observationOf } from '../../src/store/ask/hand_tree.ts';
import type { TreeState } from '../../src/store/record/run_state.ts';
import { formatNumber } from '../../src/ui/parts/format.ts';
import type { TurnNode } from '../../src/units.ts';
import { comparable, liveConfig, openEngine, openLivePage } from '../support/live_page.tsx';

const SOON = { timeout: 60_000 };
const config = liveConfig();
const open: { close: () => Promise<void> }[] = [];
afterEach(() => cleanup());
afterAll(async () => {
  for (const engine of open) await engine.close();
});

/** Log and last parameters of the run that nobody asks anything. */
async function untouched() {
  const engine = openEngine();
  await engine.start();
  open.push(engine);
  await engine.send({ kind: 'open', config });
  await engine.send({ kind: 'play' });
  await expect.poll(() => engine.events.at(-1), SOON).toMatchObject({ status: 'finished' });
  const log = comparable(engine.events);
  const { bytes } = await engine.ask({ kind: 'save-weights' });
  return { log, bytes };
}

async function openPage() {
  const { lab, screen, engine } = await openLivePage(config);
  open.push(engine);
  const text = (selector: string): string => screen.container.querySelector(selector)?.textContent ?? '';
  const own = () => {
    const { update, prompt } = lab.selection.getState();
    return lab.run.getState().updates[update! - 1].trees[prompt];
  };
  const hand = () => handTree(lab.interventions.getState(), lab.run.getState(), lab.selection.getState())!;
  const drawn = (): number => screen.container.querySelectorAll('.tree-drawing [data-node]').length;
  const choose = async (node: TurnNode): Promise<void> => {
    const element = () => screen.container.querySelector(`.tree-drawing [data-node="${node.id}"]`);
    await expect.poll(element).not.toBeNull();
    element()!.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    await expect.poll(() => text('.hand-panel h2')).toContain(`n${node.id}`);
  };
  /** Presses, waits for the engine's turns, and compares what is on screen with them. */
  const grow = async (press: () => Promise<void>) => {
    const from = engine.asked.length;
    const before = drawn();
    await press();
    const answer = await engine.answerTo('intervene', from);
    await expect.poll(drawn, SOON).toBe(before + answer.nodes.length);
    return answer;
  };
  return { lab, screen, engine, text, own, hand, drawn, choose, grow };
}

const live = (node: TurnNode | undefined): node is TurnNode => node !== undefined && !node.pruned;

/** On a path that no expansion made: it stays when picks are vetoed. */
const isFirstRound = (nodes: TreeState['nodes'], { origin, parent }: TurnNode): boolean =>
  origin.kind === 'initial' || (origin.kind === 'continuation' && isFirstRound(nodes, nodes[parent!]!));

test('branch, force, veto and an edited observation on a live run are on screen as the engine gave them, and the next update is the same bit for bit', async () => {
  const plain = await untouched();
  const { lab, screen, engine, text, own, hand, drawn, choose, grow } = await openPage();
  const oneUpdate = screen.getByRole('button', { name: 'One update' });
  await expect.poll(() => lab.transport.getState().prepared, SOON).toBe(true);
  const trainLive = screen.getByRole('button', { name: 'Train live' }).first();
  await expect.element(oneUpdate).toBeEnabled();
  for (const button of [trainLive, oneUpdate]) (button.element() as HTMLElement).click(); // at once: no further than one
  await expect.poll(() => lab.run.getState().updates[0]?.metrics, SOON).toBeTruthy();
  await expect.poll(() => lab.run.getState().status).toBe('paused');
  // a tree with a turn that read a tool's result, and with a pick to veto
  const { trees } = lab.run.getState().updates[0];
  const readerOf = ({ nodes }: TreeState) =>
    nodes.find((node) => live(node) && observationOf(node).length > 2 && isFirstRound(nodes, node));
  const prompt = trees.findIndex((tree) => readerOf(tree));
  expect(prompt).toBeGreaterThanOrEqual(0);
  lab.selection.select({ view: 'tree', update: 1, prompt });
  await expect.poll(drawn).toBeGreaterThan(5);
  const tree = own();
  const logged = JSON.stringify(tree);
  const reader = readerOf(tree)!;

  // branch here
  await choose(reader);
  await screen.getByRole('spinbutton', { name: 'turns' }).fill('2');
  const branched = await grow(() => screen.getByRole('button', { name: 'Branch here' }).click());
  expect(branched.policy).toEqual({ parameters: 'current', update: 1, stepped: true, status: 'paused' });
  expect(text('.interventions')).toContain('written by the policy in update 1, with the steps taken so far');
  const marks = [...screen.container.querySelectorAll('[data-node]:has(.by-hand)')];
  expect(marks).toHaveLength(branched.nodes.length);
  const paid = branched.rewards.filter((reward) => reward !== null);
  expect(text('.hand-bar')).toContain(`Leaves ${tree.leaves.length} → ${tree.leaves.length + paid.length}`);
  const rewards = [...tree.leaves.map((leaf) => tree.rewards![leaf]!), ...paid];
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  expect(text('.hand-bar')).toContain(`→ ${formatNumber(mean, 3)},`);

  // veto, then force
  await screen.getByRole('button', { name: 'iteration 1' }).click();
  const standing = hand().tree.leaves.length;
  await screen.getByRole('button', { name: /^Veto the picks/ }).first().click(); // prettier-ignore
  await expect.poll(() => hand().tree.leaves.length).toBeLessThan(standing);
  const left = hand().tree;
  await expect.poll(drawn).toBe(left.nodes.filter(live).length);
  expect(text('.hand-bar')).toContain(`Leaves ${tree.leaves.length} → ${left.leaves.length}`);
  const force = screen.getByRole('button', { name: /^Expand .* by hand/ }).first();
  const forced = await grow(() => force.click());
  const heads = forced.nodes.filter(({ parent }) => parent === null || parent < forced.first);
  expect(heads).toHaveLength(config.algorithm.rollout.picks);

  // another observation, while the next update trains
  await choose(reader);
  await screen.getByRole('button', { name: 'Edit observation' }).click();
  const { vocabulary } = lab.run.getState().header!.environment!;
  const words = ['<result>', vocabulary[40], vocabulary[41], '</result>'];
  await screen.getByRole('textbox', { name: /Observation before/ }).fill(words.join(' '));
  lab.transport.stepUpdate();
  await expect.poll(() => lab.run.getState().status).toBe('running');
  const edited = await grow(() =>
    screen.getByRole('button', { name: 'Continue from the edited observation' }).click(),
  );
  const [head] = edited.nodes;
  expect(head.tokens.slice(0, 4).map((id) => vocabulary[id])).toEqual(words);
  await expect.poll(() => text('.observation-change')).toContain(words.join(' '));
  expect(text('.hand-bar')).toContain('4 interventions; not part of the run; not trained on');
  const written = head.tokens.map((id) => vocabulary[id]).join(' ');
  await expect.poll(() => text('.tree-side').replace(/\s+/g, ' ')).toContain(written.split(' ').at(-1));

  // the run: its tree, its log, its parameters
  await expect.poll(() => lab.run.getState().status, SOON).toBe('finished');
  expect(JSON.stringify(own())).toBe(logged);
  expect(comparable(engine.events)).toEqual(plain.log);
  const { bytes } = await engine.ask({ kind: 'save-weights' });
  const [touched, alone] = [bytes, plain.bytes].map((each) => new Uint8Array(each));
  expect(touched.length).toBe(alone.length);
  expect(touched.findIndex((byte, at) => byte !== alone[at])).toBe(-1); // none differs
  const asked = engine.asked.filter(({ kind }) => kind === 'intervene');
  expect(asked).toHaveLength(3);
  await userEvent.keyboard('x');
  await expect.poll(drawn).toBe(tree.nodes.filter(live).length);
});
