/** The page's end of the reading worker: a recording is fetched, unzipped, parsed and checked away from the page's thread. */
import { LabError, type ErrorReport } from '../units.ts';
import type {
  ChosenFile,
  ImportChoices,
  ImportedRecord,
  ImportHooks,
  ImportLook,
  OpenedBundle,
  RunEvent,
} from '../protocol/protocol.ts';
import type { ReadOptions, ReadProgress } from './recording.ts';

/** Stretches of the file at an address, each of whole members; the first begins with the log's header. */
export interface RecordingParts {
  readonly url: string; // absolute
  readonly ranges: readonly (readonly [start: number, end: number])[]; // bytes; the end is not part
}

/** A file that the person chose, or an absolute address: the whole of it, or parts. */
export type RecordingSource = Blob | string | RecordingParts;

/** What the page asks: to begin, and for each stretch, so that the worker never runs far ahead of the page. */
export type ReaderQuestion =
  | { readonly kind: 'open'; readonly source: RecordingSource }
  | { readonly kind: 'more' }
  | { readonly kind: 'bundle'; readonly file: Blob }
  | {
      readonly kind: 'import' | 'look';
      readonly files: readonly ChosenFile[];
      readonly choices: ImportChoices;
    };

export type ReaderAnswer =
  | { readonly kind: 'events'; readonly events: readonly RunEvent[]; readonly progress: ReadProgress }
  | { readonly kind: 'end' }
  | { readonly kind: 'bundle'; readonly bundle: OpenedBundle }
  | { readonly kind: 'imports'; readonly progress: Parameters<ImportHooks['onProgress']>[0] }
  | { readonly kind: 'imported-first' | 'imported'; readonly record: ImportedRecord }
  | { readonly kind: 'looked'; readonly look: ImportLook }
  | { readonly kind: 'failed'; readonly name: string; readonly report: ErrorReport };

/** What is used of a Worker; tests pass their own. */
export type ReaderLike = Pick<
  Worker,
  'postMessage' | 'terminate' | 'onmessage' | 'onmessageerror' | 'onerror'
>;

const startReader = (): Worker =>
  new Worker(new URL('./file_worker.ts', import.meta.url), { type: 'module', name: 'file reader' });

const noReader = (got: string): LabError =>
  new LabError('FileReaderError', {
    what: 'The file cannot be read: the part of the page that reads files did not answer',
    where: 'file reader',
    got,
    wanted: 'a worker that reads',
    next: 'Look whether you are online and open the file again. If it stays so, the site was renewed since this page was loaded: reload the page, which ends a live run.',
  });

/** The worker's answers, one for each question. Rejects when the worker breaks or the signal aborts. */
function questions(worker: ReaderLike, signal: AbortSignal | undefined) {
  const broken = new Promise<never>((_, reject) => {
    worker.onerror = (event) => reject(noReader(event.message || 'an error while it was loading'));
    worker.onmessageerror = () => reject(noReader('an answer that cannot be read'));
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  broken.catch(() => undefined); // heard by whoever asks next
  return (question: ReaderQuestion): Promise<ReaderAnswer> => {
    const answered = new Promise<ReaderAnswer>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<ReaderAnswer>) => resolve(data);
    });
    worker.postMessage(question);
    return Promise.race([answered, broken]);
  };
}

/**
 * As `readRecording`, in a worker of its own; the page's thread only receives. Aborting ends the worker at once.
 * @throws the worker's error, with its name and report; FileReaderError where there is no worker; the signal's reason
 */
export async function* readInWorker(
  source: RecordingSource,
  { signal, onProgress }: Pick<ReadOptions, 'signal' | 'onProgress'> = {},
  start: () => ReaderLike = startReader,
): AsyncGenerator<RunEvent, void> {
  signal?.throwIfAborted();
  const worker = start();
  try {
    const ask = questions(worker, signal);
    let answer = await ask({ kind: 'open', source });
    while (answer.kind === 'events') {
      const next = ask({ kind: 'more' }); // read while the page takes these in
      next.catch(() => undefined);
      onProgress?.(answer.progress);
      yield* answer.events;
      answer = await next;
    }
    if (answer.kind === 'failed') throw new LabError(answer.name, answer.report);
  } finally {
    worker.terminate();
  }
}

/**
 * As `openBundle`, in a worker of its own: what a part holds is looked at there, and the page gets slices of the file.
 * @throws BundleError, as the worker said it; FileReaderError where there is no worker
 */
export async function openBundleInWorker(
  file: Blob,
  start: () => ReaderLike = startReader,
): Promise<OpenedBundle> {
  const worker = start();
  try {
    const answer = await questions(worker, undefined)({ kind: 'bundle', file });
    if (answer.kind === 'failed') throw new LabError(answer.name, answer.report);
    if (answer.kind !== 'bundle') throw noReader(`an answer of kind ${answer.kind}`);
    return answer.bundle;
  } finally {
    worker.terminate();
  }
}

/**
 * Rollouts of another trainer as a recording, read in a worker of its own. Aborting ends the worker at once.
 * @throws ImportError, as the worker said it; FileReaderError where there is no worker; the signal's reason
 */
export async function importInWorker(
  files: readonly ChosenFile[],
  choices: ImportChoices,
  { onProgress, onFirst, signal }: ImportHooks,
  start: () => ReaderLike = startReader,
): Promise<ImportedRecord> {
  signal.throwIfAborted();
  const worker = start();
  try {
    const ask = questions(worker, signal);
    let answer = await ask({ kind: 'import', files, choices });
    while (answer.kind === 'imports' || answer.kind === 'imported-first') {
      if (answer.kind === 'imports') onProgress(answer.progress);
      else onFirst(answer.record);
      answer = await ask({ kind: 'more' });
    }
    if (answer.kind === 'failed') throw new LabError(answer.name, answer.report);
    if (answer.kind !== 'imported') throw noReader(`an answer of kind ${answer.kind}`);
    return answer.record;
  } finally {
    worker.terminate();
  }
}

/** What other choices would make of the files, by their first part. @throws as importInWorker */
export async function lookInWorker(
  files: readonly ChosenFile[],
  choices: ImportChoices,
  start: () => ReaderLike = startReader,
): Promise<ImportLook> {
  const worker = start();
  try {
    const answer = await questions(worker, undefined)({ kind: 'look', files, choices });
    if (answer.kind === 'failed') throw new LabError(answer.name, answer.report);
    if (answer.kind !== 'looked') throw noReader(`an answer of kind ${answer.kind}`);
    return answer.look;
  } finally {
    worker.terminate();
  }
}
