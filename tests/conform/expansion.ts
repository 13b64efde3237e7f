/** expansion.json: picks and re-sampled siblings of every iteration, replayed node by node. */
import { TURN_TREE } from '../../src/algo/catalogue/defaults.ts';
import { chooseExpansions } from '../../src/algo/rollouts/expand.ts';
import {
  appendTokens,
  responseLength,
  TreeBuilder,
  type GrowingNode,
} from '../../src/algo/tree/tree_builder.ts';
import { breadthFirst, isLeaf, leavesBelow, responseMask } from '../../src/algo/tree/tree.ts';
import { tokenId, type NodeId, type Prompt, type RolloutConfig } from '../../src/units.ts';
import { Checker, FLOAT64_TOLERANCE, type FamilyReport } from './report.ts';

interface FixtureNode {
  readonly uid: string;
  readonly parent: string | null;
  readonly depth: number;
  readonly entropy: number;
  readonly is_leaf: boolean;
  readonly children: readonly string[];
  readonly response_tokens: number;
  readonly last_rollout_length: number;
  readonly call_counter: number;
}

interface Growth {
  readonly uid: string;
  readonly generated: number;
  readonly entropy: number;
  readonly is_leaf: boolean;
  readonly tool_result_tokens: number;
}

interface ExpansionCase {
  readonly name: string;
  readonly initial_branches: number;
  readonly K: number;
  readonly iterations: number;
  readonly alpha: number;
  readonly initial_tree: readonly FixtureNode[];
  readonly steps: readonly {
    readonly candidates: readonly { readonly uid: string; readonly score: number }[];
    readonly picked: readonly string[];
    readonly new_branches: readonly {
      readonly uid: string;
      readonly parent: string;
      readonly response_tokens: number;
      readonly mask_sum: number;
      readonly call_counter: number;
      readonly depth: number;
      readonly entropy_before_generation: number;
    }[];
    readonly growth: readonly (readonly Growth[])[];
    readonly tree_after: readonly FixtureNode[];
  }[];
  readonly leaves_final: readonly string[];
}

export interface ExpansionFile {
  readonly cases: readonly ExpansionCase[];
}

const PROMPT: Prompt = { index: 0, dataset: 'fixture', seed: 0, tokens: [], answer: [] };
const blanks = (count: number) => Array.from({ length: count }, () => tokenId(0));

/** The tree under test, and the fixture's name of each node. */
class Replay {
  readonly tree = new TreeBuilder<null>(PROMPT, null);
  private readonly names = new Map<NodeId, string>();
  private readonly ids = new Map<string, NodeId>();

  name(node: GrowingNode<null>, uid: string): void {
    this.names.set(node.id, uid);
    this.ids.set(uid, node.id);
  }
  uid = (id: NodeId): string => this.names.get(id) ?? `node ${id}`;
  node(uid: string): GrowingNode<null> {
    const id = this.ids.get(uid);
    if (id === undefined) throw new Error(`the fixture names ${uid} before creating it`);
    return this.tree.nodes[id];
  }

  /** What one generation gave: tokens, H, and whether the path ended or called a tool. */
  generate(node: GrowingNode<null>, tokens: number, entropy: number, leaf: boolean): void {
    node.checkpoint = { state: null, unread: 0 };
    appendTokens(node, blanks(tokens), 1);
    node.lastGenerationLength = tokens;
    node.turnSurprisal = entropy;
    if (leaf) node.ending = 'answer';
    else node.callCount += 1;
  }

  addInitial(want: FixtureNode): void {
    if (want.parent === null) return this.name(this.tree.root, want.uid);
    const parent = this.node(want.parent);
    const own = want.response_tokens - responseLength(parent);
    const isFirstTurn = parent.parent === null;
    const node = isFirstTurn
      ? this.tree.plant(parent.children.length)
      : this.tree.observe(parent, blanks(own - want.last_rollout_length), null);
    this.generate(node, want.last_rollout_length, want.entropy, want.is_leaf);
    node.callCount = want.call_counter;
    this.name(node, want.uid);
  }

  grow(branch: GrowingNode<null>, growth: readonly Growth[]): void {
    let node = branch;
    growth.forEach((step, index) => {
      if (index > 0) node = this.tree.observe(node, blanks(growth[index - 1].tool_result_tokens), null);
      this.name(node, step.uid);
      this.generate(node, step.generated, step.entropy, step.is_leaf);
    });
  }
}

function compareTree(check: Checker, replay: Replay, want: readonly FixtureNode[], iteration: number): void {
  const order = breadthFirst(replay.tree);
  check.same(
    `nodes after iteration ${iteration}`,
    order.map(replay.uid),
    want.map(({ uid }) => uid),
  );
  for (const expected of want) {
    const node = replay.node(expected.uid);
    const got = {
      parent: node.parent === null ? null : replay.uid(node.parent),
      depth: node.depth,
      is_leaf: isLeaf(node),
      children: node.children.map(replay.uid),
      response_tokens: responseLength(node),
      last_rollout_length: node.lastGenerationLength,
      call_counter: node.callCount,
    };
    const { parent, depth, is_leaf, children, response_tokens, last_rollout_length, call_counter } = expected;
    const wanted = { parent, depth, is_leaf, children, response_tokens, last_rollout_length, call_counter };
    check.same(expected.uid, got, wanted);
    check.close(`${expected.uid} entropy`, node.turnSurprisal, expected.entropy);
  }
}

function replayCase(check: Checker, want: ExpansionCase): void {
  const replay = new Replay();
  want.initial_tree.forEach((node) => replay.addInitial(node));
  const config: RolloutConfig = {
    ...TURN_TREE,
    initialBranches: want.initial_branches,
    iterations: want.iterations,
    picks: want.K,
    siblingPenalty: want.alpha,
    leavesPerTree: want.initial_branches + want.iterations * want.K,
  };
  want.steps.forEach((step, iteration) => {
    const record = chooseExpansions(replay.tree, config, iteration, { seed: 0, update: 0 }, 0);
    const candidates = record.candidates.map(({ node }) => replay.uid(node));
    check.same(
      `candidates ${iteration}`,
      candidates,
      step.candidates.map(({ uid }) => uid),
    );
    const scores = record.candidates.map(({ score }) => score);
    check.closeAll(
      `scores ${iteration}`,
      scores,
      step.candidates.map(({ score }) => score),
    );
    check.same(`picks ${iteration}`, record.picks.map(replay.uid), step.picked);
    const branches = record.picks.map((picked, pick) => replay.tree.resample(picked, iteration, pick));
    branches.forEach((branch, index) => {
      const expected = step.new_branches[index];
      const got = {
        parent: replay.uid(branch.parent ?? replay.tree.root.id),
        response_tokens: responseLength(branch),
        mask_sum: responseMask(replay.tree, branch.id).reduce((sum, bit) => sum + bit, 0),
        call_counter: branch.callCount,
        depth: branch.depth,
      };
      const { parent, response_tokens, mask_sum, call_counter, depth } = expected;
      check.same(expected.uid, got, { parent, response_tokens, mask_sum, call_counter, depth });
      check.close(`${expected.uid} entropy before`, branch.turnSurprisal, expected.entropy_before_generation);
    });
    branches.forEach((branch, index) => replay.grow(branch, step.growth[index]));
    compareTree(check, replay, step.tree_after, iteration);
  });
  check.same('leaves', leavesBelow(replay.tree).map(replay.uid), want.leaves_final);
}

export function conformExpansion(file: ExpansionFile): FamilyReport {
  const check = new Checker('expansion', FLOAT64_TOLERANCE);
  for (const want of file.cases) check.case(want.name, () => replayCase(check, want));
  return check.report();
}
