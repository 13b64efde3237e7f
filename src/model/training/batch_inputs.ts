import { upload } from '../../gpu/buffers.ts';
import type { Gpu } from '../../gpu/device.ts';
import { ROOT, type TokenBatch } from '../../units.ts';
import { BatchError } from '../errors.ts';
import { invertIndex, uploadIndex } from './inverse_index.ts';
import { places, type MicroBatch } from '../microbatches.ts';
import type { Workspace } from './workspace.ts';

type Ids = Uint32Array<ArrayBuffer>;

/** A micro-batch as the kernels read it: indices count from its own first token. */
export interface BatchInputs {
  readonly tokens: Ids; // [N]
  readonly previousTokens: Ids; // [N] token before on the path; token 0 before the first
  readonly positions: Ids; // [N]
  readonly visible: Ids; // [N, 2] visibleStart, visibleEnd
  readonly predecessors: Ids; // [U] token whose output predicts this one
  readonly chosen: Ids; // [U] token id
}

const bad = (what: string, where: string, got: string, wanted: string, next: string): BatchError =>
  new BatchError({ what, where, got, wanted, next });

/**
 * Checks what would make kernels read outside their buffers.
 * @throws BatchError
 */
export function checkBatch(batch: TokenBatch, vocabulary: number, contextLength: number): void {
  const { tokens, positions, previous, predicted } = batch;
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
  const orphan = predicted.findIndex((index) => !(previous[index] >= 0));
  if (orphan >= 0) {
    const next = 'Start every row with a token that is not trained on.';
    throw bad(
      'The first token of a path cannot be trained on',
      `predicted token ${orphan}`,
      'no token before it',
      'one',
      next,
    );
  }
}

/** Cuts a micro-batch out of a batch. */
export function batchInputs(batch: TokenBatch, part: MicroBatch): BatchInputs {
  const { previous, visibleStart, visibleEnd } = batch;
  const place = places(part.tokens, batch.tokens.length);
  const visible = new Uint32Array(2 * part.tokens.length);
  part.tokens.forEach((token, n) => {
    visible[2 * n] = place[visibleStart[token]];
    visible[2 * n + 1] = place[visibleEnd[token]];
  });
  const predicted = part.predicted.map((u) => batch.predicted[u]);
  return {
    tokens: part.tokens.map((token) => batch.tokens[token]),
    previousTokens: part.tokens.map((token) => (previous[token] < 0 ? 0 : batch.tokens[previous[token]])),
    positions: part.tokens.map((token) => batch.positions[token]),
    visible,
    predecessors: predicted.map((token) => place[previous[token]]),
    chosen: predicted.map((token) => batch.tokens[token]),
  };
}

/** How many (query, key) pairs attention reads: in pre-order a key is read from itself to its subtree's end. */
export const visiblePairs = ({ visible }: Pick<BatchInputs, 'visible'>): number =>
  visible.reduce((sum, value, place) => (place % 2 === 1 ? sum + value - (place >> 1) : sum), 0);

/** Puts a micro-batch into the workspace, with the inverse indices that the backward pass sums over. */
export function uploadInputs(gpu: Gpu, workspace: Workspace, inputs: BatchInputs, vocabulary: number): void {
  const { tokens, previousTokens, positions, visible, predecessors, chosen } = inputs;
  upload(gpu, workspace.tokens, tokens);
  upload(gpu, workspace.previousTokens, previousTokens);
  upload(gpu, workspace.positions, positions);
  upload(gpu, workspace.visible, visible);
  upload(gpu, workspace.predecessors, predecessors);
  upload(gpu, workspace.chosen, chosen);
  uploadIndex(gpu, workspace.tokenIndex, invertIndex(tokens, vocabulary));
  uploadIndex(gpu, workspace.previousIndex, invertIndex(previousTokens, vocabulary));
  uploadIndex(gpu, workspace.predecessorIndex, invertIndex(predecessors, tokens.length));
}

/**
 * One path of which nothing is trained on.
 * @throws BatchError when it has no token
 */
export function singlePath(tokens: readonly number[]): TokenBatch {
  const { length } = tokens;
  if (length === 0) throw bad('A path has no tokens', 'path', '0 tokens', 'at least 1', 'Give its prompt.');
  const none = () => new Uint32Array(0);
  return {
    rows: [
      {
        prompt: 0,
        leaf: ROOT,
        length,
        tokenStart: 0,
        tokenEnd: length,
        scoredStart: 0,
        scoredEnd: 0,
        spans: [],
      },
    ],
    tokens: Uint32Array.from(tokens),
    positions: Uint32Array.from(tokens.keys()),
    previous: Int32Array.from(tokens, (_, n) => n - 1),
    visibleStart: new Uint32Array(length),
    visibleEnd: new Uint32Array(length).fill(length),
    ...{
      predicted: none(),
      scored: none(),
      turnStart: new Uint32Array(1),
      turnRow: none(),
      turnIndex: none(),
    },
    ...{ weight: new Float32Array(0), advantage: new Float32Array(0) },
  };
}
