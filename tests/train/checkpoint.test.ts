import { describe, expect, test } from 'vitest';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import type { Checkpoint } from '../../src/train/run/checkpoint.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/train/run/checkpoint_file.ts';
import { emptyMemory, remember } from '../../src/train/run/memory.ts';
import type { PolicyState, RunConfig } from '../../src/units.ts';
import { eventsAfter, trainedRun } from '../support/resumed_runs.ts';
import { scriptedBackend, smallConfig } from '../support/scripted_run.ts';

type Name = keyof typeof algorithms;

const UPDATES = 4;
const configOf = (name: Name, updates = UPDATES): RunConfig =>
  withAlgorithm(
    smallConfig({
      ...{ updates, promptsPerUpdate: 2, promptsPerMinibatch: 1 },
      evaluation: { every: 1, questions: 4, datasets: ['hotpot'] },
    }),
    algorithms[name].config,
  );

const backendOf = (config: RunConfig) => scriptedBackend(config, { skill: (update) => 0.9 - 0.1 * update });
const trained = (config: RunConfig, plan?: Parameters<typeof trainedRun>[2]) =>
  trainedRun(backendOf(config), config, plan);

/** Through the bytes of a file. */
const reread = async (checkpoint: Checkpoint): Promise<Checkpoint> =>
  decodeCheckpoint(await encodeCheckpoint(checkpoint));

describe.each(['at2po', 'dapo', 'bapo', 'a_star_po', 'istar'] as const)('a run of %s', (name) => {
  test('goes on from a checkpoint after any update as if nobody had interrupted it', async () => {
    const config = configOf(name);
    const { events } = await trained(config);
    expect(eventsAfter(events, 0).length).toBeGreaterThan(50);
    const at = [0, 1, 2, 3, 4];
    const { checkpoints, events: watched } = await trained(config, { at });
    expect(watched).toEqual(events); // taking them changes nothing
    expect(checkpoints.map(({ update }) => update)).toEqual(at);
    for (const checkpoint of checkpoints) {
      const { events: resumed } = await trained(config, { from: await reread(checkpoint) });
      expect(resumed).toEqual(eventsAfter(events, checkpoint.update));
    }
  });
});

test.each(Object.keys(algorithms) as Name[])(
  'a run of %s is resumed between its two updates',
  async (name) => {
    const config = configOf(name, 2);
    const { events, checkpoints } = await trained(config, { at: [1] });
    const { events: resumed } = await trained(config, { from: await reread(checkpoints[0]) });
    expect(resumed).toEqual(eventsAfter(events, 1));
  },
);

test('what is in a checkpoint is needed: without its memory, or its second network, a run goes on otherwise', async () => {
  const resumed = async (name: Name, change: (checkpoint: Checkpoint) => Checkpoint) => {
    const config = configOf(name, 3);
    const { events, checkpoints } = await trained(config, { at: [2] });
    const { events: after } = await trained(config, { from: change(checkpoints[0]) });
    return { after, expected: eventsAfter(events, 2) };
  };
  const forgetful = await resumed('bapo', (checkpoint) => ({ ...checkpoint, memory: emptyMemory() }));
  expect(forgetful.after).not.toEqual(forgetful.expected);
  const alone = await resumed('istar', (checkpoint) => ({ ...checkpoint, networks: { ...checkpoint.networks, rewardModel: null } })); // prettier-ignore
  expect(alone.after).not.toEqual(alone.expected);
});

/** Three networks' worth of odd numbers. */
function checkpointOf(name: Name): Checkpoint {
  const odd = Float32Array.of(-0, NaN, Infinity, 1e-45, Math.PI);
  const parameters = { 'embed.weight': odd, 'final_norm.weight': Float32Array.of(1, 2) };
  const state: PolicyState = {
    parameters,
    optimiser: { steps: 3, firstMoment: parameters, secondMoment: { ...parameters, 'embed.weight': odd.map((x) => -x) } }, // prettier-ignore
  };
  const config = configOf(name);
  return {
    ...{ config, update: 2 },
    memory: remember(emptyMemory(), { optimalValues: [{ dataset: 'nq', seed: 5, value: 0.1 + 0.2 }] }),
    networks: {
      policy: state,
      reference: name === 'a_star_po' ? { parameters, optimiser: null } : null,
      rewardModel: name === 'istar' ? state : null,
    },
  };
}

describe('the file of a checkpoint', () => {
  test.each(['at2po', 'a_star_po', 'istar'] as const)('gives back every bit of a run of %s', async (name) => {
    const checkpoint = checkpointOf(name);
    const read = await reread(checkpoint);
    expect(read).toEqual(checkpoint);
    expect(Object.is(read.networks.policy?.parameters['embed.weight'][0], -0)).toBe(true);
  });

  const refusal = async (bytes: Uint8Array<ArrayBuffer>) =>
    decodeCheckpoint(bytes).then(
      () => 'read',
      (error: unknown) =>
        (error as { report?: { where: string; got: string; wanted: string } }).report ?? error,
    );

  test('is refused where a byte of it changed, by the part that it is of', async () => {
    const file = await encodeCheckpoint(checkpointOf('istar'));
    const changed = (at: number) => file.with(at, file[at] ^ 1);
    expect(await refusal(changed(file.length - 1))).toMatchObject({ where: 'rewardModel/secondMoment' });
    expect(await refusal(changed(file.length - 4 * 7 * 6))).toMatchObject({ where: 'policy/parameters' });
    const text = new TextDecoder('latin1').decode(file);
    expect(await refusal(changed(text.indexOf('hotpot')))).toMatchObject({ where: 'run' });
    expect(await refusal(changed(text.indexOf('checkpoint 1')))).toMatchObject({ where: 'format' });
    for (let at = 0; at < file.length; at += 13) expect(await refusal(changed(at))).not.toBe('read');
  });

  test('is refused where it breaks off, anywhere', async () => {
    const file = await encodeCheckpoint(checkpointOf('at2po'));
    for (const length of [0, 7, 8, 100, file.length - 1])
      expect(await refusal(file.slice(0, length))).toHaveProperty('wanted');
    expect(await refusal(new Uint8Array([...file, 0]))).toMatchObject({ where: 'end of the file' });
  });

  test('holds the networks of its method, no more and no fewer', async () => {
    const { config: other } = checkpointOf('at2po');
    const { config } = checkpointOf('istar');
    const more = await encodeCheckpoint({ ...checkpointOf('istar'), config: other });
    expect(await refusal(more)).toMatchObject({ where: 'rewardModel/parameters', got: 'tensors' });
    const fewer = await encodeCheckpoint({ ...checkpointOf('at2po'), config });
    expect(await refusal(fewer)).toMatchObject({ where: 'rewardModel/parameters', got: 'nothing' });
    const late = await encodeCheckpoint({ ...checkpointOf('at2po'), update: 5 });
    expect(await refusal(late)).toMatchObject({ where: 'run.update', wanted: 'at most 4, the run’s last' });
    const bad = await encodeCheckpoint({ ...checkpointOf('at2po'), config: { ...other, temperature: -1 } });
    expect(await refusal(bad)).toMatchObject({ where: expect.stringContaining('temperature') as string });
  });
});
