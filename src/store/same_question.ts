/** Where a question was asked at another time: another update of the run, or a run kept to compare with. Pure. */
import type { Prompt } from '../units.ts';
import type { RunState, TreeState } from './run_state.ts';
import type { KeptRun } from './shelf.ts';

const isSame = (a: Prompt, b: Prompt): boolean => a.dataset === b.dataset && a.seed === b.seed;

/** A tree of the same question. */
export interface OtherAsking {
  readonly update: number;
  readonly prompt: number;
  readonly tree: TreeState;
  readonly from: string | null; // title of the kept run; null: the run on screen
  readonly run: RunState; // the run that asked
}

/** The asking nearest in updates; the later of two equally near. */
function nearest(
  run: RunState,
  prompt: Prompt,
  update: number,
  from: string | null,
  isHere: (update: number) => boolean,
): OtherAsking | null {
  const askings = run.updates.flatMap((entry): OtherAsking[] => {
    if (!isHere(entry.update)) return [];
    const at = entry.trees.findIndex((tree) => isSame(tree.prompt, prompt) && tree.growth.length > 0);
    return at < 0 ? [] : [{ update: entry.update, prompt: at, tree: entry.trees[at], from, run }];
  });
  const distance = (asking: OtherAsking): number => Math.abs(asking.update - update);
  return askings.toReversed().toSorted((a, b) => distance(a) - distance(b))[0] ?? null; // stable
}

/**
 * @param update that `prompt` belongs to
 * @returns the nearest other update of the run that asked the question; failing that a kept run's; null: none
 */
export function otherAsking(
  run: RunState,
  kept: readonly KeptRun[],
  prompt: Prompt,
  update: number,
): OtherAsking | null {
  const own = nearest(run, prompt, update, null, (other) => other !== update);
  if (own) return own;
  for (const entry of kept) {
    if (entry.run === run) continue;
    const other = nearest(entry.run, prompt, update, entry.title, () => true);
    if (other) return other;
  }
  return null;
}
