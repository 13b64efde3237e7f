/**
 * Questions of a person about a token, a step or a kernel, and the engine's answers. Answers belong to a session: they
 * are in no run's log, and a run goes on as if nobody had asked.
 */
import type { EditableKernel, ErrorReport, NodeId, RunConfig, TokenId, TurnNode } from '../units.ts';
import type { TokenGradient, TokenVerdict } from '../algo/loss/loss_gradient.ts';
import type { AdapterDescription, LossRow, RunStatus } from './log.ts';
import type { ByHand } from '../algo/rollouts/by_hand.ts';

/** Which parameters answered: of the live run as it stands, the run's first, or those of a place that was replayed. */
export type AskedParameters = 'current' | 'starting' | 'replayed';

/** The end of an update of a run. */
export interface Place {
  readonly run: string; // tells runs apart
  readonly update: number; // 0: before the first
}

/** For maps and records by place. */
export const placeKey = ({ run, update }: Place): string => `${update} ${run}`;

/** A question may ask for the weights of a place that was replayed. */
export interface AskedAt {
  readonly at?: Place; // absent: of the live run as it stands, else the run's first
}

/** A token of a row, for what the step wanted of its alternatives. */
export interface TokenQuestion extends AskedAt {
  readonly config: RunConfig; // of the run that the row comes from
  readonly update: number;
  readonly prompt: number; // Prompt.index
  readonly leaf: NodeId;
  readonly tokens: readonly TokenId[]; // of the row, prompt first; the token asked about is the last
  readonly dlogProb: number; // ∂loss/∂logProb of that token, over all rows of the mini-batch that share it
  readonly dentropy: number; // ∂loss/∂entropy before it, over the same rows
  readonly readers: number; // those rows
}

/** Held-out questions, asked of the weights after an update. */
export interface HeldOutQuestion extends AskedAt {
  readonly config: RunConfig;
  readonly update: number; // 0: before the first
  readonly questions: number; // the first of each data set
  readonly datasets: readonly string[];
}

/** Shares in [0, 1], as in a run's own evaluations. */
export interface HeldOut {
  readonly update: number;
  readonly questions: number;
  readonly scores: readonly {
    readonly dataset: string;
    readonly greedy: boolean;
    readonly exactMatch: number;
    readonly unknown: number;
    readonly reliability: number;
    readonly right: string; // a digit per question, in their order: 1 where it was answered rightly in good form
  }[];
  readonly parameters: AskedParameters;
}

/** One word that could stand at a place. */
export interface TokenAlternative {
  readonly token: TokenId;
  readonly logProb: number; // nats
  readonly dlogit: number; // ∂loss/∂logit; the step moves against it
}

export interface TokenPush {
  readonly update: number;
  readonly prompt: number;
  readonly leaf: NodeId;
  readonly position: number; // in the row, from 0
  readonly readers: number;
  readonly chosen: TokenAlternative;
  readonly rank: number; // of the chosen token by probability, from 1
  readonly top: readonly TokenAlternative[]; // most likely first
  readonly others: { readonly count: number; readonly probability: number; readonly dlogit: number }; // neither chosen nor top; sums
  readonly entropy: number; // nats, of the whole distribution
  readonly parameters: AskedParameters;
  readonly ms: number;
}

/** Log-probabilities of one row's scored tokens on both sides of a step, nats, and what the step was asked of them. */
export interface CheckedRow {
  readonly prompt: number; // Prompt.index
  readonly leaf: NodeId;
  readonly tokenIndex: readonly number[]; // place in the row
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly predicted: readonly number[]; // change to first order in the parameters, nats
  readonly push: readonly number[]; // −∂loss/∂logProb
}

/** One optimiser step: what its gradient promised, and what came of it when its mini-batch was scored again. */
export interface CheckedStep {
  readonly minibatch: number; // from 0
  readonly learningRate: number;
  readonly parameterChange: number; // Euclidean norm
  readonly lossBefore: number; // whole objective, KL penalty and entropy bonus included, in float64
  readonly lossAfter: number; // the same rows, advantages and old log-probabilities
  readonly predicted: number; // change of the loss to first order: gradient · parameter change
  readonly throughTokens: number; // Σ ∂loss/∂logProb · change of logProb (+ entropies): first order in what was scored
  readonly predictedThroughTokens: number; // the same with each token's predicted change: `predicted` without a backward pass
  readonly forecastCorrelation: number | null; // of predicted and actual change of log-probability, over all scored tokens
  readonly correlation: number | null; // of push and change of log-probability, over pushed tokens; null where undefined
  readonly followed: number; // share of pushed tokens that moved the way they were pushed
  readonly pushed: number; // tokens with a push
  readonly rows: readonly CheckedRow[];
}

/** All steps of one update. */
export interface StepCheck {
  readonly update: number;
  readonly steps: readonly CheckedStep[];
}

/** A kernel as it runs: its text and what its kernel.ts says of it. */
export interface KernelDescription {
  readonly name: string;
  readonly source: string; // WGSL; the comment at its head is the contract
  readonly params: Readonly<Record<string, string>>; // type by name
  readonly bindings: readonly {
    readonly name: string;
    readonly type: string;
    readonly access: 'read' | 'write';
  }[];
  readonly overrides: Readonly<Record<string, number>>;
  readonly constants: Readonly<Record<string, number>>;
  readonly tolerance: { readonly absolute: number; readonly relative: number; readonly reason: string };
  readonly feature: string | null; // that the device must have
}

/** One number of a kernel beside its oracle's. */
export interface KernelError {
  readonly tensor: string;
  readonly index: number;
  readonly got: number;
  readonly want: number;
  readonly error: number; // |got − want|; ∞ where either is not finite
  readonly allowed: number;
}

/** A kernel's cases on this device, against its float64 oracle. */
export interface KernelCheck {
  readonly kernel: string;
  readonly batch: BatchPlace | null; // null: the catalogue's cases
  readonly ground: 'values' | 'sizes' | 'none'; // what was taken of the mini-batch: its numbers, or its sizes alone
  readonly why: string; // not its numbers; '' where they were taken
  readonly gradients: readonly GradientCheck[]; // of the loss kernel; the formula's and the kernel's own
  readonly cases: readonly {
    readonly title: string;
    readonly checked: number; // elements compared
    readonly mismatchCount: number;
    readonly worst: KernelError | null; // by error over what is allowed, passing or not
  }[];
  readonly missing: string | null; // a feature that the device lacks: nothing was run
  readonly ms: number;
}

// Questions about kernels on a run's own numbers, and about a kernel's text while a person edits it.

/** A mini-batch as a run's log has it, for a kernel to be run on. */
export interface KernelBatch {
  readonly config: RunConfig;
  readonly update: number;
  readonly minibatch: number; // from 0
  readonly rows: readonly LossRow[];
}

/** Which mini-batch that was. */
export type BatchPlace = Pick<KernelBatch, 'update' | 'minibatch'>;

/** A scored token of a mini-batch, or of a case of the catalogue. */
export interface CheckedToken extends TokenGradient {
  readonly prompt: number | null; // Prompt.index; null in a case of the catalogue
  readonly leaf: NodeId | null;
  readonly place: number; // among the row's scored tokens, or the case's; from 0
}

/** Finite differences of a loss against the gradient that it states, token by token. */
export interface GradientCheck {
  readonly of: 'formula' | 'kernel'; // in float64, or as the device computes it
  readonly title: string; // of the catalogue's case; '' for a mini-batch
  readonly counts: Readonly<Record<TokenVerdict, number>>;
  readonly tokens: readonly CheckedToken[]; // worst first
}

/** Something the compiler says, or a part of the contract that is missing. */
export interface TextProblem {
  readonly line: number; // from 1; 0 where it is of the whole text
  readonly column: number;
  readonly message: string;
}

/** A text in place of a kernel's own: whether it compiles, and whether its gradient is that of its loss. */
export interface KernelTrial {
  readonly name: EditableKernel;
  readonly source: string;
  readonly problems: readonly TextProblem[]; // none: it can run
  readonly batch: BatchPlace | null; // null: on the catalogue's cases
  readonly gradients: readonly GradientCheck[] | null; // null: not asked for, or it cannot run
  readonly loss: {
    readonly edited: number; // Σ weight·tokenLoss of all tokens checked
    readonly original: number; // the same, by the lab's own text
    readonly changed: number; // tokens whose loss or gradient differs between the two
  } | null;
  readonly ms: number;
}

export interface TryKernel {
  readonly name: EditableKernel;
  readonly source: string;
  readonly batch: KernelBatch | null; // null: the catalogue's cases
  readonly checkGradient: boolean; // else it is only compiled
}

// A person grows turns in a copy of a tree. The engine samples and scores them.

export interface InterventionQuestion extends ByHand, AskedAt {
  readonly config: RunConfig; // of the run that the tree comes from
  readonly update: number; // of the tree
  readonly node: number; // NodeId in the copy; with `seed` it names the random numbers
  readonly seed: number; // uint32; the same question with the same seed gets the same words
}

/** How far the policy was trained that wrote the new words. */
export interface AskedPolicy {
  readonly parameters: AskedParameters;
  readonly update: number; // last update begun when it was asked; 0 for the run's first parameters
  readonly stepped: boolean; // steps of that update were taken already, or may have been
  readonly status: RunStatus;
}

export interface InterventionAnswer {
  readonly first: number; // id of the first new node; a smaller parent stands on the path
  readonly nodes: readonly TurnNode[]; // the new ones, ids in order; children are new nodes
  readonly rewards: readonly (number | null)[]; // of these; null where no path ends
  readonly policy: AskedPolicy;
  readonly ms: number;
}

/** Of the two kinds of adapter that a browser gives: which is in use, and whether the other is another adapter. */
export interface AdapterChoice {
  readonly inUse: GPUPowerPreference;
  readonly other: AdapterDescription | null; // null: there is one adapter, or the browser does not tell two apart
  readonly refused: ErrorReport | null; // why the wanted kind is not the one in use
}
