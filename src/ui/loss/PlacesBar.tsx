/** Ways through an update's loss: the next clipped turn, the largest push, where two rules part; across its prompts. */
import { useMemo } from 'react';
import { otherRule } from '../../store/credit/compare.ts';
import {
  clippedTurns,
  disagreements,
  largestPush,
  nextPlace,
  type LossPlace,
  type PushPlace,
} from '../../store/loss/loss_places.ts';
import { nodeAt } from '../../store/loss/loss_reading.ts';
import type { UpdateState } from '../../store/record/run_state.ts';
import type { LossConfig } from '../../units.ts';
import { useContextLength, useCreditRules, useLab, useSelection } from '../parts/binding.ts';
import { countWords, formatCount } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { useKeys } from '../shell/keys.tsx';
import { ruleName } from '../credit/sentences.ts';

interface PlacesBarProps {
  readonly update: UpdateState;
  readonly config: LossConfig;
  readonly clipped: ReturnType<typeof clippedTurns>;
  readonly pushes: readonly PushPlace[]; // of each row the largest
  readonly here: LossPlace;
}

/** First tokens of rows at which the run's rule and the other one part. */
function useDisagreements(update: UpdateState, config: LossConfig) {
  const own = useCreditRules();
  const contextLength = useContextLength();
  const valueRule = useSelection(({ againstValue }) => againstValue);
  const advantageRule = useSelection(({ againstAdvantage }) => againstAdvantage);
  return useMemo(() => {
    if (!own) return null;
    const against = { valueRule, advantageRule, leafNormalisation: null };
    return {
      own: own.advantageRule,
      other: advantageRule ?? otherRule(own.advantageRule),
      places: disagreements({ own, update, config, against, contextLength }),
    };
  }, [own, update, config, contextLength, valueRule, advantageRule]);
}

export function PlacesBar({ update, config, clipped, pushes, here }: PlacesBarProps) {
  const { selection } = useLab();
  const parted = useDisagreements(update, config);
  const go = (place: LossPlace | null): void => {
    if (!place) return;
    const { prompt, leaf, position } = place;
    const tree = update.trees[prompt];
    if (prompt !== here.prompt) selection.select({ prompt });
    if (tree) selection.select({ leaf, node: nodeAt(tree, leaf, position), token: position });
  };
  const toClipped = (direction: 1 | -1) => (): void => go(nextPlace(update, clipped.places, here, direction));
  const toPush = (): void => go(largestPush(pushes));
  const toParted = (): void => go(parted && nextPlace(update, parted.places, here));
  useKeys([
    { key: 'c', label: 'next clipped turn', run: toClipped(1) },
    { key: 'C', label: 'clipped turn before', run: toClipped(-1) },
    { key: 'g', label: 'largest push of the update', run: toPush },
    { key: 'd', label: 'next row in which two rules disagree', run: toParted },
  ]);
  const anyPush = pushes.some(({ net }) => net !== 0);
  return (
    <div className="bar places" role="group" aria-label="Go to">
      <span className="heading">Go to</span>
      <button type="button" disabled={!anyPush} onClick={toPush}>
        largest push <kbd>g</kbd>
      </button>
      <button type="button" disabled={clipped.places.length === 0} onClick={toClipped(1)}>
        <Label>next clipped turn</Label> <kbd>c</kbd>
      </button>
      <span className="small soft">
        {formatCount(clipped.places.length)} of {countWords(clipped.turns, 'turn')} in rows clipped
      </span>
      {parted && (
        <>
          <button type="button" disabled={parted.places.length === 0} onClick={toParted}>
            next disagreement <kbd>d</kbd>
          </button>
          <span className="small soft">
            {ruleName(parted.own)} and {ruleName(parted.other)} differ in sign in{' '}
            {countWords(parted.places.length, 'row')}
          </span>
        </>
      )}
    </div>
  );
}
