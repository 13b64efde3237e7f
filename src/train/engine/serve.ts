/** The engine behind messages: in come commands and questions, out go events and replies. */
import { written } from '../../files/recording.ts';
import { Courtesy, GIVE_WAY } from '../../gpu/courtesy.ts';
import type { OpenGpuOptions } from '../../gpu/device.ts';
import type { EngineEvent, WrittenMessage } from '../../protocol/protocol.ts';
import { questions } from '../inspect/index.ts';
import type { QuestionTable } from '../inspect/question.ts';
import { answerQuestions, isOfQuestion, type Asking } from './asking.ts';
import type { WorkerLike } from './client.ts';
import { Engine } from './engine.ts';
import { openGpuBackend } from './gpu_backend.ts';
import { startPulse } from './life_watch.ts';

/** What is used of a worker's own scope, or of a message port. */
export interface EngineScope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
}

/**
 * @param fetchWeights a file of public/ by name
 * @returns ends the engine and its signs of life
 */
export function serveEngine(
  scope: EngineScope,
  fetchWeights: (file: string) => Promise<ArrayBuffer>,
  options: OpenGpuOptions = {},
): () => void {
  const courtesy = new Courtesy();
  let keeper: MessagePort | null = null; // to whom runs are told as they happen
  const engine = new Engine({
    post: (event: EngineEvent) => scope.postMessage(event, []),
    openBackend: () => openGpuBackend({ ...options, courtesy }),
    fetchWeights,
    tell({ id, ...settled }) {
      if (!keeper) return;
      const update = written(settled);
      const moved = [update.text.buffer, ...(update.checkpoint ? [update.checkpoint.buffer] : [])];
      keeper.postMessage({ id, ...update } satisfies WrittenMessage, moved);
    },
  });
  const hearQuestion = answerQuestions(
    (question, signal) => engine.ask(question, signal),
    (reply, moved) => scope.postMessage(reply, moved),
    (kind, answer) => (questions as QuestionTable)[kind].moved?.(answer) ?? [],
  );
  scope.onmessage = ({ data }) => {
    if (data instanceof MessagePort) keeper = data;
    else if (data === GIVE_WAY) courtesy.ask();
    else if (isOfQuestion(data)) hearQuestion(data as Asking);
    else void engine.dispatch(data);
  };
  const endPulse = startPulse(
    (pulse) => scope.postMessage(pulse, []),
    () => ({ isOpening: engine.isOpening, silentBeats: engine.countSilence() }),
  );
  void engine.start();
  return () => {
    endPulse();
    void engine.dispose();
  };
}

/** An engine on this thread, for a program that has nothing else to do: messages are copied, as a worker's are. */
export function engineHere(
  fetchWeights: (file: string) => Promise<ArrayBuffer>,
  options: OpenGpuOptions = {},
): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  const end = serveEngine(port1, fetchWeights, options);
  const worker: WorkerLike = {
    postMessage: port2.postMessage.bind(port2) as WorkerLike['postMessage'],
    terminate() {
      port2.close();
      end();
    },
    onmessage: null,
    onmessageerror: null,
    onerror: null,
  };
  port2.onmessage = (event) => {
    worker.onmessage?.call(worker as Worker, event);
  };
  return worker;
}
