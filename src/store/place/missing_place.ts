/** What the address asks for and this page does not have: another run, an update to come, a turn of another tree. Pure. */
import {
  countWords,
  type ErrorReport,
  type NodeId,
  type RecordedPrompt,
  type RunConfig,
} from '../../units.ts';
import { adapterWords, configOf, runName, runWords, sameRun } from '../record/run_name.ts';
import { sameQuestion } from '../record/reading.ts';
import type { RunState, TreeState, UpdateState } from '../record/run_state.ts';
import type { KeptRun } from '../record/shelf.ts';
import type { Selection } from './selection.ts';

/** An ErrorReport of a place; `where` is the address. */
export interface MissingPlace extends Omit<ErrorReport, 'where'> {
  readonly train: RunConfig | null; // of the wanted run, where it can be trained here
  readonly leave: Partial<Selection>; // gives the wish up
}

export interface PlaceQuestion {
  readonly run: Pick<RunState, 'header' | 'ready'>;
  readonly updateCount: number;
  readonly shown: UpdateState | null; // the one selected by number; null where the selection follows, or there is none
  readonly needed: number | null; // last update that the selection needs
  readonly selection: Pick<Selection, 'run' | 'prompt' | 'node' | 'leaf'>;
  readonly source: 'live' | 'recorded';
  readonly isRead: boolean; // the recording, to its end
  readonly hand: TreeState | null; // a person's copy of the selected tree
}

function missingRun({ run, selection }: PlaceQuestion): MissingPlace | null {
  const wanted = selection.run;
  if (!run.header || !wanted) return null;
  const shown = runName(run.header);
  if (sameRun(shown, wanted)) return null;
  const train = configOf(run, wanted);
  const sameWords = runWords(shown) === runWords(wanted);
  const other =
    shown.settings === wanted.settings ? 'computed by another graphics adapter' : 'with other settings';
  const mine = run.header.adapter
    ? `computed by ${adapterWords(run.header.adapter)}`
    : 'which somebody else trained';
  return {
    what: 'This address is of a run that this browser does not have',
    got: sameWords ? `a run of that name, ${mine}` : `${runWords(shown)}, ${mine}`,
    wanted: sameWords ? `${runWords(wanted)}, ${other}` : runWords(wanted),
    train,
    leave: { run: shown },
    next: train
      ? 'Its place is shown in the run at hand. Train the wanted run here, or ask for its saved file and open that under Compare.'
      : 'Its place is shown in the run at hand. Ask for the saved run and open it under Compare: its settings are not in the address.',
  };
}

function missingUpdate({ needed, updateCount, source, isRead }: PlaceQuestion): MissingPlace | null {
  if (needed === null || updateCount === 0 || needed <= updateCount) return null;
  if (source === 'recorded' && !isRead) return null;
  return {
    what: `Update ${needed} is not there`,
    got: `a run of ${countWords(updateCount, 'update')}${source === 'live' ? ' so far' : ''}`,
    wanted: `update ${needed}`,
    train: null,
    leave: { update: null, pinned: null },
    next:
      source === 'live'
        ? 'The newest is shown until it is trained.'
        : 'The newest is shown; choose another in Train.',
  };
}

function missingInUpdate({ shown: at, selection, hand }: PlaceQuestion): MissingPlace | null {
  const { prompt } = selection;
  if (!at || at.detail !== 'here' || !at.ended) return null;
  const tree = at.trees[prompt] as TreeState | undefined;
  if (!tree)
    return {
      what: `Prompt ${prompt + 1} is not there`,
      got: `update ${at.update} with ${countWords(at.trees.length, 'prompt')}`,
      wanted: `prompt ${prompt + 1}`,
      train: null,
      leave: { prompt: 0 },
      next: 'Choose a prompt above the tree.',
    };
  const known = (id: NodeId | null): boolean =>
    id === null || tree.nodes[id] !== undefined || hand?.nodes[id] !== undefined;
  const lost = [selection.node, selection.leaf].find((id) => !known(id));
  if (lost == null) return null;
  return {
    what: `Turn n${lost} is not there`,
    got: `a tree of ${countWords(tree.nodes.length, 'node')} in update ${at.update}, prompt ${prompt + 1}`,
    wanted: `turn n${lost}`,
    train: null,
    leave: { node: null, leaf: null },
    next: 'Choose another turn. Turns that somebody made by hand stay in the tab that made them.',
  };
}

/** In the order in which they are to be read; empty where all that is asked for is on screen. */
export function missingPlaces(question: PlaceQuestion): readonly MissingPlace[] {
  return [missingRun, missingUpdate, missingInUpdate].flatMap((find) => find(question) ?? []);
}

// Where a question was asked at another time: another update of the run, or a run kept to compare with. Pure.

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
  asker: RunState,
  prompt: RecordedPrompt,
  update: number,
  from: string | null,
  isHere: (update: number) => boolean,
): OtherAsking | null {
  const askings = run.updates.flatMap((entry): OtherAsking[] => {
    if (!isHere(entry.update)) return [];
    const at = entry.trees.findIndex(
      (tree) => sameQuestion(run, tree.prompt, asker, prompt) && tree.growth.length > 0,
    );
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
  prompt: RecordedPrompt,
  update: number,
): OtherAsking | null {
  const own = nearest(run, run, prompt, update, null, (other) => other !== update);
  if (own) return own;
  for (const entry of kept) {
    if (entry.run === run) continue;
    const other = nearest(entry.run, run, prompt, update, entry.title, () => true);
    if (other) return other;
  }
  return null;
}
