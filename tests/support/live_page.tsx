/** The page with the real engine on this device's adapter, and a run small enough for a test. */
import { render } from 'vitest-browser-react';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { Engine } from '../../src/train/engine/engine.ts';
import { openGpuBackend } from '../../src/train/engine/gpu_backend.ts';
import { presets } from '../../src/train/config/presets.ts';
import { isLogged, type RunCommand, type EngineEvent } from '../../src/protocol/protocol.ts';
import type { AnswerTo, Ask, Question, QuestionName, QuestionNamed } from '../../src/train/inspect/index.ts';
import { App } from '../../src/ui/shell/App.tsx';
import type { RunConfig } from '../../src/units.ts';
import { withoutTimes } from './scripted_run.ts';
import { lentGpu } from './shared_gpu.ts';

/** The instant preset with its warm start: 2 updates of 4 prompts in 2 mini-batches. */
export function liveConfig(): RunConfig {
  const { config } = presets.get('instant')!; // a preset of the catalogue
  const evaluation = { every: 0, questions: 0, datasets: ['hotpot'] };
  return { ...config, updates: 2, promptsPerUpdate: 4, promptsPerMinibatch: 2, evaluation };
}

export interface LiveEngine {
  readonly events: EngineEvent[]; // all that it has said
  readonly start: () => Promise<void>; // opens the device
  readonly send: (command: RunCommand) => Promise<void>;
  /** The first event of a kind from the `from`-th on; waits for it. */
  readonly next: <Kind extends EngineEvent['kind']>(
    kind: Kind,
    from: number,
  ) => Promise<Extract<EngineEvent, { kind: Kind }>>;
  readonly ask: Ask;
  readonly asked: readonly Question[]; // all that it was asked
  /** The answer to the first question of a kind from the `from`-th on; waits for it. */
  readonly answerTo: <Name extends QuestionName>(
    name: Name,
    from: number,
  ) => Promise<AnswerTo<QuestionNamed<Name>>>;
  readonly close: () => Promise<void>;
}

/** @param hear told of each event as it comes */
export function openEngine(hear: (event: EngineEvent) => void = () => undefined): LiveEngine {
  const events: EngineEvent[] = [];
  const waiting = new Set<() => void>();
  const engine = new Engine({
    post(event) {
      events.push(event);
      hear(event);
      waiting.forEach((look) => look());
    },
    openBackend: () => openGpuBackend({ gpu: lentGpu }),
    fetchWeights: async (file) => (await fetch(`/${file}`)).arrayBuffer(),
  });
  const asked: Question[] = [];
  const answers: Promise<unknown>[] = [];
  const ask: Ask = (question, signal) => {
    const answer = engine.ask(question, signal);
    asked.push(question);
    answers.push(answer);
    return answer;
  };
  return {
    events,
    ask,
    asked,
    async answerTo<Name extends QuestionName>(name: Name, from: number) {
      const place = (): number => asked.findIndex(({ kind }, index) => index >= from && kind === name);
      while (place() < 0) await new Promise((resolve) => setTimeout(resolve, 10));
      return (await answers[place()]) as AnswerTo<QuestionNamed<Name>>;
    },
    start: () => engine.start(),
    send: (command) => engine.dispatch(command),
    next: (kind, from) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.slice(from).find((event) => event.kind === kind || event.kind === 'failed');
          if (!found) return;
          waiting.delete(look);
          if (found.kind === kind) resolve(found as Extract<EngineEvent, { kind: typeof kind }>);
          else reject(new Error(JSON.stringify(found)));
        };
        waiting.add(look);
        look();
      }),
    close: () => engine.dispose(),
  };
}

/** The page over an engine of its own, whose first preset is `config`. A recording may be on screen. */
export async function openLivePage(config: RunConfig, recording: readonly EngineEvent[] = []) {
  const own = (event: EngineEvent): EngineEvent =>
    event.kind === 'ready' ? { ...event, presets: [{ ...event.presets[0], config }] } : event;
  const engine = openEngine((event) => lab.transport.receive([own(event)]));
  const lab: Lab = createLab((command) => void engine.send(command), '', undefined, null, {
    ask: engine.ask,
  });
  lab.player.add(recording.filter(isLogged));
  lab.player.finish();
  const screen = await render(<App lab={lab} />);
  await engine.start();
  return { lab, screen, engine };
}

/** What of a log two runs of a seed share, on whatever device: no clock, no session, no pauses. */
export const comparable = (events: readonly EngineEvent[]): readonly EngineEvent[] =>
  events.filter(({ kind }) => !SESSION.has(kind)).map(withoutTimes);

const SESSION: ReadonlySet<EngineEvent['kind']> = new Set(['ready', 'run-started', 'status']);
