/** What looks wrong in a rollout of somebody else: of one rollout here, of groups in tally.ts. */
import { isTurn, NO_TOKENS, type Note, type Rollout, type Span } from './rollout.ts';
import { segmentsOf } from './trees.ts';

const note = (kind: string, text: string): Note => ({ kind, text });

/** Several texts of one kind are told with their count, so texts name no places. */
const LINTS: readonly ((
  rollout: Rollout,
  turns: readonly Span[],
  read: readonly Span[],
) => readonly Note[])[] = [
  (_, turns, read) =>
    read.some(({ tokens }) => tokens?.mask?.includes(true)) && turns.length > 0
      ? [note('observation-loss', 'tokens that the policy read are under the loss')]
      : [],
  (_, turns) =>
    turns.some(({ tokens }) => tokens?.mask?.includes(false))
      ? [note('policy-unmasked', 'tokens that the policy wrote are outside the loss')]
      : [],
  (_, turns) =>
    turns.some(({ tokens }) => tokens?.logProbs?.at(-1) === 0 && tokens.mask?.at(-1) !== false)
      ? [
          note(
            'zero-log-prob',
            'the last token of a turn has a log-probability of exactly 0: it was put there, not sampled',
          ),
        ]
      : [],
  (_, turns) => {
    const without = turns.filter(({ tokens }) => !tokens?.ids).length;
    return without > 0 && without < turns.length
      ? [note('ids-missing', `token ids are missing in ${without} of ${turns.length} turns`)]
      : [];
  },
  (_, turns) => {
    const short = turns.some(({ tokens }) => {
      const { ids, mask, logProbs } = tokens ?? NO_TOKENS;
      return ids !== null && [mask, logProbs].some((list) => list !== null && list.length !== ids.length);
    });
    return short
      ? [note('lengths-differ', 'a turn has other numbers of ids, mask and log-probabilities')]
      : [];
  },
  ({ rows }) =>
    rows.some(({ spans }) => spans.some(({ guessed }) => guessed))
      ? [note('boundary-guessed', 'where a turn ends could be read in another way')]
      : [],
  ({ rows }) => (rows.length > 0 && !rows.some((row) => segmentsOf(row).length > 0) ? [note('no-turn', 'a rollout has no turn of the policy')] : []), // prettier-ignore
  ({ rows }) => (rows.length > 1 ? [note('several-rows', `a rollout has ${rows.length} rows: its context was rewritten, or it branched`)] : []), // prettier-ignore
];

/** Notes of its reader first. */
export function lintsOf(rollout: Rollout): readonly Note[] {
  const spans = rollout.rows.flatMap((row) => row.spans);
  const first = (row: readonly Span[]): number => row.findIndex(isTurn);
  const read = rollout.rows.flatMap((row) =>
    row.spans.slice(first(row.spans) + 1).filter((each) => !isTurn(each)),
  );
  const turns = spans.filter(isTurn);
  return [...rollout.notes, ...LINTS.flatMap((lint) => lint(rollout, turns, read))];
}
