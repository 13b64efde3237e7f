/** Where the Loss view leads: found anew here from the log’s own rows, turn by turn and token by token. */
import { expect, test } from 'vitest';
import { OWN_CREDIT, recredit } from '../../src/store/credit/credit.ts';
import {
  clippedTurns,
  disagreements,
  largestPush,
  largestPushes,
  nextPlace,
} from '../../src/store/loss/loss_places.ts';
import { netWeight } from '../../src/store/loss/net_weight.ts';
import { advantageOfToken } from '../../src/store/credit/credit.ts';
import { scriptedLab } from '../support/scripted_lab.ts';

const opened = async () => {
  const { run } = await scriptedLab();
  const { header, updates } = run.getState();
  const { algorithm } = header!.config!;
  return { update: updates[0], config: algorithm.loss, own: algorithm.credit };
};

test('the largest push of a row is that of the token whose net over all rows is largest', async () => {
  const { update, config } = await opened();
  const pushes = largestPushes(update, config);
  expect(pushes).toHaveLength(update.minibatches.reduce((sum, { rows }) => sum + rows.length, 0));
  let most = 0;
  for (const minibatch of update.minibatches)
    for (const { prompt, leaf, tokenIndex } of minibatch.rows) {
      const nets = tokenIndex.map((position) => Math.abs(netWeight(minibatch, update.trees[prompt], leaf, position, config).dlogProb)); // prettier-ignore
      const found = pushes.find((push) => push.prompt === prompt && push.leaf === leaf)!;
      expect(Math.abs(found.net)).toBeCloseTo(Math.max(...nets), 12);
      expect(nets[tokenIndex.indexOf(found.position)]).toBeCloseTo(Math.max(...nets), 12);
      most = Math.max(most, ...nets);
    }
  expect(most).toBeGreaterThan(0);
  expect(Math.abs(largestPush(pushes)!.net)).toBeCloseTo(most, 12);
  expect(largestPush([])).toBeNull();
});

test('clipped turns are those whose ratio the log has beyond the band on the side that the advantage pushes to', async () => {
  const { update, config } = await opened();
  const narrow = { ...config, clipLow: 1e-4, clipHigh: 1e-4 };
  const wanted = update.minibatches.flatMap(({ rows }) =>
    rows.flatMap(({ prompt, leaf, turnIndex, tokenIndex, turnLogRatio, advantage }) =>
      turnLogRatio.flatMap((logRatio, turn) => {
        const first = turnIndex.indexOf(turn);
        const ratio = Math.exp(logRatio);
        const isClipped = advantage[first] > 0 ? ratio > 1 + 1e-4 : advantage[first] < 0 && ratio < 1 - 1e-4;
        return isClipped ? [`${prompt} ${leaf} ${tokenIndex[first]}`] : [];
      }),
    ),
  );
  const { places, turns } = clippedTurns(update, narrow);
  expect(wanted.length).toBeGreaterThan(0);
  expect(places.map(({ prompt, leaf, position }) => `${prompt} ${leaf} ${position}`).toSorted()).toEqual(wanted.toSorted()); // prettier-ignore
  expect(turns).toBe(update.minibatches.flatMap(({ rows }) => rows).reduce((sum, { turnLogRatio }) => sum + turnLogRatio.length, 0)); // prettier-ignore
});

test('two rules part where their advantages first have other signs, in every row in which they do', async () => {
  const { update, config, own } = await opened();
  const against = { valueRule: null, advantageRule: 'vanilla', leafNormalisation: null } as const;
  const places = disagreements({ own, update, config, against, contextLength: 10_000 });
  expect(places.length).toBeGreaterThan(0);
  const sign = (value: number): number => (Math.abs(value) < 1e-9 ? 0 : Math.sign(value));
  for (const { rows } of update.minibatches)
    for (const { prompt, leaf, tokenIndex } of rows) {
      const state = update.trees[prompt];
      const [a, b] = [OWN_CREDIT, { ...OWN_CREDIT, ...against }].map((choice) => recredit(state, own, choice, update.trees)!); // prettier-ignore
      const parts = tokenIndex.find((at) => sign(advantageOfToken(state, a, leaf, at)) !== sign(advantageOfToken(state, b, leaf, at))); // prettier-ignore
      expect(places.find((place) => place.prompt === prompt && place.leaf === leaf)?.position).toBe(parts);
    }
});

test('next goes through all places in order, across prompts, and round; back goes the same way back', async () => {
  const { update, config } = await opened();
  const { places } = clippedTurns(update, { ...config, clipLow: 1e-4, clipHigh: 1e-4 });
  expect(new Set(places.map(({ prompt }) => prompt)).size).toBeGreaterThan(1);
  let at = { ...places[0], position: -1 };
  const forth = places.map(() => (at = nextPlace(update, places, at)!));
  expect(forth).toEqual(places);
  expect(nextPlace(update, places, at)).toEqual(places[0]);
  expect(nextPlace(update, places, places[0], -1)).toEqual(places.at(-1));
  expect(nextPlace(update, places, places[1], -1)).toEqual(places[0]);
  expect(nextPlace(update, [], at)).toBeNull();
});
