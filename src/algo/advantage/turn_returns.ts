/** Rules that pay turns by themselves: GTPO's discounted returns and iStar's implicit rewards. */
import type { AdvantageRule, NodeId } from '../../units.ts';
import { groupStatistics, whiteningStatistics } from '../credit/normalise.ts';
import { creditStep, resultOf, type CreditTerm, type Sum } from '../credit/trace.ts';
import { grpo } from './group.ts';
import {
  defineRules,
  eachTree,
  MissingSignalError,
  type AssignAdvantages,
  type CreditTree,
  type ValuedTree,
  type ValueSetting,
  VALUE_SETTINGS,
} from './method.ts';
import { generalisedAdvantages } from './returns.ts';
import { explainedTurns, rowsOf, type Row } from './rows.ts';

/** Σ_{k ≥ t} γ^{k−t}·r_k: what each turn was paid by itself, and the outcome on the last. */
function returnTerms(
  { leaf, reward, turns }: Row,
  payOf: (node: NodeId) => number,
  discount: number,
): readonly (readonly CreditTerm[])[] {
  return turns.map((_, turn) => {
    const own = turns.slice(turn).map(({ node }, later) => ({
      node,
      weight: discount ** later,
      value: payOf(node),
      label: 'reward of the turn',
    }));
    const toEnd = turns.length - 1 - turn;
    return [...own, { node: leaf, weight: discount ** toEnd, value: reward }];
  });
}

type TurnGroup = (turn: number) => number;

/** @param groupOf names the group of a turn by its place in the row */
const standardisedReturns = (rule: AdvantageRule, groupOf: TurnGroup): AssignAdvantages<'discount'> =>
  eachTree((valued, { discount }) => {
    const rows = rowsOf(valued);
    const { stepReward } = valued.signals;
    const terms = rows.map((row) => returnTerms(row, (node) => stepReward?.[node] ?? 0, discount));
    const members = new Map<number, number[]>();
    for (const turns of terms)
      turns.forEach((each, turn) => {
        const group = members.get(groupOf(turn)) ?? [];
        members.set(groupOf(turn), [...group, resultOf({ terms: each, statistics: null })]);
      });
    const statistics = new Map([...members].map(([group, returns]) => [group, groupStatistics(returns)]));
    const sums = terms.map((turns) =>
      turns.map((each, turn): Sum => ({ terms: each, statistics: statistics.get(groupOf(turn)) ?? null })),
    );
    return explainedTurns(valued.tree, rule, rows, sums);
  });

function stepRewardsOf({ tree, signals }: CreditTree): readonly number[] {
  if (!signals.stepReward) throw new MissingSignalError('istar', 'stepReward', tree.prompt.index, null);
  return signals.stepReward;
}

/** Outcome of the row, and w times the implicit reward of the turn; both standardised over the prompt. */
const episodeAndStep: AssignAdvantages<'mixing'> = eachTree((valued, { mixing }) => {
  const { tree } = valued;
  const rows = rowsOf(valued);
  const pay = stepRewardsOf(valued);
  const outcomes = grpo(rows);
  const episodes = rows.map(({ leaf }, row) =>
    creditStep(tree, 'istar', leaf, outcomes[row], { leaf, part: 'outcome over the prompt' }),
  );
  const statistics = groupStatistics(rows.flatMap(({ turns }) => turns.map(({ node }) => pay[node])));
  const steps = rows.map(({ leaf, turns }) =>
    turns.map(({ node }) => {
      const terms = [{ node, weight: 1, value: pay[node], label: 'implicit reward' }];
      return creditStep(
        tree,
        'istar',
        node,
        { terms, statistics },
        { leaf, part: 'turn over the prompt’s turns' },
      );
    }),
  );
  const sums = rows.map(({ leaf, turns }, row) =>
    turns.map(({ node }, turn): Sum => ({
      terms: [
        { node: leaf, weight: 1, value: episodes[row].result, label: 'outcome' },
        { node, weight: mixing, value: steps[row][turn].result, label: 'turn' },
      ],
      statistics: null,
    })),
  );
  return explainedTurns(tree, 'istar', rows, sums, [...episodes, ...steps.flat()]);
});

const GTPO_SOURCE = 'arXiv:2511.14846 (GTPO); implementations by others';

export const TURN_RETURN_RULES = defineRules({
  gtpo: {
    option: {
      value: 'gtpo',
      title: 'Discounted returns of turns',
      formula: 'A_t = z(Σ_{k≥t} γ^(k−t)·r_k), over the prompt’s turns',
      description: 'Failed calls cost, the outcome comes last, and early turns hear of it discounted.',
      source: GTPO_SOURCE,
      evidence: 'uncertain',
      difference: 'No author code was found; whether z runs over the prompt or over prompt and turn is open.',
    },
    settings: ['discount'],
    signals: { stepReward: 'penalties' },
    worksWithout: true,
    assign: standardisedReturns('gtpo', () => 0),
  },
  gtpo_by_turn: {
    option: {
      value: 'gtpo_by_turn',
      title: 'Discounted returns, turn by turn',
      formula: 'A_t = z(Σ_{k≥t} γ^(k−t)·r_k), over the prompt’s turns at place t',
      description: 'GTPO’s other reading: first turns are compared with first turns, second with second.',
      source: GTPO_SOURCE,
      evidence: 'uncertain',
      difference: 'As for gtpo.',
    },
    settings: ['discount'],
    signals: { stepReward: 'penalties' },
    worksWithout: true,
    assign: standardisedReturns('gtpo_by_turn', (turn) => turn),
  },
  istar: {
    option: {
      value: 'istar',
      title: 'Outcome and implicit reward',
      formula: 'A = z(r over the prompt) + w·z(implicit reward over the prompt’s turns)',
      description: 'A second model, trained on pairs of rows, says what a turn was worth.',
      source: 'arXiv:2509.19199 (iStar); released code',
      evidence: 'code',
      difference:
        'The released statistics of the turn part use only the first turn of each row; here all turns.',
    },
    settings: ['mixing'],
    signals: { stepReward: 'implicit' },
    assign: episodeAndStep,
  },
});

// GAE with the tree as its critic: a turn is a step, and the value before it is that of the node it starts from.

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

const treeCritic: AssignAdvantages<ValueSetting | 'discount' | 'lambda'> = (trees, { discount, lambda }) => {
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

export const GAE_RULES = defineRules({
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
    settings: [...VALUE_SETTINGS, 'discount', 'lambda'],
    signals: {},
    assign: treeCritic,
  },
});
