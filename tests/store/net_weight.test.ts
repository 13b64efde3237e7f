import { beforeAll, expect, test } from 'vitest';
import { packTrees } from '../../src/algo/batch/batch.ts';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import { lossRowOf } from '../../src/store/loss/loss_reading.ts';
import { netWeight } from '../../src/store/loss/net_weight.ts';
import { rolloutTree } from '../../src/store/record/reading.ts';
import type { RunHeader, TreeState, UpdateState } from '../../src/store/record/run_state.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let update: UpdateState;
let tree: TreeState;
let header: RunHeader;

beforeAll(async () => {
  const lab = await scriptedLab();
  ({ update, tree } = liveTree(lab));
  header = lab.run.getState().header!;
});

test('a token is counted in as many rows as the packed batch lets share its one prediction', () => {
  const { credit, loss } = header.config!.algorithm;
  const { contextLength } = header.environment!;
  const whole = rolloutTree(tree)!;
  const { advantages } = recredit(tree, credit, OWN_CREDIT, update.trees)!;
  const batch = packTrees([whole], [advantages], contextLength);
  const sharers = new Map<number, number>(); // predicted token → scored tokens that name it
  for (const predicted of batch.scored) sharers.set(predicted, (sharers.get(predicted) ?? 0) + 1);
  let most = 0;
  for (const row of batch.rows) {
    const { minibatch } = lossRowOf(update, tree.prompt.index, row.leaf)!;
    for (let s = row.scoredStart; s < row.scoredEnd; s += 1) {
      const position = batch.positions[batch.predicted[batch.scored[s]]];
      const net = netWeight(minibatch, tree, row.leaf, position, loss);
      expect(net.rows.length).toBe(sharers.get(batch.scored[s]));
      most = Math.max(most, net.rows.length);
    }
  }
  expect(most).toBeGreaterThan(1); // some prefix is shared, or the test would say nothing
});

test('net weight, net advantage and net gradient are the sums over the rows that count it', () => {
  const { loss } = header.config!.algorithm;
  const leaf = tree.leaves[0];
  const { minibatch, row } = lossRowOf(update, tree.prompt.index, leaf)!;
  const net = netWeight(minibatch, tree, leaf, row.tokenIndex[0], loss);
  const rows = minibatch.rows.filter(
    ({ prompt, leaf: other }) =>
      prompt === tree.prompt.index && net.rows.some((share) => share.leaf === other),
  );
  const at = (values: readonly (readonly number[])[]) => values.reduce((sum, [first]) => sum + first, 0);
  expect(net.weight).toBeCloseTo(at(rows.map(({ weight }) => weight)), 12);
  expect(net.dlogProb).toBeCloseTo(at(rows.map(({ dlogProb }) => dlogProb)), 12);
  expect(net.signed).toBeCloseTo(
    rows.reduce((sum, { weight, advantage }) => sum + weight[0] * advantage[0], 0),
    12,
  );
  expect(net.rowsOfTree).toBe(tree.leaves.length);
});
