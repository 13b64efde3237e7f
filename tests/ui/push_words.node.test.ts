/** The sentence on which way a step pushes a token agrees with the sum over the rows that share it. */
import { expect, test } from 'vitest';
import { lossTokens, readLoss } from '../../src/store/loss/loss_reading.ts';
import { netWeight, type NetWeight } from '../../src/store/loss/net_weight.ts';
import { pushWords } from '../../src/ui/loss/loss_words.ts';
import { nodeId } from '../../src/units.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

test('of every token of an update the sentence is about the net push, whatever the row’s own share', async () => {
  const lab = await scriptedLab();
  const { update } = liveTree(lab);
  const { loss } = lab.run.getState().header!.config!.algorithm;
  let opposed = 0;
  for (const minibatch of update.minibatches)
    for (const row of minibatch.rows) {
      const tree = update.trees[row.prompt];
      const { turns } = readLoss(update, tree, row.leaf, loss)!;
      for (const token of lossTokens(row, minibatch, loss)) {
        const net = netWeight(minibatch, tree, row.leaf, token.position, loss);
        const words = pushWords(token, turns[token.turn], net, loss);
        const size = net.rows.reduce((sum, { dlogProb }) => sum + Math.abs(dlogProb), 0);
        if (Math.abs(net.dlogProb) <= 1e-9 * size) expect(words).toMatch(/^No (net )?push/);
        else expect(words).toContain(`makes this token ${net.dlogProb < 0 ? 'more' : 'less'} likely here`);
        if (token.dlogProb * net.dlogProb < 0) {
          opposed += 1;
          expect(words).toContain(`would make it ${token.dlogProb < 0 ? 'more' : 'less'} likely`);
        }
      }
    }
  expect(opposed).toBeGreaterThan(0); // else the test would say nothing
});

test('pushes that cancel, and rows without a share, are said as such', async () => {
  const lab = await scriptedLab();
  const { update, tree } = liveTree(lab);
  const { loss } = lab.run.getState().header!.config!.algorithm;
  const { turns } = readLoss(update, tree, tree.leaves[0], loss)!;
  const [token] = turns[0].tokens;
  const netOf = (...pushes: readonly number[]): NetWeight => ({
    rows: pushes.map((dlogProb, at) => ({ leaf: nodeId(at), weight: 1, advantage: 1, signed: 1, dlogProb })),
    ...{ rowsOfTree: pushes.length, weight: pushes.length, signed: pushes.length },
    dlogProb: pushes.reduce((sum, dlogProb) => sum + dlogProb, 0),
  });
  const say = (dlogProb: number, ...others: readonly number[]): string =>
    pushWords({ ...token, dlogProb, clipState: dlogProb === 0 ? 1 : 0 }, turns[0], netOf(dlogProb, ...others), loss); // prettier-ignore
  expect(say(-0.1)).toBe('The step makes this token more likely here.');
  expect(say(0.1, 0.2, -0.3)).toMatch(
    /^No net push: 3 rows share it, and they cancel\. This row’s share, \+0\.1/,
  );
  expect(say(0, 0.2)).toMatch(/^The step makes this token less likely here: 2 rows.*no share: clipped above/);
  expect(say(0, 0)).toMatch(/^No push: 2 rows share it, and none pushes it/);
  expect(say(0)).toBe('No push: clipped above: no gradient.');
});
