/** GAE with the tree as its critic: a turn is a step, and the value before it is that of the node it starts from. */
import type { AdvantageRule } from '../../units.ts';
import { whiteningStatistics } from '../normalise.ts';
import { resultOf } from '../trace.ts';
import type { CreditTerm } from '../trace.ts';
import type { AdvantageMethod, AssignAdvantages, ValuedTree } from './method.ts';
import { generalisedAdvantages } from './returns.ts';
import { explainedTurns, rowsOf } from './rows.ts';
import type { Row } from './rows.ts';

/** Of each turn k: Σ_j (γλ)^(j−k)·δ_j. The leaf's own value stands for its reward, in the units of the values. */
function turnTerms(
  { values }: ValuedTree,
  { leaf, turns }: Row,
  discount: number,
  lambda: number,
): readonly (readonly CreditTerm[])[] {
  const rewards = turns.map((_, turn) => (turn === turns.length - 1 ? values[leaf] : 0));
  const before = turns.map(({ parent }) => values[parent]);
  const { surprises } = generalisedAdvantages(rewards, before, discount, lambda);
  return turns.map((_, turn) =>
    turns.slice(turn).map(({ node }, later) => ({
      node,
      weight: (discount * lambda) ** later,
      value: surprises[turn + later],
      label: 'surprise δ',
    })),
  );
}

const treeCritic: AssignAdvantages = (trees, { discount, lambda }) => {
  const groups = trees.map(rowsOf);
  const terms = groups.map((rows, t) => rows.map((row) => turnTerms(trees[t], row, discount, lambda)));
  const tokens = groups.flatMap((rows, t) =>
    rows.flatMap(({ turns }, row) =>
      turns.flatMap(({ sampled }, turn) => {
        const advantage = resultOf({ terms: terms[t][row][turn], statistics: null });
        return sampled.map(() => advantage);
      }),
    ),
  );
  const statistics = whiteningStatistics(tokens);
  return trees.map(({ tree }, t) =>
    explainedTurns(
      tree,
      'gae',
      groups[t],
      terms[t].map((turns) => turns.map((each) => ({ terms: each, statistics }))),
    ),
  );
};

export const GAE_RULES = {
  gae: {
    option: {
      value: 'gae',
      title: 'GAE over turns',
      formula: 'A_k = whiten(Σ_j (γλ)^(j−k)·δ_j), δ_k = r_k + γ·V(n_k) − V(parent)',
      description:
        'The tree’s values stand in for a critic: λ = 0 gives gains over the parent, λ = 1 the outcome over the value before the turn.',
      source: 'arXiv:1506.02438; released code, gae; turns as steps after RAGEN (arXiv:2504.20073)',
      evidence: 'own',
      difference:
        'PPO and RAGEN train a critic network. The token-level estimator equals the released code; the tree as its critic is ours.',
    },
    readsValues: true,
    needs: [],
    assign: treeCritic,
  },
} satisfies Partial<Record<AdvantageRule, AdvantageMethod>>;
