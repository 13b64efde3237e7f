/** Reads one recording in a worker and posts its events, a stretch at a time, as the page asks for them. */
import { LabError } from '../units.ts';
import { reportOf } from '../protocol/errors.ts';
import { openBundle } from './bundle.ts';
import type { ReaderAnswer, ReaderQuestion, RecordingSource } from './file_reader.ts';
import type { RunEvent } from '../protocol/protocol.ts';
import { partBatches, recordingBatches, type ReadProgress } from './recording.ts';

/** What is used of DedicatedWorkerGlobalScope; the DOM library types `self` as a window. */
interface WorkerScope {
  postMessage(message: ReaderAnswer): void;
  onmessage: ((event: MessageEvent<ReaderQuestion>) => void) | null;
}

const scope = self as unknown as WorkerScope;

/** No recording stands at an address. */
export class RecordingMissingError extends LabError {
  constructor(url: string, got: string, cause?: unknown) {
    super(
      'RecordingMissingError',
      {
        what: 'The recorded run is missing',
        where: url,
        got,
        wanted: 'a gzipped recording',
        next: 'Train a new run with Train live; to make a recording: npm run lab -- --record run.ndjson.gz.',
      },
      cause,
    );
  }
}

/** A host without the file answers with its start page. */
const isPage = (response: Response): boolean =>
  response.headers.get('content-type')?.startsWith('text/html') ?? false;

/**
 * Past the browser's cache: Chromium keeps stretches of a file that has not changed for a minute, puts the whole together
 * from them, and breaks off where the host would have zipped the rest.
 * @throws RecordingMissingError where the host sends no ranges
 */
async function rangeOf(url: string, [start, end]: readonly [number, number]): Promise<Blob> {
  const response = await fetch(url, { headers: { Range: `bytes=${start}-${end - 1}` }, cache: 'no-store' });
  if (response.status === 206) return response.blob();
  await response.body?.cancel();
  throw new RecordingMissingError(url, `status ${response.status}: the host sends no ranges`);
}

async function bytesOf(source: RecordingSource): Promise<Blob | ReadableStream<Uint8Array<ArrayBuffer>>> {
  if (source instanceof Blob) return source;
  if (typeof source !== 'string')
    return new Blob(await Promise.all(source.ranges.map((range) => rangeOf(source.url, range))));
  const response = await fetch(source).catch((error: unknown) => {
    throw new RecordingMissingError(source, error instanceof Error ? error.message : String(error), error);
  });
  if (!response.ok || !response.body || isPage(response))
    throw new RecordingMissingError(source, `status ${response.status}`);
  return response.body;
}

let progress: ReadProgress = { bytes: 0, events: 0 };
let batches: AsyncGenerator<readonly RunEvent[], void> | null = null;

const batchesOf = (source: RecordingSource, bytes: Awaited<ReturnType<typeof bytesOf>>): typeof batches =>
  typeof source === 'string' || source instanceof Blob
    ? recordingBatches(bytes, { onProgress: (now) => (progress = now) })
    : partBatches(bytes);

const readers = () => import('./rollouts/look.ts'); // and every format: not where a run of ours is read

/** Answers of an import that nobody took yet, and who waits for the next. Reading does not wait for the page. */
let told: ReaderAnswer[] | null = null;
let wake: () => void = () => undefined;
const tell = (next: ReaderAnswer): void => {
  if (next.kind === 'imports') told = told?.filter(({ kind }) => kind !== 'imports') ?? null; // the newest says all
  told?.push(next);
  wake();
};

async function nextTold(): Promise<ReaderAnswer> {
  while (told?.length === 0) await new Promise<void>((resolve) => (wake = resolve));
  const next = told?.shift();
  if (!next) return { kind: 'end' };
  return next;
}

const failed = (error: unknown): ReaderAnswer => ({
  ...{ kind: 'failed', name: error instanceof LabError ? error.name : 'Error' },
  report: reportOf(error, 'file reader'),
});

function startImport({
  files,
  choices,
}: Extract<ReaderQuestion, { readonly kind: 'import' | 'look' }>): void {
  told = [];
  readers()
    .then(({ importAsRecord }) =>
      importAsRecord(files, choices, {
        onProgress: (progress) => tell({ kind: 'imports', progress }),
        onFirst: (record) => tell({ kind: 'imported-first', record }),
      }),
    )
    .then(
      (record) => tell({ kind: 'imported', record }),
      (error: unknown) => tell(failed(error)),
    );
}

async function answer(question: ReaderQuestion): Promise<ReaderAnswer> {
  try {
    if (question.kind === 'import') startImport(question);
    if (told) return await nextTold();
    if (question.kind === 'look')
      return { kind: 'looked', look: await (await readers()).lookAt(question.files, question.choices) };
    if (question.kind === 'bundle') return { kind: 'bundle', bundle: await openBundle(question.file) };
    if (question.kind === 'open') batches = batchesOf(question.source, await bytesOf(question.source));
    const read = await batches?.next();
    if (!read || read.done) return { kind: 'end' };
    return { kind: 'events', events: read.value, progress };
  } catch (error) {
    return failed(error);
  }
}

scope.onmessage = ({ data }) => void answer(data).then((message) => scope.postMessage(message));
