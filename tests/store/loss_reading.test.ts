import { beforeAll, expect, test } from 'vitest';
import { layerNorms, nodeAt, readLoss } from '../../src/store/loss/loss_reading.ts';
import type { TreeState, UpdateState } from '../../src/store/record/run_state.ts';
import type { LossConfig } from '../../src/units.ts';
import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { clipTerm, gateTerm } from '../../src/algo/loss/loss_terms.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

let update: UpdateState;
let tree: TreeState;
let config: LossConfig;

beforeAll(async () => {
  const lab = await scriptedLab();
  ({ update, tree } = liveTree(lab));
  config = lab.run.getState().header!.config!.algorithm.loss;
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

const SOFT = { lowerEdge: 'soft', upperEdge: 'soft' } as const;
const LEVELS: readonly (readonly [string, LossConfig])[] = [
  ['turn ratios', { ...TURN_LOSS, clipLow: 0.01, clipHigh: 0.01 }],
  ['row ratios with soft edges', { ...TURN_LOSS, ...SOFT, ratioLevel: 'sequence' }],
  ['token ratios', { ...TOKEN_LOSS, clipLow: 0.02, clipHigh: 0.02, dualClip: 1.05 }],
  [
    'entropy-balanced advantages',
    { ...TOKEN_LOSS, ...SOFT, clipLow: 0.02, clipHigh: 0.02, entropyAdvantage: 0.2 },
  ],
  ['a gate', { ...TOKEN_LOSS, surrogate: 'gate' }],
];

async function labWith(loss: LossConfig) {
  const { algorithm } = smallConfig();
  const events = await scriptedRun(smallConfig({ updates: 1, algorithm: { ...algorithm, loss } }));
  const lab = createLab(() => undefined, '');
  lab.run.apply(events);
  return liveTree(lab);
}

test.each(LEVELS)(
  '%s: ratio, advantage and clip state explain the trainer’s loss and gradient',
  async (_, loss) => {
    const live = await labWith(loss);
    const rows = live.update.trees.flatMap((own) => own.leaves.map((leaf) => ({ own, leaf })));
    const states = new Set<number>();
    for (const { own, leaf } of rows)
      for (const turn of readLoss(live.update, own, leaf, loss)!.turns) {
        for (const token of turn.tokens) {
          const inputs = { advantage: token.advantage, clipScale: 1, ratioFactor: 1 };
          const term = (loss.surrogate === 'gate' ? gateTerm : clipTerm)(token.levelLogRatio, inputs, loss);
          expect(token.tokenLoss).toBeCloseTo(term.tokenLoss, 5); // rows are float32
          expect(token.dlogProb).toBeCloseTo(token.weight * term.dlogProb, 6);
          expect(token.ratio).toBeCloseTo(term.ratio, 6);
          expect(token.clipState).toBe(term.clipState);
          states.add(token.clipState);
        }
        expect(turn.clippedCount).toBe(turn.tokens.filter(({ clipState }) => clipState > 0).length);
      }
    if (loss.surrogate === 'clip') expect(states.size).toBeGreaterThan(1);
  },
);

test('a row’s own band and ratio factor are read from the log', () => {
  const leaf = tree.leaves[0];
  const rows = update.minibatches.map((minibatch) => ({
    ...minibatch,
    rows: minibatch.rows.map((row) => ({
      ...row,
      clipScale: row.tokenIndex.map(() => 2),
      ratioFactor: 1.5,
    })),
  }));
  const plain = readLoss(update, tree, leaf, config)!.turns[0].tokens[0];
  const shaped = readLoss({ ...update, minibatches: rows }, tree, leaf, config)!.turns[0].tokens[0];
  expect(shaped.ratio).toBeCloseTo(1.5 * plain.ratio, 12);
  expect(shaped.band).toEqual([1 - 2 * config.clipLow, 1 + 2 * config.clipHigh]);
});
