/** Requests under way, as the host knows them, and what of them the device is told. */
import { tokenId, type GenerateRequest, type Generation, type TokenId } from '../units.ts';
import { MAX_CHUNK } from './decode.ts';
import type { OpenedPath, Path } from './prefix_cache.ts';

/** A request under way. */
export interface Row {
  readonly request: GenerateRequest;
  readonly path: Path; // its entries: all known tokens but the last
  readonly cachedLength: number; // context tokens that were cached when it came
  readonly tokens: TokenId[];
  readonly logProb: number[];
  readonly entropy: number[];
}

/** A token whose key and value the cache does not hold yet. */
export interface NewToken {
  readonly token: number;
  readonly previous: number; // token before it; token 0 before the first
  readonly position: number;
  readonly slot: number; // its request, among those of the same upload
}

const newToken = (path: readonly number[], position: number, slot: number): NewToken => ({
  token: path[position],
  previous: position === 0 ? 0 : path[position - 1],
  position,
  slot,
});

export const newRow = (request: GenerateRequest, opened: OpenedPath): Row => ({
  request,
  ...opened,
  tokens: [],
  logProb: [],
  entropy: [],
});

export const remaining = ({ request, tokens }: Row): number => request.maxTokens - tokens.length;

/** Context tokens to compute before the first decode step, which takes the last one. */
export const missingTokens = (
  { request: { context }, cachedLength }: Row,
  slot: number,
): readonly NewToken[] =>
  Array.from({ length: context.length - 1 - cachedLength }, (_, n) =>
    newToken(context, cachedLength + n, slot),
  );

/** The token that the next decode step reads. */
export const lastToken = ({ request: { context }, tokens }: Row, slot: number): NewToken => {
  const path = tokens.length === 0 ? context : [...context.slice(-1), ...tokens];
  const place = path.length - 1;
  return { ...newToken(path, place, slot), position: context.length - 1 + tokens.length };
};

/** What the last chunk has added to the cache: keys and values of all tokens but the last. */
export const computedTokens = ({ request: { context }, tokens, path }: Row): readonly TokenId[] =>
  [...context.slice(-1), ...tokens].slice(path.entryCount - (context.length - 1), -1);

export const rowState = (row: Row): number[] => {
  const { prompt, node, firstToken } = row.request.key;
  return [prompt, node, firstToken + row.tokens.length, remaining(row), 0, 0, 0, 0];
};

/** Takes over the `count` tokens that row r of the last chunk sampled. */
export function append(row: Row, r: number, count: number, sampled: Uint32Array, stats: Float32Array): void {
  for (let n = r * MAX_CHUNK; n < r * MAX_CHUNK + count; n++) {
    row.tokens.push(tokenId(sampled[n]));
    row.logProb.push(stats[2 * n]);
    row.entropy.push(stats[2 * n + 1]);
  }
}

export const generationOf = (
  { tokens, logProb, entropy }: Row,
  stopTokens: readonly TokenId[],
): Generation => ({
  tokens,
  logProb,
  entropy,
  finish: stopTokens.includes(tokens[tokens.length - 1]) ? 'stop' : 'length',
});
