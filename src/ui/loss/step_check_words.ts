/** How the check of a step is asked for, by what is on screen: a live run that goes on, one that is over, a recording. */
import { FILE_IS_GONE, trainAgainWords, type RunGround } from '../run_ground.ts';

export interface CheckOffer {
  readonly how: 'next' | 'again' | null; // null: it cannot be asked for
  readonly button: string;
  readonly note: string;
}

const NEXT = 'Check the next update’s steps';

/** What can be asked for and why; a step is checked while it is taken, since nobody keeps the weights on both sides. */
export function checkOffer(ground: RunGround): CheckOffer {
  const { engine, live, finished, byHand, update } = ground;
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
      note: `${FILE_IS_GONE}: train from that file and check as it runs.`,
    };
  const why = live ? 'The run is over' : 'A recording holds no weights';
  return {
    how: 'again',
    button: again,
    note: `${why}, so the step has to be taken once more: ${trainAgainWords(ground)}`,
  };
}
