/** Questions about kernels on a run's own numbers, and about a kernel's text while a person edits it. */
import type { TokenGradient, TokenVerdict } from '../algo/loss/loss_gradient.ts';
import type { EditableKernel, NodeId, RunConfig } from '../units.ts';
import type { LossRow } from './log.ts';

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
