import { beforeAll, expect, test } from 'vitest';
import { readLoss } from '../../src/store/loss/loss_reading.ts';
import { maskReason, silenceOf } from '../../src/store/loss/net_weight.ts';
import { pathTokens } from '../../src/store/record/reading.ts';
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

test('every token of a path that has no loss has one reason, and it is the right one', () => {
  const { contextLength } = header.environment!;
  for (const leaf of tree.leaves) {
    const { row } = readLoss(update, tree, leaf, header.config!.algorithm.loss)!;
    for (const { position, source } of pathTokens(tree, leaf, [])) {
      if (row.tokenIndex.includes(position)) continue;
      const reason = maskReason(tree, leaf, position, true, contextLength);
      expect(reason).toBe(source === 'policy' ? 'cut' : source);
    }
  }
});

test('a token beyond the context is cut, one of a dropped group dropped, one copied from a stored step retrieved', () => {
  const leaf = tree.leaves[0];
  const last = pathTokens(tree, leaf, []).findLast(({ source }) => source === 'policy')!.position;
  expect(maskReason(tree, leaf, last, true, last)).toBe('cut');
  expect(maskReason({ ...tree, dropped: true }, leaf, last, false, 1e6)).toBe('dropped');
  expect(maskReason(tree, leaf, last, false, 1e6)).toBe('unused');
  const nodes = tree.nodes.map((node) =>
    node?.id === leaf ? { ...node, mask: node.mask.map(() => 0), retrieved: true as const } : node,
  );
  expect(maskReason({ ...tree, nodes }, leaf, last, true, 1e6)).toBe('retrieved');
});

test('a token without a push says why: clip, dead tree, zero advantage or the format mask', () => {
  const { loss } = header.config!.algorithm;
  const token = readLoss(update, tree, tree.leaves[0], loss)!.turns[0].tokens[0];
  const quiet = { ...token, dlogProb: 0, advantage: 0, clipState: 0 as const };
  expect(silenceOf({ ...token, dlogProb: 0.1 }, tree, loss, 0)).toBeNull();
  expect(silenceOf({ ...quiet, clipState: 1 }, tree, loss, 0)).toBe('clip');
  expect(silenceOf(quiet, tree, loss, 0)).toBe('zero-advantage');
  expect(silenceOf(quiet, tree, { ...loss, formatMask: true }, -1)).toBe('format-mask');
  const dead = { ...tree, rewards: tree.nodes.map(({ ending } = tree.nodes[0]!) => (ending ? 1 : null)) };
  expect(silenceOf(quiet, dead, loss, 0)).toBe('dead');
});
