import { beforeAll, expect, test } from 'vitest';
import { layerNorms, nodeAt, readLoss } from '../../src/store/loss_reading.ts';
import type { TreeState, UpdateState } from '../../src/store/run_state.ts';
import type { LossConfig } from '../../src/units.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

let update: UpdateState;
let tree: TreeState;
let config: LossConfig;

beforeAll(async () => {
  const lab = await scriptedLab();
  ({ update, tree } = liveTree(lab));
  config = lab.run.getState().header!.config.algorithm.loss;
});

test('every leaf of the tree has a row whose tokens stand on sampled positions', () => {
  for (const leaf of tree.leaves) {
    const reading = readLoss(update, tree, leaf, config)!;
    const length = reading.turns.reduce((sum, turn) => sum + turn.tokens.length, 0);
    expect(length).toBe(reading.row.tokenIndex.length);
    for (const turn of reading.turns)
      for (const token of turn.tokens) {
        const node = tree.nodes[nodeAt(tree, leaf, token.position)!]!;
        const start = firstPosition(tree, node.id);
        expect(node.mask[token.position - start]).toBe(1);
      }
  }
});

function firstPosition(state: TreeState, id: number): number {
  let start = state.prompt.tokens.length;
  for (let at = state.nodes[id]!.parent; at !== null; at = state.nodes[at]!.parent)
    start += state.nodes[at]!.tokens.length;
  return start;
}

test('the rows of a mini-batch add up to its loss', () => {
  for (const minibatch of update.minibatches) {
    const sum = minibatch.rows.reduce((total, row) => {
      const own = update.trees[row.prompt];
      return total + readLoss(update, own, row.leaf, config)!.loss;
    }, 0);
    expect(sum).toBeCloseTo(minibatch.loss!, 5); // rows are float32
  }
});

test('a turn’s ratio, clip state and gradient follow from its log-probabilities', () => {
  for (const leaf of tree.leaves)
    for (const turn of readLoss(update, tree, leaf, config)!.turns) {
      const mean = turn.tokens.reduce((sum, token) => sum + token.logRatio, 0) / turn.tokens.length;
      expect(turn.turnLogRatio).toBeCloseTo(mean, 5);
      for (const token of turn.tokens) {
        const flows = turn.clipState === 0 ? 1 : 0;
        const wanted = -token.weight * token.advantage * turn.turnRatio * flows;
        expect(token.dlogProb).toBeCloseTo(wanted, 6);
      }
    }
});

test('a leaf that was in no mini-batch has no reading', () => {
  const unknown = tree.nodes.find((node) => node?.ending === null)!.id;
  expect(readLoss(update, tree, unknown, config)).toBeNull();
});

test('layer norms are the root of their parameters’ squares, in network order', () => {
  const norms = layerNorms({
    'embed.weight': 1,
    'layers.0.attn.q_proj.weight': 3,
    'layers.0.mlp.up_proj.weight': 4,
    'layers.1.input_norm.weight': 2,
    'final_norm.weight': 0.5,
  });
  expect(norms).toEqual([
    { name: 'embed', norm: 1 },
    { name: 'layer 1', norm: 5 },
    { name: 'layer 2', norm: 2 },
    { name: 'final_norm', norm: 0.5 },
  ]);
});
