/**
 * Plays a recorded log at a pace a person can follow: the first update node by node, later ones
 * faster. It hands events on in order and knows no clock but the `tick` it is given.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { RunEvent } from '../../protocol/protocol.ts';

export interface PlayerState {
  readonly playing: boolean;
  readonly position: number; // events handed on
  readonly length: number; // events recorded so far
  readonly complete: boolean; // no more events will be added
  readonly speed: number; // of SPEEDS; 1 leaves time to read each phase
}

export interface Player extends StoreApi<PlayerState> {
  readonly add: (events: readonly RunEvent[]) => void;
  readonly finish: () => void;
  readonly play: () => void;
  readonly pause: () => void;
  readonly setSpeed: (speed: number) => void;
  /** Hands on all events due at `nowMs`. Call it once a frame. */
  readonly tick: (nowMs: number) => void;
  /** Hands on events to the end of the update begun or next, and stops. */
  readonly stepUpdate: () => void;
  /** Hands on events to the end of the phase begun or next, and stops. */
  readonly stepPhase: () => void;
  /** Hands on events until `update` is complete, or all of a recording that ends before: a reload shows what it showed. */
  readonly seek: (update: number) => void;
  /** From the start; the run store forgets the old run at `run-started`. */
  readonly rewind: () => void;
}

/** What a person can set: 4 shows an update of the later ones in about half a second. */
export const SPEEDS = [0.25, 0.5, 1, 2, 4] as const;

/**
 * How long an event stays the newest at speed 1, in the first, second and any later update. Every phase stands for
 * 300 ms or longer: who watches can read its name and see what it changed. The first update of the shipped recording
 * takes less than 8 s.
 */
const PACE_MS: Partial<Record<RunEvent['kind'], readonly [number, number, number]>> = {
  node: [3, 3, 1],
  expansion: [20, 10, 0],
  phase: [400, 400, 300],
  loss: [100, 60, 10],
  step: [100, 60, 10],
  metrics: [500, 300, 200],
  'update-ended': [500, 300, 200],
};
/** Most time one frame may make up for: a tab that slept goes on where it was. */
const CATCH_UP_MS = 250;

const paceOf = (event: RunEvent): number => {
  const pace = PACE_MS[event.kind];
  if (!pace || !('update' in event)) return 0;
  return pace[Math.min(Math.max(event.update - 1, 0), 2)];
};

/** Events between updates: a step does not end on them before it has done any work. */
const ASIDE: ReadonlySet<RunEvent['kind']> = new Set([
  'run-started',
  'texts',
  'evaluation',
  'remembered',
  'status',
  'update-started',
]);

const ENDS: ReadonlySet<RunEvent['kind']> = new Set(['metrics', 'update-ended']);

/** The event closes an update, or the whole log. */
const closesUpdate = (event: RunEvent, next: RunEvent | undefined): boolean =>
  next === undefined ||
  next.kind === 'update-started' ||
  (ENDS.has(event.kind) && next.kind !== 'evaluation');
const closesPhase = (event: RunEvent, next: RunEvent | undefined): boolean =>
  closesUpdate(event, next) || next?.kind === 'phase';

export function createPlayer(handOn: (events: readonly RunEvent[]) => void): Player {
  const store = createStore<PlayerState>(() => ({
    ...{ playing: false, position: 0, length: 0, complete: false, speed: 1 },
  }));
  const events: RunEvent[] = [];
  let lastMs: number | null = null;
  let debtMs = 0; // time the newest event may still stand
  const advance = (to: number, playing: boolean): void => {
    const { position } = store.getState();
    if (to > position) handOn(events.slice(position, to));
    store.setState({
      position: to,
      playing: playing && !(store.getState().complete && to === events.length),
    });
  };
  const stepTo = (isEnd: (event: RunEvent, next: RunEvent | undefined) => boolean): void => {
    let to = store.getState().position;
    let worked = false;
    for (; to < events.length; to += 1) {
      worked ||= !ASIDE.has(events[to].kind);
      if (worked && isEnd(events[to], events[to + 1])) break;
    }
    advance(Math.min(to + 1, events.length), false);
  };
  return {
    ...store,
    add(more) {
      for (const event of more) events.push(event);
      store.setState({ length: events.length });
    },
    finish: () => store.setState({ complete: true }),
    play() {
      const { complete, position } = store.getState();
      lastMs = null;
      debtMs = 0;
      store.setState({ playing: true, position: complete && position === events.length ? 0 : position });
    },
    pause: () => store.setState({ playing: false }),
    setSpeed: (speed) => store.setState({ speed }),
    tick(nowMs) {
      const { playing, position, speed } = store.getState();
      const elapsed = lastMs === null ? 0 : Math.min(nowMs - lastMs, CATCH_UP_MS) * speed;
      lastMs = nowMs;
      if (!playing) return;
      debtMs -= elapsed;
      let to = position;
      while (to < events.length && debtMs <= 0) {
        debtMs += paceOf(events[to]);
        to += 1;
      }
      if (to === events.length) debtMs = Math.max(debtMs, 0);
      if (to !== position || to === events.length) advance(to, true);
    },
    stepUpdate: () => stepTo(closesUpdate),
    stepPhase: () => stepTo(closesPhase),
    seek(update) {
      const end = events.findIndex(
        (event) => ENDS.has(event.kind) && 'update' in event && event.update === update,
      );
      const { complete, playing } = store.getState();
      if (end >= 0 || complete) advance(end >= 0 ? end + 1 : events.length, playing);
    },
    rewind() {
      lastMs = null;
      debtMs = 0;
      store.setState({ position: 0 });
    },
  };
}
