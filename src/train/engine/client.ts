/**
 * The page's end of the engine: starts the worker, sends commands, hands events on, watches its signs of life, and starts
 * another worker when one that has ended is asked for something.
 */
import { GIVE_WAY } from '../../gpu/courtesy.ts';
import type { EngineEvent, PageEvent, RunCommand, SignOfLife } from '../../protocol/protocol.ts';
import type { ErrorReport } from '../../units.ts';
import type { Ask } from '../inspect/index.ts';
import { Asker, isOfQuestion, type Reply } from './asking.ts';
import { reportOf } from '../../protocol/errors.ts';
import { browserLocks, isPulse, LifeWatch, type Locks, type Pulse } from './life_watch.ts';

/** What the client needs of a Worker; tests pass their own. */
export type WorkerLike = Pick<
  Worker,
  'postMessage' | 'terminate' | 'onmessage' | 'onmessageerror' | 'onerror'
>;

export interface EngineClient {
  send(command: RunCommand): void;
  /** Rejects with the report of what went wrong with this question, or with the signal's reason. */
  readonly ask: Ask;
  /** A person does something now: the engine leaves the device to the page for a moment. */
  giveWay(): void;
  /** @returns a function that ends the subscription */
  subscribe(listener: (event: PageEvent) => void): () => void;
  /** Ends the worker, whatever it is at, and starts another. */
  restart(): void;
  close(): void;
  /** Starts a worker where none is. */
  wake(): void;
}

/** @param powerPreference of the adapter that its engine is to open */
export function startWorker(powerPreference: GPUPowerPreference = 'high-performance'): Worker {
  const page = new URL(document.baseURI);
  page.searchParams.set('power', powerPreference);
  return new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: page.href });
}

const crash = (got: string): ErrorReport => ({
  what: 'The engine stopped working',
  where: 'training worker',
  got,
  wanted: 'a worker that answers',
  next: 'Press Play or Start again: another engine opens the run with the same seed. What was recorded of this run can be looked at until then.',
});

const RESTARTED: ErrorReport = {
  what: 'The engine was started again',
  where: 'training worker',
  got: 'a person’s wish',
  wanted: 'an engine that answers',
  next: 'Ask again.',
};

/** They end what a worker is at; one that has ended is at nothing. */
const IDLE_COMMANDS: ReadonlySet<RunCommand['kind']> = new Set(['pause', 'close', 'give-up']);

/**
 * Commands are copied; weights and checkpoints are moved to the worker.
 * @param joinKeeper a channel to whoever writes runs down, for each worker that is started; absent: nobody does
 * @param rests until a command, a question or `wake` asks for a worker, none is started
 */
export function startEngine(
  start: () => WorkerLike = () => startWorker(),
  locks: Locks | null = browserLocks(),
  joinKeeper?: () => MessagePort,
  rests = false,
): EngineClient {
  const listeners = new Set<(event: PageEvent) => void>();
  const tell = (event: PageEvent): void => listeners.forEach((listener) => listener(event));
  let at = { update: 0, finished: false };
  let worker: WorkerLike | null = null;
  let life: LifeWatch | null = null;
  const asker = new Asker((message) => {
    if (!worker && 'question' in message) begin();
    worker?.postMessage(message);
  });
  /** Of the worker, not of the run in it: nobody answers any more. */
  const fail = (report: ErrorReport): void => {
    tell({ kind: 'failed', update: at.update, report });
    asker.endAll(report);
  };

  const end = (): void => {
    life?.stop();
    life = null;
    worker?.terminate();
    worker = null;
  };
  const hearSign = (sign: SignOfLife): void => {
    tell({ kind: 'life', sign });
    if (sign !== 'ended') return;
    end();
    fail(crash('its end, without a word'));
    const status = at.finished ? 'finished' : 'failed'; // a run that was over has lost nothing but its weights
    tell({ kind: 'status', status, update: at.update, phase: null });
  };
  const hear = (event: EngineEvent): void => {
    if (event.kind === 'status') at = { ...at, finished: event.status === 'finished' };
    if ('update' in event) at = { ...at, update: event.update };
    tell(event);
  };
  const begin = (): void => {
    try {
      const own = (worker = start());
      life = new LifeWatch(hearSign, locks);
      const keeper = joinKeeper?.();
      if (keeper) own.postMessage(keeper, [keeper]);
      own.onmessage = ({ data }: MessageEvent<EngineEvent | Pulse | Reply>) => {
        if (worker !== own) return; // it was ended, and this was under way
        if (isPulse(data)) return life?.felt(data);
        life?.heard();
        if (isOfQuestion(data)) asker.hear(data);
        else hear(data);
      };
      own.onerror = (event) => fail(crash(event.message || 'an error while it was loading'));
      own.onmessageerror = () => fail(crash('a message that cannot be read'));
    } catch (error) {
      const report = reportOf(error, 'starting the training worker');
      queueMicrotask(() => fail(report)); // subscribers come after this call
    }
  };
  if (!rests) begin();
  const wake = (): void => {
    if (!worker) begin();
  };
  return {
    wake,
    send(command) {
      if (!worker && !IDLE_COMMANDS.has(command.kind)) begin();
      worker?.postMessage(command, 'bytes' in command ? [command.bytes] : []);
    },
    ask: asker.ask,
    giveWay: () => worker?.postMessage(GIVE_WAY),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    restart() {
      end();
      asker.endAll(RESTARTED);
      at = { update: 0, finished: false };
      begin();
    },
    close() {
      end();
      asker.endAll(crash('its end, as the page wished'));
    },
  };
}
