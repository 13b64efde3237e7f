/**
 * The engine's edge: the worker posts EngineEvent, the page posts RunCommand; questions and answers go beside them. A run is the log of its events;
 * the page, the recorded run, replay and scrubbing read that one log.
 */
import type { LabScale } from '../algo/catalogue/defaults.ts';
import type { CreditConfig, ErrorReport, NodeTable, RecordedTree, RunConfig, TreeSignals } from '../units.ts';
import type { AlgorithmDescription, CatalogueEntry, KnobDescription } from './descriptions.ts';
import type { Fork } from './fork.ts';
import type { AskedAt, AskedParameters } from './inspection.ts';
import { LOGGED_KINDS } from './log_kinds.ts';
import type { AdapterDescription, EnvironmentDescription, RunEvent, Phase } from './log.ts';

export * from './descriptions.ts';
export * from './fork.ts';
export * from './inspection.ts';
export type * from './imported.ts';
export type * from './log.ts'; // its schemas are fetched by who reads a log
export * from './log_kinds.ts';

const LOGGED: ReadonlySet<string> = new Set(LOGGED_KINDS);

/** Whether an event is in its run's log; those of a session are not. */
export const isLogged = <Event extends { readonly kind: string }>(event: Event): event is Event & RunEvent =>
  LOGGED.has(event.kind);

/** All dispatches of one step of one program in a profiled update. */
export interface ProfileRow {
  readonly program: string; // e.g. 'decode'; several joined by ' + ' where only whole submissions could be timed
  readonly kernel: string; // '' there
  readonly label: string; // of the step, e.g. 'layer 0: down projection'; '' there
  readonly dispatches: number;
  readonly groups: number; // workgroups of all dispatches together
  readonly ms: number; // of all dispatches together
  readonly flops: number | null; // at least needed; null where it depends on the data
  readonly bytes: number | null;
}

/** The best a device was measured to do. */
export interface DeviceCeilings {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly launchMs: number; // of a dispatch that does next to nothing
  readonly fillingGroups: number; // the fewest workgroups of arithmetic that come near the best rate
}

export interface MemoryShare {
  readonly owner: string;
  readonly buffers: number;
  readonly bytes: number;
}

/** One update as the device spent it. Belongs to a session, not to a run's log: no two are alike. */
export interface UpdateProfile {
  readonly method: 'timestamps' | 'submissions'; // per dispatch on the device, or per submission from the host
  readonly wallMs: number; // of the update, pauses left out
  readonly busyMs: number; // of these, when a timed dispatch (or a submission) ran
  readonly rows: readonly ProfileRow[];
  readonly untimed: number; // dispatches that found no room for timestamps
  readonly memory: readonly MemoryShare[]; // at the end of the update, most bytes first
  readonly ceilings: DeviceCeilings;
}

export interface ProfiledUpdate extends UpdateProfile {
  readonly update: number;
}

export interface SavedWeights {
  readonly update: number; // begun last
  readonly bytes: ArrayBuffer; // safetensors
}

/** All that a run needs to go on after an update, its evaluations done. */
export interface SavedCheckpoint {
  readonly update: number;
  readonly bytes: ArrayBuffer;
}

/**
 * How the engine lives, as its page-side end sees it: silent is who owes a sign and gives none for a while. An adapter
 * that was asked for, a device that works on something, or the worker, which may be busy or stuck. Ended is for certain.
 */
export type SignOfLife = 'well' | 'adapter-silent' | 'device-silent' | 'worker-silent' | 'ended';

/** A finished rollout with what credit reads of it. */
export interface ScoredRollout {
  readonly tree: RecordedTree;
  readonly rewards: NodeTable<number | null>;
  readonly signals: TreeSignals;
}

/** Asks for the angles between the gradients that several rules give on the same rollouts. */
export interface GradientQuestion extends AskedAt {
  readonly config: RunConfig; // of the run that the rollouts come from; its loss is used for every rule
  readonly update: number;
  readonly rollouts: readonly ScoredRollout[]; // all of the update
  readonly rules: readonly CreditConfig[]; // at least two
}

/** Gradients at ratio 1: every row as if it had just been sampled by these parameters. */
export interface GradientAngles {
  readonly update: number;
  readonly rules: readonly CreditConfig[];
  readonly norms: readonly number[]; // by rule
  readonly cosines: readonly (readonly number[])[]; // symmetric; 0 beside a gradient of norm 0
  readonly parameters: AskedParameters;
  readonly scoredTokens: number;
  readonly ms: number;
}

/** What the engine says of itself when it has a device; of no run, and in no log. */
export interface Ready {
  readonly kind: 'ready';
  readonly adapter: AdapterDescription;
  readonly algorithms: readonly AlgorithmDescription[];
  readonly environments: readonly EnvironmentDescription[];
  readonly presets: readonly (CatalogueEntry & {
    readonly config: RunConfig;
    readonly scale: LabScale;
  })[];
  readonly knobs: readonly KnobDescription[];
}

/** Which questions an evaluation found right. In no log, which has the shares: a digit per question would double a recording. */
export interface HeldOutAnswers {
  readonly kind: 'answers';
  readonly update: number;
  readonly dataset: string;
  readonly greedy: boolean;
  readonly right: string; // a digit per question, in their order: 1 where it was answered rightly in good form
}

/** What the engine says. */
export type EngineEvent = RunEvent | Ready | HeldOutAnswers;

/** What the page hears: of the engine, and from its own end of it when the signs of life change. */
export type PageEvent = EngineEvent | { readonly kind: 'life'; readonly sign: SignOfLife };

export type EventOf<Kind extends PageEvent['kind']> = Extract<PageEvent, { readonly kind: Kind }>;

/** What the page tells the engine to do. What it asks is in src/train/inspect, a file a question. */
export type RunCommand =
  | { readonly kind: 'open'; readonly config: RunConfig } // prepares a run and evaluates nothing yet
  | { readonly kind: 'play'; readonly to?: { readonly update: number; readonly phase: Phase } } // pauses after that phase
  | { readonly kind: 'pause' }
  | { readonly kind: 'step-update' } // to the end of the current or next update
  | { readonly kind: 'step-phase' } // to the end of the current or next phase
  | { readonly kind: 'reset' } // same config, same seed, from the start
  /** Prepares a run that starts from these weights: of a configuration, else of the one that is open. */
  | { readonly kind: 'load-weights'; readonly bytes: ArrayBuffer; readonly config?: RunConfig }
  /**
   * Prepares the run of a checkpoint, to go on from there. `keep`: id of the kept run that it is. `fork`: it is a new run,
   * of another configuration.
   */
  | { readonly kind: 'resume'; readonly bytes: ArrayBuffer; readonly keep?: string; readonly fork?: Fork }
  | { readonly kind: 'close' }
  | { readonly kind: 'give-up' }; // a device that does not answer; heard while other commands wait

/** Heard at once: what waits before them may wait for what they end. */
export const URGENT_COMMANDS = ['give-up'] as const satisfies readonly RunCommand['kind'][];

/** What the engine says of its run when an update is over, for whoever writes it down. */
export interface SettledUpdate {
  readonly update: number; // 0: what stands before the first
  readonly events: readonly RunEvent[]; // since the update before
  readonly checkpoint: Uint8Array<ArrayBuffer> | null; // where the run stands after it
}

export interface SettledMessage extends SettledUpdate {
  readonly id: string; // of the run, a UUID
}

/** A settled update as it travels to the disk: as text, which is moved where events would be copied. */
export interface WrittenUpdate {
  readonly update: number;
  readonly text: Uint8Array<ArrayBuffer>; // its lines of the log, UTF-8 (src/files/recording.ts)
  readonly headlines: readonly RunEvent[]; // of its events: what a shelf tells of a run
  readonly checkpoint: Uint8Array<ArrayBuffer> | null;
}

export interface WrittenMessage extends WrittenUpdate {
  readonly id: string;
}

/** What a bundle, one file of a run, holds (src/files/bundle.ts). */
export interface BundleContent {
  readonly name: string | null; // a person's own
  readonly note: string;
  readonly adapter: AdapterDescription | null;
  readonly recipe: RunConfig | null; // null: it was not trained here
  readonly log: Blob; // a recording
  readonly checkpoints: readonly BundledCheckpoint[]; // in order
}

export interface BundledCheckpoint {
  readonly update: number; // that it was taken after
  readonly file: Blob;
}

/** The recipe is for who unzips the file: the log says what a run was configured with. */
export interface OpenedBundle extends Omit<BundleContent, 'recipe'> {
  readonly damaged: readonly ErrorReport[]; // a report for each part that is not as it was written
}

/** Which checkpoints a bundle is saved with. */
export type CheckpointChoice = 'newest' | 'all' | 'none';
