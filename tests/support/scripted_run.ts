/** Whole event logs without a GPU: the real run, trees, credit and loss with a scripted policy. Seconds for 40 updates. */
import { parameterMap } from '../../src/model/parameters.ts';
import type { Ask } from '../../src/train/inspect/index.ts';
import { Engine, type Backend, type EngineOptions } from '../../src/train/engine/engine.ts';
import { presets } from '../../src/train/config/presets.ts';
import type { RunCommand, EngineEvent, PageEvent } from '../../src/protocol/protocol.ts';
import { heldOutPrompts, trainingPrompts } from '../../src/train/run/prompts.ts';
import type { Environment, ErrorReport, Prompt, RandomKey, RunConfig } from '../../src/units.ts';
import { ScriptedPolicy, type ScriptedOptions } from './scripted_policy.ts';

export const SCRIPTED_ADAPTER = {
  vendor: 'scripted',
  architecture: 'none',
  description: 'no GPU',
  software: true,
};

/** The instant preset, small enough for tests. */
export function smallConfig(changes: Partial<RunConfig> = {}): RunConfig {
  const instant = presets.get('instant');
  if (!instant) throw new Error('there is no instant preset');
  const evaluation = { every: 2, questions: 8, datasets: ['hotpot'] };
  return { ...instant.config, updates: 2, promptsPerUpdate: 8, weights: null, evaluation, ...changes };
}

export interface ScriptedBackend extends Backend {
  readonly policies: ScriptedPolicy[]; // in order of creation
  lose(report: ErrorReport): void;
  closed: boolean;
}

/** Every prompt that a run of this configuration asks about under a key. */
const promptsOf =
  (config: RunConfig, environment: Environment) =>
  (key: RandomKey): readonly Prompt[] =>
    key.update === 0
      ? config.evaluation.datasets.flatMap((set) =>
          heldOutPrompts(environment, set, config.evaluation.questions),
        )
      : Array.from({ length: config.algorithm.filter.generationBatches }, (_, batch) =>
          trainingPrompts(
            environment,
            config.datasets,
            config.promptsPerUpdate,
            { seed: config.seed, update: key.update },
            batch * config.promptsPerUpdate,
          ),
        ).flat();

/** A backend whose policies are scripted, for runs of one configuration. */
export function scriptedBackend(config: RunConfig, options: Partial<ScriptedOptions> = {}): ScriptedBackend {
  const policies: ScriptedPolicy[] = [];
  let lose: (report: ErrorReport) => void = () => undefined;
  const lost = new Promise<ErrorReport>((resolve) => (lose = resolve));
  return {
    adapter: SCRIPTED_ADAPTER,
    lost,
    policies,
    lose: (report) => lose(report),
    closed: false,
    createPolicy({ environment }) {
      const policy = new ScriptedPolicy({
        environment,
        promptsOf: promptsOf(config, environment),
        ...options,
      });
      policies.push(policy);
      return Promise.resolve(policy);
    },
    parameterCount: (model) => parameterMap(model).count,
    close() {
      this.closed = true;
    },
  };
}

/** An engine over a scripted backend, and every event that it posts. `onEvent` may send commands. */
export function scriptedEngine(
  config: RunConfig,
  options: Partial<ScriptedOptions> & Partial<EngineOptions> = {},
) {
  const events: EngineEvent[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  const backend = scriptedBackend(config, options);
  const post = (event: EngineEvent): void => {
    events.push(event);
    listeners.forEach((listener) => listener(event));
  };
  const engine = new Engine({
    post,
    openBackend: () => Promise.resolve(backend),
    fetchWeights: () => Promise.resolve(new ArrayBuffer(8)),
    date: () => '2026-11-21T00:00:00.000Z',
    ...options,
  });
  /** Resolves with the first event from now on that `matches`. */
  const until = (matches: (event: EngineEvent) => boolean): Promise<EngineEvent> =>
    new Promise((resolve) => {
      const listener = (event: EngineEvent): void => {
        if (!matches(event)) return;
        listeners.delete(listener);
        resolve(event);
      };
      listeners.add(listener);
    });
  const onEvent = (listener: (event: EngineEvent) => void): void => void listeners.add(listener);
  const send = (command: RunCommand): Promise<void> => engine.dispatch(command);
  const ask: Ask = (question, signal) => engine.ask(question, signal);
  return { engine, events, backend, send, ask, until, onEvent };
}

/** A whole scripted run: its log, and the policies it used (the trained one first). */
export async function playedRun(
  config: RunConfig,
  options: Partial<ScriptedOptions> = {},
): Promise<{ readonly events: readonly EngineEvent[]; readonly policies: readonly ScriptedPolicy[] }> {
  const { engine, events, backend, send, until } = scriptedEngine(config, options);
  await engine.start();
  await send({ kind: 'open', config });
  const over = until(
    (event) => event.kind === 'failed' || (event.kind === 'status' && event.status === 'finished'),
  );
  await send({ kind: 'play' });
  await over;
  return { events, policies: backend.policies };
}

/** The log of a whole scripted run, `ready` first. Times are set to 0, so that equal runs are equal logs. */
export async function scriptedRun(config: RunConfig = smallConfig()): Promise<readonly EngineEvent[]> {
  return (await playedRun(config)).events.map(withoutTimes);
}

/** Wall-clock times are the only part of a log that two equal runs do not share. */
export const withoutTimes = <Event extends PageEvent>(event: Event): Event =>
  event.kind === 'metrics' ? { ...event, metrics: { ...event.metrics, rolloutMs: 0, trainMs: 0 } } : event;
