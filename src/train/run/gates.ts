/** Play, pause and single steps: the gates that a run passes through. Knows nothing of what the run does. */
import type { Phase, RunStatus } from '../../protocol/protocol.ts';

type Mode = 'paused' | 'running' | 'to-phase-end' | 'to-update-end';

/** The end of a phase of an update, where a run that plays is to pause. */
export interface PlayTo {
  readonly update: number;
  readonly phase: Phase;
}

/** Thrown out of a gate when the run was stopped: not an error, the run is simply over. */
export class RunStopped extends Error {
  constructor() {
    super('the run was stopped');
    this.name = 'RunStopped';
  }
}

export interface GateState {
  readonly status: RunStatus;
  readonly update: number;
  readonly phase: Phase | null;
}

/** One run's gates. Starts paused. */
export class Gates {
  #mode: Mode = 'paused';
  #update: number;
  #phase: Phase | null = null;
  #finished = false;
  #to: PlayTo | null = null;
  #open: (() => void)[] = [];
  #holds = 0; // who keeps the run where it stands
  #arrivals: (() => void)[] = []; // told when it stands
  #posted = '';
  #waitedMs = 0;
  #waitingSinceMs = 0;
  readonly #stopping = new AbortController();
  readonly #onStatus: (state: GateState) => void;

  /**
   * @param onStatus told of each change, never twice the same in a row
   * @param update after which the run goes on; 0 from the start
   */
  constructor(onStatus: (state: GateState) => void, update = 0) {
    this.#onStatus = onStatus;
    this.#update = update;
  }

  /** Time spent waiting at gates so far; trees that wait side by side count once. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** Aborts with RunStopped. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  get state(): GateState {
    const moving = this.#mode === 'paused' ? 'paused' : 'running';
    return { status: this.#finished ? 'finished' : moving, update: this.#update, phase: this.#phase };
  }

  /** @param to pauses there, also if the person pauses and plays on before; absent: what was asked before stays */
  play(to?: PlayTo): void {
    this.#to = to ?? this.#to;
    this.#set('running');
  }
  pause(): void {
    this.#set('paused');
  }
  stepPhase(): void {
    this.#set('to-phase-end');
  }
  stepUpdate(): void {
    this.#set('to-update-end');
  }

  /** Ends the run at its next gate, also if it waits at one. */
  stop(): void {
    this.#stopping.abort(new RunStopped());
    this.#arrive();
    this.#letThrough();
  }

  /**
   * Keeps the run where it stands, or at the gate that it comes to next, until everyone who holds it has let go. What was
   * begun beside that gate, such as a round of sampling, comes to its own. No status tells of it.
   * @returns lets go
   */
  async hold(): Promise<() => void> {
    this.#holds += 1;
    const stands = this.#open.length > 0 || this.#finished || this.signal.aborted;
    if (!stands) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    return () => {
      this.#holds -= 1;
      if (this.#goesOn) this.#letThrough();
    };
  }

  /**
   * Waits here while paused or held. A running gate costs nothing: the GPU's answers, awaited between gates, let commands in.
   * @throws RunStopped
   */
  async gate(): Promise<void> {
    while (!this.#goesOn && !this.signal.aborted) {
      if (this.#open.length === 0) this.#waitingSinceMs = performance.now();
      const opened = new Promise<void>((resolve) => this.#open.push(resolve));
      this.#arrive();
      await opened;
    }
    this.signal.throwIfAborted();
  }

  async beginUpdate(update: number): Promise<void> {
    await this.gate();
    this.#update = update;
    this.#phase = null;
  }

  async beginPhase(phase: Phase): Promise<void> {
    await this.gate();
    this.#phase = phase;
  }

  endPhase(): void {
    const isThere = this.#to?.update === this.#update && this.#to.phase === this.#phase;
    if (isThere) this.#to = null;
    if (isThere || this.#mode === 'to-phase-end') this.#set('paused');
  }

  endUpdate(): void {
    if (this.#mode === 'to-update-end') this.#set('paused');
  }

  finish(): void {
    this.#finished = true;
    this.#arrive();
    this.announce();
  }

  /** Posts the status if it changed. */
  announce(): void {
    const state = this.state;
    const key = `${state.status} ${state.update} ${state.phase}`;
    if (key === this.#posted) return;
    this.#posted = key;
    this.#onStatus(state);
  }

  #set(mode: Mode): void {
    if (this.#finished) return;
    this.#mode = mode;
    this.announce();
    if (this.#goesOn) this.#letThrough();
  }

  get #goesOn(): boolean {
    return this.#mode !== 'paused' && this.#holds === 0;
  }

  #arrive(): void {
    for (const arrived of this.#arrivals.splice(0)) arrived();
  }

  #letThrough(): void {
    const waiting = this.#open;
    if (waiting.length > 0) this.#waitedMs += performance.now() - this.#waitingSinceMs;
    this.#open = [];
    waiting.forEach((resolve) => resolve());
  }
}
