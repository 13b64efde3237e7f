/** The link of the state on screen, and in words what it cannot carry. */
import { countWords } from '../../units.ts';
import type { Lab } from '../lab/lab.ts';
import { encodeSelection, newestShown } from '../place/address.ts';
import { withoutLinkedFile } from '../place/linked_file.ts';
import type { Selection } from '../place/selection.ts';
import { recipeChanges } from '../record/run_name.ts';
import type { RunState } from '../record/run_state.ts';

/** Characters that mail programs and chats pass on whole. */
export const LONGEST_LINK = 2000;

export interface LinkParts {
  readonly run: RunState;
  readonly selection: Selection;
  readonly base: string; // address of the page, without a hash
  readonly source: 'recorded' | 'live' | 'file';
  readonly isHosted: boolean; // the run lies beside the page, at the address in `base`
  readonly handTrees: number; // trees of this run that a person changed
  readonly otherRuns: number; // put beside this one in Compare
}

export interface Link {
  readonly href: string;
  readonly limits: readonly string[]; // what the receiver does not get, a sentence each
  readonly tooLong: string | null;
}

const isShipped = ({ source, isHosted }: LinkParts): boolean => source === 'recorded' || isHosted;

/** What of the run stays here, by where it comes from. */
function runLimits(parts: LinkParts): readonly string[] {
  const { header, ready } = parts.run;
  if (!header || isShipped(parts)) return []; // everybody who opens the page has it
  const { config, origin } = header;
  if (origin.kind === 'imported') return [`The rollouts of ${origin.file}: give that file along.`];
  const log = 'The log of the run: it is in this browser alone. Save it in Runs and give the file along.';
  if (!config) return [log];
  if (config.editedKernel)
    return [
      log,
      `The edited kernel ${config.editedKernel.name}: the run cannot be trained again from the link.`,
    ];
  if (origin.kind === 'forked')
    return [log, `The weights that it began from, of ${origin.run} after update ${origin.update}.`];
  if (ready && !recipeChanges(config, ready))
    return [
      log,
      'Settings that this version of the page has otherwise: the run cannot be trained again from the link.',
    ];
  return [log, 'Trained weights: the receiver trains the run again by its settings; on another adapter its numbers differ a little.']; // prettier-ignore
}

export function linkOf(parts: LinkParts): Link {
  const { run, selection, base, handTrees, otherRuns } = parts;
  const href = `${base}${encodeSelection(selection, newestShown(selection, run.updates.length))}`;
  const compares = selection.view === 'compare' && selection.compared === 'runs';
  const limits = [
    ...runLimits(parts),
    ...(handTrees > 0
      ? [`Turns that were made by hand, in ${countWords(handTrees, 'tree')} of this run.`]
      : []),
    ...(compares && otherRuns > 0 ? [`The ${countWords(otherRuns, 'other run')} of the comparison.`] : []),
  ];
  const tooLong =
    href.length <= LONGEST_LINK
      ? null
      : `The link has ${href.length.toLocaleString('en-US')} characters, and some programs cut what is longer than ${LONGEST_LINK.toLocaleString('en-US')}. Fewer changed settings, folded turns or words of a search make it shorter.`;
  return { href, limits, tooLong };
}

/** The link of what is on screen now. @param page where the page is */
export function linkNow(
  { run, selection, transport, interventions, shelf, files }: Lab,
  page: Pick<Location, 'origin' | 'pathname' | 'search'>,
): Link {
  const state = run.getState();
  const { linked } = files.getState();
  const isHosted = linked !== null && linked === state.header?.date;
  const search = isHosted ? page.search : withoutLinkedFile(page.search);
  const own = `${state.header?.date ?? ''} `; // as handKey begins
  const hand = Object.entries(interventions.getState().trees);
  return linkOf({
    run: state,
    selection: selection.getState(),
    base: `${page.origin}${page.pathname}${search}`,
    source: transport.getState().source,
    isHosted,
    handTrees: hand.filter(([key, { done }]) => key.startsWith(own) && done.length > 0).length,
    otherRuns: shelf.getState().runs.length,
  });
}
