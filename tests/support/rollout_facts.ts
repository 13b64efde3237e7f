/** Rollouts by hand, for the questions that are asked of them. */
import { nodeId, type RolloutFacts, type TurnFacts } from '../../src/units.ts';

type TurnParts = Partial<Omit<TurnFacts, 'node' | 'after'>> & {
  readonly node?: number;
  readonly after?: number;
};

/** A turn of which nothing is known but what is given. */
export const turnOf = ({ node = 1, after = 0, ...more }: TurnParts = {}): TurnFacts => ({
  ...{ node: nodeId(node), after: nodeId(after), state: 0, index: 0, calls: 0, read: null, written: null },
  ...{ hasIds: false, endsInLoss: null, reward: null, advantage: null, sampler: null, trainer: null },
  ...{ boundary: null, ...more },
});

export const factsWith = (
  reward: number | null,
  turns: readonly TurnFacts[] = [],
  more: Partial<RolloutFacts> = {},
): RolloutFacts => ({
  ...{ prompt: 0, leaf: nodeId(1), rows: 1, place: 'by hand', reward, advantage: null },
  ...{ ending: 'answer', calls: turns.reduce((sum, { calls }) => sum + calls, 0), turns, ...more },
});
