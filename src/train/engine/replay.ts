/**
 * Runs trained again, an update at a time, by the same loop that trained them: for what an update said, and for the
 * weights that the run had after it. The states of the last few places are kept, on the host.
 */
import { LabError, type Environment, type RunConfig } from '../../units.ts';
import { placeKey, type Place, type RunEvent } from '../../protocol/protocol.ts';
import { environmentNamed } from '../config/config.ts';
import { takeCheckpoint, type Checkpoint } from '../run/checkpoint.ts';
import { Gates, RunStopped } from '../run/gates.ts';
import { START, type Settled } from '../run/memory.ts';
import { train } from '../run/run.ts';
import type { Policies } from '../run/update.ts';

const MOST_STATES = 6;

export interface Replayed {
  readonly from: number | null; // the state that was gone on from; null: the run's start
  readonly update: number; // where the replay stands now
  readonly events: readonly RunEvent[]; // what was said on the way; none where the state was there
}

/** A question asks for weights that are not kept here. */
export class NotReplayedError extends LabError {
  constructor({ run, update }: Place) {
    super('NotReplayedError', {
      what: 'The weights of this update are not at hand',
      where: `update ${update} of the run of ${run}`,
      got: 'no state',
      wanted: 'a state that was replayed before',
      next: 'Replay the run to this update, then ask again.',
    });
  }
}

export class Replays {
  readonly #states = new Map<string, Checkpoint & Place>(); // in order of use
  readonly #makePolicies: (config: RunConfig, from: Checkpoint | null) => Promise<Policies>;

  /** @param makePolicies the networks of a run, as it starts or as a checkpoint has them */
  constructor(makePolicies: (config: RunConfig, from: Checkpoint | null) => Promise<Policies>) {
    this.#makePolicies = makePolicies;
  }

  put(run: string, checkpoint: Checkpoint): void {
    const key = placeKey({ run, update: checkpoint.update });
    this.#states.delete(key);
    this.#states.set(key, { ...checkpoint, run });
    const [oldest] = this.#states.keys();
    if (this.#states.size > MOST_STATES) this.#states.delete(oldest);
  }

  /** @throws NotReplayedError */
  at(place: Place): Checkpoint {
    const state = this.#states.get(placeKey(place));
    if (!state) throw new NotReplayedError(place);
    this.put(place.run, state);
    return state;
  }

  /**
   * Comes an update nearer to a place, from the nearest state before it or from the run's start.
   * @param again the place's own state is made anew where it is there
   * @param signal stops it at the run's next gate
   * @throws what training throws, the signal's reason
   */
  async advance(config: RunConfig, to: Place, again: boolean, signal: AbortSignal): Promise<Replayed> {
    const most = again ? to.update - 1 : to.update;
    const near = [...this.#states.values()].filter(({ run, update }) => run === to.run && update <= most);
    const from = near.reduce<Checkpoint | null>((a, b) => (a && a.update > b.update ? a : b), null);
    if (from?.update === to.update) {
      this.at(to);
      return { from: from.update, update: to.update, events: [] };
    }
    const policies = await this.#makePolicies(config, from);
    try {
      signal.throwIfAborted();
      const trained = await trainNext(config, policies, from, signal);
      this.put(to.run, trained.checkpoint);
      return { from: from?.update ?? null, update: trained.checkpoint.update, events: trained.events };
    } finally {
      for (const policy of Object.values(policies) as Policies[keyof Policies][]) policy?.dispose();
    }
  }
}

/** The next update and its evaluations; from the start those before it too. */
async function trainNext(
  config: RunConfig,
  policies: Policies,
  from: Checkpoint | null,
  signal: AbortSignal,
): Promise<{ readonly events: readonly RunEvent[]; readonly checkpoint: Checkpoint }> {
  const environment: Environment = environmentNamed(config.environment);
  const next = (from?.update ?? 0) + 1;
  const events: RunEvent[] = [];
  const transport = new Gates(() => undefined, from?.update);
  const stop = (): void => transport.stop();
  let taken: Promise<Checkpoint> | null = null;
  const onSettled = (standing: Settled): void => {
    if (standing.update !== next) return;
    taken = takeCheckpoint(config, policies, standing);
    stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  transport.play();
  const post = (event: RunEvent): void => void events.push(event);
  const run = { ...policies, config, environment, transport, post, now: () => performance.now(), onSettled };
  await train(run, from ?? START)
    .catch((error: unknown) => {
      if (!(error instanceof RunStopped)) throw error;
    })
    .finally(() => signal.removeEventListener('abort', stop));
  signal.throwIfAborted();
  return { events, checkpoint: await taken! }; // settled: only the signal and an error end it earlier
}
