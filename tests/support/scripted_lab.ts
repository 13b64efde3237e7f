/** A Lab that holds a whole scripted run: what view tests render and read. */
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import type { RunCommand, EngineEvent } from '../../src/protocol/protocol.ts';
import { listen } from './questions.ts';
import { scriptedRun } from './scripted_run.ts';

let log: Promise<readonly EngineEvent[]> | null = null;

/** The log of one small scripted run; made once. */
export const scriptedLog = (): Promise<readonly EngineEvent[]> => (log ??= scriptedRun());

export async function scriptedLab(hash = ''): Promise<Lab> {
  const lab = createLab(() => undefined, hash);
  lab.run.apply(await scriptedLog());
  return lab;
}

/** The scripted run in a lab whose engine is ready; `sent` and `listener.asked` grow with what the page wants of it. */
export async function askingLab() {
  const sent: RunCommand[] = [];
  const listener = listen();
  const lab = createLab((command) => void sent.push(command), '', undefined, null, listener);
  const log = await scriptedLog();
  lab.transport.receive(log.filter(({ kind }) => kind === 'ready'));
  lab.run.apply(log);
  return { lab, sent, listener };
}

/** The first tree of the run's first update whose rewards differ: one that has credit to show. */
export function liveTree(lab: Lab) {
  const update = lab.run.getState().updates[0];
  const tree = update.trees.find(
    ({ leaves, rewards }) => new Set(leaves.map((leaf) => rewards?.[leaf])).size > 1,
  );
  if (!tree) throw new Error('every tree of the scripted run is dead: choose another seed');
  return { update, tree };
}
