/**
 * The run as the page reads it: the engine's events folded by update, prompt and node. Values only;
 * every fold returns new objects along the changed path, so `===` tells what changed.
 */
import type {
  AdapterDescription,
  EnvironmentDescription,
  LossRow,
  Phase,
  EventOf,
  RunOrigin,
  RunStatus,
  TokenUnit,
  TreeCredit,
  UpdateMetrics,
} from '../../protocol/protocol.ts';
import type {
  ErrorReport,
  ExpansionRecord,
  NodeId,
  NodeTable,
  RecordedPrompt,
  RolloutFacts,
  RunConfig,
  SearchStatistics,
  TreeSignals,
  TurnNode,
} from '../../units.ts';

/** One visible moment in the growth of a tree, in arrival order. A growth cursor counts these. */
export type GrowthStep =
  | { readonly kind: 'node'; readonly node: NodeId }
  | { readonly kind: 'expansion'; readonly iteration: number }
  | { readonly kind: 'leaves' };

/** A tree under construction, or complete once `leaves` is not empty. */
export interface TreeState {
  readonly prompt: RecordedPrompt;
  /** By NodeId; children filled in, in creation order. A node not yet sampled is undefined. */
  readonly nodes: readonly (TurnNode | undefined)[];
  readonly growth: readonly GrowthStep[];
  readonly expansions: readonly ExpansionRecord[];
  readonly leaves: readonly NodeId[]; // rows of the batch; empty until chosen
  readonly search?: NodeTable<SearchStatistics> | undefined; // of a search tree, once its rows are chosen
  readonly rewards: NodeTable<number | null> | null;
  readonly signals?: TreeSignals | undefined; // undefined: the run measured none
  readonly dropped: boolean; // by the run's filter: rewarded, and not trained on
  readonly credit: TreeCredit | null;
}

export interface MinibatchState {
  readonly minibatch: number; // from 0
  readonly loss: number | null;
  readonly rows: readonly LossRow[];
  readonly step: EventOf<'step'> | null;
}

export interface UpdateState {
  readonly update: number; // from 1
  readonly phase: Phase | null; // last phase begun
  readonly trees: readonly TreeState[]; // by Prompt.index
  readonly minibatches: readonly MinibatchState[];
  /** What a file says of its rollouts; null of what was trained here. */
  readonly rollouts: readonly RolloutFacts[] | null;
  readonly metrics: UpdateMetrics | null; // set when the update is complete, where they were measured
  readonly ended: boolean; // the update is complete
  /** Trees and loss rows are at hand, compressed (read back when wanted), or gone; metrics always stay. */
  readonly detail: 'here' | 'archived' | 'lost';
  /** What more of it stands in the file that the record was made of alone, after its trees. */
  readonly elsewhere?: EventOf<'update-ended'>['elsewhere'] | undefined;
  readonly readBack?: true; // its trees were read from that file, and go when others are wanted
}

/** What stands at the head of a record. Null is unknown: a file of another trainer says what it says. */
export interface RunHeader {
  readonly origin: RunOrigin;
  readonly tokens: TokenUnit;
  readonly config: RunConfig | null; // the recipe
  readonly adapter: AdapterDescription | null;
  readonly environment: EnvironmentDescription | null;
  readonly parameterCount: number | null;
  readonly date: string; // ISO 8601; '' where unknown
  readonly writtenIn?: number; // version of the log that it was first written in; absent: the newest
}

export interface RunState {
  readonly ready: EventOf<'ready'> | null;
  readonly header: RunHeader | null;
  /** How tokens read, by TokenId: the environment's vocabulary, or the words of a file as they come. */
  readonly texts: readonly string[];
  readonly status: RunStatus;
  readonly update: number; // last update begun; 0 before the first
  readonly phase: Phase | null; // phase of the last status or phase event
  readonly updates: readonly UpdateState[]; // updates[i].update = i + 1
  readonly evaluations: readonly EventOf<'evaluation'>[];
  readonly failure: ErrorReport | null; // the last one, until dismissed
  readonly dismissedAlarms: readonly string[]; // Alarm.id
  readonly eventCount: number; // folded since run-started
}

export const EMPTY_RUN: RunState = {
  ready: null,
  header: null,
  texts: [],
  status: 'idle',
  update: 0,
  phase: null,
  updates: [],
  evaluations: [],
  failure: null,
  dismissedAlarms: [],
  eventCount: 0,
};

// The engine's phases, for the page: ui imports nothing of the engine.

export { PHASES, type Phase } from '../../protocol/protocol.ts';
