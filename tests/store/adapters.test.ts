import { afterEach, expect, test } from 'vitest';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import { noAdapterMemory } from '../../src/store/lab/adapters.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { SCRIPTED_ADAPTER, scriptedBackend, scriptedEngine, smallConfig } from '../support/scripted_run.ts';

const config = smallConfig({ updates: 6, promptsPerUpdate: 4 });
const CARDS = {
  'high-performance': { ...SCRIPTED_ADAPTER, description: 'a fast card' },
  'low-power': { ...SCRIPTED_ADAPTER, description: 'a saving card' },
} as const;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => void (await Promise.all(closing.splice(0).map((close) => close()))));

/** A page on a machine with two adapters, whose engine is started on the one that is remembered. */
function openPage(onUpdate: (update: number, lab: Lab) => void = () => undefined) {
  const memory = noAdapterMemory();
  const opened: GPUPowerPreference[] = [];
  const begin = (): ReturnType<typeof scriptedEngine> => {
    const inUse = memory.get();
    const other = CARDS[inUse === 'low-power' ? 'high-performance' : 'low-power'];
    const own = scriptedEngine(config, {
      openBackend() {
        opened.push(inUse);
        const adapterChoice = () => Promise.resolve({ inUse, other, refused: null });
        return Promise.resolve({ ...scriptedBackend(config), adapter: CARDS[inUse], adapterChoice });
      },
      date: () => `2026-11-28T00:00:0${opened.length}.000Z`, // runs are told apart by it
    });
    own.onEvent((event) => engine === own && hear(event));
    closing.push(() => own.engine.dispose());
    void own.engine.start();
    return own;
  };
  const hear = (event: EngineEvent): void => {
    const heard = event.kind === 'ready' ? { ...event, presets: [{ ...event.presets[0], config }] } : event;
    lab.transport.receive([heard]);
    lab.adapters.hearEngine([heard]);
    if (event.kind === 'update-started') onUpdate(event.update, lab);
  };
  const lab: Lab = createLab((command) => void engine.send(command), '', undefined, null, {
    ask: (question, signal) => engine.ask(question, signal),
    restart: () => void (engine = begin()),
    adapter: memory,
  });
  let engine = begin();
  return { lab, memory, opened };
}
const live = ({ live }: Lab) => live.getState();
const other = ({ adapters }: Lab) => adapters.getState().choice?.other?.description;

async function train({ transport }: Lab): Promise<void> {
  await expect.poll(() => transport.getState().prepared).toBe(true);
  transport.trainLive();
}

test('the engine says which adapter it is on and which there is beside it; the choice is kept and heeded', async () => {
  const { lab, memory, opened } = openPage();
  await expect.poll(() => other(lab)).toBe('a saving card');
  expect(lab.adapters.liveThere()).toBe('none');
  await lab.adapters.use('low-power');
  expect(lab.adapters.getState().choice).toBeNull(); // until the new engine has said
  await expect.poll(() => other(lab)).toBe('a fast card');
  expect([memory.get(), opened]).toEqual(['low-power', ['high-performance', 'low-power']]);
});

test('a run that plays ends its update and goes on on the other adapter, as a run of its own', async () => {
  let said: readonly unknown[] = [];
  let moved: Promise<void> | undefined;
  const { lab } = openPage((update, { adapters }) => {
    if (update !== 3 || moved) return; // a scripted run leaves no other moment while it plays
    said = [adapters.liveThere()];
    moved = adapters.use('low-power');
    said = [...said, adapters.getState().moving];
  });
  await train(lab);
  await expect.poll(() => moved !== undefined).toBe(true);
  const parent = lab.run.getState().header!;
  await moved;
  expect([...said, lab.adapters.getState().moving]).toEqual(['goes-on', true, false]);
  const { returned } = lab.kept.getState();
  expect(returned?.why).toBe('adapter');
  const after = returned!.update;
  await expect.poll(() => live(lab).header?.adapter?.description).toBe('a saving card');
  expect(live(lab).header?.origin).toEqual({ kind: 'forked', run: parent.date, update: after });
  await expect.poll(() => live(lab).updates[after]?.ended).toBe(true); // it plays on
  const kept = lab.shelf.getState().runs.at(-1)!.run;
  expect([kept.header?.date, kept.header?.adapter?.description]).toEqual([parent.date, 'a fast card']);
  expect(kept.updates[after - 1].ended).toBe(true); // nothing of it is lost
});

test('a run that is paused within an update stands still on the other adapter', async () => {
  const { lab } = openPage((update, { transport }) => update === 2 && transport.pause());
  await train(lab);
  await expect.poll(() => live(lab).status).toBe('paused');
  const { update } = live(lab);
  expect(live(lab).updates[update - 1].ended).toBe(false);
  await lab.adapters.use('low-power');
  await expect.poll(() => live(lab).status).toBe('paused');
  await expect.poll(() => live(lab).header?.adapter?.description).toBe('a saving card');
  expect(live(lab).header?.origin).toMatchObject({ kind: 'forked', update });
  expect(live(lab).updates).toHaveLength(update); // that are its parent's
});

test('a run without an update starts anew there, one that waits stays behind', async () => {
  const { lab } = openPage();
  await expect.poll(() => lab.transport.getState().prepared).toBe(true);
  lab.transport.stepPhase();
  lab.transport.trainLive();
  lab.transport.pause();
  await expect.poll(() => live(lab).status).toBe('paused');
  expect(live(lab).updates).toHaveLength(0);
  expect(lab.adapters.liveThere()).toBe('starts');
  await lab.adapters.use('low-power');
  await expect.poll(() => live(lab).header?.adapter?.description).toBe('a saving card');
  expect(live(lab).header?.origin).toEqual({ kind: 'trained' });
  lab.transport.stepUpdate();
  await expect.poll(() => live(lab).updates[0]?.ended).toBe(true);
  lab.transport.replay();
  expect(lab.adapters.liveThere()).toBe('stays-behind');
  await lab.adapters.use('high-performance');
  expect([live(lab).status, lab.transport.getState().source]).toEqual(['failed', 'recorded']);
});

test('a run that is over has nothing to go on with: the engine alone starts again', async () => {
  const { lab, opened } = openPage();
  await train(lab);
  await expect.poll(() => live(lab).status).toBe('finished');
  const { date } = live(lab).header!;
  expect(lab.adapters.liveThere()).toBe('none');
  await lab.adapters.use('low-power');
  await expect.poll(() => opened.length).toBe(2);
  expect([live(lab).status, live(lab).header?.date]).toEqual(['finished', date]);
});
