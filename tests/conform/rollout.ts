/** rollout.json: whole rollouts of the reference, replayed through our seams; every node and row compared. */
import { packRows } from '../../src/algo/batch/batch.ts';
import { TREE_CREDIT, TURN_TREE } from '../../src/algo/catalogue/defaults.ts';
import { assignCredit } from '../../src/algo/credit/credit.ts';
import { scoreLeaves } from '../../src/algo/reward/reward.ts';
import { growTrees } from '../../src/algo/rollouts/turn_tree.ts';
import { breadthFirst, isLeaf, responseMask, responseTokens } from '../../src/algo/tree/tree.ts';
import { NO_SIGNALS, type NodeId, type RolloutTree, type TokenBatch } from '../../src/units.ts';
import {
  referenceWorld,
  ScriptedSampler,
  type RolloutConfigJson,
  type RolloutHeader,
  type ScriptedCall,
} from './reference_world.ts';
import { Checker, FLOAT64_TOLERANCE, type FamilyReport } from './report.ts';

interface FixtureNode {
  readonly uid: string;
  readonly parent: string | null;
  readonly depth: number;
  readonly is_leaf: boolean;
  readonly call_counter: number;
  readonly entropy: number;
  readonly last_rollout_length: number;
  readonly token_ids: readonly number[];
  readonly result_mask: readonly number[];
  readonly value: number;
  readonly advantage: number;
}

interface RolloutCase {
  readonly name: string;
  readonly config: RolloutConfigJson;
  readonly prompts: readonly (readonly number[])[];
  readonly generate_calls: readonly ScriptedCall[];
  readonly tool_results: Readonly<Record<string, string>>;
  readonly expansion_picks: readonly { readonly tree: string; readonly picked: readonly string[] }[];
  readonly trees: readonly (readonly FixtureNode[])[];
  readonly leaves: readonly (readonly string[])[];
  readonly responses: readonly (readonly number[])[];
  readonly loss_mask: readonly (readonly number[])[];
  readonly advantages: readonly (readonly number[])[];
  readonly attention_mask: readonly (readonly number[])[];
  readonly position_ids: readonly (readonly number[])[];
  readonly reward_per_leaf: readonly number[];
}

export interface RolloutFile {
  readonly header: RolloutHeader;
  readonly cases: readonly RolloutCase[];
}

const CREDIT = TREE_CREDIT;
const FLOAT32_STORAGE = 1e-7; // the reference stores token-level numbers as float32

function compareNodes(
  check: Checker,
  tree: RolloutTree,
  values: readonly number[],
  advantages: readonly number[],
  want: readonly FixtureNode[],
): ReadonlyMap<NodeId, string> {
  const order = breadthFirst(tree);
  check.same('node count', order.length, want.length);
  const names = new Map(order.map((id, index) => [id, want[index]?.uid]));
  want.forEach((expected, index) => {
    const id = order[index];
    const node = tree.nodes[id];
    const { uid, parent, depth, is_leaf, call_counter, last_rollout_length, token_ids, result_mask } =
      expected;
    const got = {
      parent: node.parent === null ? null : names.get(node.parent),
      depth: node.depth,
      is_leaf: isLeaf(node),
      call_counter: node.callCount,
      last_rollout_length: node.lastGenerationLength,
      token_ids: [...tree.prompt.tokens, ...responseTokens(tree, id)],
      result_mask: responseMask(tree, id),
    };
    check.same(uid, got, {
      parent,
      depth,
      is_leaf,
      call_counter,
      last_rollout_length,
      token_ids,
      result_mask,
    });
    check.close(`${uid} entropy`, node.turnSurprisal, expected.entropy);
    check.close(`${uid} value`, values[id], expected.value);
    check.close(`${uid} advantage`, advantages[id], expected.advantage);
  });
  return names;
}

/** The packed row against the reference's padded one. */
function compareRow(
  check: Checker,
  batch: TokenBatch,
  index: number,
  want: RolloutCase,
  header: RolloutHeader,
): void {
  const row = batch.rows[index];
  const { prompt_len, response_length } = want.config;
  const length = row.tokenEnd - row.tokenStart;
  const padding = new Array<number>(prompt_len + response_length - length).fill(header.pad_id);
  const tokens = [...batch.tokens.subarray(row.tokenStart, row.tokenEnd), ...padding].slice(prompt_len);
  check.same(`row ${index} response`, tokens, want.responses[index]);
  const mask = new Array<number>(response_length).fill(0);
  const advantage = new Array<number>(response_length).fill(0);
  for (let scored = row.scoredStart; scored < row.scoredEnd; scored += 1) {
    const place = batch.positions[batch.predicted[batch.scored[scored]]] - prompt_len;
    mask[place] = 1;
    advantage[place] = batch.advantage[scored];
  }
  check.same(`row ${index} mask`, mask, want.loss_mask[index]);
  const scoredAdvantages = want.advantages[index].map((value, place) => (mask[place] === 1 ? value : 0));
  check.closeAll(`row ${index} advantage`, advantage, scoredAdvantages, FLOAT32_STORAGE);
  const positions = Array.from(batch.positions.subarray(row.tokenStart, row.tokenEnd));
  check.same(`row ${index} positions`, positions, want.position_ids[index].slice(0, length));
  const endsWithEos = tokens[length - prompt_len - 1] === header.eos_id;
  const attended = want.attention_mask[index].reduce((sum, bit) => sum + bit, 0);
  check.same(`row ${index} length`, endsWithEos ? length : prompt_len + response_length, attended);
}

async function replayCase(check: Checker, want: RolloutCase, header: RolloutHeader): Promise<void> {
  const { config } = want;
  const env = referenceWorld({ header, config, prompts: want.prompts, tool_results: want.tool_results });
  const prompts = want.prompts.map((_, index) => env.prompt('fixture', 0, index));
  const sampler = new ScriptedSampler(want.generate_calls);
  const shape = { initialBranches: config.M, iterations: config.L, picks: config.K };
  const rollout = { ...TURN_TREE, leavesPerTree: config.samples_per_tree };
  const trees = await growTrees(sampler, env, prompts, { ...rollout, ...shape }, { seed: 0, update: 0 });
  check.same('all generate calls made', sampler.finished, true);
  const rewards = trees.map((tree) => scoreLeaves(tree, env).byNode);
  const credits = assignCredit(
    trees.map((tree, index) => ({ tree, rewards: rewards[index], signals: NO_SIGNALS })),
    CREDIT,
  );
  const picks: { tree: string | undefined; picked: (string | undefined)[] }[] = [];
  trees.forEach((tree, index) => {
    const { values, advantages } = credits[index];
    const names = compareNodes(check, tree, values.byNode, advantages.byNode, want.trees[index]);
    check.same(
      `leaves of tree ${index}`,
      tree.leaves.map((leaf) => names.get(leaf)),
      want.leaves[index],
    );
    tree.expansions.forEach((record) => {
      const picked = record.picks.map((id) => names.get(id));
      picks[record.iteration * trees.length + index] = { tree: names.get(tree.nodes[0].id), picked };
    });
  });
  check.same('picks', picks, want.expansion_picks);
  const leafRewards = trees.flatMap((tree, index) => tree.leaves.map((leaf) => rewards[index][leaf]));
  check.same('rewards', leafRewards, want.reward_per_leaf);
  const advantages = credits.map((credit) => credit.advantages);
  const batch = packRows(trees, advantages, env.contextLength);
  check.same('rows', batch.rows.length, want.responses.length);
  batch.rows.forEach((_, index) => compareRow(check, batch, index, want, header));
}

export async function conformRollout(file: RolloutFile): Promise<FamilyReport> {
  const check = new Checker('rollout', FLOAT64_TOLERANCE);
  for (const want of file.cases) await check.caseAsync(want.name, () => replayCase(check, want, file.header));
  return check.report();
}
