/** arpo_aepo.json: entropies, branch decisions and whole rollouts of ARPO and AEPO, replayed through our seams. */
import { TURN_TREE } from '../../src/algo/catalogue/defaults.ts';
import { dynamicInitialPaths, normalisedEntropy, planBranches } from '../../src/algo/rollouts/branch_rule.ts';
import { growBranches } from '../../src/algo/rollouts/branching.ts';
import { startTrees } from '../../src/algo/rollouts/growing.ts';
import { pathTo, responseMask, responseTokens } from '../../src/algo/tree/tree.ts';
import type { NodeId, RolloutConfig, RolloutTree } from '../../src/units.ts';
import {
  partialEntropy,
  referenceWorld,
  ScriptedSampler,
  type RolloutConfigJson,
  type RolloutHeader,
  type ScriptedCall,
} from './reference_world.ts';
import { Checker, FLOAT64_TOLERANCE, type FamilyReport } from './report.ts';

type Algorithm = RolloutConfig['branchRule'];
type ByIndex<T> = Readonly<Record<string, T>>;

interface EntropyCase {
  readonly top_logprobs_per_token: readonly (readonly number[])[];
  readonly vocab_size: number;
  readonly sum_entropy: number;
  readonly normalised: number;
}

interface BranchingCase {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly initial_rollouts: number;
  readonly num_samples: number;
  readonly beam_size: number;
  readonly entropy_weight: number;
  readonly branch_probability: number;
  readonly batch: number;
  readonly rounds: readonly {
    readonly entropy_now: ByIndex<number>;
    readonly initial_entropy: ByIndex<number>;
    readonly active: readonly number[];
    readonly random_draws_used: readonly number[];
    readonly before: {
      readonly rollouts_per_sample: readonly number[];
      readonly consecutive_branches: ByIndex<number>;
    };
    readonly new_branches: readonly { readonly source: number | null; readonly sample: number }[];
    readonly rollouts_per_sample_after: readonly number[];
    readonly consecutive_branches_after: ByIndex<number>;
    readonly active_after: readonly number[];
  }[];
}

interface DynamicCase {
  readonly num_samples: number;
  readonly initial_entropy: readonly number[];
  readonly step_entropies: readonly (readonly number[])[];
  readonly initial_rollouts: readonly number[];
}

interface TraceCase {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly config: Omit<RolloutConfigJson, 'M' | 'K' | 'L' | 'samples_per_tree'> & {
    readonly n: number;
    readonly initial_rollouts: number;
    readonly beam_size: number;
    readonly branch_probability: number;
    readonly entropy_weight: number;
    readonly dynamic: boolean;
  };
  readonly prompts: readonly (readonly number[])[];
  readonly generate_calls: readonly ScriptedCall[];
  readonly tool_results: Readonly<Record<string, string>>;
  readonly random_draws: readonly number[];
  readonly initial_entropy: ByIndex<number>;
  readonly responses: readonly (readonly number[])[];
  readonly loss_mask: readonly (readonly number[])[];
  readonly attention_mask: readonly (readonly number[])[];
  readonly metrics: Readonly<Record<string, number>>;
}

export interface ArpoAepoFile {
  readonly header: Pick<RolloutHeader, 'vocabulary'>;
  readonly entropy: readonly EntropyCase[];
  readonly branching: readonly BranchingCase[];
  readonly dynamic_initial_rollouts: readonly DynamicCase[];
  readonly rollouts: readonly TraceCase[];
}

/** Uniform numbers in the order the reference drew them. */
class Draws {
  used = 0;
  private readonly numbers: readonly number[];
  constructor(numbers: readonly number[]) {
    this.numbers = numbers;
  }
  readonly next = (): number => {
    const draw = this.numbers[this.used];
    if (draw === undefined) throw new Error(`the reference drew only ${this.numbers.length} numbers`);
    this.used += 1;
    return draw;
  };
}

const inOrder = <T>(byIndex: ByIndex<T>, count: number): readonly T[] =>
  Array.from({ length: count }, (_, index) => byIndex[index]);

function checkEntropy(check: Checker, want: EntropyCase): void {
  const entropies = want.top_logprobs_per_token.map(partialEntropy);
  check.close(
    'sum',
    entropies.reduce((sum, entropy) => sum + entropy, 0),
    want.sum_entropy,
  );
  check.close('normalised', normalisedEntropy(entropies, want.vocab_size), want.normalised);
}

function checkBranching(check: Checker, want: BranchingCase): void {
  const rule = {
    branchRule: want.algorithm,
    beam: want.beam_size,
    branchWeight: want.entropy_weight,
    branchBase: want.branch_probability,
    paths: want.num_samples,
    othersBranch: false,
  };
  const sampleOf = Array.from({ length: want.batch * want.initial_rollouts }, (_, path) =>
    Math.floor(path / want.initial_rollouts),
  );
  want.rounds.forEach((round, index) => {
    const active = round.active.map((path) => ({
      prompt: sampleOf[path],
      entropyChange: round.entropy_now[path] - round.initial_entropy[path],
    }));
    const { rollouts_per_sample: paths, consecutive_branches } = round.before;
    const draws = new Draws(round.random_draws_used);
    const counts = { paths, consecutive: inOrder(consecutive_branches, want.batch) };
    const plan = planBranches(active, counts, rule, draws.next);
    const created = plan.created.map(({ prompt, source }) => ({
      source: source === null ? null : round.active[source],
      sample: prompt,
    }));
    check.same(`round ${index} new branches`, created, round.new_branches);
    check.same(`round ${index} draws`, draws.used, round.random_draws_used.length);
    check.same(`round ${index} paths`, plan.counts.paths, round.rollouts_per_sample_after);
    const consecutive = inOrder(round.consecutive_branches_after, want.batch);
    check.same(`round ${index} consecutive`, plan.counts.consecutive, consecutive);
    const fresh = plan.created.map((_, place) => sampleOf.length + place);
    check.same(`round ${index} active`, [...round.active, ...fresh], round.active_after);
    sampleOf.push(...plan.created.map(({ prompt }) => prompt));
  });
}

function checkDynamic(check: Checker, want: DynamicCase): void {
  const counts = want.initial_entropy.map((entropy, prompt) =>
    dynamicInitialPaths(want.num_samples, entropy, want.step_entropies[prompt]),
  );
  check.same('initial rollouts', counts, want.initial_rollouts);
}

const ERROR_WORDS = ['<limit>', '<limit/>']; // how the fixture's tokenizer spells the error text
const RETRIES = 2; // of a failing call

/** Leaves in the order their paths were made: a path is made by a first turn or by a copy of another path. */
function pathOrder(tree: RolloutTree): readonly NodeId[] {
  const madeBy = (leaf: NodeId): NodeId =>
    pathTo(tree, leaf).findLast((id) => ['initial', 'branch'].includes(tree.nodes[id].origin.kind)) ?? leaf;
  return tree.leaves.toSorted((a, b) => madeBy(a) - madeBy(b));
}

function checkRow(
  check: Checker,
  tree: RolloutTree,
  leaf: NodeId,
  index: number,
  want: TraceCase,
  header: RolloutHeader,
): void {
  const { prompt_len, response_length } = want.config;
  const padded = (values: readonly number[], pad: number): readonly number[] =>
    Array.from({ length: response_length }, (_, place) => values[place] ?? pad);
  const response = padded(responseTokens(tree, leaf), header.pad_id);
  check.same(`row ${index} response`, response, want.responses[index]);
  check.same(`row ${index} mask`, padded(responseMask(tree, leaf), 0), want.loss_mask[index]);
  const end = response.indexOf(header.eos_id);
  const attended = prompt_len + (end < 0 ? response_length : end + 1);
  const attention = want.attention_mask[index].map((_, place) => (place < attended ? 1 : 0));
  check.same(`row ${index} attention`, attention, want.attention_mask[index]);
}

/** What the reference counts of its tools. */
function toolMetrics(trees: readonly RolloutTree[], header: RolloutHeader): Readonly<Record<string, number>> {
  const kept = trees.map((tree) => tree.nodes.filter((node) => !node.pruned));
  const callers = kept.map((nodes) => nodes.filter((node) => node.parent !== null && node.ending === null));
  const error = ERROR_WORDS.map((word) => header.vocabulary.indexOf(word)).join();
  const failed = callers
    .flatMap((nodes, index) => nodes.map(({ children }) => trees[index].nodes[children[0]]))
    .filter((result) => result.tokens.slice(1, 1 + ERROR_WORDS.length).join() === error).length;
  const calls = callers.flat().length;
  return {
    'tools/total_calls': calls,
    'tools/successful_calls': calls - failed,
    'tools/failed_calls': failed,
    'tools/max_retries': failed > 0 ? RETRIES : 0,
    'tools/total_retries': failed * RETRIES,
    'tools/call_limit_reached_count': kept.flat().filter(({ ending }) => ending === 'call-limit').length,
    'tools/search/calls': calls,
    'tools/search/success_rate': calls === 0 ? 0 : (calls - failed) / calls,
  };
}

async function checkTrace(check: Checker, want: TraceCase, vocabulary: readonly string[]): Promise<void> {
  const { config } = want;
  const header: RolloutHeader = {
    vocabulary,
    pad_id: vocabulary.indexOf('<pad>'),
    eos_id: vocabulary.indexOf('<eos>'),
    stop_sequence: '</search>',
    limit_notice_tokens: [],
  };
  const sizes = { M: config.initial_rollouts, K: 0, L: 0, samples_per_tree: config.n };
  const env = referenceWorld(
    { ...want, header, config: { ...config, ...sizes } },
    { errorWords: ERROR_WORDS, callLimit: 'end' },
  );
  const sampler = new ScriptedSampler(want.generate_calls);
  const forest = { policy: sampler, env, observer: {} };
  const builders = startTrees(
    want.prompts.map((_, index) => env.prompt('fixture', 0, index)),
    forest,
  );
  const draws = new Draws(want.random_draws);
  const rollout: RolloutConfig = {
    ...TURN_TREE,
    shape: 'branching',
    leavesPerTree: config.n,
    initialBranches: config.initial_rollouts,
    branchRule: want.algorithm,
    beam: config.beam_size,
    branchBase: config.branch_probability,
    branchWeight: config.entropy_weight,
    dynamicInitial: config.dynamic,
  };
  const firstEntropy = await growBranches(forest, builders, rollout, draws.next, false);
  check.same('all generate calls made', sampler.finished, true);
  check.same('all draws used', draws.used, want.random_draws.length);
  const pathCount = Object.keys(want.initial_entropy).length;
  check.same('paths', firstEntropy.size, pathCount);
  const initial = Array.from({ length: pathCount }, (_, path) => firstEntropy.get(path) ?? NaN);
  check.closeAll('initial entropy', initial, inOrder(want.initial_entropy, pathCount));
  const trees = builders.map((tree) => tree.build());
  const rows = trees.flatMap((tree) => pathOrder(tree).map((leaf) => ({ tree, leaf })));
  check.same('rows', rows.length, want.responses.length);
  rows.forEach(({ tree, leaf }, index) => checkRow(check, tree, leaf, index, want, header));
  check.same('metrics', toolMetrics(trees, header), want.metrics);
}

export async function conformArpoAepo(file: ArpoAepoFile): Promise<readonly FamilyReport[]> {
  const checker = (family: string) => new Checker(`arpo_aepo/${family}`, FLOAT64_TOLERANCE);
  const [entropy, branching, dynamic, traces] = [
    'entropy',
    'branching',
    'dynamic_initial_rollouts',
    'rollouts',
  ].map(checker);
  file.entropy.forEach((want, index) => entropy.case(`case ${index}`, () => checkEntropy(entropy, want)));
  file.branching.forEach((want) => branching.case(want.name, () => checkBranching(branching, want)));
  file.dynamic_initial_rollouts.forEach((want, index) =>
    dynamic.case(`case ${index}`, () => checkDynamic(dynamic, want)),
  );
  for (const want of file.rollouts) {
    await traces.caseAsync(want.name, () => checkTrace(traces, want, file.header.vocabulary));
  }
  return [entropy, branching, dynamic, traces].map((check) => check.report());
}
