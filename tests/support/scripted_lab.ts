/** A Lab that holds a whole scripted run: what view tests render and read. */
import { createLab, type Lab } from '../../src/store/lab.ts';
import type { RunEvent } from '../../src/train/protocol.ts';
import { scriptedRun } from './scripted_run.ts';

let log: Promise<readonly RunEvent[]> | null = null;

/** The log of one small scripted run; made once. */
export const scriptedLog = (): Promise<readonly RunEvent[]> => (log ??= scriptedRun());

export async function scriptedLab(hash = ''): Promise<Lab> {
  const lab = createLab(() => undefined, hash);
  lab.run.apply(await scriptedLog());
  return lab;
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
