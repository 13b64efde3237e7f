/** What a researcher asks of a run, on the page with the real engine: of a live run, a finished one and a recording. */
import { afterAll, afterEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup } from 'vitest-browser-react';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import { leafInfluence } from '../../src/store/credit/credit_change.ts';
import { observationOf } from '../../src/store/ask/hand_tree.ts';
import { lossRowOf } from '../../src/store/loss/loss_reading.ts';
import { netWeight } from '../../src/store/loss/net_weight.ts';
import type { CheckedStep } from '../../src/store/ask/inspection.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { isLogged, type EngineEvent, type RunEvent } from '../../src/protocol/protocol.ts';
import { formatCount, formatMs, formatNumber, formatSigned } from '../../src/ui/parts/format.ts';
import type { TurnNode } from '../../src/units.ts';
import { liveConfig, openLivePage, type LiveEngine } from '../support/live_page.tsx';

const SOON = { timeout: 60_000 };
const config = liveConfig();
const engines: LiveEngine[] = [];
let recording: readonly EngineEvent[] = []; // of the first test's run
afterEach(() => cleanup());
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

async function openPage(log: readonly EngineEvent[] = []) {
  const open = await openLivePage(config, log);
  engines.push(open.engine);
  await expect.poll(() => open.lab.transport.getState().prepared, SOON).toBe(true);
  return open;
}

const status = (lab: Lab) => lab.run.getState().status;
const press = (name: string | RegExp) => page.getByRole('button', { name }).first().click();
const panel = (name: string): string =>
  document.querySelector(`section[aria-label="${name}"]`)?.textContent ?? '';

/** The first tree of the update on screen whose rewards differ. */
function chooseTree(lab: Lab, update: number) {
  const { trees } = lab.run.getState().updates[update - 1];
  const prompt = trees.findIndex(({ leaves, rewards }) => new Set(leaves.map((leaf) => rewards![leaf])).size > 1); // prettier-ignore
  expect(prompt, 'a tree with something to learn').toBeGreaterThanOrEqual(0);
  lab.selection.select({ update, prompt });
  return { tree: trees[prompt], trees };
}

/** Credit of the chosen tree with a leaf's reward moved, and with each leaf left out, as the page shows them. */
async function askCredit(lab: Lab, update: number) {
  const { tree, trees } = chooseTree(lab, update);
  const rules = lab.run.getState().header!.config!.algorithm.credit;
  lab.selection.select({ view: 'credit', creditFrame: 1e6 });
  const leaf = tree.leaves.find((id) => tree.rewards![id] !== 1)!;
  await page.getByRole('slider', { name: `What if the reward of n${leaf} were` }).fill('1');
  const whatIf = [{ leaf, reward: 1 }];
  const after = recredit(tree, rules, { ...OWN_CREDIT, whatIf }, trees)!.advantages.byNode;
  const moves = ({ id, parent, pruned }: TurnNode): boolean =>
    parent !== null && !pruned && after[id] !== tree.credit!.advantages[id];
  const changed = tree.nodes.filter((node) => node && moves(node));
  await expect.poll(() => panel('What changes')).toContain(`${changed.length} advantages`);
  for (const node of changed) expect(panel('What changes')).toContain(formatSigned(after[node!.id]));
  lab.selection.select({ whatIf: [], node: leaf });
  const influence = leafInfluence(tree, rules, OWN_CREDIT, trees, leaf)!;
  for (const { without } of influence.leaves)
    await expect.poll(() => panel('Influence of leaves')).toContain(without === null ? 'no such turn' : formatSigned(without)); // prettier-ignore
}

/** The net weight of the first scored token of the chosen tree's best leaf. */
async function askNetWeight(lab: Lab, update: number) {
  const { tree } = chooseTree(lab, update);
  const { minibatches } = lab.run.getState().updates[update - 1];
  const minibatch = minibatches.find(({ rows }) => rows.some(({ prompt }) => prompt === tree.prompt.index))!;
  const { leaf, tokenIndex } = minibatch.rows.find(({ prompt }) => prompt === tree.prompt.index)!;
  lab.selection.select({ view: 'loss' });
  lab.selection.select({ leaf });
  lab.selection.select({ token: tokenIndex[0] });
  const net = netWeight(minibatch, tree, leaf, tokenIndex[0], config.algorithm.loss);
  expect(net.rows.length).toBeGreaterThan(1);
  await expect.poll(() => panel('Net weight')).toContain(`${formatNumber(net.weight, 6)}${formatSigned(net.signed, 6)}${formatSigned(net.dlogProb, 6)}`); // prettier-ignore
}

/** The checked steps as the page shows them; each step is held against the log's own numbers. */
async function readChecked(lab: Lab, steps: readonly CheckedStep[], update: number) {
  const said = (): string => panel('Predicted and actual change');
  await expect.poll(said, SOON).toContain(`Update ${update}.`);
  expect(steps).toHaveLength(config.promptsPerUpdate / config.promptsPerMinibatch);
  for (const { predicted, lossAfter, lossBefore, forecastCorrelation } of steps) {
    await expect.poll(said).toContain(formatSigned(predicted, 6));
    expect(said()).toContain(formatSigned(lossAfter - lossBefore, 6));
    expect(said()).toContain(formatNumber(forecastCorrelation, 3));
    expect(forecastCorrelation).toBeGreaterThan(0.9); // to first order a step does what its gradient promised
  }
  const { minibatches } = lab.run.getState().updates[update - 1];
  steps.forEach(({ rows, lossBefore }, index) => {
    expect(rows.map(({ before }) => before)).toEqual(minibatches[index].rows.map(({ logProb }) => logProb));
    expect(lossBefore).toBeCloseTo(minibatches[index].loss!, 5);
  });
}

test('live: profile, step check, what-ifs and net weight are the engine’s numbers; finished: the same run is trained again for them', async () => {
  const { lab, engine } = await openPage();
  lab.selection.select({ view: 'profile' });
  const kernels = page.getByText('Kernels: the WGSL that runs');
  await expect.element(kernels).toBeVisible();
  (kernels.element() as HTMLElement).click(); // opens it wherever the page stands
  const time = (): string => document.querySelector('.kernel-time')?.textContent ?? '';
  await expect.poll(time, SOON).toContain('No time of it yet');
  await press('Profile the next update');
  const profile = await engine.answerTo('profile', 0);
  await expect.poll(() => document.querySelector('.profile-facts')?.textContent, SOON).toContain(`${formatMs(profile.busyMs)}${formatCount(profile.rows.reduce((sum, { dispatches }) => sum + dispatches, 0))} dispatches`); // prettier-ignore
  const own = profile.rows.filter(({ kernel }) => kernel === 'policy_loss');
  const ms = own.reduce((sum, row) => sum + row.ms, 0);
  expect(own.length).toBeGreaterThan(0);
  await expect.poll(time).toContain(`${ms < 10 ? `${ms.toFixed(2)} ms` : formatMs(ms)} in update 1, `);
  await expect.poll(() => status(lab)).toBe('paused');
  await askCredit(lab, 1);
  await askNetWeight(lab, 1);
  const from = engine.asked.length;
  await press('Check the next update’s steps');
  const live = await engine.answerTo('check-steps', from);
  expect(live.update).toBe(2);
  lab.selection.select({ update: 2 });
  await readChecked(lab, live.steps, 2);
  await expect.poll(() => status(lab), SOON).toBe('finished');
  recording = engine.events.slice(engine.events.findLastIndex(({ kind }) => kind === 'run-started')).filter(isLogged); // prettier-ignore

  chooseTree(lab, 2);
  await askNetWeight(lab, 2);
  await askCredit(lab, 2);
  lab.selection.select({ view: 'loss' });
  const again = engine.asked.length;
  await press('Train again to update 2 and check it');
  const checked = await engine.answerTo('check-steps', again);
  expect(checked.steps).toEqual(live.steps); // the same run, bit for bit
  await readChecked(lab, checked.steps, 2);
});

test('recorded: what-ifs and net weight are the log’s; trained again, a branch is written by the policy that grew the tree', async () => {
  const { lab, engine } = await openPage(recording);
  lab.player.seek(2);
  await expect.poll(() => lab.run.getState().updates.length).toBe(2);
  await askCredit(lab, 2);
  await askNetWeight(lab, 2);
  const { trees } = lab.run.getState().updates[1];
  const prompt = trees.findIndex(({ nodes }) => nodes.some((node) => node && !node.pruned && observationOf(node).length > 0)); // prettier-ignore
  const tree = trees[prompt];
  const turn = tree.nodes.find((node) => node && !node.pruned && observationOf(node).length > 0)!;
  lab.selection.select({ view: 'tree', update: 2, prompt, leaf: null, token: null });
  lab.selection.select({ node: turn.id });
  await expect.poll(() => panel('By hand')).toContain('The policy that grew this tree writes the new words');
  expect(panel('By hand')).toContain(
    'the run is trained again to there, from its nearest checkpoint or its start',
  );
  const from = engine.asked.length;
  await press('Branch here');
  const { policy } = await engine.answerTo('intervene', from);
  expect(policy).toEqual({ parameters: 'replayed', update: 1, stepped: false, status: 'idle' });
  await expect
    .poll(() => panel('By hand'), SOON)
    .toContain('written by the policy after update 1, which grew this tree');
  expect(panel('By hand')).toContain(
    'weights after update 1: the start + 1 update replayed, equal to the log',
  );
  expect(lab.run.getState().updates[1].trees[prompt].nodes).toEqual(tree.nodes);

  // The log-probability of the word that was sampled is the one that the log holds: they are the same weights.
  const leaf = tree.leaves[0];
  const { row } = lossRowOf(lab.run.getState().updates[1], prompt, leaf)!;
  lab.selection.select({ view: 'loss' });
  lab.selection.select({ leaf, token: row.tokenIndex[0] });
  const asked = engine.asked.length;
  await press('Which words were pushed?');
  const push = await engine.answerTo('inspect-token', asked);
  expect(push.parameters).toBe('replayed');
  expect(push.chosen.logProb).toBeCloseTo(row.oldLogProb[0], 4);
  const words = () => panel('Push on the logits').replace(/\s+/g, ' ');
  await expect
    .poll(words)
    .toContain('probabilities at the weights that grew this update’s trees, those after update 1');
  expect(words()).toContain('weights after update 1: the start + 1 update replayed, equal to the log');
  const replays = engine.asked.filter(({ kind }) => kind === 'replay').length;
  const more = engine.asked.length;
  await press('Ask again');
  await engine.answerTo('inspect-token', more);
  expect(engine.asked.filter(({ kind }) => kind === 'replay').length).toBe(replays + 1); // the state is kept: nothing is trained
});

test('recorded: one press trains the run again and says that it is equal, or the number that is not', async () => {
  const at = recording.findIndex((event) => event.kind === 'step' && event.update === 2);
  const step = recording[at] as Extract<RunEvent, { kind: 'step' }>;
  const forged = recording.with(at, { ...step, gradientNorm: 2 * step.gradientNorm });
  const { lab } = await openPage(forged);
  lab.player.seek(2);
  await expect.poll(() => lab.run.getState().updates.length).toBe(2);
  document.querySelector<HTMLElement>('.badge summary')!.click();
  const said = (): string => document.querySelector('.replay-check')?.textContent ?? '';
  const count = page.getByRole('spinbutton', { name: 'first updates' });
  await count.fill('1');
  await press('Replay matches?');
  await expect.poll(said, SOON).toContain('Equal: update 1 says again what the log says, event for event.');
  await page.getByRole('checkbox', { name: 'all 2' }).click();
  await press('Replay matches?');
  const { gradientNorm } = step;
  const minibatch = `Not equal. The first event that differs: update 2, step: gradientNorm is ${2 * gradientNorm} in the log and ${gradientNorm} here.`;
  await expect.poll(said, SOON).toContain(minibatch);
});

test('recorded: a run is trained again for the check of its step, which is that of the run that was recorded', async () => {
  const { lab, engine } = await openPage(recording);
  lab.player.seek(2);
  await expect.poll(() => lab.run.getState().updates.length).toBe(2);
  const logged = lab.run.getState().updates[0].minibatches.map(({ rows }) => rows);
  chooseTree(lab, 1);
  lab.selection.select({ view: 'loss' });
  const from = engine.asked.length;
  await press('Train again to update 1 and check it');
  const { steps } = await engine.answerTo('check-steps', from);
  await expect.poll(() => lab.selection.getState().update, SOON).toBe(1);
  await readChecked(lab, steps, 1);
  expect(lab.run.getState().updates[0].minibatches.map(({ rows }) => rows)).toEqual(logged);
});
