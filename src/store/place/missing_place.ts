/** What the address asks for and this page does not have: another run, an update to come, a turn of another tree. Pure. */
import { countWords, type ErrorReport, type NodeId, type RecordedPrompt } from '../../units.ts';
import { runName, runWords, sameRun, type RunName } from '../record/run_name.ts';
import { sameQuestion } from '../record/reading.ts';
import type { RunState, TreeState, UpdateState } from '../record/run_state.ts';
import type { KeptRun } from '../record/shelf.ts';
import type { Selection } from './selection.ts';

/** An ErrorReport of a place; `where` is the address. */
export interface MissingPlace extends Omit<ErrorReport, 'where'> {
  readonly leave: Partial<Selection>; // gives the wish up
}

export interface PlaceQuestion {
  readonly updateCount: number;
  readonly shown: UpdateState | null; // the one selected by number; null where the selection follows, or there is none
  readonly needed: number | null; // last update that the selection needs
  readonly selection: Pick<Selection, 'prompt' | 'node' | 'leaf'>;
  readonly source: 'live' | 'recorded';
  readonly isRead: boolean; // the recording, to its end
  readonly hand: TreeState | null; // a person's copy of the selected tree
}

/**
 * Said where an address is of a run that is nowhere in this browser: what was asked for, what is shown in its place.
 * @param canTrain the wanted run's settings are known here
 */
export function lostRunWords(
  { run, view, update }: Pick<Selection, 'view' | 'update'> & { readonly run: RunName },
  header: RunState['header'],
  canTrain: boolean,
): string {
  const shown = header && runName(header);
  const isOther = shown !== null && runWords(shown) === runWords(run) && !sameRun(shown, run);
  const by = !isOther ? '' : shown.settings === run.settings ? ', computed by another graphics adapter' : ', with other settings'; // prettier-ignore
  const at = update === null ? '' : ` at update ${update}`;
  const place = view === 'train' ? '' : ` in ${view[0].toUpperCase()}${view.slice(1)}`;
  const instead = !shown ? 'nothing is' : isOther ? 'the run of that name here is' : `${runWords(shown)} is`;
  const next = canTrain
    ? 'train it here, or ask who sent the link for the saved file and open that in Runs'
    : 'ask who sent the link for the saved file and open that in Runs';
  return `This link asks for ${runWords(run)}${by}${at}${place}, which this browser does not have; ${instead} shown instead: ${next}.`;
}

function missingUpdate({ needed, updateCount, source, isRead }: PlaceQuestion): MissingPlace | null {
  if (needed === null || updateCount === 0 || needed <= updateCount) return null;
  if (source === 'recorded' && !isRead) return null;
  return {
    what: `Update ${needed} is not there`,
    got: `a run of ${countWords(updateCount, 'update')}${source === 'live' ? ' so far' : ''}`,
    wanted: `update ${needed}`,
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
  if (!tree && at.elsewhere) return null; // it stands in the file, and that is said
  if (!tree)
    return {
      what: `Prompt ${prompt + 1} is not there`,
      got: `update ${at.update} with ${countWords(at.trees.length, 'prompt')}`,
      wanted: `prompt ${prompt + 1}`,
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
    leave: { node: null, leaf: null },
    next: 'Choose another turn. Turns that somebody made by hand stay in the tab that made them.',
  };
}

/** The first thing that is asked for and not there; null where all of it is on screen. */
export const missingPlace = (question: PlaceQuestion): MissingPlace | null =>
  missingUpdate(question) ?? missingInUpdate(question);

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
