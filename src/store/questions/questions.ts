/** What users ask of their rollouts, asked of a record: of one update, and of tool use over all. The arithmetic is src/algo/questions. */
import { innerZeros, readBoundaries, readMasks, type Boundaries, type MaskFinding } from '../../algo/questions/masks.ts'; // prettier-ignore
import { readMismatch, type Mismatch } from '../../algo/questions/mismatch.ts';
import { readSilence, type Silence } from '../../algo/questions/silence.ts';
import { meanOf } from '../../algo/questions/statistics.ts';
import {
  readToolUse,
  callsWithinGroups,
  type ToolUse,
  type UseOfStep,
} from '../../algo/questions/tool_use.ts';
import { readTurnRewards, type TurnRewards } from '../../algo/questions/turn_rewards.ts';
import type { RolloutFacts } from '../../units.ts';
import type { RunHeader, RunState, UpdateState } from '../record/run_state.ts';
import { factsOfUpdate } from './own_facts.ts';

export * from '../../algo/questions/masks.ts';
export * from '../../algo/questions/mismatch.ts';
export type * from '../../algo/questions/silence.ts';
export { FEWEST_STEPS, type ToolUse } from '../../algo/questions/tool_use.ts';
export type * from '../../algo/questions/turn_rewards.ts';

const formatOf = ({ origin }: RunHeader): string =>
  (origin.kind === 'imported' && origin.summary?.format) || '';

/** Answers about one update; null: the record does not say enough. */
export interface Answers {
  readonly rollouts: readonly RolloutFacts[];
  readonly isOurs: boolean; // trained here: no context is rendered again
  readonly format: string; // of the file; '' of none, or of none that is known
  /** Losses that the trainer read, of its mini-batches; none where the record holds none. */
  readonly losses: readonly number[];
  readonly silence: Silence;
  readonly masks: readonly MaskFinding[];
  readonly innerZeros: { readonly zero: number; readonly of: number };
  readonly boundaries: Boundaries;
  readonly mismatch: Mismatch | null;
  readonly hasSampler: boolean; // the sampler's log-probabilities, if not the trainer's
  readonly turnRewards: TurnRewards | null;
  readonly callsWithin: ReturnType<typeof callsWithinGroups>;
}

export function answersOf(update: UpdateState, header: RunHeader): Answers {
  const rollouts = factsOfUpdate(update, header);
  const dropped = update.trees.filter((tree) => tree.dropped).map(({ prompt }) => prompt.index);
  return {
    ...{ rollouts, isOurs: header.config !== null, format: formatOf(header) },
    losses: update.minibatches.flatMap(({ loss }) => loss ?? []),
    silence: readSilence(rollouts, new Set(dropped)),
    ...{ masks: readMasks(rollouts), innerZeros: innerZeros(rollouts), boundaries: readBoundaries(rollouts) },
    mismatch: readMismatch(rollouts),
    hasSampler: rollouts.some(({ turns }) => turns.some(({ sampler }) => sampler !== null)),
    ...{ turnRewards: readTurnRewards(rollouts), callsWithin: callsWithinGroups(rollouts) },
  };
}

/** Of an update: its metrics, else its rollouts; nothing where neither is at hand. */
function stepOf(update: UpdateState, header: RunHeader): readonly UseOfStep[] {
  const { metrics, update: step, ended } = update;
  if (metrics) return [{ step, update: step, calls: metrics.toolCalls, reward: metrics.meanReward }];
  const rollouts = ended ? factsOfUpdate(update, header) : [];
  const calls = meanOf(rollouts.map((each) => each.calls));
  return calls === null ? [] : [{ step, update: step, calls, reward: meanOf(rollouts.flatMap(({ reward }) => reward ?? [])) }]; // prettier-ignore
}

/** Steps whose calls are known: of a file all that were counted, those that the record does not hold too. */
export function stepsOfUse({ header, updates }: Pick<RunState, 'header' | 'updates'>): readonly UseOfStep[] {
  if (!header) return [];
  const summary = header.origin.kind === 'imported' ? header.origin.summary : undefined;
  if (!summary) return updates.flatMap((update) => stepOf(update, header));
  return summary.byStep.flatMap(({ step, update, rollouts, calls, rewardMean: reward }) =>
    step === null || rollouts === 0 ? [] : [{ step, update, calls: calls / rollouts, reward }],
  );
}

export const toolUseOf = (run: Pick<RunState, 'header' | 'updates'>): ToolUse | null =>
  readToolUse(stepsOfUse(run));
