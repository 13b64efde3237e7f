import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import { gradientQuestion } from '../../src/store/ask/inspection.ts';
import { tokenQuestion } from '../../src/store/ask/token_question.ts';
import { handQuestion } from '../../src/store/ask/hand_tree.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN, type UpdateState } from '../../src/store/record/run_state.ts';
import { presets } from '../../src/train/config/presets.ts';
import { Engine, type Backend } from '../../src/train/engine/engine.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import type { Question } from '../../src/train/inspect/index.ts';
import type { RunConfig } from '../../src/units.ts';
import { withoutTimes } from '../support/scripted_run.ts';
import { lentGpu } from '../support/shared_gpu.ts';

const instant = presets.get('instant')!.config;
const config: RunConfig = {
  ...instant,
  ...{ seed: 3, updates: 1, promptsPerUpdate: 4, promptsPerMinibatch: 2 },
  evaluation: { ...instant.evaluation, every: 1, questions: 2 },
};
let weights: ArrayBuffer;
let backend: Backend;
let created = 0;

beforeAll(async () => {
  weights = await (await fetch(`/${config.weights}`)).arrayBuffer();
  const gpu = await openGpuBackend({ gpu: lentGpu });
  backend = {
    ...gpu,
    createPolicy(request) {
      created += 1;
      return gpu.createPolicy(request);
    },
  };
});
afterAll(() => backend.close());

/** A whole run on the device; `onEvent` may ask. The engine is left open, with the run finished. */
async function played(onEvent: (event: EngineEvent, engine: Engine) => void = () => undefined) {
  const events: EngineEvent[] = [];
  let finish: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (finish = resolve));
  const engine = new Engine({
    openBackend: () => Promise.resolve({ ...backend, close: () => undefined }),
    fetchWeights: () => Promise.resolve(weights),
    date: () => '',
    post(event) {
      events.push(withoutTimes(event));
      onEvent(event, engine);
      if (event.kind === 'failed' || (event.kind === 'status' && event.status === 'finished')) finish();
    },
  });
  await engine.dispatch({ kind: 'open', config });
  await engine.dispatch({ kind: 'play' });
  await over;
  return { engine, events };
}

/** What a person may ask about the first update. */
function questionsOf({ trees, ...update }: UpdateState): Question[] {
  const tree = trees[0];
  const node = tree.nodes.find((each) => each && each.parent !== null && each.ending === null)!;
  const leaf = tree.nodes.find((each) => each && each.ending !== null && !each.pruned)!;
  const { credit } = config.algorithm;
  const rules = [credit, { ...credit, advantageRule: 'vanilla' as const }];
  const whole = { ...update, trees };
  const place = tokenQuestion(config, whole, tree, leaf.id, tree.prompt.tokens.length + 1)!;
  return [
    { kind: 'inspect-token', ...place },
    { kind: 'compare-gradients', ...gradientQuestion(config, whole, rules)! },
    {
      kind: 'intervene',
      ...handQuestion(tree, { config, update: 1 }, { action: 'again', node: node.id, count: 2, seed: 7 })!,
    },
  ];
}

test('a run asked at every phase and round posts what one posts that nobody asked, on no second store', async () => {
  const plain = await played();
  await plain.engine.dispose();
  const [first] = foldEvents(EMPTY_RUN, plain.events).updates;
  const questions = questionsOf(first);
  created = 0;
  const answers: Promise<object>[] = [];
  let turn = 0;
  const { engine, events } = await played((event, asked) => {
    const asks =
      event.kind === 'phase' || (event.kind === 'node' && event.prompt === 1 && event.node.id % 4 === 0);
    if (asks) answers.push(asked.ask(questions[turn++ % questions.length]));
  });
  expect(events).toEqual(plain.events);
  expect(answers.length).toBeGreaterThan(8);
  await Promise.all(answers);
  expect(created).toBe(1);

  // The finished run's model, and another that its weights were loaded into, answer alike.
  const { bytes } = await engine.ask({ kind: 'save-weights' });
  const borrowed = await Promise.all(questions.map((question) => engine.ask(question)));
  weights = bytes;
  await engine.dispatch({ kind: 'close' });
  const made = await Promise.all(questions.map((question) => engine.ask(question)));
  expect(created).toBe(1 + questions.length);
  const numbers = (answer: object): object => ({ ...answer, parameters: null, policy: null, ms: 0 });
  expect(borrowed.map(numbers)).toEqual(made.map(numbers));
  await engine.dispose();
});
