/** Experiments as this browser keeps them, and what the page has to train them with. */
import type { Budget, Spending } from '../../experiment/budget.ts';
import { ExperimentError, plannedRuns, type AskedRun, type Experiment, type PlannedRun } from '../../experiment/experiment.ts'; // prettier-ignore
import { readResultsFile, writeResultsFile, type RunFile, type Runs } from '../../experiment/results.ts';
import type { RunEvent } from '../../protocol/protocol.ts';
import { LabError, type ErrorReport, type RunConfig } from '../../units.ts';

/** A run as far as the queue came with it. */
export interface HeldRun {
  readonly date: string | null; // of its start: by it its kept run is found; null: it has not begun
  readonly file: RunFile | null; // its result
  readonly failure: string | null; // why it has none
}

/** An experiment as this browser keeps it. */
export interface HeldExperiment {
  readonly id: string;
  readonly created: string; // ISO 8601
  readonly origin: 'made here' | 'file' | 'shipped';
  readonly experiment: Experiment;
  readonly runs: Readonly<Record<string, HeldRun>>; // by id of the planned run; those that have not begun are absent
  readonly isWanted: boolean; // its missing runs are to be trained
  readonly removed: boolean; // it can be taken back until the page is opened again
}

/** An experiment that is shipped with the page: what is known of it before its file is read. */
export interface ShippedExperiment {
  readonly file: string;
  readonly name: string;
  readonly question: string;
  readonly runs: number; // in the file
  readonly planned: number;
}

export const shippedId = ({ name }: Pick<ShippedExperiment, 'name'>): string => `shipped ${name}`;

/** The run under way. */
export interface RunUnderWay {
  readonly experiment: string;
  readonly run: string;
  readonly update: number; // that is over
  readonly updates: number; // at most
  readonly secondsPerUpdate: number | null; // since it began in this tab
}

export interface ExperimentsState {
  readonly isRead: boolean; // what this browser keeps is known
  readonly experiments: readonly HeldExperiment[]; // newest first, shipped ones that were read last
  readonly shipped: readonly ShippedExperiment[]; // all
  readonly underWay: RunUnderWay | null;
  readonly isElsewhere: boolean; // another tab trains the queue
  readonly trouble: ErrorReport | null;
}

/** Lets a run wait where it is. */
export interface Hold {
  readonly isHeld: () => boolean;
  readonly subscribe: (hear: () => void) => () => void;
}

/** What trains a run (src/train/engine/queue_trainer.ts). */
export interface TrainerEnd {
  readonly configOf: (asked: AskedRun) => RunConfig;
  readonly train: (
    run: {
      readonly config: RunConfig;
      readonly until: Budget | null;
      readonly earlier: Earlier | null;
    },
    hold: Hold,
    tell: (progress: { readonly date: string; readonly update: number; readonly updates: number }) => void,
  ) => Promise<object>;
  readonly close: () => void;
}

export interface Earlier {
  readonly log: readonly RunEvent[];
  readonly checkpoint: ArrayBuffer;
  readonly kept: string;
  readonly used: Spending;
}

export interface ExperimentTable {
  all(): Promise<readonly HeldExperiment[]>;
  put(value: HeldExperiment): Promise<void>;
  delete(id: string): Promise<void>;
}

/** What the page has for experiments. */
export interface ExperimentTools {
  readonly trainer: () => Promise<TrainerEnd>;
  readonly table: () => Promise<ExperimentTable>;
  /** Waits for the right to train the queue, which one tab has; `isWaiting` is called where another has it. */
  readonly alone: (isWaiting: () => void, work: () => Promise<void>) => Promise<void>;
  /** What is shipped with the page. */
  readonly shipped: () => Promise<readonly ShippedExperiment[]>;
  /** One of these files, as text. */
  readonly shippedText: (file: string) => Promise<string>;
  /** Said when there is work that a reload must go on with, and when there is none. */
  readonly remember: (hasWork: boolean) => void;
}

const NOT_BEGUN: HeldRun = { date: null, file: null, failure: null };

export const heldRun = ({ runs }: HeldExperiment, { id }: Pick<PlannedRun, 'id'>): HeldRun =>
  Object.hasOwn(runs, id) ? runs[id] : NOT_BEGUN;

/** The results that there are, by id of the run. */
export const resultsIn = ({ runs }: HeldExperiment): Runs =>
  new Map(Object.entries(runs).flatMap(([id, { file }]) => (file ? [[id, file] as const] : [])));

export const missingRuns = (held: HeldExperiment): readonly PlannedRun[] =>
  plannedRuns(held.experiment).filter((run) => {
    const { file, failure } = heldRun(held, run);
    return file === null && failure === null;
  });

/** Of an experiment's file, with the runs in it. @param created ISO 8601 @throws ExperimentError */
export function heldFrom(
  text: string,
  name: string,
  origin: 'file' | 'shipped',
  created: string,
): HeldExperiment {
  const { experiment, runs } = readResultsFile(text, name);
  const entries = [...runs].map(([id, file]) => [id, { date: file.date, file, failure: null }] as const);
  return {
    ...{
      id: origin === 'shipped' ? shippedId(experiment) : `${created} ${experiment.name}`,
      created,
      origin,
    },
    ...{ experiment, runs: Object.fromEntries(entries), isWanted: false, removed: false },
  };
}

/** As one file, which the page and `npm run experiment` write. */
export const fileOfExperiment = (held: HeldExperiment): Blob =>
  new Blob([writeResultsFile(held.experiment, resultsIn(held))], { type: 'application/json' });

/** @param what it was that failed */
export const reportOf = (error: unknown, what: string, where = 'experiments'): ErrorReport =>
  error instanceof LabError
    ? error.report
    : { what, where, got: String(error), wanted: 'no error', next: 'Reload the page; runs that are over are kept.' }; // prettier-ignore

/** A page that trains no experiments and keeps none: tests, and frames in other pages. */
export const NO_EXPERIMENTS: ExperimentTools = {
  trainer: () =>
    Promise.reject(
      new ExperimentError({
        what: 'This page trains no experiments',
        where: 'experiments',
        got: 'a page without an engine of its own',
        wanted: 'the lab in a tab',
        next: 'Open the lab itself.',
      }),
    ),
  table: () =>
    Promise.resolve({
      all: () => Promise.resolve([]),
      put: () => Promise.resolve(),
      delete: () => Promise.resolve(),
    }),
  alone: (_, work) => work(),
  shipped: () => Promise.resolve([]),
  shippedText: (file) => Promise.reject(new Error(`no file ${file}`)),
  remember: () => undefined,
};
