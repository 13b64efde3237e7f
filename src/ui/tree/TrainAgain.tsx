/** The way to the policy that grew the tree on screen, for a run whose weights are gone; and how far it is. */
import { useLab, useRun, useTransport, useUpdateNumber } from '../binding.ts';
import { useRunGround } from '../run_ground.ts';
import { againOffer } from './hand_words.ts';

/** @param offered whether there is anything to ask that policy for */
export function TrainAgain({ offered }: { readonly offered: boolean }) {
  const { transport } = useLab();
  const update = useUpdateNumber();
  const offer = againOffer(useRunGround(update));
  const trainingTo = useTransport((state) => state.trainingTo);
  const now = useRun((run) => run.update);
  if (trainingTo !== null)
    return (
      <p className="small" role="status">
        Training again: at update {now} of {trainingTo} …
      </p>
    );
  if (!offered || !offer) return null;
  return (
    <p className="small soft">
      <button type="button" disabled={!offer.possible} onClick={() => transport.trainAgain(update)}>
        Train again to update {update}
      </button>{' '}
      {offer.note}
    </p>
  );
}
