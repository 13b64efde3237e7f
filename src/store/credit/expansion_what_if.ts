/** Who would have been expanded under another α, K or rule, from the record of what the run compared. Pure. */
import { cyclicPicks, randomPicks, scoreBySiblings } from '../../algo/rollouts/expand.ts';
import { STREAMS, keyedRandom } from '../../algo/random.ts';
import type { ExpansionCandidate, ExpansionRecord, NodeId, RandomKey, RolloutConfig } from '../../units.ts';

/** The settings of the released rule that a person may change. */
export type ExpansionRule = Pick<RolloutConfig, 'siblingPenalty' | 'picks' | 'expansion'>;

export interface ExpansionWhatIf {
  readonly candidates: readonly ExpansionCandidate[]; // in the record's order
  readonly picks: readonly NodeId[]; // in order
  /** Score that the last turn picked by rank has; null where the draw is random or everybody is picked. */
  readonly threshold: number | null;
}

/**
 * Only this one choice changes: candidates, entropies and siblings are those the run saw.
 * @param key of the update; the random mode draws what the run itself would have drawn
 * @param prompt Prompt.index
 */
export function expansionWhatIf(
  record: ExpansionRecord,
  rule: ExpansionRule,
  key: RandomKey,
  prompt: number,
): ExpansionWhatIf {
  const scored = scoreBySiblings(record.candidates, rule.siblingPenalty);
  const picks =
    rule.expansion === 'entropy'
      ? cyclicPicks(scored, rule.picks)
      : randomPicks(scored, rule.picks, keyedRandom(key, STREAMS.expansion, prompt, record.iteration));
  const counts = new Map<NodeId, number>();
  for (const pick of picks) counts.set(pick, (counts.get(pick) ?? 0) + 1);
  const candidates = scored.map((entry) => ({ ...entry, pickCount: counts.get(entry.node) ?? 0 }));
  const ranked = rule.expansion === 'entropy' && rule.picks < candidates.length;
  const last = candidates.find(({ rank }) => rank === rule.picks - 1);
  return { candidates, picks, threshold: ranked && last ? last.score : null };
}
