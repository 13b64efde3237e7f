/** Reads one recording in a worker and posts its events, a stretch at a time, as the page asks for them. */
import { LabError } from '../units.ts';
import { reportOf } from '../protocol/errors.ts';
import type { ReaderAnswer, ReaderQuestion, RecordingSource } from './file_reader.ts';
import type { RunEvent } from '../protocol/protocol.ts';
import { recordingBatches, type ReadProgress } from './recording.ts';

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

async function bytesOf(source: RecordingSource): Promise<Blob | ReadableStream<Uint8Array<ArrayBuffer>>> {
  if (typeof source !== 'string') return source;
  const response = await fetch(source).catch((error: unknown) => {
    throw new RecordingMissingError(source, error instanceof Error ? error.message : String(error), error);
  });
  if (!response.ok || !response.body || isPage(response))
    throw new RecordingMissingError(source, `status ${response.status}`);
  return response.body;
}

let progress: ReadProgress = { bytes: 0, events: 0 };
let batches: AsyncGenerator<readonly RunEvent[], void> | null = null;

async function answer(question: ReaderQuestion): Promise<ReaderAnswer> {
  try {
    if (question.kind === 'open')
      batches = recordingBatches(await bytesOf(question.source), { onProgress: (now) => (progress = now) });
    const read = await batches?.next();
    if (!read || read.done) return { kind: 'end' };
    return { kind: 'events', events: read.value, progress };
  } catch (error) {
    const name = error instanceof LabError ? error.name : 'Error';
    return { kind: 'failed', name, report: reportOf(error, 'file reader') };
  }
}

scope.onmessage = ({ data }) => void answer(data).then((message) => scope.postMessage(message));
