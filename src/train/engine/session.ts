/** What the engine keeps of the run that is open. */
import type { PolicyReader, RunConfig } from '../../units.ts';
import type {
  ProfiledUpdate,
  RunCommand,
  RunOrigin,
  SettledMessage,
  StepCheck,
} from '../../protocol/protocol.ts';
import { takeCheckpoint, type Checkpoint } from '../run/checkpoint.ts';
import { encodeCheckpoint } from '../run/checkpoint_file.ts';
import { Diary } from './diary.ts';
import type { Gates, GateState } from '../run/gates.ts';
import type { Settled } from '../run/memory.ts';
import type { Policies } from '../run/update.ts';
import { RunEndedError } from './errors.ts';

/** What a run was opened with; `reset` opens it again. */
export interface Opened {
  readonly config: RunConfig;
  readonly bytes: ArrayBuffer | null; // weights loaded by hand, in place of config.weights
  readonly checkpoint: Checkpoint | null; // that the run goes on from; it needs no weights
  readonly keep: string | null; // id of the kept run that it goes on with
  readonly forkOf?: string; // the run that the checkpoint is of; absent: this one
}

/** Of a new run; one that goes on is known by its log. */
export const originOf = ({ forkOf, checkpoint }: Opened): RunOrigin =>
  forkOf !== undefined && checkpoint
    ? { kind: 'forked', run: forkOf, update: checkpoint.update }
    : { kind: 'trained' };

/** A resumed run is written on where the page names it; any other that is opened is a run of its own. */
export function diaryOf(
  { config, checkpoint, keep, forkOf }: Opened,
  tell?: (message: SettledMessage) => void,
): Diary | null {
  const isNew = !checkpoint || forkOf !== undefined;
  if (!tell || (!isNew && keep === null)) return null;
  const resumedAfter = isNew ? null : checkpoint.update;
  const now = (): number => performance.now();
  return new Diary({ id: keep ?? crypto.randomUUID(), resumedAfter, updates: config.updates, tell, now });
}

interface Waiting<Answer> {
  readonly from: number;
  taken: boolean; // by an update under way, which may end before it tells
  readonly resolve: (answer: Answer | Promise<Answer>) => void;
  readonly reject: (reason: Error) => void;
}

/** Who waits for something that an update of the run will give. */
export class Awaited<Answer> {
  readonly #refusal: () => Error | null;
  readonly #waiting = new Set<Waiting<Answer>>();
  #ended = false;

  /** @param refusal why nothing can be waited for; null where it can */
  constructor(refusal: () => Error | null = () => null) {
    this.#refusal = refusal;
  }

  /**
   * @param from the first update that will do
   * @throws RunEndedError when the run ends without; what refuses
   */
  next(from: number, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const refusal = this.#ended ? new RunEndedError() : this.#refusal();
      if (refusal) return reject(refusal);
      const waiting = { from, taken: false, resolve, reject };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', () => this.#waiting.delete(waiting)); // who asked was told already
    });
  }

  /** Takes all that wait for this update. @returns tells them; null where nobody waits */
  take(update: number): ((answer: Answer | Promise<Answer>) => void) | null {
    const due = [...this.#waiting].filter(({ from, taken }) => !taken && from <= update);
    if (due.length === 0) return null;
    for (const waiting of due) waiting.taken = true;
    return (answer) => {
      for (const waiting of due) {
        this.#waiting.delete(waiting);
        waiting.resolve(answer);
      }
    };
  }

  /** The run gives nothing any more. */
  end(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting) reject(new RunEndedError());
    this.#waiting.clear();
  }
}

export interface Session extends Policies {
  readonly config: RunConfig;
  readonly transport: Gates;
  readonly profiles: Awaited<ProfiledUpdate>;
  readonly stepChecks: Awaited<StepCheck>;
  readonly checkpoints: Awaited<Checkpoint>;
  readonly diary: Diary | null; // null: nothing is written down
  settled: Settled | null; // where the run last stood between two updates
  reading: Promise<void>; // of the networks, by all checkpoints and borrowers so far; never rejects
  done: Promise<void>; // never rejects
}

/** The run stands between two updates: the checkpoints that are waited for are taken. */
export function settle(session: Session, standing: Settled): void {
  session.settled = standing;
  session.diary?.settle(standing.update, async () => encodeCheckpoint(await checkpointAt(session, standing)));
  session.checkpoints.take(standing.update)?.(checkpointAt(session, standing));
}

/** Now where the run stands between two updates, else when it next does. @throws RunEndedError */
export function nextCheckpoint(session: Session, signal: AbortSignal): Promise<Checkpoint> {
  const { settled, transport, checkpoints } = session;
  return settled?.update === transport.state.update
    ? checkpointAt(session, settled)
    : checkpoints.next(0, signal);
}

/** Both, without their values: a run would hold every checkpoint that was ever taken of it. */
const after = (earlier: Promise<void>, work: Promise<unknown>): Promise<void> =>
  Promise.allSettled([earlier, work]).then(() => undefined);

function checkpointAt(session: Session, standing: Settled): Promise<Checkpoint> {
  const taken = takeCheckpoint(session.config, session, standing);
  session.reading = after(session.reading, taken);
  return taken;
}

/** The run's own model, while the run stands. */
export interface Borrowed {
  readonly policy: PolicyReader;
  readonly run: GateState; // where it stands
  giveBack(): void; // the run may go on
}

/** Lends a run's model from the gate that it stands at or comes to next: no step is taken before it is given back. */
export async function borrow(session: Session): Promise<Borrowed> {
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  session.reading = after(session.reading, over);
  const release = await session.transport.hold();
  const policy = session.policy.reader();
  const giveBack = (): void => {
    policy.dispose();
    release();
    end();
  };
  return { policy, run: session.transport.state, giveBack };
}

/** Commands that only a run can carry out. */
export const OF_A_RUN: ReadonlySet<RunCommand['kind']> = new Set([
  'play',
  'pause',
  'step-update',
  'step-phase',
]);
