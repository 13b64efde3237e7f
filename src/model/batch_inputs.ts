import { upload } from '../gpu/buffers.ts';
import type { Gpu } from '../gpu/device.ts';
import type { TokenBatch, UpdateInputs } from '../units.ts';
import { BatchError } from './errors.ts';
import { invertIndex, type InverseIndex } from './inverse_index.ts';
import type { MicroBatch } from './microbatches.ts';
import type { IndexViews, Workspace } from './workspace.ts';

type Ids = Uint32Array<ArrayBuffer>;

/** A micro-batch as the kernels read it: indices count from its own first token, scored token and turn. */
export interface BatchInputs {
  readonly tokens: Ids; // [N]
  readonly previousTokens: Ids; // [N] token before on the path; token 0 before the first
  readonly positions: Ids; // [N]
  readonly visible: Ids; // [N, 2] visibleStart, visibleEnd
  readonly predecessors: Ids; // [S] token whose output predicts the scored one
  readonly chosen: Ids; // [S] token id
  readonly turnStart: Ids; // [K+1]
  readonly turnIndex: Ids; // [S]
}

const bad = (what: string, where: string, got: string, wanted: string, next: string): BatchError =>
  new BatchError({ what, where, got, wanted, next });

/**
 * Checks what would make kernels read outside their buffers.
 * @throws BatchError
 */
export function checkBatch(batch: TokenBatch, vocabulary: number, contextLength: number): void {
  const { tokens, positions, previous, scored } = batch;
  const token = tokens.findIndex((id) => id >= vocabulary);
  if (token >= 0) {
    const next = 'Use a model whose vocabulary is that of the environment.';
    throw bad(
      'A token is not in the vocabulary',
      `token ${token}`,
      String(tokens[token]),
      `below ${vocabulary}`,
      next,
    );
  }
  const late = positions.findIndex((position) => position >= contextLength);
  if (late >= 0) {
    const next = "Shorten the path, or raise the policy's context length.";
    throw bad(
      'A path is too long',
      `token ${late}`,
      `position ${positions[late]}`,
      `below ${contextLength}`,
      next,
    );
  }
  const orphan = scored.findIndex((index) => !(previous[index] >= 0));
  if (orphan >= 0) {
    const next = 'Start every row with a token that is not trained on.';
    throw bad(
      'The first token of a path cannot be scored',
      `scored token ${orphan}`,
      'no token before it',
      'one',
      next,
    );
  }
}

/** @throws BatchError when the arrays do not follow the batch's scored tokens */
export function checkUpdateInputs(batch: TokenBatch, { oldLogProb, refLogProb, loss }: UpdateInputs): void {
  const count = batch.scored.length;
  const next = 'Score the batch that is trained on.';
  if (oldLogProb.length !== count) {
    throw bad(
      'The old log-probabilities do not fit',
      'update',
      `${oldLogProb.length} numbers`,
      String(count),
      next,
    );
  }
  if (refLogProb ? refLogProb.length !== count : loss.klCoefficient !== 0) {
    const got = refLogProb ? `${refLogProb.length} numbers` : 'none';
    throw bad('The reference log-probabilities do not fit', 'update', got, String(count), next);
  }
}

/** Cuts a micro-batch out of a batch. */
export function batchInputs(batch: TokenBatch, part: MicroBatch): BatchInputs {
  const { tokenStart, tokenEnd, scoredStart, scoredEnd, turnStart: firstTurn, turnEnd } = part;
  const { previous, visibleStart, visibleEnd } = batch;
  const tokens = batch.tokens.slice(tokenStart, tokenEnd);
  const visible = new Uint32Array(2 * tokens.length);
  const previousTokens = new Uint32Array(tokens.length);
  for (let n = 0; n < tokens.length; n++) {
    const index = tokenStart + n;
    visible[2 * n] = visibleStart[index] - tokenStart;
    visible[2 * n + 1] = visibleEnd[index] - tokenStart;
    previousTokens[n] = previous[index] < 0 ? 0 : batch.tokens[previous[index]];
  }
  const scored = batch.scored.subarray(scoredStart, scoredEnd);
  return {
    tokens,
    previousTokens,
    positions: batch.positions.slice(tokenStart, tokenEnd),
    visible,
    predecessors: scored.map((index) => previous[index] - tokenStart),
    chosen: scored.map((index) => batch.tokens[index]),
    turnStart: batch.turnStart.slice(firstTurn, turnEnd + 1).map((start) => start - scoredStart),
    turnIndex: batch.turnIndex.slice(scoredStart, scoredEnd).map((turn) => turn - firstTurn),
  };
}

/** Puts a micro-batch into the workspace, with the inverse indices that the backward pass sums over. */
export function uploadInputs(gpu: Gpu, workspace: Workspace, inputs: BatchInputs, vocabulary: number): void {
  const { tokens, previousTokens, positions, visible, predecessors, chosen, turnStart, turnIndex } = inputs;
  upload(gpu, workspace.tokens, tokens);
  upload(gpu, workspace.previousTokens, previousTokens);
  upload(gpu, workspace.positions, positions);
  upload(gpu, workspace.visible, visible);
  upload(gpu, workspace.predecessors, predecessors);
  upload(gpu, workspace.chosen, chosen);
  upload(gpu, workspace.turnStart, turnStart);
  upload(gpu, workspace.turnIndex, turnIndex);
  uploadIndex(gpu, workspace.tokenIndex, invertIndex(tokens, vocabulary));
  uploadIndex(gpu, workspace.previousIndex, invertIndex(previousTokens, vocabulary));
  uploadIndex(gpu, workspace.predecessorIndex, invertIndex(predecessors, tokens.length));
}

function uploadIndex(gpu: Gpu, views: IndexViews, { offsets, sources }: InverseIndex): void {
  upload(gpu, views.offsets, offsets);
  upload(gpu, views.sources, sources);
}

/** Puts what the loss reads into the workspace. */
export function uploadLossInputs(
  gpu: Gpu,
  workspace: Workspace,
  batch: TokenBatch,
  { oldLogProb, refLogProb }: UpdateInputs,
  { scoredStart, scoredEnd }: MicroBatch,
): void {
  const part = (values: Float32Array<ArrayBuffer>) => values.subarray(scoredStart, scoredEnd);
  upload(gpu, workspace.oldLogProb, part(oldLogProb));
  upload(gpu, workspace.advantage, part(batch.advantage));
  upload(gpu, workspace.weight, part(batch.weight));
  if (refLogProb) upload(gpu, workspace.refLogProb, part(refLogProb));
}
