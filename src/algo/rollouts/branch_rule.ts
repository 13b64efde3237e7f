/**
 * When a path of ARPO or AEPO branches: the decisions alone, as pure functions of entropies and uniform draws.
 * @see arXiv:2507.19849, arXiv:2510.14545; released code vllm_rollout_with_tools.py; algorithms' spec, baselines 6.1
 */
import type { RolloutConfig } from '../../units.ts';

const MEASURED_TOKENS = 20; // of a generation, from its start
const PENALTY_PER_BRANCHING = 0.05; // AEPO, for every round in a row that made a new path
const SIGMOID_SLOPE = 0.5; // β of the dynamic first paths

/**
 * Σ entropy / ln |V|: a sum and no mean, as in the released code, so that it may exceed 1.
 * @param tokenEntropy nats, by token
 */
export const normalisedEntropy = (tokenEntropy: readonly number[], vocabularySize: number): number =>
  tokenEntropy.reduce((sum, entropy) => sum + entropy, 0) / Math.log(vocabularySize);

/**
 * H of a generation: of its first 20 tokens. In the released code a token's entropy covers the ten likeliest tokens;
 * here it is of the whole distribution, which our policies know.
 */
export const generationEntropy = (tokenEntropy: readonly number[], vocabularySize: number): number =>
  normalisedEntropy(tokenEntropy.slice(0, MEASURED_TOKENS), vocabularySize);

export type BranchConfig = Pick<RolloutConfig, 'branchRule' | 'branchBase' | 'branchWeight' | 'beam'> & {
  readonly paths: number; // n: most paths of a prompt
  /** Some prompt beyond these makes a path in every round, as in a large batch: l of one that makes none is 0 then. */
  readonly othersBranch: boolean;
};

const clip = (x: number): number => Math.min(1, Math.max(0, x));
const decay = (consecutive: number): number => Math.max(0, 1 - PENALTY_PER_BRANCHING * consecutive);

/**
 * Whether a draw u branches. ARPO: clip(u − w·ΔH) ≤ q; AEPO: clip((u + w·ΔH)·max(0, 1 − 0.05·l)) ≥ q.
 * @param entropyChange ΔH, generation against the path's first
 * @param consecutive l, rounds in a row that made the prompt new paths
 */
export function branches(
  { branchRule, branchBase, branchWeight }: BranchConfig,
  draw: number,
  entropyChange: number,
  consecutive: number,
): boolean {
  const shift = branchWeight * entropyChange;
  return branchRule === 'arpo'
    ? clip(draw - shift) <= branchBase
    : clip((draw + shift) * decay(consecutive)) >= branchBase;
}

/** Probability that `branches` says yes: clip(q + w·ΔH), or clip(1 − q / (1 − 0.05·l) + w·ΔH). */
export function branchProbability(
  { branchRule, branchBase, branchWeight }: BranchConfig,
  entropyChange: number,
  consecutive: number,
): number {
  const shift = branchWeight * entropyChange;
  return branchRule === 'arpo' ? clip(branchBase + shift) : clip(1 - branchBase / decay(consecutive) + shift);
}

/** A path that goes on after a round. */
export interface ActivePath {
  readonly prompt: number; // place in the update
  readonly entropyChange: number; // ΔH
}

/** What is remembered from round to round, by prompt. */
export interface BranchCounts {
  readonly paths: readonly number[]; // made so far
  readonly consecutive: readonly number[]; // l; AEPO only
}

/** A new path: a copy of the active path at this place, or one more from the prompt. */
export interface NewPath {
  readonly prompt: number;
  readonly source: number | null;
}

/** Prompts in the order in which they first have an active path: the order of the released code's dictionary. */
const byPrompt = (active: readonly ActivePath[]): ReadonlyMap<number, readonly number[]> => {
  const places = new Map<number, number[]>();
  active.forEach(({ prompt }, place) => places.set(prompt, [...(places.get(prompt) ?? []), place]));
  return places;
};

function countConsecutive(
  created: readonly NewPath[],
  consecutive: readonly number[],
  othersBranch: boolean,
): readonly number[] {
  if (created.length === 0 && !othersBranch) return consecutive;
  return consecutive.map((count, prompt) => (created.some((path) => path.prompt === prompt) ? count + 1 : 0));
}

/**
 * The new paths after a round: each active path, in order, gets up to min(beam − 1, free places) draws while its prompt
 * has fewer than n paths; a prompt without an active path and with fewer than n starts one more.
 * @param draw next uniform number, for a prompt
 */
export function planBranches(
  active: readonly ActivePath[],
  counts: BranchCounts,
  config: BranchConfig,
  draw: (prompt: number) => number,
): { readonly created: readonly NewPath[]; readonly counts: BranchCounts } {
  const created: NewPath[] = [];
  const paths = [...counts.paths];
  const places = byPrompt(active);
  for (const [prompt, sources] of places) {
    for (const source of sources) {
      const draws = Math.min(config.beam - 1, config.paths - paths[prompt]);
      for (let done = 0; done < draws; done += 1) {
        const { entropyChange } = active[source];
        if (!branches(config, draw(prompt), entropyChange, counts.consecutive[prompt])) continue;
        created.push({ prompt, source });
        paths[prompt] += 1;
      }
    }
  }
  paths.forEach((count, prompt) => {
    if (places.has(prompt) || count >= config.paths) return;
    created.push({ prompt, source: null });
    paths[prompt] += 1;
  });
  const { consecutive } = counts;
  const follows =
    config.branchRule === 'aepo' ? countConsecutive(created, consecutive, config.othersBranch) : consecutive;
  return { created, counts: { paths, consecutive: follows } };
}

/**
 * AEPO's number of first paths, m = min(n, ⌊n·σ(β·(H_root − H̄))⌋ + 1).
 * @param rootEntropy H_root of a probe
 * @param pathEntropy H of each generation of a whole path, H̄ is their mean; none: H̄ = H_root
 */
export function dynamicInitialPaths(
  paths: number,
  rootEntropy: number,
  pathEntropy: readonly number[],
): number {
  const sum = pathEntropy.reduce((total, entropy) => total + entropy, 0);
  const mean = pathEntropy.length === 0 ? rootEntropy : sum / pathEntropy.length;
  const share = 1 / (1 + Math.exp(-SIGMOID_SLOPE * (rootEntropy - mean)));
  return Math.min(paths, Math.max(1, Math.floor(paths * share) + 1));
}
