/**
 * "Why is my loss 0?", "why is nothing learnt?": dead groups, a loss that is centred, tokens outside the loss, rollouts without a
 * reward. Advantages are GRPO's, (r − mean) / (sample deviation + 1e-6), whatever the trainer used. Pure.
 */
import type { RolloutFacts } from '../../units.ts';
import { groupStatistics, sharedValue } from '../credit/normalise.ts';
import { grouped, sumOf } from './statistics.ts';

export interface GroupSilence {
  readonly prompt: number;
  readonly rollouts: readonly RolloutFacts[];
  readonly kind: 'live' | 'dead' | 'alone' | 'unscored' | 'dropped';
  readonly mean: number | null; // null unless all rewards are known
  readonly deviation: number | null; // sample
  readonly advantages: readonly number[] | null;
  readonly lossTokens: readonly (number | null)[]; // by rollout; null: the file does not say
  /** At ratio 1, where ℓ = −A: −Σ A/n, and by tokens −Σ n_i·A_i / Σ n_i. */
  readonly sequenceLoss: number | null;
  readonly tokenLoss: number | null;
  readonly push: number | null; // Σ |A| / n: what reaches the gradient
}

export interface Silence {
  readonly groups: readonly GroupSilence[];
  readonly rollouts: number;
  readonly cut: readonly RolloutFacts[]; // ended by length
  readonly unscored: readonly RolloutFacts[];
  readonly tokenless: readonly RolloutFacts[]; // none of their tokens is under the loss
  readonly masked: number; // rollouts whose loss tokens are known
  readonly unadvantaged: { readonly turns: number; readonly zero: number } | null; // what the trainer used; null: the file does not say
  /** Over tokens whose log-probability is known of both, |trainer − sampler|. */
  readonly ratio: { readonly tokens: number; readonly ones: number; readonly farthest: number } | null;
  readonly sequenceLoss: number | null; // mean over the groups that are trained on
  readonly push: number | null;
}

/** Tokens of a rollout under the loss; null where one of its turns does not say. */
export function lossTokensOf({ turns }: RolloutFacts): number | null {
  const counts = turns.map(({ written }) => written?.inLoss ?? null);
  return counts.includes(null) ? null : sumOf(counts as readonly number[]);
}

function groupSilence(prompt: number, rollouts: readonly RolloutFacts[], dropped: boolean): GroupSilence {
  const lossTokens = rollouts.map(lossTokensOf);
  const rewards = rollouts.flatMap(({ reward }) => reward ?? []);
  const isScored = rewards.length === rollouts.length;
  const isDead = isScored && rewards.length > 1 && sharedValue(rewards) !== null;
  const kind = dropped ? 'dropped' : !isScored ? 'unscored' : rewards.length === 1 ? 'alone' : isDead ? 'dead' : 'live'; // prettier-ignore
  const nothing = { mean: null, deviation: null, advantages: null, sequenceLoss: null, tokenLoss: null, push: null }; // prettier-ignore
  if (!isScored) return { ...nothing, prompt, rollouts, kind, lossTokens };
  const { mean, deviation, epsilon } = groupStatistics(rewards);
  const advantages = rewards.map((reward) => (reward - mean) / (deviation + epsilon));
  const tokens = sumOf(lossTokens.map((each) => each ?? 0));
  const weighted = sumOf(advantages.map((each, at) => each * (lossTokens[at] ?? 0)));
  return {
    ...{ prompt, rollouts, kind, mean, deviation, advantages, lossTokens },
    sequenceLoss: -sumOf(advantages) / advantages.length,
    tokenLoss: lossTokens.includes(null) || tokens === 0 ? null : -weighted / tokens,
    push: sumOf(advantages.map(Math.abs)) / advantages.length,
  };
}

function ratioOf(rollouts: readonly RolloutFacts[]): Silence['ratio'] {
  let [tokens, ones, farthest] = [0, 0, 0];
  for (const { sampler, trainer } of rollouts.flatMap(({ turns }) => turns))
    sampler?.forEach((sampled, at) => {
      const trained = trainer?.[at] ?? null;
      if (sampled === null || trained === null) return;
      tokens += 1;
      ones += Number(trained === sampled);
      farthest = Math.max(farthest, Math.abs(trained - sampled));
    });
  return tokens === 0 ? null : { tokens, ones, farthest };
}

/** @param dropped groups that a filter keeps from training, by prompt */
export function readSilence(
  rollouts: readonly RolloutFacts[],
  dropped: ReadonlySet<number> = new Set(),
): Silence {
  const groups = grouped(rollouts, ({ prompt }) => prompt).map(([prompt, own]) =>
    groupSilence(prompt, own, dropped.has(prompt)),
  );
  const known = rollouts.map((rollout) => ({ rollout, tokens: lossTokensOf(rollout) }));
  const used = rollouts.flatMap(({ turns }) => turns.flatMap(({ advantage }) => advantage ?? []));
  const trained = groups.filter(({ kind, push }) => kind !== 'dropped' && push !== null);
  const mean = (of: (group: GroupSilence) => number): number | null => (trained.length === 0 ? null : sumOf(trained.map(of)) / trained.length); // prettier-ignore
  return {
    ...{ groups, rollouts: rollouts.length },
    cut: rollouts.filter(({ ending }) => ending === 'length'),
    unscored: rollouts.filter(({ reward }) => reward === null),
    tokenless: known.filter(({ tokens }) => tokens === 0).map(({ rollout }) => rollout),
    masked: known.filter(({ tokens }) => tokens !== null).length,
    unadvantaged: used.length === 0 ? null : { turns: used.length, zero: used.filter((each) => each === 0).length }, // prettier-ignore
    ratio: ratioOf(rollouts),
    sequenceLoss: mean((group) => group.sequenceLoss ?? 0),
    push: mean((group) => group.push ?? 0),
  };
}
