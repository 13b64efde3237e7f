/** The engine in a worker: messages in are commands, messages out are events. The worker's name is the page's URL. */
import { Courtesy, GIVE_WAY } from '../../gpu/courtesy.ts';
import { answerQuestions, isOfQuestion, type Asking } from './asking.ts';
import { Engine } from './engine.ts';
import { fetchWeightsFrom, openGpuBackend } from './gpu_backend.ts';
import { written } from '../../files/recording.ts';
import type { EngineEvent, WrittenMessage } from '../../protocol/protocol.ts';
import { questions } from '../inspect/index.ts';
import type { QuestionTable } from '../inspect/question.ts';
import { startPulse } from './life_watch.ts';

/** What is used of DedicatedWorkerGlobalScope; the DOM library types `self` as a window. */
interface WorkerScope {
  readonly name: string;
  readonly location: { readonly href: string };
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
}

const scope = self as unknown as WorkerScope;

const courtesy = new Courtesy();
let keeper: MessagePort | null = null; // to whom runs are told as they happen
const engine = new Engine({
  post: (event: EngineEvent) => scope.postMessage(event, []),
  openBackend: () => openGpuBackend({ courtesy }),
  fetchWeights: fetchWeightsFrom(scope.name || scope.location.href),
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
startPulse(
  (pulse) => scope.postMessage(pulse, []),
  () => ({ isOpening: engine.isOpening, silentBeats: engine.countSilence() }),
);
void engine.start();
