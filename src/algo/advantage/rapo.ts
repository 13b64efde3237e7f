/** RAPO: rows whose uncertainty fell after a retrieved step count more. */
import { ROOT, type NodeId, type RecordedTree } from '../../units.ts';
import { groupStatistics } from '../credit/normalise.ts';
import { creditStep, type CreditTerm, type Sum } from '../credit/trace.ts';
import { pathTo } from '../tree/tree.ts';
import { grpo } from './group.ts';
import { defineRules, eachTree, type AssignAdvantages } from './method.ts';
import { explainedRows, rowsOf } from './rows.ts';

/** Mean whole-distribution entropy of a turn's sampled tokens, nats; null where none was sampled, or nobody measured it. */
function meanEntropy(tree: RecordedTree, node: NodeId): number | null {
  const { entropy, mask } = tree.nodes[node];
  const sampled = entropy?.filter((_, place) => mask[place] !== 0) ?? [];
  return sampled.length === 0 ? null : sampled.reduce((sum, value) => sum + value, 0) / sampled.length;
}

/**
 * Z of each retrieval of a path: tanh(2·(H_before − H_after)/H_before)·H_before, with the entropies of the sampled
 * turns next to it. Left out where there is no turn before or after, or where nothing was uncertain before.
 * @see arXiv:2603.03078 eqs. (4)–(7)
 */
export function retrievalTerms(tree: RecordedTree, leaf: NodeId): readonly CreditTerm[] {
  const path = pathTo(tree, leaf).filter((id) => id !== ROOT);
  const entropies = path.map((id) => meanEntropy(tree, id));
  const found = path.flatMap((node, at): readonly CreditTerm[] => {
    if (!tree.nodes[node].retrieved) return [];
    const before = entropies.slice(0, at).findLast((entropy) => entropy !== null);
    const after = entropies.slice(at + 1).find((entropy) => entropy !== null);
    if (!before || after === undefined || after === null) return [];
    const drop = (before - after) / before;
    return [{ node, weight: 1, value: Math.tanh(2 * drop) * before, label: 'uncertainty taken away' }];
  });
  return found.map((term) => ({ ...term, weight: 1 / found.length }));
}

/** F: retrieved tokens over all tokens of a row that are not the environment's. */
export function retrievedShare(tree: RecordedTree, leaf: NodeId): number {
  let retrieved = 0;
  let sampled = 0;
  for (const id of pathTo(tree, leaf)) {
    const { mask, lastGenerationLength, retrieved: isRetrieved } = tree.nodes[id];
    if (isRetrieved) retrieved += lastGenerationLength;
    sampled += mask.filter((bit) => bit !== 0).length;
  }
  return retrieved + sampled === 0 ? 0 : retrieved / (retrieved + sampled);
}

const scaledByRetrieval: AssignAdvantages<'mixing'> = eachTree((valued, { mixing }) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const terms = rows.map(({ leaf }) => retrievalTerms(tree, leaf));
  const gains = terms.map((each) => each.reduce((sum, { weight, value }) => sum + weight * value, 0));
  const statistics = groupStatistics(gains);
  const outcomes = grpo(rows);
  const step = (leaf: NodeId, sum: Sum, part: string) => creditStep(tree, 'rapo', leaf, sum, { part });
  const retrieval = rows.map(({ leaf }, row) =>
    step(leaf, { terms: terms[row], statistics }, 'retrieval over the prompt'),
  );
  const accuracy = rows.map(({ leaf }, row) => step(leaf, outcomes[row], 'outcome over the prompt'));
  const sums = rows.map(({ leaf }, row): Sum => ({
    terms: [
      {
        node: leaf,
        weight: 1 + mixing * retrieval[row].result,
        value: accuracy[row].result,
        label: 'outcome',
      },
    ],
    statistics: null,
  }));
  return explainedRows(tree, 'rapo', rows, sums, [...retrieval, ...accuracy]);
});

export const RAPO_RULES = defineRules({
  rapo: {
    option: {
      value: 'rapo',
      title: 'Outcome scaled by retrieval',
      formula: 'A = (1 + a·z(Z))·z(r), Z = mean of tanh(2·ΔH/H)·H over the row’s retrievals',
      description: 'A stored step that made the policy surer raises what the row’s outcome counts.',
      source: 'arXiv:2603.03078 (RAPO), eqs. (4)–(9)',
      evidence: 'code',
      difference: 'Written after the full text; its code is not public.',
    },
    settings: ['mixing'],
    signals: {},
    assign: scaledByRetrieval,
  },
});
