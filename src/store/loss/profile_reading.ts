/** What the Profile view asks of a profile: rows put together, rates, shares. Pure. */
import type { ProfileRow, UpdateProfile } from '../../protocol/protocol.ts';
export type { MemoryShare, UpdateProfile } from '../../protocol/protocol.ts';

export const PROFILE_GROUPINGS = ['kernel', 'program', 'step'] as const;
export type ProfileGrouping = (typeof PROFILE_GROUPINGS)[number];

/** A rate over all of a group's time; `atLeast` where some of its work is not known. */
export interface Rate {
  readonly perSecond: number;
  readonly atLeast: boolean;
}

export interface ProfileGroup {
  readonly name: string;
  readonly ms: number;
  readonly share: number; // of all timed rows, [0, 1]
  readonly dispatches: number;
  readonly flops: Rate | null; // null where nothing of its work is known
  readonly bytes: Rate | null;
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

/** Rows of one kernel, program or step together, most time first. */
export function groupProfile({ rows }: UpdateProfile, by: ProfileGrouping): readonly ProfileGroup[] {
  const all = total(rows, (row) => row.ms);
  const groups = new Map<string, ProfileRow[]>();
  for (const row of rows) {
    const name = nameOf(row, by);
    const group = groups.get(name);
    if (group) group.push(row);
    else groups.set(name, [row]);
  }
  return [...groups].map(([name, own]) => groupOf(name, own, all)).toSorted((a, b) => b.ms - a.ms);
}

function groupOf(name: string, rows: readonly ProfileRow[], allMs: number): ProfileGroup {
  const ms = total(rows, (row) => row.ms);
  return {
    name,
    ms,
    share: allMs === 0 ? 0 : ms / allMs,
    dispatches: total(rows, (row) => row.dispatches),
    flops: rateOf(rows, (row) => row.flops),
    bytes: rateOf(rows, (row) => row.bytes),
  };
}

/** The whole update as one group. */
export const wholeProfile = ({ rows }: UpdateProfile): ProfileGroup =>
  groupOf(
    'all',
    rows,
    total(rows, (row) => row.ms),
  );

/** Share of the update's time in which the device had nothing of the timed work to do, [0, 1]. */
export const idleShare = ({ busyMs, wallMs }: UpdateProfile): number =>
  wallMs === 0 ? 0 : Math.max(0, 1 - busyMs / wallMs);
