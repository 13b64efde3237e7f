/** A run that `npm run lab` plays to its end, or until it is stopped, from the start or from a file. */
import { openBundle } from '../../files/bundle.ts';
import { isUsedUp, NOTHING_SPENT, spend, type Budget, type Spending } from '../../experiment/budget.ts';
import { readRecording } from '../../files/recording.ts';
import { RunConfigError } from '../../protocol/errors.ts';
import {
  isLogged,
  type EventOf,
  type HeldOut,
  type HeldOutAnswers,
  type PageEvent,
  type RunEvent,
  type SavedCheckpoint,
} from '../../protocol/protocol.ts';
import type { ErrorReport, RunConfig } from '../../units.ts';
import type { EngineClient } from './client.ts';

export interface LabProgress {
  readonly kind: 'note' | 'update'; // of an evaluation or a check, or of an update
  readonly update: number;
  readonly updates: number;
  readonly seconds: number; // since the run began
  readonly text: string;
}

export const isKind =
  <Kind extends RunEvent['kind']>(kind: Kind) =>
  (event: RunEvent): event is Extract<RunEvent, EventOf<Kind>> =>
    event.kind === kind;

function progressText(event: RunEvent): string | null {
  if (event.kind === 'evaluation') {
    const way = event.greedy ? 'greedy' : 'sampled';
    return `held-out ${event.dataset}, ${event.questions} questions: exact match ${event.exactMatch.toFixed(3)} ${way}`;
  }
  if (event.kind !== 'metrics') return null;
  const { exactMatch, entropy, clipFraction, gradientNorm, deadTrees, rolloutMs, trainMs } = event.metrics;
  const numbers = {
    'exact match': exactMatch,
    entropy,
    clipped: clipFraction,
    gradient: gradientNorm,
    dead: deadTrees,
  };
  const said = Object.entries(numbers).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  return `${said.join('  ')}  ${((rolloutMs + trainMs) / 1000).toFixed(2)} s`;
}

export const sayReport = ({ what, where, got, wanted, next }: ErrorReport): string =>
  `${what} (${where}): got ${got}, wanted ${wanted}. ${next}`;

/** What is played: a configuration from its start, or from where a file left it. */
export interface Start {
  readonly config: RunConfig;
  readonly earlier: Earlier | null;
}

/** What was trained before: the log to the end of an update, and the checkpoint that was taken there. */
export interface Earlier {
  readonly log: readonly RunEvent[];
  readonly checkpoint: ArrayBuffer; // given away
  readonly kept?: string; // id of the kept run that it is
  readonly used?: Spending; // by the whole log, where this one is not all of it
}

/** What the engine says of itself is not of the training; the log of a run that goes on has none of it. */
const isOfTraining = ({ kind }: RunEvent): boolean => kind !== 'status' && kind !== 'failed';

/** A log as it was when an update was over. */
function until(log: readonly RunEvent[], update: number): readonly RunEvent[] {
  const next = log.findIndex((event) => event.kind === 'update-started' && event.update > update);
  return next < 0 ? log : log.slice(0, next);
}

/** @throws RunConfigError where the file holds no checkpoint to go on from; BundleError, RecordingError */
export async function startOf(file: Blob): Promise<Start> {
  const { log: logFile, checkpoints } = await openBundle(file);
  const log: RunEvent[] = [];
  for await (const event of readRecording(logFile)) if (isOfTraining(event)) log.push(event);
  const last = checkpoints.at(-1);
  const config = log.find(isKind('run-started'))?.config;
  if (!last || !config)
    throw new RunConfigError({
      what: 'The run cannot go on',
      where: '--resume',
      got: config ? 'a file without a checkpoint' : 'a run that was not trained by the lab',
      wanted: 'a run with a checkpoint',
      next: 'Save it with its newest checkpoint, or name a file that npm run lab -- --record run.turnwise left.',
    });
  return { config, earlier: { log: until(log, last.update), checkpoint: await last.file.arrayBuffer() } };
}

export interface Played {
  readonly log: readonly RunEvent[];
  readonly seconds: number;
  readonly used: Spending;
  /** Of the evaluation at its end, in its order; none where it was stopped, or had been evaluated before it went on. */
  readonly answers: readonly Pick<HeldOutAnswers, 'dataset' | 'greedy' | 'right'>[];
  readonly stopped: SavedCheckpoint | null; // before its end
}

/** A run that is held waits where it is, until it is let go. */
export interface Hold {
  readonly isHeld: () => boolean;
  readonly subscribe: (hear: () => void) => () => void;
}

/** What ends a run before its configuration does, or lets it wait. */
export interface Ending {
  readonly stop?: AbortSignal; // after the update under way, to go on from there
  readonly until?: Budget; // used up: the run is over, and evaluated
  readonly hold?: Hold;
  readonly wants?: (event: RunEvent) => boolean; // which events the log is to have; absent: all
}

/** Scores of the run's model as it stands; none where nothing is held out. */
export async function heldOutNow(client: EngineClient, config: RunConfig, update: number) {
  const { questions, datasets } = config.evaluation;
  if (questions === 0) return [];
  return (await client.ask({ kind: 'held-out', config, update, questions, datasets })).scores;
}

/** The same as the events that the run's own last evaluation would have posted. */
const asEvaluations = (scores: HeldOut['scores'], config: RunConfig, update: number): readonly RunEvent[] =>
  scores.map(({ dataset, greedy, exactMatch, unknown, reliability }) => ({
    ...{ kind: 'evaluation', update, questions: config.evaluation.questions, dataset, greedy },
    ...{ exactMatch, unknown, reliability },
  }));

/**
 * Plays a run to its end, to the end of its budget, or to the update in which it is stopped. With a budget it goes an update
 * at a time, so that it ends after the same one wherever it runs; its numbers are the same either way.
 * @throws Error with the report of a failure, as text
 */
export function play(
  client: EngineClient,
  { config, earlier }: Start,
  onProgress: (progress: LabProgress) => void,
  { stop, until: budget, hold, wants = () => true }: Ending = {},
) {
  const { updates } = config;
  const log: RunEvent[] = [...(earlier?.log ?? [])];
  let used = earlier?.used ?? log.reduce(spend, NOTHING_SPENT);
  const heard: HeldOutAnswers[] = [];
  const answersAfter = (last: number): readonly HeldOutAnswers[] => heard.filter(({ update }) => update === last); // prettier-ignore
  let startMs = 0;
  const since = (): number => (performance.now() - startMs) / 1000;
  const tell = (event: RunEvent): void => {
    const text = progressText(event);
    const kind = event.kind === 'evaluation' ? 'note' : 'update';
    if (text !== null && 'update' in event)
      onProgress({ kind, update: event.update, updates, seconds: since(), text });
  };
  const leftBehind: (() => void)[] = []; // ends what was subscribed to
  return new Promise<Played>((resolve, reject) => {
    let isLeaving = false;
    let hasBegun = false;
    let askedAfter: number | null = null; // updates that were over when the next was asked for
    const goOn = (): void => {
      if (budget && used.updates > 0 && isUsedUp(used, budget)) return void end(used.updates).catch(reject);
      if (hold?.isHeld()) return;
      askedAfter = used.updates;
      client.send({ kind: budget ? 'step-update' : 'play' });
    };
    const leave = async (): Promise<void> => {
      isLeaving = true;
      const stopped = await client.ask({ kind: 'save-checkpoint' });
      client.send({ kind: 'pause' });
      const whole = until(log, stopped.update).filter(isOfTraining);
      resolve({ log: whole, seconds: since(), used, answers: [], stopped });
    };
    /** The budget is used up after this update, whose own evaluation there may be. */
    const end = async (update: number): Promise<void> => {
      isLeaving = true;
      const has = log.some((event) => event.kind === 'evaluation' && event.update === update);
      const scores = has ? [] : await heldOutNow(client, config, update);
      const evaluations = asEvaluations(scores, config, update);
      evaluations.forEach(tell);
      const told = has ? answersAfter(update) : scores;
      resolve({ log: [...log, ...evaluations], seconds: since(), used, answers: told, stopped: null });
    };
    const heedHold = (): void => {
      if (!hasBegun || isLeaving) return;
      if (hold?.isHeld()) client.send({ kind: 'pause' });
      else goOn();
    };
    if (hold) leftBehind.push(hold.subscribe(heedHold));
    const hear = (event: PageEvent): void => {
      if (event.kind === 'answers') {
        heard.push(event);
        return;
      }
      if (!isLogged(event)) return;
      if (event.kind === 'failed') return reject(new Error(sayReport(event.report)));
      const isKnown = earlier !== null && (event.kind === 'run-started' || !isOfTraining(event));
      if (!isKnown && wants(event)) log.push(event);
      if (event.kind === 'run-started') {
        startMs = performance.now();
        hasBegun = true;
        goOn();
        const stopNow = (): void => void leave().catch(reject);
        if (stop?.aborted)
          stopNow(); // asked before the run was there
        else stop?.addEventListener('abort', stopNow, { once: true });
        return;
      }
      if (!isKnown) used = spend(used, event);
      tell(event);
      if (event.kind !== 'status') return;
      if (event.status === 'finished')
        resolve({ log, seconds: since(), used, answers: answersAfter(updates), stopped: null });
      else if (budget && !isLeaving && event.status === 'paused' && used.updates > (askedAfter ?? Infinity))
        goOn();
    };
    leftBehind.push(client.subscribe(hear));
    if (!earlier) return client.send({ kind: 'open', config });
    const { checkpoint, kept } = earlier;
    client.send({ kind: 'resume', bytes: checkpoint, ...(kept !== undefined && { keep: kept }) });
  }).finally(() => leftBehind.forEach((end) => end()));
}
