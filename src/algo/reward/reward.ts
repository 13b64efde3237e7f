/** Rewards: what each path of a tree earns, by the environment or by another rule, less its penalties. */
import {
  ROOT,
  type Environment,
  type Grade,
  type NodeId,
  type NodeTable,
  type Prompt,
  type RewardConfig,
  type RolloutTree,
  type TokenId,
  type Trajectory,
  type TurnNode,
} from '../../units.ts';
import { PLAIN_REWARD } from '../catalogue/defaults.ts';
import type { CreditStep } from '../credit/trace.ts';
import { failedTurns, lengthTo, pathTo, responseLimit, type TreeNodes } from '../tree/tree.ts';
import { admissionPays, BOUNDARY_START, type BoundaryState } from './boundary.ts';
import { overlongLoss, ruleReward } from './reward_rules.ts';

export interface LeafRewards {
  readonly byNode: NodeTable<number | null>; // null where the node is not a row of the batch; dimensionless
  readonly trace: readonly CreditStep[]; // in row order
}

/** Consecutive tokens of one node with the same mask. */
function pieces(node: TurnNode, length: number): readonly { mask: number; tokens: TokenId[] }[] {
  const runs: { mask: number; tokens: TokenId[] }[] = [];
  for (let place = 0; place < length; place += 1) {
    const last = runs.at(-1);
    if (last?.mask === node.mask[place]) last.tokens.push(node.tokens[place]);
    else runs.push({ mask: node.mask[place], tokens: [node.tokens[place]] });
  }
  return runs;
}

/** The node goes on with its parent's turn: no tool result stands between them. */
const goesOn = (tree: TreeNodes, { parent, depth }: TurnNode): boolean =>
  parent !== null && parent !== ROOT && tree.nodes[parent].depth === depth;

/**
 * The path to a leaf as rewards see it: cut to the response limit, as the row that is trained on. A path that
 * loses its end to the cut ended by 'length', whatever it said there (released code: the reward reads the cut row).
 * @param limit R, response tokens
 */
export function trajectoryOf(tree: TreeNodes, leaf: NodeId, limit: number): Trajectory {
  const turns: (readonly TokenId[])[] = [];
  const observations: (readonly TokenId[])[] = [];
  let room = limit;
  for (const id of pathTo(tree, leaf)) {
    const node = tree.nodes[id];
    const found = pieces(node, Math.max(0, Math.min(room, node.tokens.length)));
    found.forEach((piece, index) => {
      const list = piece.mask === 0 ? observations : turns;
      if (index === 0 && piece.mask !== 0 && goesOn(tree, node))
        list.push([...(list.pop() ?? []), ...piece.tokens]);
      else list.push(piece.tokens);
    });
    room -= node.tokens.length;
  }
  return { turns, observations, ending: room < 0 ? 'length' : (tree.nodes[leaf].ending ?? 'length') };
}

/** What scoring needs of an environment. */
export type Scorer = Pick<Environment, 'contextLength' | 'reward' | 'grade' | 'callFailed'>;

/** Grades of the rows of a tree, in row order. */
export function gradeLeaves(tree: RolloutTree, env: Scorer): readonly Grade[] {
  const limit = responseLimit(tree.prompt, env.contextLength);
  return tree.leaves.map((leaf) => env.grade(tree.prompt, trajectoryOf(tree, leaf, limit)));
}

/** A right answer in good form. */
export const isRight = ({ exactMatch, formatValid }: Grade): boolean => formatValid && exactMatch === 1;

/** A reward before penalties, per row in row order. */
type RowRewards = readonly (readonly number[])[]; // by tree

const share = (count: number, of: number): number => (of === 0 ? 0 : count / of);

/** BAPO: whether "I do not know" pays depends on its group, on the batch and on the run so far. */
function boundaryRewards(grades: readonly (readonly Grade[])[], state: BoundaryState): RowRewards {
  const rows = grades.flat();
  const admissionShare = share(rows.filter(({ unknown }) => unknown).length, rows.length);
  return grades.map((group) => {
    const answers = group.filter(({ unknown, answer }) => !unknown && answer !== null);
    const admission = admissionPays(state, {
      admissionShare,
      solved: group.some((grade) => !grade.unknown && grade.formatValid && grade.f1 > 0),
      differentAnswers: new Set(answers.map(({ answer }) => answer?.join(' '))).size,
      rows: group.length,
    });
    return group.map((grade) => ruleReward('boundary', grade, admission));
  });
}

function rewardsByRule(
  trees: readonly RolloutTree[],
  env: Scorer,
  rule: RewardConfig['rule'],
  state: BoundaryState,
): RowRewards {
  if (rule === 'environment') {
    return trees.map((tree) => {
      const limit = responseLimit(tree.prompt, env.contextLength);
      return tree.leaves.map((leaf) => env.reward(tree.prompt, trajectoryOf(tree, leaf, limit)));
    });
  }
  const grades = trees.map((tree) => gradeLeaves(tree, env));
  if (rule === 'boundary') return boundaryRewards(grades, state);
  return grades.map((group) => group.map((grade) => ruleReward(rule, grade, false)));
}

/** Reward of one path before penalties, for a tree that is still growing: it knows no group, so nothing is admitted. */
export const pathReward =
  (env: Scorer, rule: RewardConfig['rule']) =>
  (tree: TreeNodes, leaf: NodeId, prompt: Prompt): number => {
    const trajectory = trajectoryOf(tree, leaf, responseLimit(prompt, env.contextLength));
    return rule === 'environment'
      ? env.reward(prompt, trajectory)
      : ruleReward(rule, env.grade(prompt, trajectory), false);
  };

/** What penalties take off a row, each not negative; only those that are not 0. */
function penaltiesOf(
  tree: RolloutTree,
  leaf: NodeId,
  env: Scorer,
  config: RewardConfig,
  failed: NodeTable<boolean> | null,
): readonly number[] {
  const limit = responseLimit(tree.prompt, env.contextLength);
  const failures = failed ? pathTo(tree, leaf).filter((id) => failed[id]).length : 0;
  const length = Math.min(lengthTo(tree, leaf), limit);
  const penalties = [overlongLoss(length, limit, config), failures * config.turnPenalty];
  return penalties.filter((penalty) => penalty !== 0);
}

/**
 * Scores every row of the trees of one batch. Nothing is clipped or normalised here.
 * @param state only rule 'boundary' reads it
 * @returns one per tree; the trace's terms are the rule's reward and the penalties taken off it
 */
export function scoreTrees(
  trees: readonly RolloutTree[],
  env: Scorer,
  config: RewardConfig = PLAIN_REWARD,
  state: BoundaryState = BOUNDARY_START,
): readonly LeafRewards[] {
  const earned = rewardsByRule(trees, env, config.rule, state);
  return trees.map((tree, t) => {
    const failed = config.turnPenalty === 0 ? null : failedTurns(tree, env);
    const byNode: (number | null)[] = tree.nodes.map(() => null);
    const trace = tree.leaves.map((leaf, row): CreditStep => {
      const values = [earned[t][row], ...penaltiesOf(tree, leaf, env, config, failed).map((loss) => -loss)];
      const result = values.reduce((sum, value) => sum + value);
      byNode[leaf] = result;
      const terms = values.map((value) => ({ node: leaf, weight: 1, value }));
      return { kind: 'reward', node: leaf, parent: tree.nodes[leaf].parent, terms, statistics: null, result };
    });
    return { byNode, trace };
  });
}

/** One tree by itself, as scoreTrees. */
export const scoreLeaves = (
  tree: RolloutTree,
  env: Scorer,
  config: RewardConfig = PLAIN_REWARD,
): LeafRewards => scoreTrees([tree], env, config)[0];
