import { isLogged } from '../../src/protocol/protocol.ts';
import { expect, test } from 'vitest';
import { parseRunCommand } from '../../src/train/engine/guard.ts';
import { parseLoggedEvent } from '../../src/protocol/log.ts';
import { LabError } from '../../src/units.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

const report = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (error instanceof LabError) return { name: error.name, ...error.report };
    throw error;
  }
  throw new Error('nothing was thrown');
};

test('every command of the protocol passes, stripped to its fields', () => {
  for (const kind of ['play', 'pause', 'step-update', 'step-phase', 'reset', 'close']) {
    expect(parseRunCommand({ kind, extra: 1 })).toEqual({ kind });
  }
  const config = smallConfig();
  expect(parseRunCommand({ kind: 'open', config })).toEqual({ kind: 'open', config });
  const to = { update: 3, phase: 'advantage' };
  expect(parseRunCommand({ kind: 'play', to })).toEqual({ kind: 'play', to });
  const bytes = new ArrayBuffer(4);
  expect(parseRunCommand({ kind: 'load-weights', bytes })).toEqual({ kind: 'load-weights', bytes });
});

test('what is no command is refused with the list of commands', () => {
  for (const value of [null, undefined, 7, 'play', {}, { kind: 'jump' }, { kind: 3 }]) {
    const { name, where, wanted } = report(() => parseRunCommand(value));
    expect(name).toBe('ProtocolError');
    expect(where).toBe('command.kind');
    expect(wanted).toContain('step-phase');
  }
  expect(report(() => parseRunCommand({ kind: 'jump' })).got).toBe('"jump"');
});

test('a command with bad contents says where they are bad', () => {
  expect(report(() => parseRunCommand({ kind: 'open' })).name).toBe('RunConfigError');
  expect(report(() => parseRunCommand({ kind: 'open', config: { ...smallConfig(), updates: 'many' } })).where).toBe('config.updates'); // prettier-ignore
  expect(report(() => parseRunCommand({ kind: 'load-weights', bytes: [1, 2] })).where).toBe('command.bytes');
  for (const to of [null, {}, { update: 0, phase: 'loss' }, { update: 1, phase: 'rest' }])
    expect(report(() => parseRunCommand({ kind: 'play', to })).where).toBe('command.to');
});

test('every logged event of a run passes the guard unchanged', async () => {
  const logged = (await scriptedRun(smallConfig({ updates: 1 }))).filter(isLogged);
  expect(logged.length).toBeGreaterThan(200);
  for (const event of logged) expect(parseLoggedEvent(event, 'here')).toEqual(event);
});

test('an event with a wrong field is refused by its path', () => {
  const metrics = { kind: 'metrics', update: 1, metrics: { loss: 'low' } };
  expect(report(() => parseLoggedEvent(metrics, 'line 9')).where).toBe('line 9.metrics.exactMatch');
  expect(report(() => parseLoggedEvent({ kind: 'phase', update: 1, phase: 'rest' }, 'line 2')).where).toBe(
    'line 2.phase',
  );
  expect(report(() => parseLoggedEvent({ kind: 'leaves', update: -1, prompt: 0, leaves: [], pruned: [] }, 'l')).where).toBe('l.update'); // prettier-ignore
  expect(report(() => parseLoggedEvent({ kind: 'weights', update: 1 }, 'l')).name).toBe('RecordingError');
});
