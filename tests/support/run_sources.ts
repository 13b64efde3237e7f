/** The three ways in which a log comes to the page: as an engine trains, after it has finished, and from a recording. */
import type { Lab } from '../../src/store/lab/lab.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';

type Show = (lab: Lab, log: readonly RunEvent[]) => void;

const lastUpdate = (log: readonly RunEvent[]): number =>
  Math.max(...log.map((event) => ('update' in event ? event.update : 0)));

function showLive(lab: Lab, log: readonly RunEvent[]): void {
  lab.transport.setState({ source: 'live', engine: { kind: 'ready' }, prepared: true });
  lab.run.apply(log);
}

/** The next update has begun, and none of its trees has grown. */
const train: Show = (lab, log) => {
  const update = lastUpdate(log) + 1;
  showLive(lab, [
    ...log,
    { kind: 'update-started', update, prompts: [] },
    { kind: 'status', status: 'running', update, phase: 'rollout' },
  ]);
};

const finish: Show = (lab, log) =>
  showLive(lab, [...log, { kind: 'status', status: 'finished', update: lastUpdate(log), phase: 'step' }]);

/** As the player hands it on, update by update. */
const record: Show = (lab, log) => {
  lab.player.add(log);
  lab.player.finish();
  while (lab.player.getState().position < log.length) lab.player.stepUpdate();
};

export const RUN_SOURCES: readonly (readonly [string, Show])[] = [
  ['a run that trains', train],
  ['a run that is over', finish],
  ['a recorded run', record],
];
