/** Files of rollouts, read: what the page opens and the command prints. Runs in a worker and in node; no DOM. */
import { readRollouts, type Choices } from './read.ts';
import type { ImportFile } from './source.ts';
import type { Rollout } from './rollout.ts';
import { groupKeyOf, Tally, type Summary } from './tally.ts';
import { LineIndex, type IndexedUpdate } from './line_index.ts';

export interface ImportProgress {
  readonly bytes: number; // of text, unpacked
  readonly rollouts: number;
}

export interface ImportOptions extends Choices {
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Hears what was read once, when this much of the text has come: to be looked at while the rest is read. */
  readonly early?: { readonly bytes: number; readonly hear: (first: Import) => void | Promise<void> };
  readonly signal?: AbortSignal;
  /** Bytes of text whose rollouts are kept to be looked at, whole groups of every file; all are counted. 0 keeps none. */
  readonly keepBytes?: number;
  /** Says where the groups stand in their files, so that those that are not kept can be read back. */
  readonly withIndex?: boolean;
  /** Reads no more of the text than about this. */
  readonly mostBytes?: number;
}

export interface Import {
  readonly summary: Summary;
  readonly rollouts: readonly Rollout[]; // those kept, in the order of the input
  readonly isWhole: boolean; // all are kept
  /** Of all groups, kept or not; null: all are kept, no index was asked for, or `without` is a file that cannot be read back. */
  readonly updates: readonly IndexedUpdate[] | null;
  readonly without: string | null;
}

const KEEP_BYTES = 2 ** 28;
const PROGRESS_BYTES = 2 ** 20;

/** Rollouts within a budget: each file has its share and what those before it left, so that every step has its first groups. */
class Keeping {
  readonly rollouts: Rollout[] = [];
  readonly #budget: number;
  readonly #files: number;
  readonly #paths = new Set<string>();
  readonly #groups = new Set<string>();
  #bytes = 0;
  isWhole = true;

  constructor(budget: number, files: number) {
    this.#budget = budget;
    this.#files = files;
  }

  /** @param bytes of text, about */
  add(rollout: Rollout, bytes: number): void {
    this.#paths.add(rollout.place.path);
    const room = (this.#budget * Math.min(this.#paths.size, this.#files)) / this.#files;
    const key = groupKeyOf(rollout);
    if (this.#bytes < room || (room > 0 && this.#groups.has(key))) {
      this.#groups.add(key);
      this.#bytes += bytes;
      this.rollouts.push(rollout);
    } else this.isWhole = false;
  }
}

const textBytes = ({ rows }: Rollout): number =>
  rows.reduce((sum, { spans }) => spans.reduce((all, { text }) => all + text.length, sum), 0);

/**
 * Reads files as one run: a folder of step files is one. What cannot be read is listed in the summary.
 * @throws ImportError where a choice is none; the signal's reason
 */
export async function importFiles(
  files: readonly ImportFile[],
  options: ImportOptions = {},
): Promise<Import> {
  const { onProgress, signal, early, keepBytes = KEEP_BYTES, mostBytes = Infinity } = options;
  const tally = new Tally();
  const kept = new Keeping(keepBytes, Math.max(1, files.length));
  const index = options.withIndex ? new LineIndex() : null;
  const imported = (isDone: boolean): Import => {
    const { rollouts, isWhole } = kept;
    const without = index?.without ?? null;
    const updates = !isDone || isWhole || without !== null ? null : (index?.updates() ?? null);
    return { summary: tally.summary(), rollouts, isWhole, updates, without };
  };
  let [bytes, told, isEarly] = [0, 0, early !== undefined];
  for await (const item of readRollouts(files, options, signal)) {
    tally.add(item);
    if (item.kind === 'read') bytes += item.bytes;
    if (item.kind === 'rollout') {
      const size = textBytes(item.rollout);
      kept.add(item.rollout, size);
      index?.add(item, size);
    }
    if (early && isEarly && bytes >= early.bytes && tally.rollouts > 0) {
      isEarly = false;
      await early.hear(imported(false));
    }
    if (onProgress && bytes - told >= PROGRESS_BYTES) {
      told = bytes;
      onProgress({ bytes, rollouts: tally.rollouts });
    }
    if (bytes >= mostBytes) break;
  }
  onProgress?.({ bytes, rollouts: tally.rollouts });
  return imported(true);
}
