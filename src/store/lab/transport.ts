/**
 * Play, pause, step and reset, whatever is playing: the engine when there is one and the person has
 * asked for it, else the recorded run. Commands go out through `send`, injected by main.tsx.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  isLogged,
  type PageEvent,
  type RunCommand,
  type EngineEvent,
  type RunEvent,
  type SignOfLife,
} from '../../protocol/protocol.ts';
import { LOADED_BY_HAND, type ErrorReport, type RunConfig } from '../../units.ts';
import type { Inspection } from '../ask/inspection.ts';
import { createLending, type Lending, type Source } from './lending.ts';
import { OpenRun, same, type ContinuedRun, type ForkedRun } from './open_run.ts';
import type { Player } from '../record/player.ts';
import type { RunStore, Screen } from '../record/run.ts';
import { runName, sameRun } from '../record/run_name.ts';
import type { Selection, SelectionStore } from '../place/selection.ts';

export type EngineState =
  | { readonly kind: 'resting' } // nobody has asked for it: a frame in another page
  | { readonly kind: 'starting' } // the worker loads and compiles
  | { readonly kind: 'ready' }
  | { readonly kind: 'unavailable'; readonly report: ErrorReport };

export interface TransportState {
  readonly source: Source;
  readonly engine: EngineState;
  readonly prepared: boolean; // the default run is open, so that Play starts at once
  readonly awaiting: boolean; // a live run was asked for before the engine was ready
  readonly draft: RunConfig | null; // changed knobs, not yet run
  readonly asked: RunConfig | null; // what the live run was started with
  readonly checkingSteps: boolean; // the steps of an update will be checked, and are not yet
  readonly trainingTo: number | null; // the run is trained again from its start to this update
  readonly profiling: boolean; // a profile was asked for and has not come yet
  readonly life: SignOfLife;
}

export interface Transport extends StoreApi<TransportState>, Lending {
  /** Events of the engine, in order. */
  readonly receive: (events: readonly PageEvent[]) => void;
  readonly engineUnavailable: (report: ErrorReport) => void;
  /** Goes on with the run on screen, recorded or live. */
  readonly play: () => void;
  readonly pause: () => void;
  /** Trains a run here, with the draft where there is one; as soon as the engine is ready. */
  readonly trainLive: () => void;
  readonly stepUpdate: () => void;
  readonly stepPhase: () => void;
  /** Asks for a profile of the next update, and runs that update where the run stands still. */
  readonly profile: () => void;
  /** Asks that the steps of the next update be checked, and runs that update where the run stands still. */
  readonly checkSteps: () => void;
  /**
   * For a run whose weights are gone, recorded or finished: trains it again from its configuration, checks the steps of
   * this update when it comes, pauses, and shows the place that was on screen.
   */
  readonly checkStepsAgain: (update: number) => void;
  /** Goes on with a kept run, live; the place that is selected stays. It is paused, or plays on. */
  readonly goOn: (run: ContinuedRun, plays: boolean) => void;
  /** Puts a new run in the place of what is on screen, which begins where another stood; it plays on. */
  readonly fork: (run: ForkedRun, plays?: boolean) => void;
  /** The draft becomes this configuration, which starts from weights that the person opened. */
  readonly startFrom: (config: RunConfig, weights: ArrayBuffer) => void;
  readonly reset: () => void;
  readonly setDraft: (draft: RunConfig | null) => void;
  /** Starts a live run with the draft, or with the config of the run shown. */
  readonly restart: () => void;
  /** Shows the recorded run from its start. */
  readonly replay: () => void;
  /** Shows a record of the shelf, whole, or the recorded run as far as it was played. A live run waits meanwhile. */
  readonly show: (record: RunStore) => void;
  /** Shows the engine's run again, as it stands. */
  readonly showLive: () => void;
  /** Ends the engine, whatever it is at, and starts another. What is on screen stays; Play opens its run again. */
  readonly restartEngine: () => void;
  /** The engine's run is on screen and its newest update, or the weights that this one grew with, are its own. */
  readonly standsAt: (update: number) => boolean;
  /** The engine's run is on screen, at the end of this update, with nothing under way. */
  readonly standsAfter: (update: number) => boolean;
  /** Lets go of a device that does not answer; the run fails, and Play opens it on another. */
  readonly giveUpDevice: () => void;
}

/** The engine has no run any more: its device or the engine itself is gone. */
const isLoss = (event: PageEvent): boolean =>
  (event.kind === 'life' && event.sign === 'ended') || (event.kind === 'status' && event.status === 'failed');
/** Said by the page when it asks for a run anew, until the engine speaks for itself. */
const PREPARING = { kind: 'status', status: 'preparing', update: 0, phase: null } as const satisfies RunEvent;

export interface TransportParts {
  readonly run: Screen;
  readonly recorded: RunStore; // fed by the player
  readonly live: RunStore; // fed by the engine
  readonly selection: SelectionStore;
  readonly player: Player;
  readonly send: (command: RunCommand) => void;
  /** Ends the engine and starts another. */
  readonly restart: () => void;
  readonly rests: boolean; // the engine waits until somebody asks for it
  /** Waits for what an update to come will answer. */
  readonly inspection: Pick<Inspection, 'awaitProfile' | 'awaitStepCheck' | 'clear'>;
}

export function createTransport(parts: TransportParts): Transport {
  const { run, recorded, live, selection, player, send, restart, rests, inspection } = parts;
  const store = createStore<TransportState>(() => ({
    source: 'recorded',
    engine: { kind: rests ? 'resting' : 'starting' },
    prepared: false,
    awaiting: false,
    draft: null,
    asked: null,
    checkingSteps: false,
    trainingTo: null,
    profiling: false,
    life: 'well',
  }));
  const open = new OpenRun(send);
  let leftFrom: Partial<Selection> | null = null;
  let goneOnAfter: number | null = null; // the live run went on from a checkpoint after this update
  const isLive = (): boolean => store.getState().source === 'live';
  /** The engine's run was asked for, and may go on while another record is on screen. */
  const isBegun = (): boolean => store.getState().asked !== null;
  const isOver = (): boolean => live.getState().status === 'finished';
  const defaultConfig = (): RunConfig | null => run.getState().ready?.presets[0]?.config ?? null;

  /** Puts a record on screen, at its newest update. */
  const putOnScreen = (record: RunStore): void => {
    player.pause();
    run.show(record);
    selection.select({ run: null, example: null, update: null, prompt: 0, pinned: null });
  };

  let awaited = new AbortController(); // of what is asked of updates to come
  const forget = (): void => {
    awaited.abort();
    awaited = new AbortController();
    store.setState({ checkingSteps: false, trainingTo: null, profiling: false });
  };
  const askProfile = (): void => {
    const { signal } = awaited;
    store.setState({ profiling: true });
    void inspection.awaitProfile(signal).then(() => signal.aborted || store.setState({ profiling: false }));
  };
  const askStepCheck = (update?: number): void => {
    const { signal } = awaited;
    store.setState({ checkingSteps: true });
    void inspection.awaitStepCheck(update, signal).then(() => {
      if (signal.aborted) return;
      const isAgain = store.getState().trainingTo !== null;
      store.setState({ checkingSteps: false, trainingTo: null });
      if (isAgain) arrive();
    });
  };

  /** @param first asked of the run; null leaves it paused before its start */
  const goLive = (config: RunConfig, first: (() => void) | null): void => {
    forget();
    inspection.clear();
    const isAnew = !same(open.config, config) || isBegun() || open.gone;
    if (isAnew) open.open(config);
    goneOnAfter = null;
    live.clear();
    putOnScreen(live);
    store.setState({
      source: 'live',
      awaiting: false,
      draft: null,
      asked: config,
    });
    live.apply(isAnew ? [PREPARING] : open.release());
    first?.();
  };

  /** The engine's run of this configuration can go on: another record was put in its place. */
  const isWaiting = (config: RunConfig): boolean =>
    isBegun() && !isOver() && !open.gone && same(open.config, config);

  const showLive = (): void => {
    putOnScreen(live);
    store.setState({ source: 'live', awaiting: false, draft: null });
  };

  /** A live run obeys; of a run that is over, what it trained stays on screen. */
  const commandLive = (asking: () => void): void => {
    const { asked } = store.getState();
    if (isOver()) return;
    if (open.gone && asked) goLive(asked, asking);
    else asking();
  };
  /** What is on screen obeys: it is never left for another run. A record that lies there whole has nothing to obey with. */
  const command = (asking: RunCommand, replayed: () => void): void => {
    if (isLive()) commandLive(() => send(asking));
    else if (store.getState().source === 'recorded') replayed();
  };

  /** A live run obeys; where none is on screen and the engine is there, the one that waits goes on, or one is started. */
  const commandEngine = (asking: () => void, isPlay = false): void => {
    if (isLive()) return commandLive(asking);
    const { engine, draft } = store.getState();
    const config = draft ?? open.config ?? defaultConfig();
    if (config && isWaiting(config)) {
      showLive();
      asking();
    } else if (engine.kind === 'ready' && config) goLive(config, asking);
    else if (engine.kind !== 'unavailable' && isPlay)
      store.setState({ engine: { kind: 'starting' }, awaiting: true });
  };

  /** @param first asked of the new run before it plays on */
  const startAgain = (update: number, first: () => void): void => {
    const config = run.getState().header?.config;
    if (!config || store.getState().engine.kind !== 'ready') return;
    const { prompt, node, leaf, token } = selection.getState();
    leftFrom = { update, prompt, node, leaf, token };
    if (isLive() && !open.gone && goneOnAfter === null) {
      selection.select({ update: null, pinned: null });
      forget();
      inspection.clear();
      send({ kind: 'reset' });
      first();
    } else goLive(config, first);
    store.setState({ trainingTo: update });
  };

  /** The update that the run was trained again for has come: its place is shown, unless the person went elsewhere. */
  const arrive = (): void => {
    send({ kind: 'pause' });
    if (leftFrom && selection.getState().update === null) selection.select(leftFrom);
    leftFrom = null;
  };

  /** What the engine can do is known to every record that may be on screen. */
  const heardReady = (event: EngineEvent): void => {
    for (const record of new Set([recorded, live, run.shown()])) record.apply([event]);
  };

  const engineReady = (): void => {
    store.setState({ engine: { kind: 'ready' } });
    const config = defaultConfig();
    if (!config) return;
    if (store.getState().awaiting) goLive(config, () => send({ kind: 'play' }));
    else if (!isBegun()) open.open(config);
  };

  /** A failure while the recorded run is on screen: of the engine itself, or of the run opened ahead. */
  const hearFailure = (report: ErrorReport): void => {
    if (store.getState().engine.kind === 'ready') return run.report(report);
    store.setState({ engine: { kind: 'unavailable', report }, awaiting: false });
  };

  /** The run on screen has begun already: its log holds the first start. */
  const isKnownStart = (event: RunEvent): boolean =>
    event.kind === 'run-started' && goneOnAfter !== null && event.resumedAfter === goneOnAfter;

  const startOver = (): void => {
    player.pause();
    player.rewind();
    recorded.clear();
    selection.select({ run: null, update: null, pinned: null });
  };

  return {
    ...store,
    receive(events) {
      for (const event of events) if (event.kind === 'ready') heardReady(event);
      const isOff = events.some(({ kind }) => kind === 'failed') && !store.getState().checkingSteps;
      if (isOff) store.setState({ trainingTo: null });
      if (events.some((event) => event.kind === 'ready')) engineReady();
      const admitted = open.admit(events.filter(isLogged));
      if (admitted.some((event) => event.kind === 'run-started')) store.setState({ prepared: true });
      if (events.some(isLoss)) {
        open.gone = true;
        store.setState({ prepared: false });
      }
      const life = events.findLast((event) => event.kind === 'life');
      if (life) store.setState({ life: life.sign });
      if (isBegun()) {
        live.apply(admitted.filter((event) => !isKnownStart(event)));
        return;
      }
      open.hold(admitted.filter((event) => event.kind !== 'failed'));
      for (const event of admitted) if (event.kind === 'failed') hearFailure(event.report);
    },
    engineUnavailable: (report) =>
      store.setState({ engine: { kind: 'unavailable', report }, awaiting: false }),
    play: () => command({ kind: 'play' }, player.play),
    pause() {
      store.setState({ awaiting: false });
      if (isLive()) send({ kind: 'pause' });
      else player.pause();
    },
    trainLive: () => commandEngine(() => send({ kind: 'play' }), true),
    stepUpdate: () => command({ kind: 'step-update' }, player.stepUpdate),
    stepPhase: () => command({ kind: 'step-phase' }, player.stepPhase),
    profile() {
      commandEngine(askProfile);
      if (!isLive() || isOver()) return;
      if (run.getState().status !== 'running') send({ kind: 'step-update' });
    },
    checkSteps() {
      commandEngine(() => askStepCheck());
      if (!isLive() || isOver()) return;
      if (run.getState().status !== 'running') send({ kind: 'step-update' });
    },
    checkStepsAgain: (update) =>
      startAgain(update, () => {
        askStepCheck(update);
        send({ kind: 'play' });
      }),
    goOn(continued, plays) {
      const { config, record, after } = continued;
      open.resume(continued);
      goneOnAfter = after;
      player.pause();
      live.become(record.contents());
      live.apply([{ ...PREPARING, update: after }]);
      const { header } = live.getState();
      const { run: placed } = selection.getState();
      if (header && placed && !sameRun(runName(header), placed)) putOnScreen(live);
      else run.show(live);
      store.setState({
        ...{ source: 'live', awaiting: false, draft: null, asked: config },
        ...{ checkingSteps: false, trainingTo: null },
      });
      if (plays) send({ kind: 'play' });
    },
    fork(forked, plays = true) {
      const { config, after } = forked;
      forget();
      inspection.clear();
      open.fork(forked);
      goneOnAfter = null;
      live.clear();
      putOnScreen(live);
      store.setState({ source: 'live', awaiting: false, draft: null, asked: config });
      live.apply([{ ...PREPARING, update: after }]);
      if (plays) send({ kind: 'play' });
    },
    reset() {
      if (store.getState().source === 'recorded') return startOver();
      if (!isLive()) return;
      selection.select({ update: null, pinned: null });
      forget(); // the new run was asked for none
      inspection.clear();
      const { asked } = store.getState();
      if ((open.gone || goneOnAfter !== null) && asked) goLive(asked, null);
      else send({ kind: 'reset' });
    },
    startFrom(config, weights) {
      open.byHand = weights;
      store.setState({ draft: { ...config, weights: LOADED_BY_HAND } });
    },
    setDraft: (draft) =>
      store.setState({ draft: same(draft, run.getState().header?.config ?? null) ? null : draft }),
    restart() {
      const config = store.getState().draft ?? run.getState().header?.config ?? store.getState().asked;
      if (config) goLive(config, () => send({ kind: 'play' }));
    },
    replay() {
      if (isLive()) send({ kind: 'pause' });
      startOver();
      run.show(recorded);
      store.setState({ source: 'recorded' });
      player.play();
    },
    show(record) {
      if (isLive()) send({ kind: 'pause' });
      const { ready } = run.getState();
      if (ready) record.apply([ready]);
      putOnScreen(record);
      const source = record === recorded ? 'recorded' : 'file';
      store.setState({ source, awaiting: false, draft: null });
    },
    ...createLending(parts, store),
    showLive,
    restartEngine() {
      const { status, update, phase } = live.getState();
      open.gone = true;
      store.setState({ engine: { kind: 'starting' }, life: 'well', prepared: false, awaiting: false });
      forget();
      if (isBegun() && status !== 'finished')
        live.apply([{ kind: 'status', status: 'failed', update, phase }]);
      restart();
    },
    standsAfter(update) {
      const { status, update: now, updates } = live.getState();
      const isStill = status === 'paused' || status === 'finished';
      return isLive() && isStill && now === update && updates[update - 1]?.ended === true;
    },
    standsAt: (update) => isLive() && live.getState().update <= update + 1,
    giveUpDevice: () => send({ kind: 'give-up' }),
  };
}
