/** Files of rollouts, read: what the page opens and the command prints. Runs in a worker and in node; no DOM. */
import { readRollouts, type Choices } from './read.ts';
import type { ImportFile } from './source.ts';
import type { Rollout } from './rollout.ts';
import { Tally, type Summary } from './tally.ts';

export interface ImportProgress {
  readonly bytes: number; // of text, unpacked
  readonly rollouts: number;
}

export interface ImportOptions extends Choices {
  readonly onProgress?: (progress: ImportProgress) => void;
  readonly signal?: AbortSignal;
  /** Bytes of text whose rollouts are kept to be looked at; all are counted. 0 keeps none. */
  readonly keepBytes?: number;
}

export interface Import {
  readonly summary: Summary;
  readonly rollouts: readonly Rollout[]; // those kept, in the order of the input
  readonly isWhole: boolean; // all are kept
}

const KEEP_BYTES = 2 ** 28;
const PROGRESS_BYTES = 2 ** 20;

/**
 * Reads files as one run: a folder of step files is one. What cannot be read is listed in the summary.
 * @throws ImportError where a choice is none; the signal's reason
 */
export async function importFiles(
  files: readonly ImportFile[],
  options: ImportOptions = {},
): Promise<Import> {
  const { onProgress, signal, keepBytes = KEEP_BYTES } = options;
  const tally = new Tally();
  const kept: Rollout[] = [];
  let [bytes, told, isWhole] = [0, 0, true];
  for await (const item of readRollouts(files, options, signal)) {
    tally.add(item);
    if (item.kind === 'read') bytes += item.bytes;
    if (item.kind === 'rollout') {
      if (bytes <= keepBytes) kept.push(item.rollout);
      else isWhole = false;
    }
    if (onProgress && bytes - told >= PROGRESS_BYTES) {
      told = bytes;
      onProgress({ bytes, rollouts: tally.rollouts });
    }
  }
  onProgress?.({ bytes, rollouts: tally.rollouts });
  return { summary: tally.summary(), rollouts: kept, isWhole };
}
