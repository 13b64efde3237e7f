/** The page's end of the engine: starts the worker, sends commands, hands events on. */
import { GIVE_WAY } from '../gpu/courtesy.ts';
import type { ErrorReport } from '../units.ts';
import { reportOf } from './errors.ts';
import type { RunCommand, RunEvent } from './protocol.ts';

/** What the client needs of a Worker; tests pass their own. */
export type WorkerLike = Pick<
  Worker,
  'postMessage' | 'terminate' | 'onmessage' | 'onmessageerror' | 'onerror'
>;

export interface EngineClient {
  send(command: RunCommand): void;
  /** A person does something now: the engine leaves the device to the page for a moment. */
  giveWay(): void;
  /** @returns a function that ends the subscription */
  subscribe(listener: (event: RunEvent) => void): () => void;
  close(): void;
}

const startWorker = (): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: document.baseURI });

const crash = (got: string): ErrorReport => ({
  what: 'The engine stopped working',
  where: 'training worker',
  got,
  wanted: 'a worker that answers',
  next: 'Reload the page; what was recorded of the run can still be looked at until then.',
});

/** Commands without weights are copied; weights are moved to the worker. */
export function startEngine(start: () => WorkerLike = startWorker): EngineClient {
  const listeners = new Set<(event: RunEvent) => void>();
  let lastUpdate = 0;
  const tell = (event: RunEvent): void => listeners.forEach((listener) => listener(event));
  const fail = (report: ErrorReport): void => tell({ kind: 'failed', update: lastUpdate, report });
  let worker: WorkerLike | null = null;
  try {
    worker = start();
    worker.onmessage = ({ data }: MessageEvent<RunEvent>) => {
      if ('update' in data) lastUpdate = data.update;
      tell(data);
    };
    worker.onerror = (event) => fail(crash(event.message || 'an error while it was loading'));
    worker.onmessageerror = () => fail(crash('a message that cannot be read'));
  } catch (error) {
    const report = reportOf(error, 'starting the training worker');
    queueMicrotask(() => fail(report)); // subscribers come after this call
  }
  return {
    send(command) {
      if (!worker) return fail(crash('no worker'));
      worker.postMessage(command, command.kind === 'load-weights' ? [command.bytes] : []);
    },
    giveWay: () => worker?.postMessage(GIVE_WAY),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => worker?.terminate(),
  };
}
