/** Requests under way, as the host knows them, and what of them the device is told. */
import { tokenId, type GenerateRequest, type Generation, type TokenId } from '../units.ts';
import { MAX_CHUNK } from './decode.ts';
import type { Placement } from './prefix_cache.ts';

/** A request that has its slot. */
export interface Row {
  readonly request: GenerateRequest;
  readonly placement: Placement;
  readonly tokens: TokenId[];
  readonly logProb: number[];
  readonly entropy: number[];
}

/** A token whose key and value the cache does not hold yet. */
export interface NewToken {
  readonly token: number;
  readonly previous: number; // token before it; token 0 before the first
  readonly position: number;
  readonly slot: number;
}

const newToken = (path: readonly number[], position: number, slot: number): NewToken => ({
  token: path[position],
  previous: position === 0 ? 0 : path[position - 1],
  position,
  slot,
});

export const newRow = (request: GenerateRequest, placement: Placement): Row => ({
  request,
  placement,
  tokens: [],
  logProb: [],
  entropy: [],
});

export const remaining = ({ request, tokens }: Row): number => request.maxTokens - tokens.length;

/** Context tokens to compute before the first decode step, which takes the last one. */
export const missingTokens = ({
  request: { context },
  placement: { slot, cachedLength },
}: Row): readonly NewToken[] =>
  Array.from({ length: context.length - 1 - cachedLength }, (_, n) =>
    newToken(context, cachedLength + n, slot),
  );

/** The token that the next decode step reads. */
export const lastToken = ({ request: { context }, tokens, placement }: Row): NewToken => {
  const path = tokens.length === 0 ? context : [...context.slice(-1), ...tokens];
  const place = path.length - 1;
  return { ...newToken(path, place, placement.slot), position: context.length - 1 + tokens.length };
};

/** What the cache holds of a row that is done: all but its last token. */
export const cachedTokens = ({ request, tokens }: Row): readonly number[] => [
  ...request.context,
  ...tokens.slice(0, -1),
];

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
