/** Counts and means by training step, over all rollouts, in memory that grows with groups and not with rollouts. Pure. */
import type { StepSummary } from '../../protocol/protocol.ts';
import { meanSurprisal } from '../../units.ts';
import { isTurn, type Rollout, type Span } from './rollout.ts';

/** Rewards of one group, as sums. */
export interface GroupRewards {
  scored: number;
  sum: number;
  least: number;
  most: number;
  /** Welford's: mean, and the sum of squared distances from it. */
  mean: number;
  squares: number;
}

export const noRewards = (): GroupRewards => ({
  ...{ scored: 0, sum: 0, least: Infinity, most: -Infinity, mean: 0, squares: 0 },
});

export function addReward(group: GroupRewards, reward: number): void {
  group.scored += 1;
  group.sum += reward;
  group.least = Math.min(group.least, reward);
  group.most = Math.max(group.most, reward);
  const off = reward - group.mean;
  group.mean += off / group.scored;
  group.squares += off * (reward - group.mean);
}

interface Step {
  rollouts: number;
  turns: number;
  calls: number;
  characters: number;
  surprisal: number; // sum over turns
  measured: number; // turns
  cut: number;
  readonly groups: GroupRewards[];
}

const meanOf = (sum: number, count: number): number | null => (count === 0 ? null : sum / count);

/** Mean surprisal of a turn, nats per token of its file; null where a token's log-probability is unknown. */
export const surprisalOf = ({ tokens }: Span): number | null =>
  meanSurprisal(tokens?.logProbs?.filter((_, at) => tokens.mask?.[at] !== false) ?? []);

export class StepTally {
  readonly #steps = new Map<number | null, Step>();

  #at(step: number | null): Step {
    const known = this.#steps.get(step);
    if (known) return known;
    const fresh: Step = { rollouts: 0, turns: 0, calls: 0, characters: 0, surprisal: 0, measured: 0, cut: 0, groups: [] }; // prettier-ignore
    this.#steps.set(step, fresh);
    return fresh;
  }

  get size(): number {
    return this.#steps.size;
  }

  addGroup(step: number | null, group: GroupRewards): void {
    this.#at(step).groups.push(group);
  }

  /** @param turns and calls of the rollout, those that its rows share once */
  add(rollout: Rollout, turns: number, calls: number): void {
    const step = this.#at(rollout.step);
    step.rollouts += 1;
    step.turns += turns;
    step.calls += calls;
    step.cut += Number(rollout.ending === 'length' || rollout.ending === 'malformed');
    for (const span of rollout.rows.at(-1)?.spans.filter(isTurn) ?? []) {
      step.characters += span.text.length;
      const surprisal = surprisalOf(span);
      if (surprisal === null) continue;
      step.surprisal += surprisal;
      step.measured += 1;
    }
  }

  /** Steps by number, the unknown one first. */
  summary(): readonly StepSummary[] {
    return [...this.#steps]
      .toSorted(([one], [other]) => (one ?? -Infinity) - (other ?? -Infinity))
      .map(([step, { rollouts, turns, calls, characters, surprisal, measured, cut, groups }]) => {
        const sum = (of: (group: GroupRewards) => number): number => groups.reduce((all, each) => all + of(each), 0); // prettier-ignore
        const several = groups.filter(({ scored }) => scored > 1);
        const live = several.filter(({ least, most }) => least < most).length;
        const spreads = several.reduce((all, { squares, scored }) => all + Math.sqrt(squares / scored), 0);
        return {
          ...{ step, update: null, rollouts, groups: groups.length, turns, calls },
          ...{ deadGroups: several.length - live, liveGroups: live },
          rewardMean: meanOf(sum((group) => group.sum), sum(({ scored }) => scored)), // prettier-ignore
          rewardSpread: meanOf(spreads, several.length),
          characters: rollouts === 0 ? 0 : characters / rollouts,
          surprisal: meanOf(surprisal, measured),
          cut,
        };
      });
  }
}
