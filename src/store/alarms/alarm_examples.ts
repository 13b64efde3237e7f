/** The place that shows an alarm best: a leaf, a turn or a row of one update, as a selection to go to. Pure. */
import type { LossRow } from '../../protocol/protocol.ts';
import type { NodeId } from '../../units.ts';
import { repeatsItself, type AlarmKind, type AlarmNumber, type ClosedUpdate } from './alarm_signs.ts';
import { isDead, leavesOf, pathTo, rewardOf } from '../record/reading.ts';
import type { MinibatchState, TreeState, UpdateState } from '../record/run_state.ts';
import type { Selection } from '../place/selection.ts';

export type Place = Partial<Selection>;

export interface AlarmOf<Kind extends string> {
  readonly kind: Kind;
  readonly id: string; // of its kind and beginning: the same as long as the trouble lasts
  readonly since: number; // update at which it began; of an import, the trainer's step
  readonly of: 'update' | 'step';
  readonly title: string; // without a full stop
  readonly sentence: string; // what it means
  readonly next: string; // what may save the run
  readonly numbers: readonly AlarmNumber[]; // of the newest update that shows it
  readonly example: Place;
}

type Finder = (update: ClosedUpdate) => Place | null;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The item of the highest score, the first of equals; null of none. Scores that are not numbers lose. */
export function best<T>(items: readonly T[], score: (item: T) => number): T | null {
  let [found, highest] = [null as T | null, -Infinity];
  for (const item of items) {
    const value = score(item);
    if (found === null || value > highest) [found, highest] = [item, value];
  }
  return found;
}

export interface Leaf {
  readonly tree: TreeState;
  readonly leaf: NodeId;
}

export const leavesIn = ({ trees }: Pick<UpdateState, 'trees'>): readonly Leaf[] =>
  trees.flatMap((tree) => leavesOf(tree).map((leaf) => ({ tree, leaf })));

export const inTree = ({ tree, leaf }: Leaf, place: Place = {}): Place => ({
  view: 'tree',
  prompt: tree.prompt.index,
  leaf,
  node: leaf,
  ...place,
});

const inLoss = (row: LossRow | null): Place | null =>
  row && { view: 'loss', prompt: row.prompt, leaf: row.leaf };

const rows = (minibatches: readonly MinibatchState[]): readonly LossRow[] =>
  minibatches.flatMap((minibatch) => minibatch.rows);

const finite = (values: readonly number[]): boolean => values.every(Number.isFinite);

const meanEntropy = ({ tree, leaf }: Leaf): number => {
  const sampled = pathTo(tree, leaf).flatMap(({ entropy, mask }) =>
    (entropy ?? []).filter((_, at) => mask[at] === 1),
  );
  return sum(sampled) / sampled.length;
};

const FINDERS = {
  'not-finite': ({ minibatches }) => {
    const bad = minibatches.filter(({ step, loss }) => step?.skipped || !Number.isFinite(loss ?? 0));
    const broken = rows(minibatches).find((row) => !finite(row.logProb) || !finite(row.dlogProb));
    return inLoss(broken ?? rows(bad)[0] ?? null);
  },
  'gradient-spike': ({ minibatches }) => {
    const steepest = best(minibatches, ({ step }) => step?.gradientNorm ?? -Infinity);
    return inLoss(best(steepest?.rows ?? [], ({ dlogProb }) => sum(dlogProb.map(Math.abs))));
  },
  'lazy-collapse': (update) => {
    const wrong = leavesIn(update).filter(({ tree, leaf }) => (rewardOf(tree, leaf) ?? 0) <= 0);
    const shortest = best(wrong, ({ tree, leaf }) => -pathTo(tree, leaf).length);
    return shortest && inTree(shortest, { colour: 'reward' });
  },
  'dead-trees': ({ trees }) => {
    const dead = trees.find(isDead);
    return dead ? { view: 'tree', prompt: dead.prompt.index, colour: 'reward' } : null;
  },
  'entropy-collapse': (update) => {
    const surest = best(leavesIn(update), (entry) => -meanEntropy(entry));
    return surest && inTree(surest, { colour: 'entropy' });
  },
  'repeated-text': (update) => {
    for (const entry of leavesIn(update)) {
      const turn = pathTo(entry.tree, entry.leaf).find(repeatsItself);
      if (turn) return inTree(entry, { node: turn.id });
    }
    return null;
  },
  clipped: ({ minibatches }) =>
    inLoss(best(rows(minibatches), ({ turnLogRatio }) => Math.max(...turnLogRatio.map(Math.abs)))),
} as const satisfies Record<AlarmKind, Finder>;

/**
 * Where to look: at the first of `updates` that has an example.
 * @param updates in order of preference; not empty
 * @returns a whole place; only an update, in Train, where trees and rows are not at hand
 */
export function exampleOf(kind: AlarmKind, updates: readonly ClosedUpdate[]): Place {
  for (const update of updates) {
    const place = FINDERS[kind](update);
    if (place) return { update: update.update, ...place };
  }
  return { view: 'train', update: updates[0].update };
}
