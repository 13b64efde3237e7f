/** Weights and runs that leave the lab as files and come back, on a device. */
import { expect, test } from 'vitest';
import { openBundle } from '../../src/files/bundle.ts';
import { readRecording } from '../../src/files/recording.ts';
import type { EventOf, PageEvent } from '../../src/protocol/protocol.ts';
import { presets } from '../../src/train/config/presets.ts';
import type { EngineClient } from '../../src/train/engine/client.ts';
import { runLab } from '../../src/train/engine/lab.ts';
import { decodeCheckpoint } from '../../src/train/run/checkpoint_file.ts';
import { LOADED_BY_HAND, type RunConfig } from '../../src/units.ts';
import { lentEngine } from '../support/lent_engine.ts';
import { tinyRun } from '../support/tiny_run.ts';

/** The shipped warm start, trained for one small update, with scores that are not 0. */
function smallInstant(): RunConfig {
  const { config } = presets.get('instant')!;
  const { algorithm } = config;
  const rollout = { ...algorithm.rollout, initialBranches: 2, iterations: 1, picks: 2, leavesPerTree: 4 };
  return {
    ...config,
    ...{ updates: 1, promptsPerUpdate: 4, promptsPerMinibatch: 2 },
    algorithm: { ...algorithm, rollout },
    optimiser: { ...config.optimiser, learningRate: 5e-3 },
    evaluation: { every: 0, questions: 16, datasets: ['hotpot'] },
  };
}

const heard = <Event extends PageEvent>(
  client: EngineClient,
  isIt: (event: PageEvent) => event is Event,
): Promise<Event> =>
  new Promise((resolve, reject) => {
    const end = client.subscribe((event) => {
      if (event.kind === 'failed') reject(new Error(event.report.what));
      if (!isIt(event)) return;
      end();
      resolve(event);
    });
  });

const scoreAfter =
  (update: number, greedy: boolean) =>
  (event: PageEvent): event is EventOf<'evaluation'> =>
    event.kind === 'evaluation' && event.update === update && event.greedy === greedy;
const isReady = (event: PageEvent): event is EventOf<'ready'> => event.kind === 'ready';
const isFinished = (event: PageEvent): event is EventOf<'status'> =>
  event.kind === 'status' && event.status === 'finished';

test('weights that are saved and loaded again give the same held-out scores, and others are refused', async () => {
  const client = lentEngine();
  try {
    const config = smallInstant();
    const ready = heard(client, isReady);
    await ready;
    const before = heard(client, scoreAfter(0, true));
    const after = [true, false].map((greedy) => heard(client, scoreAfter(1, greedy)));
    const over = heard(client, isFinished);
    client.send({ kind: 'open', config });
    client.send({ kind: 'play' });
    await over;
    const scores = (await Promise.all(after)).map(({ exactMatch }) => exactMatch);
    expect(scores[0]).toBeGreaterThan(0);
    expect(scores[0]).not.toBe((await before).exactMatch); // it did learn, or unlearn, something
    const { bytes } = await client.ask({ kind: 'save-weights' });
    const checked = await client.ask({ kind: 'check-weights', config, bytes: bytes.slice(0) });
    expect(checked.parameterCount).toBe(94_592);
    const other = { ...config, weights: LOADED_BY_HAND, model: { ...config.model, channels: 32 } };
    await expect(
      client.ask({ kind: 'check-weights', config: other, bytes: bytes.slice(0) }),
    ).rejects.toMatchObject({
      report: {
        what: 'The weights file does not fit the model',
        where: 'tensor embed.weight',
        wanted: 'shape [128, 32]',
      },
    });
    const again = [true, false].map((greedy) => heard(client, scoreAfter(0, greedy)));
    client.send({ kind: 'load-weights', config: { ...config, weights: null }, bytes });
    client.send({ kind: 'play' });
    expect((await Promise.all(again)).map(({ exactMatch }) => exactMatch)).toEqual(scores);
  } finally {
    client.close();
  }
});

test('the command line writes a run as one file, with the checkpoint after its last update', async () => {
  const config = tinyRun(2);
  const { recording } = await runLab(config, 'bundle', () => undefined);
  const { log, checkpoints, damaged } = await openBundle(new Blob([recording!]));
  expect(damaged).toEqual([]);
  const kinds: string[] = [];
  for await (const { kind } of readRecording(log)) kinds.push(kind);
  expect(kinds).toContain('metrics');
  expect(checkpoints.map(({ update }) => update)).toEqual([1]);
  const bytes = new Uint8Array(await checkpoints[0].file.arrayBuffer());
  expect(await decodeCheckpoint(bytes)).toMatchObject({ config, update: 1 });
});
