/** What the Profile view asks of a profile: rows put together, rates, shares. Pure. */
import type { DeviceCeilings, ProfileRow, UpdateProfile } from '../../protocol/protocol.ts';
export type { MemoryShare, UpdateProfile } from '../../protocol/protocol.ts';

export const PROFILE_GROUPINGS = ['kernel', 'program', 'step'] as const;
export type ProfileGrouping = (typeof PROFILE_GROUPINGS)[number];

/** A rate over all of a group's time; `atLeast` where some of its work is not known. */
export interface Rate {
  readonly perSecond: number;
  readonly atLeast: boolean;
}

/**
 * What a dispatch's time is bound by: the first three where they account for half of it or more, the one that accounts for
 * most; else too few workgroups to fill the device; else other: instructions that are no multiply-adds, or waits.
 */
export const BOUNDS = ['arithmetic', 'bandwidth', 'launches', 'groups', 'other'] as const;
export type Bound = (typeof BOUNDS)[number];

/** Time by what it is bound by, most first. */
export type BoundTimes = readonly { readonly bound: Bound; readonly ms: number; readonly share: number }[];

export interface ProfileGroup {
  readonly name: string;
  readonly ms: number;
  readonly share: number; // of all timed rows, [0, 1]
  readonly dispatches: number;
  readonly flops: Rate | null; // null where nothing of its work is known
  readonly bytes: Rate | null;
  readonly bounds: BoundTimes;
}

const nameOf = ({ program, kernel, label }: ProfileRow, by: ProfileGrouping): string => {
  if (by === 'program' || kernel === '') return program;
  return by === 'kernel' ? kernel : `${program}: ${label}`;
};

const total = (rows: readonly ProfileRow[], of: (row: ProfileRow) => number | null): number =>
  rows.reduce((sum, row) => sum + (of(row) ?? 0), 0);

function rateOf(rows: readonly ProfileRow[], of: (row: ProfileRow) => number | null): Rate | null {
  const ms = total(rows, (row) => row.ms);
  const known = rows.filter((row) => of(row) !== null);
  if (known.length === 0 || ms === 0) return null;
  return { perSecond: (1000 * total(known, of)) / ms, atLeast: known.length < rows.length };
}

const HALF = 0.5; // of a row's time

/** Of the dispatches of one row. Work that is not known counts as none, so that a bound is never claimed for it. */
function boundOf({ ms, dispatches, groups, flops, bytes }: ProfileRow, ceilings: DeviceCeilings): Bound {
  const needed = [
    ['arithmetic', (1000 * (flops ?? 0)) / ceilings.flopsPerSecond],
    ['bandwidth', (1000 * (bytes ?? 0)) / ceilings.bytesPerSecond],
    ['launches', dispatches * ceilings.launchMs],
  ] as const;
  const [bound, least] = needed.toSorted((a, b) => b[1] - a[1])[0];
  if (least >= HALF * ms) return bound;
  return groups < dispatches * ceilings.fillingGroups ? 'groups' : 'other';
}

function boundTimes(rows: readonly ProfileRow[], ceilings: DeviceCeilings): BoundTimes {
  const all = total(rows, (row) => row.ms);
  return BOUNDS.map((bound) => {
    const ms = total(rows, (row) => (boundOf(row, ceilings) === bound ? row.ms : 0));
    return { bound, ms, share: all === 0 ? 0 : ms / all };
  })
    .filter(({ ms }) => ms > 0)
    .toSorted((a, b) => b.ms - a.ms);
}

/** Rows of one kernel, program or step together, most time first. */
export function groupProfile(
  { rows, ceilings }: UpdateProfile,
  by: ProfileGrouping,
): readonly ProfileGroup[] {
  const all = total(rows, (row) => row.ms);
  const groups = new Map<string, ProfileRow[]>();
  for (const row of rows) {
    const name = nameOf(row, by);
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  return [...groups].map(([name, own]) => groupOf(name, own, all, ceilings)).toSorted((a, b) => b.ms - a.ms);
}

function groupOf(
  name: string,
  rows: readonly ProfileRow[],
  allMs: number,
  ceilings: DeviceCeilings,
): ProfileGroup {
  const ms = total(rows, (row) => row.ms);
  return {
    name,
    ms,
    share: allMs === 0 ? 0 : ms / allMs,
    dispatches: total(rows, (row) => row.dispatches),
    flops: rateOf(rows, (row) => row.flops),
    bytes: rateOf(rows, (row) => row.bytes),
    bounds: boundTimes(rows, ceilings),
  };
}

/** The whole update as one group. */
export const wholeProfile = ({ rows, ceilings }: UpdateProfile): ProfileGroup =>
  groupOf(
    'all',
    rows,
    total(rows, (row) => row.ms),
    ceilings,
  );

/** Share of the update's time in which the device had nothing of the timed work to do, [0, 1]. */
export const idleShare = ({ busyMs, wallMs }: UpdateProfile): number =>
  wallMs === 0 ? 0 : Math.max(0, 1 - busyMs / wallMs);
