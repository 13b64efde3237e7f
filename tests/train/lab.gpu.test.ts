import { expect, test } from 'vitest';
import { parameterCount } from '../../src/model/config.ts';
import { kernels } from '../../shaders/index.ts';
import { NOTHING_SPENT, spend } from '../../src/experiment/budget.ts';
import { condense, labConfig, runLab as runLabOn } from '../../src/train/engine/lab.ts';
import { startOf, type Hold, type LabProgress } from '../../src/train/engine/lab_play.ts';
import { createQueueTrainer } from '../../src/train/engine/queue_trainer.ts';
import type { RunCommand, RunEvent } from '../../src/protocol/protocol.ts';
import type { EngineClient } from '../../src/train/engine/client.ts';
import { editLabel, withKernel, type RunConfig } from '../../src/units.ts';
import { writeBundle } from '../../src/files/bundle.ts';
import { readRecording } from '../../src/files/recording.ts';
import { lentEngine } from '../support/lent_engine.ts';
import { withoutTimes } from '../support/scripted_run.ts';
import { tiny } from '../support/setting_walk.ts';
import { tinyRun } from '../support/tiny_run.ts';

const { source } = kernels.policy_loss;
const WRITE = 'dlogProb[s] = token.y * term.gradient;';

/** On the device of this page; its own worker is that of files.gpu.test.ts. */
const runLab: typeof runLabOn = (start, record, onProgress, parts) =>
  runLabOn(start, record, onProgress, { client: lentEngine(), ...parts });

const edited = (text: string): RunConfig =>
  withKernel(tinyRun(2), { name: 'policy_loss', source: text, gradientCheck: 'unchecked' });

test.each([
  ['agrees', source.replace(WRITE, `${WRITE} // edited`)],
  ['differs', source.replace(WRITE, 'dlogProb[s] = 2.0 * token.y * term.gradient;')],
] as const)(
  'the command line checks the gradient of an edited kernel before the run: it %s, and the result says so',
  async (verdict, text) => {
    const said: LabProgress[] = [];
    const config = edited(text);
    const { result } = await runLab(config, null, (progress) => said.push(progress));
    const label = editLabel({ ...config.editedKernel!, gradientCheck: verdict });
    expect(result?.edited).toBe(label);
    expect(result?.config.editedKernel?.gradientCheck).toBe(verdict);
    expect(said[0]).toMatchObject({ kind: 'note', text: label });
    expect(result?.updates).toHaveLength(1);
  },
);

test('the command line refuses an edit that does not compile, with its line', async () => {
  const lines = source.replace(WRITE, 'dlogProb[s] = nothing;').split('\n');
  const line = lines.findIndex((each) => each.includes('= nothing;')) + 1;
  await expect(runLab(edited(lines.join('\n')), null, () => undefined)).rejects.toThrow(
    `policy_loss.wgsl:${line}`,
  );
});

test('a model of another size than the warm start’s trains from random parameters, where these were chosen', async () => {
  const sizes = ['model.layers=1', 'model.channels=20', 'model.heads=3', 'model.kvHeads=1', 'model.headSize=12', 'model.hidden=36']; // prettier-ignore
  const options = { preset: 'instant', algorithm: null, seed: 1, updates: 1, evaluationQuestions: 0 };
  const set = (more: readonly string[]): readonly (readonly [string, string])[] =>
    [...sizes, ...more].map((pair) => pair.split('=') as unknown as readonly [string, string]); // pairs, above
  expect(() => labConfig({ ...options, settings: set([]) })).toThrow('model.channels');
  const config = tiny(
    labConfig({ ...options, settings: set(['weights=null', 'algorithm.credit.leafNormalisation=false']) }),
  );
  const { result } = await runLab(config, null, () => undefined);
  expect(result?.parameterCount).toBe(parameterCount(config.model));
  expect(result?.updates[0].gradientNorm).toBeGreaterThan(0);
});

test('a run that is stopped leaves a file, and goes on from it as if nobody had stopped it', async () => {
  const config = { ...tinyRun(2), updates: 3 };
  const logOf = async (bytes: Uint8Array<ArrayBuffer> | null) => {
    const events: RunEvent[] = [];
    for await (const event of readRecording(new Blob([bytes!])))
      if (event.kind !== 'status')
        events.push(event.kind === 'run-started' ? { ...event, date: '' } : withoutTimes(event));
    return events;
  };
  const whole = await runLab(config, 'log', () => undefined);
  const stopping = new AbortController();
  const stopInFirst = ({ kind }: LabProgress): void => {
    if (kind === 'update') stopping.abort();
  };
  const stopped = await runLab(config, null, stopInFirst, { stop: stopping.signal });
  expect(stopped.result).toBeNull();
  expect(stopped.stoppedAfter).toBeLessThan(3);
  const early = await runLab(config, null, () => undefined, { stop: AbortSignal.abort() });
  expect(early.stoppedAfter).toBeLessThan(3); // asked before there was a run
  const goneOn = await runLab(new Blob([stopped.recording!]), 'log', () => undefined);
  expect(goneOn.result?.updates.map(({ update }) => update)).toEqual([1, 2, 3]);
  expect(await logOf(goneOn.recording)).toEqual(await logOf(whole.recording));
  const log = new Blob([whole.recording!]);
  const bare = await writeBundle({ name: null, note: '', adapter: null, recipe: null, log, checkpoints: [] });
  await expect(runLab(bare, null, () => undefined)).rejects.toThrow('cannot go on');
});

test('which held-out questions are right comes with the run’s own last evaluation, and is what asking its model says', async () => {
  const config = { ...tinyRun(2), updates: 2 };
  const own = lentEngine();
  let [asked, said] = [0, ''];
  const client: EngineClient = {
    ...own,
    ask: (question, signal) => (question.kind === 'held-out' && (asked += 1), own.ask(question, signal)),
    close: () => undefined,
  };
  const { result } = await runLab(config, null, () => undefined, { client });
  expect(asked).toBe(0);
  const { questions, datasets } = config.evaluation;
  const { scores } = await own.ask({ kind: 'held-out', config, update: 2, questions, datasets });
  for (const { greedy, right } of scores) if (!greedy) said += right;
  expect(result?.heldOut.after.right?.sampled).toBe(said);
  expect(said).toHaveLength(questions * datasets.length);
  own.close();
  const whole = await runLab({ ...config, seed: 5 }, 'bundle', () => undefined);
  const again = await runLab(new Blob([whole.recording!]), null, () => undefined); // over, and evaluated already
  expect(again.result?.heldOut).toEqual(whole.result?.heldOut);
});

test('a budget ends a run after the update that used it up, evaluated, with the numbers of a run of so many; also where it was stopped before', async () => {
  const config = { ...tinyRun(2), updates: 4 };
  const two = (await runLab({ ...config, updates: 2 }, null, () => undefined)).result!;
  const amount = two.used.tokens - two.updates[1].sampledTokens + 1; // used up in the second update
  const until = { by: 'tokens', amount } as const;
  const stopped = await runLab(config, null, () => undefined, { until, stop: AbortSignal.abort() });
  expect(stopped.stoppedAfter).toBeLessThan(2);
  const { result } = await runLab(new Blob([stopped.recording!]), null, () => undefined, { until });
  const timeless = ({ updates }: typeof two) =>
    updates.map((each) => ({ ...each, rolloutMs: 0, trainMs: 0 }));
  expect(timeless(result!)).toEqual(timeless(two));
  expect([result!.heldOut, result!.evaluations]).toEqual([two.heldOut, two.evaluations]);
  expect({ ...result!.used, seconds: 0 }).toEqual({ ...two.used, seconds: 0 });
});

/** What is sent to an engine, and where its run stands. */
function watched(client: EngineClient) {
  const watching = {
    ...client,
    commands: [] as string[],
    status: '',
    send(command: RunCommand): void {
      watching.commands.push(command.kind);
      client.send(command);
    },
  };
  client.subscribe((event) => {
    if (event.kind === 'status') watching.status = event.status;
  });
  return watching;
}

test('a queue trains runs as the command line does, held and let go, on a budget too, and from a checkpoint', async () => {
  const config = { ...tinyRun(2), updates: 3 };
  const timeless = (result: ReturnType<typeof condense>) => ({ ...result, date: '', seconds: 0, used: { ...result.used, seconds: 0 } }); // prettier-ignore
  const wanted = timeless(condense((await runLab(config, null, () => undefined)).result!));
  const client = watched(lentEngine());
  const trainer = createQueueTrainer(() => client);
  let isHeld = false;
  const heard = new Set<() => void>();
  const setHeld = (now: boolean): void => {
    isHeld = now;
    heard.forEach((hear) => hear());
  };
  const hold: Hold = {
    isHeld: () => isHeld,
    subscribe: (hear) => (heard.add(hear), () => void heard.delete(hear)),
  };
  const said: number[] = [];
  const held = trainer.train({ config, until: null, earlier: null }, hold, ({ update }) => {
    said.push(update);
    if (update === 1) setHeld(true); // and no further, until it is let go
  });
  await expect.poll(() => said).toContain(1);
  setHeld(false);
  expect(timeless(await held)).toEqual(wanted);
  expect(said).toEqual([0, 1, 2, 3]);
  expect(heard.size).toBe(0);
  const until = { by: 'tokens', amount: wanted.used.tokens } as const; // used up in the last update
  const budget = { ...config, updates: 9 };
  client.commands.length = 0;
  const onBudget = trainer.train({ config: budget, until, earlier: null }, hold, ({ update }) => {
    if (update === 1) setHeld(true);
  });
  await expect.poll(() => client.commands.includes('pause')).toBe(true);
  await expect.poll(() => client.status).toBe('paused');
  expect(client.commands.filter((kind) => kind === 'step-update')).toHaveLength(1);
  setHeld(false);
  expect(timeless(await onBudget)).toEqual(wanted);
  const stop = new AbortController();
  const { recording } = await runLab(config, null, ({ kind }) => kind === 'update' && stop.abort(), { stop: stop.signal }); // prettier-ignore
  const { earlier } = await startOf(new Blob([recording!]));
  expect(earlier!.log.some(({ kind }) => kind === 'node')).toBe(true);
  const used = earlier!.log.reduce(spend, NOTHING_SPENT);
  const log = earlier!.log.filter(({ kind }) => kind !== 'node'); // the page holds no trees
  expect(timeless(await trainer.train({ config, until: null, earlier: { ...earlier!, log, used } }, hold, () => undefined))).toEqual(wanted); // prettier-ignore
  trainer.close();
});
