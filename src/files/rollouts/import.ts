/** Files of rollouts, read: what the page opens and the command prints. Runs in a worker and in node; no DOM. */
import { readRollouts, type Choices } from './read.ts';
import type { ImportFile } from './source.ts';
import type { Rollout } from './rollout.ts';
import { groupKeyOf, Tally, type Summary } from './tally.ts';

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
  /** Reads no more of the text than about this. */
  readonly mostBytes?: number;
}

export interface Import {
  readonly summary: Summary;
  readonly rollouts: readonly Rollout[]; // those kept, in the order of the input
  readonly isWhole: boolean; // all are kept
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
  const imported = (): Import => ({ summary: tally.summary(), rollouts: kept.rollouts, isWhole: kept.isWhole }); // prettier-ignore
  let [bytes, told, isEarly] = [0, 0, early !== undefined];
  for await (const item of readRollouts(files, options, signal)) {
    tally.add(item);
    if (item.kind === 'read') bytes += item.bytes;
    if (item.kind === 'rollout') kept.add(item.rollout, textBytes(item.rollout));
    if (early && isEarly && bytes >= early.bytes && tally.rollouts > 0) {
      isEarly = false;
      await early.hear(imported());
    }
    if (onProgress && bytes - told >= PROGRESS_BYTES) {
      told = bytes;
      onProgress({ bytes, rollouts: tally.rollouts });
    }
    if (bytes >= mostBytes) break;
  }
  onProgress?.({ bytes, rollouts: tally.rollouts });
  return imported();
}
