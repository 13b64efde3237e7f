/**
 * The engine behind the protocol: owns the backend, one policy and one run, answers commands with events. Knows no
 * worker, no page and no GPU: a backend gives it policies.
 */
import { needsReference, needsRewardModel } from '../../algo/credit/signals.ts';
import { DeviceLostError } from '../../gpu/errors.ts';
import {
  checkFork,
  URGENT_COMMANDS,
  type EngineEvent,
  type Place,
  type RunCommand,
  type RunEvent,
  type SettledMessage,
} from '../../protocol/protocol.ts';
import type { EditedKernel, Environment, ErrorReport, RunConfig, TrainablePolicy } from '../../units.ts';
import {
  algorithmCatalogue,
  describeEnvironment,
  environmentCatalogue,
  knobCatalogue,
  presetCatalogue,
} from '../config/catalogue.ts';
import { environmentNamed, LOADED_BY_HAND } from '../config/config.ts';
import { questions, type AnswerTo, type Question } from '../inspect/index.ts';
import type { AskedOf, QuestionTable } from '../inspect/question.ts';
import { restore } from '../run/checkpoint.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../run/checkpoint_file.ts';
import { RunStopped, Gates, type GateState } from '../run/gates.ts';
import { START } from '../run/memory.ts';
import { train } from '../run/run.ts';
import type { Policies, Profiling, Run } from '../run/update.ts';
import type { Backend } from './backend.ts';
import { Desk } from './desk.ts';
import { QuestionError, reportOf } from '../../protocol/errors.ts';
import { Replays } from './replay.ts';
import { blameEdit, CLOSED, NoProfileError, NoRunError } from './errors.ts';
import { parseRunCommand } from './guard.ts';
import {
  Awaited,
  borrow,
  diaryOf,
  originOf,
  OF_A_RUN,
  settle,
  type Opened,
  type Session,
} from './session.ts';

export type { Backend, PolicyRequest } from './backend.ts';

export interface EngineOptions {
  readonly post: (event: EngineEvent) => void;
  readonly openBackend: () => Promise<Backend>;
  /** A file of public/ by name. */
  readonly fetchWeights: (file: string) => Promise<ArrayBuffer>;
  readonly date?: () => string; // ISO 8601
  /** Writes a run down as it happens (diary.ts). */
  readonly tell?: (message: SettledMessage) => void;
  /** What can be asked, by kind; all that the lab knows by default. */
  readonly questions?: QuestionTable;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
export class Engine {
  readonly #options: EngineOptions;
  #backend: Backend | null = null;
  #opened: Opened | null = null;
  #session: Session | null = null;
  #queue: Promise<void> = Promise.resolve();
  #isOpening = false;
  readonly #desk: Desk;
  readonly #replays = new Replays((config, checkpoint) =>
    this.#policiesOf({ ...this.#startOf(config), checkpoint }),
  );

  constructor(options: EngineOptions) {
    this.#options = options;
    const lender = {
      backend: () => this.#ensureBackend(),
      policyOf: (config: RunConfig, at?: Place) => this.#policyOf(config, at),
      replays: () => this.#replays,
      run: () => Promise.resolve().then(() => this.#sessionOr('question')),
    };
    this.#desk = new Desk(options.questions ?? questions, lender, (error, name) =>
      error instanceof QuestionError
        ? error
        : new QuestionError(this.#explain(error, `question ${name}`), error),
    );
  }

  /** Opens the backend and posts `ready`; posts `failed` where there is none. */
  start(): Promise<void> {
    return this.#enqueue(async () => void (await this.#ensureBackend()));
  }

  /** Takes a message from outside. Resolves when the command is carried out (a run goes on by itself). */
  dispatch(message: unknown): Promise<void> {
    const urgent = URGENT_COMMANDS.find((kind) => kind === (message as { kind?: unknown } | null)?.kind);
    if (urgent) return this.#carryOut({ kind: urgent });
    return this.#enqueue(() => this.#carryOut(parseRunCommand(message)));
  }

  /**
   * Asks in its turn, after all commands sent before; the answer comes beside the run.
   * @param question from outside, where the type says no more than what it should be
   * @throws QuestionError with the report of what went wrong with it alone, or the signal's reason
   */
  ask<Asked extends Question>(question: Asked, signal?: AbortSignal): Promise<AnswerTo<Asked>> {
    const inTurn = (work: () => Promise<void>): Promise<void> => this.#enqueue(work);
    return this.#desk.ask(question, signal, inTurn) as Promise<AnswerTo<Asked>>; // the table says so
  }

  /** A device was asked for and has not come yet. */
  get isOpening(): boolean {
    return this.#isOpening;
  }

  /** Calls in a row, this one included, in which the device owed an answer and gave none; call it at a steady beat. */
  countSilence(): number {
    return this.#backend?.countSilence?.() ?? 0;
  }

  /** Ends the run and closes the backend. A worker's engine ends with its worker instead. */
  dispose(): Promise<void> {
    return this.#enqueue(async () => {
      this.#desk.endAll(new QuestionError(CLOSED));
      await this.#endSession();
      this.#backend?.close();
      this.#backend = null;
    });
  }

  /** One command after the other; an error becomes a `failed` event and leaves the engine usable. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((error: unknown) => this.#fail(error, 'engine'));
    return this.#queue;
  }

  async #carryOut(command: RunCommand): Promise<void> {
    // What was sent after an `open` that failed, on its heels: the failure was said, and no other is to cover it.
    if (this.#opened && !this.#session && OF_A_RUN.has(command.kind)) return;
    switch (command.kind) {
      case 'open':
        return this.#open({ config: command.config, bytes: null, checkpoint: null, keep: null });
      case 'reset':
        return this.#open({ ...this.#openedOr(command.kind), keep: null });
      case 'load-weights': {
        const config = command.config ?? this.#openedOr(command.kind).config;
        const byHand = { ...config, weights: LOADED_BY_HAND };
        return this.#open({ config: byHand, bytes: command.bytes, checkpoint: null, keep: null });
      }
      case 'resume': {
        const checkpoint = await decodeCheckpoint(new Uint8Array(command.bytes));
        const { keep = null, fork } = command;
        if (!fork) return this.#open({ config: checkpoint.config, bytes: null, checkpoint, keep });
        const { config, run } = fork;
        checkFork(checkpoint.config, config, checkpoint.update);
        return this.#open({ config, bytes: null, checkpoint: { ...checkpoint, config }, keep, forkOf: run });
      }
      case 'play':
        return this.#transportOr(command.kind).play(command.to);
      case 'pause':
        return this.#transportOr(command.kind).pause();
      case 'step-update':
        return this.#transportOr(command.kind).stepUpdate();
      case 'step-phase':
        return this.#transportOr(command.kind).stepPhase();
      case 'close':
        return this.#close();
      case 'give-up':
        return this.#backend?.giveUp?.();
      default:
        return command satisfies never;
    }
  }

  #openedOr(command: string): Opened {
    if (!this.#opened) throw new NoRunError(`command ${command}`);
    return this.#opened;
  }

  #sessionOr(where: string): Session {
    if (!this.#session) throw new NoRunError(where);
    return this.#session;
  }

  /** The gates of a run that has not failed. */
  #transportOr(command: string): Gates {
    const { transport } = this.#sessionOr(`command ${command}`);
    if (transport.signal.aborted) throw new NoRunError(`command ${command}`);
    return transport;
  }

  async #ensureBackend(): Promise<Backend> {
    if (this.#backend) return this.#backend;
    this.#isOpening = true;
    const backend = await this.#options.openBackend().finally(() => (this.#isOpening = false));
    this.#backend = backend;
    void backend.lost.then((report) => this.#lose(backend, report));
    this.#options.post({
      kind: 'ready',
      adapter: backend.adapter,
      algorithms: algorithmCatalogue(),
      environments: environmentCatalogue(),
      presets: presetCatalogue(),
      knobs: knobCatalogue(),
    });
    return backend;
  }

  async #open(opened: Opened): Promise<void> {
    await this.#endSession();
    this.#opened = opened;
    this.#postStatus('preparing');
    const { config, checkpoint } = opened;
    const backend = await this.#ensureBackend();
    await backend.checkFits?.(config, true);
    const environment = environmentNamed(config.environment);
    const policies = await this.#policiesOf(opened);
    if (this.#backend !== backend) return this.#postStatus('failed'); // lost meanwhile, which was said
    const started: RunEvent = {
      kind: 'run-started',
      config,
      adapter: backend.adapter,
      environment: describeEnvironment(environment),
      parameterCount: backend.parameterCount(config.model),
      origin: originOf(opened),
      tokens: 'vocabulary',
      date: this.#options.date?.() ?? new Date().toISOString(),
      ...(checkpoint && { resumedAfter: checkpoint.update }),
    };
    this.#options.post(started);
    this.#startSession(opened, started, environment, policies);
  }

  /** The networks of a run, as it starts or as a checkpoint has them. */
  async #policiesOf(opened: Opened): Promise<Policies> {
    const { config, checkpoint } = opened;
    const backend = await this.#ensureBackend();
    const weights = await this.#weightsOf(opened);
    const request = { config, weights, environment: environmentNamed(config.environment) };
    const beside = async (wanted: boolean): Promise<TrainablePolicy | null> =>
      wanted ? backend.createPolicy(request) : null;
    const policies = {
      policy: await backend.createPolicy(request),
      reference: await beside(needsReference(config.algorithm)),
      rewardModel: await beside(needsRewardModel(config.algorithm)),
    };
    if (checkpoint) await restore(policies, checkpoint);
    return policies;
  }

  async #weightsOf({ config, bytes, checkpoint }: Opened): Promise<ArrayBuffer | null> {
    if (checkpoint) return null; // its own are written over whatever the policies start with
    return bytes ?? (config.weights === null ? null : this.#options.fetchWeights(config.weights));
  }

  #startSession(opened: Opened, started: RunEvent, environment: Environment, policies: Policies): void {
    const post = (event: RunEvent): void => {
      if (this.#session !== session) return; // a run that is over says nothing more
      session.diary?.hear(event);
      this.#options.post(event);
    };
    const onStatus = (state: GateState): void => post({ kind: 'status', ...state });
    const { config, checkpoint } = opened;
    const transport = new Gates(onStatus, checkpoint?.update);
    const session: Session = {
      ...policies,
      config,
      transport,
      profiles: new Awaited(() => (this.#backend?.startProfile ? null : new NoProfileError())),
      stepChecks: new Awaited(),
      checkpoints: new Awaited(),
      diary: diaryOf(opened, this.#options.tell),
      settled: checkpoint,
      reading: Promise.resolve(),
      done: Promise.resolve(),
    };
    const startProfile = (update: number): Profiling | null => {
      const tell = session.profiles.take(update);
      const profiler = tell && this.#backend?.startProfile?.();
      return profiler ? { profiler, tell } : null;
    };
    this.#session = session;
    session.diary?.hear(started);
    if (checkpoint && opened.forkOf !== undefined)
      // its own first checkpoint: the parent may be let go
      session.diary?.settle(checkpoint.update, () => encodeCheckpoint(checkpoint));
    transport.announce();
    const now = (): number => performance.now() - transport.waitedMs;
    const run: Run = {
      ...{ config, environment, ...policies, transport, post, now, startProfile },
      tellAnswers: (answers) => this.#session === session && this.#options.post(answers),
      takeStepCheck: (update) => session.stepChecks.take(update),
      onSettled: (standing) => settle(session, standing),
    };
    session.done = train(run, checkpoint ?? START)
      .catch((error: unknown) => {
        if (error instanceof RunStopped || this.#session !== session) return;
        transport.stop();
        this.#fail(error, 'run');
      })
      .finally(() => {
        session.profiles.end();
        session.stepChecks.end();
        session.checkpoints.end();
      });
  }

  /**
   * The model of the run that is open, where it is of this configuration; else a policy made for the question, which
   * starts as the configuration does.
   */
  async #policyOf(config: RunConfig, at?: Place): Promise<AskedOf> {
    const environment = environmentNamed(config.environment);
    const session = this.#session;
    if (!at && session && same(session.config, config)) {
      const borrowed = await borrow(session);
      const parameters = borrowed.run.update > 0 ? 'current' : 'starting';
      return { ...borrowed, environment, parameters };
    }
    const run = session?.transport.state ?? null;
    const backend = await this.#ensureBackend();
    const state = at && at.update > 0 ? this.#replays.at(at).networks.policy : null;
    const weights = state ? null : await this.#weightsOf(this.#startOf(config));
    const policy = await backend.createPolicy({ config, weights, environment });
    if (state) await policy.writeState(state);
    const parameters = state ? 'replayed' : 'starting';
    return { policy, environment, parameters, run, giveBack: () => policy.dispose() };
  }

  /** How a run of this configuration starts: with the weights that were loaded by hand, where it is the one that is open. */
  #startOf(config: RunConfig): Opened {
    const byHand = same(this.#opened?.config, config) ? (this.#opened?.bytes ?? null) : null;
    return { config, bytes: byHand, checkpoint: null, keep: null };
  }

  async #endSession(): Promise<void> {
    const session = this.#session;
    if (!session) return;
    this.#session = null;
    session.transport.stop();
    await session.done;
    await session.reading;
    await session.diary?.written;
    session.policy.dispose();
    session.reference?.dispose();
    session.rewardModel?.dispose();
  }

  /** Ends the run; the backend stays open for the next one. */
  async #close(): Promise<void> {
    await this.#endSession();
    this.#opened = null;
    this.#postStatus('idle');
  }

  #editRunning(): EditedKernel | null {
    return this.#desk.edit ?? this.#opened?.config.editedKernel ?? null;
  }

  /** The device is gone, and every buffer with it: nothing to dispose; the next `open` or `reset` opens another. */
  #lose(backend: Backend, report: ErrorReport): void {
    if (this.#backend !== backend) return;
    this.#backend = null;
    const transport = this.#session?.transport;
    this.#session = null;
    const said = blameEdit(report, this.#editRunning());
    this.#desk.endAll(new QuestionError(said));
    if (transport?.signal.aborted) return; // the run met the loss first and said so
    transport?.stop();
    const { status, update, phase } = transport?.state ?? { status: null, update: 0, phase: null };
    this.#options.post({ kind: 'failed', update, report: said });
    const after = status === 'finished' ? status : 'failed'; // a run that was over has lost nothing but its weights
    this.#options.post({ kind: 'status', status: after, update, phase });
  }

  /** An error as a report, which names a person's kernel where the device was lost under it. */
  #explain(error: unknown, where: string): ErrorReport {
    const edit = error instanceof DeviceLostError ? this.#editRunning() : null;
    return blameEdit(reportOf(error, where), edit);
  }

  /** Posts the error, then the status again: a page shows a failure as the end, and a run may go on. */
  #fail(error: unknown, where: string): void {
    const session = this.#session;
    const { update } = session?.transport.state ?? { update: 0 };
    this.#options.post({ kind: 'failed', update, report: this.#explain(error, where) });
    if (session && !session.transport.signal.aborted)
      this.#options.post({ kind: 'status', ...session.transport.state });
    else this.#postStatus(this.#opened ? 'failed' : 'idle');
  }

  #postStatus(status: 'idle' | 'preparing' | 'failed'): void {
    const { update, phase } = this.#session?.transport.state ?? { update: 0, phase: null };
    this.#options.post({ kind: 'status', status, update, phase });
  }
}
