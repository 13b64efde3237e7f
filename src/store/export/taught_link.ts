/** The link that a teacher gives out: a run, a place in it, a lesson or questions, and what it hides. Pure. */
import type { KnobDescription } from '../../protocol/protocol.ts';
import { encodeSelection } from '../place/address.ts';
import { INITIAL_SELECTION, type Selection, type View } from '../place/selection.ts';
import { CONTROLS, encodeStage, settingName, type HiddenName, type TaughtQuestion } from '../place/stage.ts';
import { runName } from '../record/run_name.ts';
import type { RunState } from '../record/run_state.ts';

export interface TaughtLink {
  readonly preset: string | null; // trained there by the student; null: the run on screen
  readonly seed: number; // uint32, of the preset's run
  readonly view: View;
  readonly lesson: string | null;
  readonly step: number; // of the lesson, or of credit, from 0
  readonly presented: boolean;
  readonly hidden: readonly HiddenName[];
  readonly questions: readonly TaughtQuestion[];
}

/** A set of names where each setting of a hidden panel is left out: the panel goes with all that is in it. */
export function fewestNames(hidden: readonly HiddenName[]): readonly HiddenName[] {
  const inSettings = (name: HiddenName): boolean =>
    name.startsWith('.') || name === 'preset' || name === 'algorithm' || name === 'weights';
  return hidden.includes('settings') ? hidden.filter((name) => !inSettings(name)) : hidden;
}

/** Everything that can be hidden: the controls, and each setting that the engine lists. */
export const hidableNames = (knobs: readonly Pick<KnobDescription, 'path'>[]): readonly HiddenName[] => [
  ...(Object.keys(CONTROLS) as (keyof typeof CONTROLS)[]),
  ...new Set(knobs.map(({ path }) => settingName(path))),
];

function placeOf(link: TaughtLink, here: Selection, ready: RunState['ready']): Selection {
  const { preset, seed, view, lesson, step } = link;
  if (lesson !== null) return { ...INITIAL_SELECTION, lesson, lessonStep: step };
  const config = ready?.presets.find(({ name }) => name === preset)?.config;
  const stepped = view === 'credit' ? { creditFrame: step } : {};
  if (!config || !ready) return { ...here, lesson: null, view, ...stepped };
  const run = runName({ config: { ...config, seed }, adapter: ready.adapter });
  return { ...INITIAL_SELECTION, run, recipe: [], view, update: view === 'train' ? null : 1, ...stepped };
}

/**
 * @param here what is on screen, which the link shows where it names no preset
 * @param newest number of the newest update, where `here` follows it
 * @param base address of the page, without a hash
 */
export function taughtLink(
  link: TaughtLink,
  here: Selection,
  newest: number | null,
  ready: RunState['ready'],
  base: string,
): string {
  const place = placeOf(link, here, ready);
  const { presented, hidden, questions } = link;
  const stage = encodeStage({
    presented,
    hidden: fewestNames(hidden),
    questions: link.lesson === null ? questions : [],
  });
  const isOwn = link.preset === null && link.lesson === null;
  const hash = encodeSelection(place, isOwn ? newest : null, stage);
  return `${base}${hash}`;
}
