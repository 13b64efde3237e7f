/** What is wrong with masks, ids and turn boundaries of rollouts, counted. Pure. */
import type { Boundary, RolloutFacts, TurnFacts } from '../../units.ts';

/** A turn of a rollout. */
export interface TurnPlace {
  readonly rollout: RolloutFacts;
  readonly turn: TurnFacts;
}

export const MASK_FAULTS = ['read-in-loss', 'written-outside', 'last-certain', 'ids-missing'] as const;
export type MaskFault = (typeof MASK_FAULTS)[number];

export interface MaskFinding {
  readonly fault: MaskFault;
  readonly checked: number; // turns for which the file says enough
  readonly tokens: number; // at fault
  readonly ofTokens: number; // looked at
  readonly turns: readonly TurnPlace[]; // at fault
  readonly rollouts: number; // at fault
}

const EXAMPLES = 5;
export const firstOf = <Item>(list: readonly Item[]): readonly Item[] => list.slice(0, EXAMPLES);

type Check = (place: TurnPlace) => { readonly tokens: number; readonly of: number } | null;

const hasSomeIds = ({ turns }: RolloutFacts): boolean => turns.some(({ hasIds }) => hasIds);

/** Null: the file does not say; a fault where tokens > 0. */
const CHECKS: Readonly<Record<MaskFault, Check>> = {
  'read-in-loss': ({ turn: { read } }) =>
    read === null || read.inLoss === null ? null : { tokens: read.inLoss, of: read.tokens },
  'written-outside': ({ turn: { written } }) =>
    written === null || written.inLoss === null ? null : { tokens: written.tokens - written.inLoss, of: written.tokens }, // prettier-ignore
  'last-certain': ({ turn: { sampler, endsInLoss } }) =>
    sampler === null || endsInLoss === false ? null : { tokens: Number(sampler.at(-1) === 0), of: 1 },
  'ids-missing': ({ rollout, turn: { hasIds } }) => (hasSomeIds(rollout) ? { tokens: Number(!hasIds), of: 1 } : null), // prettier-ignore
};

const placesOf = (rollouts: readonly RolloutFacts[]): readonly TurnPlace[] =>
  rollouts.flatMap((rollout) => rollout.turns.map((turn) => ({ rollout, turn })));

/** One finding a fault, also where there is none; `checked` 0: unknown. */
export function readMasks(rollouts: readonly RolloutFacts[]): readonly MaskFinding[] {
  const places = placesOf(rollouts);
  return MASK_FAULTS.map((fault) => {
    const known = places.flatMap((place) => {
      const found = CHECKS[fault](place);
      return found ? [{ place, ...found }] : [];
    });
    const turns = known.filter(({ tokens }) => tokens > 0).map(({ place }) => place);
    return {
      ...{ fault, checked: known.length, turns },
      tokens: known.reduce((sum, { tokens }) => sum + tokens, 0),
      ofTokens: known.reduce((sum, { of }) => sum + of, 0),
      rollouts: new Set(turns.map(({ rollout }) => rollout)).size,
    };
  });
}

/** How many of the tokens before a turn's last, under the loss, have a log-probability of exactly 0 too: certain, not put there. */
export function innerZeros(rollouts: readonly RolloutFacts[]): {
  readonly zero: number;
  readonly of: number;
} {
  const inner = placesOf(rollouts).flatMap(({ turn }) => turn.sampler?.slice(0, -1) ?? []);
  const known = inner.filter((each) => each !== null);
  return { zero: known.filter((each) => each === 0).length, of: known.length };
}

export interface Drift extends TurnPlace {
  readonly boundary: Boundary & { readonly at: number };
}

export interface Boundaries {
  readonly compared: number; // turns whose context stands beside what was sampled before it
  readonly unknown: number; // later turns for which nothing can be compared
  readonly drifted: readonly Drift[]; // the same words, other tokens
  readonly rewritten: readonly Drift[]; // other words: the context was edited
}

export function readBoundaries(rollouts: readonly RolloutFacts[]): Boundaries {
  const later = placesOf(rollouts).filter(({ turn }) => turn.index > 0 || turn.boundary !== null);
  const compared = later.filter(({ turn }) => turn.boundary !== null);
  const differing = compared.flatMap((place): Drift[] => {
    const { boundary } = place.turn;
    return boundary && boundary.at !== null ? [{ ...place, boundary: { ...boundary, at: boundary.at } }] : [];
  });
  return {
    compared: compared.length,
    unknown: later.length - compared.length,
    drifted: differing.filter(({ boundary }) => boundary.sameText),
    rewritten: differing.filter(({ boundary }) => !boundary.sameText),
  };
}
