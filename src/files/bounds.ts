/** How much of a recording is read: what is beyond is refused before anything is made of it. */

export interface ReadBounds {
  readonly lineBytes: number; // of one line, unzipped, without its line feed
  readonly totalBytes: number; // of the whole file, unzipped
  readonly depth: number; // brackets open at once in a line of JSON
  readonly events: number;
}

/** 140 and 39 times what the recorded run of `instant` has, 3 times its depth, 220 times its events. */
export const READ_BOUNDS: ReadBounds = {
  lineBytes: 16 * 2 ** 20,
  totalBytes: 2 ** 30,
  depth: 32,
  events: 5_000_000,
};

/** What one tree of a log may hold. */
export const TREE_BOUNDS = {
  nodes: 2 ** 15,
  /** Turns end out of the order in which they began: ids of those that still grow may be missing, no more than these. */
  missing: 2 ** 12,
  callLimit: 2 ** 10, // columns that a drawing keeps free
} as const;
