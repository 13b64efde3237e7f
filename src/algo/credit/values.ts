/** Values: leaf values backed up the tree. */
import { LabError, type NodeId, type NodeTable, type RecordedTree, type ValueRule } from '../../units.ts';
import { childrenFirst, isLeaf, leavesBelow } from '../tree/tree.ts';
import { sharedValue } from './normalise.ts';
import { leafEntry, sumTerms, type CreditStep, type CreditTerm } from './trace.ts';

export interface NodeValues {
  readonly byNode: NodeTable<number>; // dimensionless; 0 for pruned nodes
  readonly trace: readonly CreditStep[]; // one step per non-leaf node, children before parents
}

/** e^H / Σ e^H, shifted by the largest H so that nothing overflows. H in nats per token, no temperature. */
function softmaxWeights(entropies: readonly number[]): readonly number[] {
  const largest = Math.max(...entropies);
  const exponentials = entropies.map((entropy) => Math.exp(entropy - largest));
  const total = exponentials.reduce((sum, exponential) => sum + exponential, 0);
  return exponentials.map((exponential) => exponential / total);
}

/** H / Σ H, the paper's eq. (3). All H zero leaves the weights undefined there: the children then count alike. */
function proportionalWeights(entropies: readonly number[]): readonly number[] {
  const total = entropies.reduce((sum, entropy) => sum + entropy, 0);
  return entropies.map((entropy) => (total === 0 ? 1 / entropies.length : entropy / total));
}

const evenWeights = (entropies: readonly number[]): readonly number[] =>
  entropies.map(() => 1 / entropies.length);

/** A rule weighs children by their surprisal, and nobody measured it. */
export class UnknownSurprisalError extends LabError {
  constructor(rule: ValueRule, prompt: number, node: NodeId) {
    super('UnknownSurprisalError', {
      what: `The value rule ${rule} reads the surprisal of turns, which is not known`,
      where: `prompt ${prompt}, node ${node}`,
      got: 'a turn without log-probabilities',
      wanted: 'the surprisal of every turn, nats per token',
      next: 'Choose child_mean or leaf_mean: they read rewards only.',
    });
  }
}

/** Whether a rule weighs children by their surprisal. */
export const readsSurprisal = (rule: ValueRule): boolean =>
  rule === 'child_softmax' || rule === 'child_entropy';

/** Weights of the children by their turn entropies. */
const CHILD_WEIGHTS = {
  child_softmax: softmaxWeights,
  child_entropy: proportionalWeights,
  child_mean: evenWeights,
} satisfies Record<Exclude<ValueRule, 'leaf_mean'>, (entropies: readonly number[]) => readonly number[]>;

function termsOf(
  tree: RecordedTree,
  id: NodeId,
  rule: ValueRule,
  values: readonly number[],
): readonly CreditTerm[] {
  const sources = rule === 'leaf_mean' ? leavesBelow(tree, id) : tree.nodes[id].children;
  const weigh = rule === 'leaf_mean' ? evenWeights : CHILD_WEIGHTS[rule];
  const surprisals = sources.map((source) => {
    const { turnSurprisal } = tree.nodes[source];
    if (turnSurprisal === null && readsSurprisal(rule))
      throw new UnknownSurprisalError(rule, tree.prompt.index, source);
    return turnSurprisal ?? 0; // read by no other rule
  });
  const weights = weigh(surprisals);
  return sources.map((node, index) => ({ node, weight: weights[index], value: values[node] }));
}

/**
 * Backs leaf values up the tree: V(leaf) = v, V(node) = Σ_k w_k·V(child_k), Σ_k w_k = 1 (leaf_mean: over the
 * leaves below). A non-leaf node with nothing below it gets 0; in the child rules that 0 counts in its parent.
 * @param leafValues one per leaf, dimensionless
 * @returns values by node and the trace of steps, children before parents
 * @throws MissingRewardError naming the leaf, UnknownSurprisalError naming the turn
 * @see arXiv:2601.04767 eq. (3); released code compute_value_from_children; where they differ: algo/README.md
 */
export function backUpValues(
  tree: RecordedTree,
  leafValues: NodeTable<number | null>,
  rule: ValueRule,
): NodeValues {
  const values = tree.nodes.map(() => 0);
  const trace: CreditStep[] = [];
  for (const id of childrenFirst(tree)) {
    const node = tree.nodes[id];
    if (isLeaf(node)) {
      values[id] = leafEntry(tree, leafValues, id);
      continue;
    }
    const terms = termsOf(tree, id, rule, values);
    // Weights that add up to 1 leave equal values as they are; their products' rounded sum would not.
    const result = sharedValue(terms.map(({ value }) => value)) ?? sumTerms(terms);
    values[id] = result;
    trace.push({ kind: rule, node: id, parent: node.parent, terms, statistics: null, result });
  }
  return { byNode: values, trace };
}
