/** How the check of a step is asked for, by what is on screen: a live run that goes on, one that is over, a recording. */
import { formatMs } from '../format.ts';

export interface CheckGround {
  readonly engine: 'starting' | 'ready' | 'unavailable';
  readonly live: boolean; // else a recording
  readonly finished: boolean;
  readonly byHand: boolean; // the run started from a weights file that the person opened
  readonly update: number; // on screen
  readonly ms: number; // that the run took to its end
}

export interface CheckOffer {
  readonly how: 'next' | 'again' | null; // null: it cannot be asked for
  readonly button: string;
  readonly note: string;
}

const NEXT = 'Check the next update’s steps';

/** What can be asked for and why; a step is checked while it is taken, since nobody keeps the weights on both sides. */
export function checkOffer({ engine, live, finished, byHand, update, ms }: CheckGround): CheckOffer {
  const again = `Train again to update ${update} and check it`;
  if (engine === 'unavailable')
    return { how: null, button: live ? NEXT : again, note: 'Scoring the rows again needs WebGPU.' };
  if (engine === 'starting')
    return { how: null, button: live ? NEXT : again, note: 'The engine is starting.' };
  if (live && !finished) return { how: 'next', button: NEXT, note: 'The run stays the same, bit for bit.' };
  if (!live && byHand)
    return {
      how: null,
      button: again,
      note: 'This recording started from a weights file opened by hand, which it does not hold: train from that file and check as it runs.',
    };
  const why = live ? 'The run is over' : 'A recording holds no weights';
  return {
    how: 'again',
    button: again,
    note: `${why}, so the step has to be taken once more: the run is trained again from its configuration and seed, to here in about ${formatMs(ms)} at its own pace, and takes the place of what is on screen. The same device gives the same numbers; another may differ in the last digits.`,
  };
}
