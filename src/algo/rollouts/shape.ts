/** What the file of a rollout shape offers, and the record of a choice that every shape writes. */
import {
  ROOT,
  type Environment,
  type ExpansionRecord,
  type NodeId,
  type Prompt,
  type RandomKey,
  type RolloutConfig,
  type RolloutTree,
  type SampledNode,
  type TokenId,
  type TurnSampler,
} from '../../units.ts';
import type { TreeNodes } from '../tree/tree.ts';
import type { RolloutObserver } from './growing.ts';

/** What only some shapes ask for. */
export interface RolloutExtras {
  /** Reward of a path, for shapes that search; the environment's if absent. */
  readonly score?: (tree: TreeNodes, leaf: NodeId, prompt: Prompt) => number;
  /** Questions whose scripted solutions fill the step buffer; those of the update if absent. */
  readonly bufferPrompts?: readonly Prompt[];
}

/**
 * Grows one tree per prompt, all together, with exactly config.leavesPerTree rows each.
 * @param key names the random numbers of the shape's own choices; turns are sampled by the policy's own key
 * @throws RolloutError if policy, environment or settings break their contract; the signal's reason if it aborts
 */
export type GrowRollout = <State>(
  policy: TurnSampler,
  env: Environment<State>,
  prompts: readonly Prompt[],
  config: RolloutConfig,
  key: RandomKey,
  observer?: RolloutObserver,
  extras?: RolloutExtras,
) => Promise<readonly RolloutTree[]>;

export interface RolloutRule {
  readonly title: string;
  readonly description: string; // one or two sentences for the page
  readonly formula: string; // plain text
  readonly source: string;
  readonly confidence: 'high' | 'medium' | 'low'; // that this is what the authors ran
  readonly ranking: string; // what the score of a candidate is, for the panel that shows the choice
  readonly settings: readonly string[]; // dotted paths into AlgorithmConfig that it reads
  readonly grow: GrowRollout;
}

/** A node that may be picked, with what it is ranked by. */
export interface Choice {
  readonly node: NodeId;
  readonly score: number;
  readonly penalty?: number; // 0 if absent
}

/** A record of one choice: candidates in the given order, ranked by score; ties keep their order. */
export function recordChoice(
  tree: TreeNodes<SampledNode>,
  iteration: number,
  choices: readonly Choice[],
  picks: readonly NodeId[],
): ExpansionRecord {
  const ranking = choices.toSorted((a, b) => b.score - a.score).map(({ node }) => node);
  const candidates = choices.map(({ node, score, penalty = 0 }) => {
    const { parent, turnSurprisal } = tree.nodes[node];
    return {
      node,
      turnSurprisal,
      siblingCount: Math.max(0, tree.nodes[parent ?? ROOT].children.length - 1),
      penalty,
      score,
      rank: ranking.indexOf(node),
      pickCount: picks.filter((picked) => picked === node).length,
    };
  });
  return { iteration, candidates, picks };
}

/** 0, 1, … count − 1. */
export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

// How alike two texts are.

/** Jaccard index of two token sets, |A ∩ B| / |A ∪ B|, in [0, 1]; 1 for two empty ones. */
export function overlap(a: ReadonlySet<TokenId>, b: ReadonlySet<TokenId>): number {
  const shared = [...a].filter((token) => b.has(token)).length;
  const either = a.size + b.size - shared;
  return either === 0 ? 1 : shared / either;
}
