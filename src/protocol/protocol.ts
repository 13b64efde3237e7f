/**
 * The engine's edge: the worker posts RunEvent, the page posts RunCommand. A run is the log of its events;
 * the page, the recorded run, replay and scrubbing read that one log.
 */
import type { LabScale } from '../algo/catalogue/defaults.ts';
import type {
  AdvantageRule,
  AlgorithmConfig,
  CreditConfig,
  ErrorReport,
  ExpansionRecord,
  HeadNorms,
  NodeId,
  NodeTable,
  Prompt,
  RolloutTree,
  RunConfig,
  TreeSignals,
  TurnNode,
  ValueRule,
  SearchStatistics,
} from '../units.ts';
import { INSPECTION_EVENTS, type InspectionCommand, type InspectionEvent } from './inspection.ts';
import type { InterventionCommand, InterventionEvent } from './interventions.ts';

export * from './inspection.ts';
export * from './interventions.ts';

/** The phases of one update, in order. */
export const PHASES = ['rollout', 'reward', 'value', 'advantage', 'loss', 'step'] as const;
export type Phase = (typeof PHASES)[number];

export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly software: boolean; // a CPU adapter (SwiftShader, lavapipe, WARP)
}

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

/** What the page needs of an environment: names for tokens, and limits. */
export interface EnvironmentDescription extends CatalogueEntry {
  readonly vocabulary: readonly string[];
  readonly stopTokens: readonly number[];
  readonly datasets: readonly string[];
  readonly contextLength: number; // tokens
  readonly callLimit: number;
}

/** A method as its card shows it. */
export interface AlgorithmDescription extends CatalogueEntry {
  readonly family: string; // shelf of the picker
  readonly paper: { readonly title: string; readonly arxiv: string | null };
  readonly evidence: string; // how sure we are, in words
  readonly verified: boolean; // equals the published code's numbers
  readonly caution: string | null;
  readonly config: AlgorithmConfig; // the paper's sizes; a run scales them to its preset
  readonly sources: readonly { readonly path: string; readonly source: string }[];
  readonly differences: readonly {
    readonly topic: string;
    readonly paper: string;
    readonly code: string;
    readonly here: string;
  }[];
}

/** What a knob may be set to. */
export type KnobRange =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly scale: 'linear' | 'log' }
  | { readonly kind: 'switch' }
  | { readonly kind: 'choice'; readonly options: readonly string[]; readonly titles?: readonly string[] } // same order
  | { readonly kind: 'choices'; readonly options: readonly string[] }; // several at once

export type KnobValue = number | boolean | string | readonly string[];

/** One setting of a run, for the page's knobs and for `npm run lab -- --set path=value`. */
export interface KnobDescription {
  readonly path: string; // dotted, into RunConfig
  readonly title: string;
  readonly term: string; // the paper's symbol or term; '' where it has none
  readonly unit: string; // '' if dimensionless
  readonly description: string;
  readonly paperDefault: KnobValue | null; // null: the paper has no such setting
  readonly source: string; // section of the paper, released code, or ours
  readonly range: KnobRange;
  readonly when: readonly KnobCondition[]; // read only where all hold; [] always
}

/** A knob counts only where another setting has one of these values. */
export interface KnobCondition {
  readonly path: string;
  readonly values: readonly KnobValue[];
}

/** Rewards of one tree, by node; null where the node is not a leaf. Dimensionless. */
export interface TreeRewards {
  readonly prompt: number;
  readonly byNode: NodeTable<number | null>;
  readonly signals?: TreeSignals; // absent where the credit rule reads none, and of groups that were dropped
}

/** Credit of one tree, by node: what backUpValues and turnAdvantages returned. Dimensionless. */
export interface TreeCredit {
  readonly prompt: number;
  readonly valueRule: ValueRule;
  readonly advantageRule: AdvantageRule;
  readonly normalised: NodeTable<number | null>; // leaves only
  readonly values: NodeTable<number>;
  readonly advantages: NodeTable<number>;
}

/** One row of a mini-batch as the loss saw it. Token arrays follow the row's scored tokens in order. */
export interface LossRow {
  readonly prompt: number;
  readonly leaf: NodeId;
  readonly tokenIndex: readonly number[]; // place of each scored token in the row, from the row's first token
  readonly turnIndex: readonly number[]; // turn in the row, from 0
  readonly oldLogProb: readonly number[]; // nats
  readonly logProb: readonly number[]; // nats
  readonly entropy: readonly number[]; // nats
  readonly advantage: readonly number[];
  readonly weight: readonly number[]; // 1 / (B·n_i)
  readonly tokenLoss: readonly number[]; // before weighting
  readonly dlogProb: readonly number[]; // ∂loss/∂logProb
  readonly turnLogRatio: readonly number[]; // per turn, nats
  readonly clipScale?: readonly number[]; // factor of each token's clip band; absent: 1 (A²TGPO sets it)
  readonly ratioFactor?: number; // factor of the row's ratios; absent: 1 (RAPO sets it)
}

/** Metrics of one update; fractions in [0, 1], entropies in nats. Meanings: src/train/README.md. */
export interface UpdateMetrics {
  readonly exactMatch: number; // of the initial rollouts (expanded leaves are biased)
  readonly unknown: number; // share of these that say "I do not know"
  readonly reliability: number; // of these, by BAPO's measure
  readonly meanReward: number; // over all leaves
  readonly malformed: number; // share of leaves that break the form
  readonly turnEntropy: number; // mean H over turns, nats per token
  readonly entropy: number; // masked token mean of the whole distribution
  readonly depth: number; // turns per leaf path
  readonly toolCalls: number; // per leaf path
  readonly deadTrees: number; // share of trees whose leaves all earned the same reward
  readonly rolloutBatches: number; // batches of prompts that were rolled out
  readonly droppedGroups: number; // of them, prompts that are not trained on
  readonly loss: number; // mean over mini-batches
  readonly clipFraction: number; // pg_clipfrac
  readonly clipFractionLast: number; // of the last mini-batch
  readonly ppoKl: number; // token mean of −logRatio
  readonly turnKlEntropy: number;
  readonly singleTurnCount: number;
  readonly gradientNorm: number; // before clipping, mean over mini-batches
  readonly skippedSteps: number;
  readonly sampledTokens: number;
  readonly uniqueTokens: number; // computed in training: a prefix that rows of a tree share counts once
  readonly rowTokens: number; // in all rows
  readonly rolloutMs: number;
  readonly trainMs: number;
}

/** All dispatches of one step of one program in a profiled update. */
export interface ProfileRow {
  readonly program: string; // e.g. 'decode'; several joined by ' + ' where only whole submissions could be timed
  readonly kernel: string; // '' there
  readonly label: string; // of the step, e.g. 'layer 0: down projection'; '' there
  readonly dispatches: number;
  readonly ms: number; // of all dispatches together
  readonly flops: number | null; // at least needed; null where it depends on the data
  readonly bytes: number | null;
}

/** The best a device was measured to do. */
export interface DeviceCeilings {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
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

/**
 * How the engine lives, as its page-side end sees it: silent is who owes a sign and gives none for a while. An adapter
 * that was asked for, a device that works on something, or the worker, which may be busy or stuck. Ended is for certain.
 */
export type SignOfLife = 'well' | 'adapter-silent' | 'device-silent' | 'worker-silent' | 'ended';

export type RunStatus = 'idle' | 'preparing' | 'running' | 'paused' | 'finished' | 'failed';

/** A finished rollout with what credit reads of it. */
export interface ScoredRollout {
  readonly tree: RolloutTree;
  readonly rewards: NodeTable<number | null>;
  readonly signals: TreeSignals;
}

/** Asks for the angles between the gradients that several rules give on the same rollouts. */
export interface GradientQuestion {
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
  readonly parameters: 'current' | 'starting'; // of the live run as it stands, or the run's first
  readonly scoredTokens: number;
  readonly ms: number;
}

/** What the engine says. `update` counts from 1; 0 is before the first. */
export type RunEvent =
  | {
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
  | {
      readonly kind: 'run-started';
      readonly config: RunConfig;
      readonly adapter: AdapterDescription;
      readonly environment: EnvironmentDescription;
      readonly parameterCount: number;
      readonly date: string; // ISO 8601
    }
  | { readonly kind: 'update-started'; readonly update: number; readonly prompts: readonly Prompt[] }
  /** A filter wants more groups: prompts of one more rollout batch of this update. */
  | { readonly kind: 'prompts-added'; readonly update: number; readonly prompts: readonly Prompt[] }
  | { readonly kind: 'phase'; readonly update: number; readonly phase: Phase }
  /** A node is complete: its turn is sampled. Children arrive later and name it as parent; its own list is empty here. */
  | { readonly kind: 'node'; readonly update: number; readonly prompt: number; readonly node: TurnNode }
  | {
      readonly kind: 'expansion';
      readonly update: number;
      readonly prompt: number;
      readonly record: ExpansionRecord;
    }
  /** Rows chosen: pruned nodes and the leaves of each tree, in row order. */
  | {
      readonly kind: 'leaves';
      readonly update: number;
      readonly prompt: number;
      readonly leaves: readonly NodeId[];
      readonly pruned: readonly NodeId[];
      readonly search?: NodeTable<SearchStatistics>; // of a search tree
    }
  | { readonly kind: 'rewards'; readonly update: number; readonly trees: readonly TreeRewards[] }
  /** Groups that the filter does not train on: they get no credit. Posted after the rewards, and only if there are any. */
  | {
      readonly kind: 'groups-dropped';
      readonly update: number;
      readonly batches: number; // rolled out to choose from
      readonly prompts: readonly number[]; // Prompt.index
    }
  | { readonly kind: 'credit'; readonly update: number; readonly trees: readonly TreeCredit[] }
  | {
      readonly kind: 'loss';
      readonly update: number;
      readonly minibatch: number; // from 0
      readonly loss: number;
      readonly rows: readonly LossRow[];
    }
  | {
      readonly kind: 'step';
      readonly update: number;
      readonly minibatch: number;
      readonly gradientNorm: number;
      readonly gradientNorms: Readonly<Record<string, number>>; // by parameter
      readonly headNorms?: readonly HeadNorms[]; // by layer; absent in older logs
      readonly skipped: boolean;
    }
  | { readonly kind: 'metrics'; readonly update: number; readonly metrics: UpdateMetrics }
  | {
      readonly kind: 'evaluation';
      readonly update: number;
      readonly dataset: string;
      readonly questions: number;
      readonly exactMatch: number; // [0, 1]
      readonly unknown?: number; // share of "I do not know"; absent in older logs
      readonly reliability?: number; // by BAPO's measure; absent in older logs
      readonly greedy: boolean;
    }
  | {
      readonly kind: 'status';
      readonly status: RunStatus;
      readonly update: number;
      readonly phase: Phase | null;
    }
  | { readonly kind: 'weights'; readonly update: number; readonly bytes: ArrayBuffer } // safetensors
  /** What a configuration would need of the device: the answer to `estimate`. */
  | {
      readonly kind: 'footprint';
      readonly config: RunConfig; // as it was asked
      readonly bytes: number | null; // at most, in all; null where the configuration is not valid or nothing is known
      readonly problem: ErrorReport | null; // why it would not run
    }
  | ({ readonly kind: 'profile'; readonly update: number } & UpdateProfile)
  | ({ readonly kind: 'gradients' } & GradientAngles) // the answer to `compare-gradients`
  | InspectionEvent
  | InterventionEvent
  | { readonly kind: 'life'; readonly sign: SignOfLife } // said by client.ts, when it changes
  | { readonly kind: 'failed'; readonly update: number; readonly report: ErrorReport };

/** Events that say something of the session: they are in no run's log. */
export const SESSION_EVENTS = [
  'ready',
  'weights',
  'footprint',
  'profile',
  'gradients',
  'intervention',
  'life',
  ...INSPECTION_EVENTS,
] as const;
export type SessionEvent = (typeof SESSION_EVENTS)[number];

export const isLogged = ({ kind }: RunEvent): boolean =>
  !(SESSION_EVENTS as readonly string[]).includes(kind);

/** What the page asks. */
export type RunCommand =
  | { readonly kind: 'open'; readonly config: RunConfig } // prepares a run and evaluates nothing yet
  | { readonly kind: 'estimate'; readonly config: RunConfig } // unchecked: a draft's faults are in the answer
  | { readonly kind: 'play'; readonly to?: { readonly update: number; readonly phase: Phase } } // pauses after that phase
  | { readonly kind: 'pause' }
  | { readonly kind: 'step-update' } // to the end of the current or next update
  | { readonly kind: 'step-phase' } // to the end of the current or next phase
  | { readonly kind: 'profile'; readonly updates?: number } // the next updates, each with an event; 1 by default
  | ({ readonly kind: 'compare-gradients' } & GradientQuestion)
  | InspectionCommand
  | InterventionCommand
  | { readonly kind: 'reset' } // same config, same seed, from the start
  | { readonly kind: 'save-weights' }
  | { readonly kind: 'load-weights'; readonly bytes: ArrayBuffer }
  | { readonly kind: 'close' }
  | { readonly kind: 'give-up' } // a device that does not answer; heard while other commands wait
  | { readonly kind: 'cancel-check' }; // of a kernel; heard while other commands wait

/** Heard at once: what waits before them may wait for what they end. */
export const URGENT_COMMANDS = ['give-up', 'cancel-check'] as const satisfies readonly RunCommand['kind'][];
