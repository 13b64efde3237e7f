import { describe, expect, test } from 'vitest';
import { createLab } from '../../src/store/lab/lab.ts';
import { createPlayer } from '../../src/store/record/player.ts';
import { readKnob, withAlgorithm, writeKnob } from '../../src/store/lab/knobs.ts';
import type { Selection } from '../../src/store/place/selection.ts';
import type { RunCommand, EngineEvent } from '../../src/protocol/protocol.ts';
import type { Ask, Question } from '../../src/train/inspect/index.ts';
import { nodeId } from '../../src/units.ts';
import { listen } from '../support/questions.ts';
import { CONFIG, ENVIRONMENT, SAMPLE_LOG, START, updateEvents } from '../support/sample_log.ts';

const SCALE = { rows: 0.2, turnBand: [0.02, 0.03] } as const;
const ADAPTER = { vendor: 'v', architecture: 'a', description: 'd', software: false };
const READY: EngineEvent = {
  kind: 'ready',
  adapter: ADAPTER,
  algorithms: [],
  environments: [ENVIRONMENT],
  presets: [{ name: 'instant', title: 'Instant', description: '', config: CONFIG, scale: SCALE }],
  knobs: [],
};
const REPORT = { what: 'w', where: 'x', got: 'g', wanted: 'h', next: 'n' };

function labWithRecording() {
  const sent: (RunCommand | Question)[] = [];
  const listener = listen();
  const ask: Ask = (question, signal) => {
    sent.push(question);
    return listener.ask(question, signal);
  };
  const lab = createLab((command) => sent.push(command), '', undefined, null, { ask });
  lab.player.add(SAMPLE_LOG);
  lab.player.finish();
  return { lab, sent, listener, kinds: () => sent.map(({ kind }) => kind) };
}

describe('the transport', () => {
  test('opens the default run ahead of time and holds what it says until it is trained live', () => {
    const { lab, sent, kinds } = labWithRecording();
    lab.player.seek(2);
    lab.transport.receive([READY, START, ...updateEvents(1).slice(0, 3)]);
    expect(sent).toEqual([{ kind: 'open', config: CONFIG }]);
    expect([lab.transport.getState().prepared, lab.run.getState().updates.length]).toEqual([true, 2]);
    lab.transport.trainLive();
    expect(kinds()).toEqual(['open', 'play']);
    expect(lab.transport.getState().source).toBe('live');
    expect(lab.run.getState().updates[0].trees[0].growth).toEqual([{ kind: 'node', node: 1 }]);
    lab.transport.receive(updateEvents(1).slice(3));
    expect(lab.run.getState().updates[0].metrics?.exactMatch).toBe(0.5);
  });

  test('remembers Train live pressed while the engine starts, and the recording goes on', () => {
    const { lab, kinds } = labWithRecording();
    lab.player.play();
    lab.transport.trainLive();
    expect([lab.transport.getState().awaiting, lab.player.getState().playing, kinds()]).toEqual([
      true,
      true,
      [],
    ]);
    lab.transport.receive([READY]);
    expect(kinds()).toEqual(['open', 'play']);
    expect(lab.player.getState().playing).toBe(false);
  });

  test('without an engine drives the recorded run', () => {
    const { lab, sent } = labWithRecording();
    lab.transport.receive([{ kind: 'failed', update: 0, report: REPORT }]);
    expect(lab.transport.getState().engine).toEqual({ kind: 'unavailable', report: REPORT });
    lab.transport.stepPhase();
    expect(lab.run.getState().updates[0].phase).toBe('rollout');
    expect(lab.run.getState().updates[0].trees[1].leaves).toEqual([2, 3, 5]);
    lab.transport.stepUpdate();
    expect(lab.run.getState().updates[0].metrics?.exactMatch).toBe(0.5);
    lab.transport.reset();
    expect([lab.run.getState().updates.length, lab.player.getState().position]).toEqual([0, 0]);
    lab.transport.play();
    expect([lab.player.getState().playing, sent]).toEqual([true, []]);
  });

  test('with an engine too, pause and play go on with the recorded run where it was', () => {
    const { lab, sent } = labWithRecording();
    lab.transport.receive([READY]);
    lab.player.play();
    lab.transport.stepUpdate();
    lab.transport.pause();
    const { position } = lab.player.getState();
    const { updates } = lab.run.getState();
    lab.transport.play();
    expect(lab.player.getState()).toMatchObject({ playing: true, position });
    expect([lab.run.getState().updates, lab.transport.getState().source]).toEqual([updates, 'recorded']);
    lab.transport.stepPhase();
    expect(lab.run.getState().updates.length).toBe(2);
    expect(sent.map(({ kind }) => kind)).toEqual(['open']); // ahead of time, and never played
  });

  test('who selects a turn, a leaf, a token or a credit step stays in the update on screen', () => {
    const { lab } = labWithRecording();
    lab.player.seek(1);
    lab.selection.select({ view: 'tree', prompt: 1 });
    expect(lab.selection.getState().update).toBeNull(); // follows the newest
    for (const place of [{ node: nodeId(2) }, { leaf: nodeId(3) }, { token: 4 }, { creditFrame: 2 }]) {
      lab.selection.select({ update: null });
      lab.selection.select(place);
      expect(lab.selection.getState()).toMatchObject({ update: 1, prompt: 1, ...place });
    }
    lab.player.seek(2);
    expect(lab.selection.getState()).toMatchObject({ update: 1, creditFrame: 2 });
    lab.selection.select({ update: null });
    lab.selection.select({ hovered: nodeId(1), colour: 'value' });
    expect(lab.selection.getState().update).toBeNull();
  });

  test('a live run goes on being fed while another record is on screen, and is taken up again where it stood', () => {
    const { lab, kinds } = labWithRecording();
    lab.transport.receive([READY, START]);
    lab.transport.trainLive();
    lab.transport.receive(updateEvents(1));
    lab.shelf.keep(lab.run);
    const [kept] = lab.shelf.getState().runs;
    lab.transport.show(kept.record);
    expect([lab.transport.getState().source, kinds()]).toEqual(['file', ['open', 'play', 'pause']]);
    let heard = 0;
    const stop = lab.run.subscribe(() => (heard += 1));
    lab.transport.receive(updateEvents(2));
    expect([lab.run.getState().updates.length, heard]).toEqual([1, 0]);
    lab.transport.stepPhase(); // a record lies there whole: nothing obeys
    lab.transport.play();
    expect(kinds()).toHaveLength(3);
    lab.transport.trainLive();
    expect([lab.run.getState().updates.length, heard]).toEqual([2, 1]);
    stop();
    expect([lab.transport.getState().source, kinds()]).toEqual(['live', ['open', 'play', 'pause', 'play']]);
    lab.transport.replay();
    expect([lab.transport.getState().source, lab.run.getState().updates.length]).toEqual(['recorded', 0]);
    lab.transport.showLive();
    expect(lab.run.getState().updates.length).toBe(2);
    lab.transport.restart(); // asked for once more, from its start
    expect([kinds().slice(-3), lab.run.getState().updates.length]).toEqual([['close', 'open', 'play'], 0]);
  });

  test('a run that cannot be opened is reported and the recorded run stays', () => {
    const { lab } = labWithRecording();
    lab.player.seek(2);
    lab.transport.receive([READY, { kind: 'failed', update: 0, report: REPORT }]);
    expect(lab.run.getState().failure).toEqual(REPORT);
    expect([lab.transport.getState().engine.kind, lab.run.getState().updates.length]).toEqual(['ready', 2]);
  });

  test('restarts with a draft and ignores what the run before still says', () => {
    const { lab, sent } = labWithRecording();
    lab.transport.receive([READY, START]);
    const draft = { ...CONFIG, seed: 8 };
    lab.transport.setDraft(draft);
    lab.transport.restart();
    expect(sent).toEqual([
      { kind: 'open', config: CONFIG },
      { kind: 'close' },
      { kind: 'open', config: draft },
      { kind: 'play' },
    ]);
    lab.transport.receive(updateEvents(1));
    expect(lab.run.getState().updates).toEqual([]);
    lab.transport.receive([{ ...START, config: draft }, ...updateEvents(1)]);
    expect([lab.run.getState().updates.length, lab.run.getState().header?.config?.seed]).toEqual([1, 8]);
  });

  test('knows its run by value, in whatever order the engine writes the settings', () => {
    const { lab } = labWithRecording();
    const reversed = Object.fromEntries(Object.entries(CONFIG).toReversed()) as unknown as typeof CONFIG;
    lab.transport.receive([READY]);
    lab.transport.trainLive();
    lab.transport.receive([{ ...START, config: reversed }, ...updateEvents(1)]);
    expect(lab.run.getState().updates).toHaveLength(1);
  });

  test('a draft that equals the run shown is no draft', () => {
    const { lab } = labWithRecording();
    lab.player.seek(1);
    lab.transport.setDraft({ ...CONFIG, seed: 9 });
    expect(lab.transport.getState().draft?.seed).toBe(9);
    lab.transport.setDraft({ ...CONFIG });
    expect(lab.transport.getState().draft).toBeNull();
  });
});

describe('the player', () => {
  const play = (stepMs: number, frames: number) => {
    const seen: EngineEvent[] = [];
    const player = createPlayer((events) => seen.push(...events));
    player.add(SAMPLE_LOG);
    player.finish();
    player.play();
    for (let frame = 0; frame < frames; frame += 1) player.tick(frame * stepMs);
    return { seen, player };
  };

  test('hands on nodes one by one at first', () => {
    const nodes = (frames: number) => play(5, frames).seen.filter(({ kind }) => kind === 'node').length;
    const counts = Array.from({ length: 240 }, (_, frame) => nodes(frame));
    const steps = counts.slice(1).map((count, index) => count - counts[index]);
    expect(Math.max(...steps)).toBeLessThanOrEqual(2);
    expect(counts[239]).toBe(10);
  });

  test('hands on everything in order and stops at the end', () => {
    const { seen, player } = play(100, 200);
    expect(seen).toEqual(SAMPLE_LOG);
    expect(player.getState()).toMatchObject({ playing: false, position: SAMPLE_LOG.length });
  });

  /** Milliseconds that each phase of each update stands, at a speed. */
  const standing = (speed: number): number[] => {
    const player = createPlayer(() => undefined);
    player.add(SAMPLE_LOG);
    player.finish();
    player.setSpeed(speed);
    player.play();
    const begun: { kind: string; ms: number }[] = [];
    const STEP_MS = 10;
    let seen = 0;
    for (let ms = 0; player.getState().playing; ms += STEP_MS) {
      player.tick(ms);
      const { position } = player.getState();
      for (const event of SAMPLE_LOG.slice(seen, position))
        if (event.kind === 'phase' || event.kind === 'metrics') begun.push({ kind: event.kind, ms });
      seen = position;
    }
    return begun.flatMap(({ kind, ms }, index) => (kind === 'phase' ? [begun[index + 1].ms - ms] : []));
  };

  test('holds every phase for at least 300 ms at speed 1, for half of it at speed 2, twice as long at speed 0.5', () => {
    const normal = standing(1);
    expect(normal).toHaveLength(12);
    expect(Math.min(...normal)).toBeGreaterThanOrEqual(300);
    for (const speed of [0.5, 2])
      standing(speed).forEach((ms, index) => {
        expect(Math.abs(ms - normal[index] / speed)).toBeLessThanOrEqual(20);
      });
  });

  test('does not rush after a sleep', () => {
    const { seen, player } = play(20, 3);
    const before = seen.length;
    player.tick(60_000);
    expect(seen.length - before).toBeLessThan(20);
  });

  test('seeks to the end of an update', () => {
    const { player, seen } = play(1, 0);
    player.seek(1);
    expect(seen.at(-1)).toMatchObject({ kind: 'metrics', update: 1 });
  });
});

describe('knobs', () => {
  test('read and write by path without touching the config', () => {
    const changed = writeKnob(CONFIG, 'algorithm.loss.clipHigh', 0.5);
    expect([readKnob(changed, 'algorithm.loss.clipHigh'), readKnob(CONFIG, 'algorithm.loss.clipHigh')]).toEqual([0.5, 0.03]); // prettier-ignore
    expect(changed.optimiser).toBe(CONFIG.optimiser);
    expect(readKnob(CONFIG, 'no.such.path')).toBeUndefined();
  });

  test('the tree’s shape sets its leaves', () => {
    const { rollout } = writeKnob(CONFIG, 'algorithm.rollout.picks', 4).algorithm;
    expect([rollout.initialBranches, rollout.iterations, rollout.leavesPerTree]).toEqual([2, 1, 6]);
  });

  test('another algorithm comes in the size and the clip band of the preset', () => {
    const paper = {
      ...CONFIG.algorithm,
      name: 'at2po_random',
      rollout: { ...CONFIG.algorithm.rollout, expansion: 'random' as const, initialBranches: 10 },
      loss: { ...CONFIG.algorithm.loss, clipLow: 0.003, clipHigh: 0.004 },
    };
    const { name, rollout, loss } = withAlgorithm(CONFIG, paper, SCALE).algorithm;
    expect([name, rollout.expansion, rollout.initialBranches, loss.clipLow, loss.clipHigh]).toEqual([
      'at2po_random',
      'random',
      2,
      0.02,
      0.03,
    ]);
  });
});

describe('what belongs to the session', () => {
  test('a profile of the next update runs that update where the run stands still', () => {
    const { lab, kinds } = labWithRecording();
    lab.transport.profile();
    expect(kinds()).toEqual([]); // a recorded run has nothing to time
    lab.transport.receive([READY, START]);
    lab.transport.profile();
    expect(kinds()).toEqual(['open', 'profile', 'step-update']);
    lab.transport.receive([{ kind: 'status', status: 'running', update: 1, phase: 'rollout' }]);
    lab.transport.profile();
    expect(kinds()).toEqual(['open', 'profile', 'step-update', 'profile']);
  });
});

describe('checking the steps of a run whose weights are gone', () => {
  const PLACE = { update: 2, prompt: 1, leaf: 3, token: 9 } as unknown as Partial<Selection>; // brands are type-only
  const answer = { update: 2, steps: [] };

  function asked() {
    const { lab, sent, kinds, listener } = labWithRecording();
    lab.player.seek(2);
    lab.transport.receive([READY, START]);
    lab.selection.select(PLACE);
    sent.length = 0;
    lab.transport.checkStepsAgain(2);
    return { lab, sent, kinds, listener };
  }

  test('a recorded run is trained again, checked at its update, paused, and shown where it was left', async () => {
    const { lab, sent, kinds, listener } = asked();
    expect(sent).toEqual([{ kind: 'check-steps', update: 2 }, { kind: 'play' }]);
    expect(lab.transport.getState()).toMatchObject({ source: 'live', checkingSteps: true, trainingTo: 2 });
    expect(lab.selection.getState().update).toBe(null);
    lab.transport.receive([...updateEvents(1), ...updateEvents(2)]);
    await listener.answer('check-steps', answer);
    expect(lab.inspection.getState().stepCheck).toEqual(answer);
    expect(kinds()).toEqual(['check-steps', 'play', 'pause']);
    expect(lab.transport.getState()).toMatchObject({ checkingSteps: false, trainingTo: null });
    expect(lab.selection.getState()).toMatchObject(PLACE);
  });

  test('a finished live run is opened again in the engine', async () => {
    const { lab, sent, listener } = asked();
    await listener.answer('check-steps', answer);
    sent.length = 0;
    lab.transport.checkStepsAgain(1);
    expect(sent).toEqual([{ kind: 'reset' }, { kind: 'check-steps', update: 1 }, { kind: 'play' }]);
  });

  test('who has gone elsewhere meanwhile is left there, and another run forgets the question', async () => {
    const { lab, listener } = asked();
    lab.selection.select({ update: 1 });
    await listener.answer('check-steps', answer);
    expect(lab.selection.getState().update).toBe(1);
    const { lab: again, listener: other } = asked();
    again.transport.reset();
    expect(other.asked.at(-1)?.signal?.aborted).toBe(true);
    expect(again.transport.getState()).toMatchObject({ checkingSteps: false, trainingTo: null });
  });
});
