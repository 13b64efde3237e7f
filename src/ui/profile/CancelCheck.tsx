/** The way out of a check that takes long, and what became of one that was cancelled. */
import { useInspection, useLab } from '../binding.ts';

export function CancelCheck({ of }: { readonly of: 'kernel-check' | 'kernel-trial' }) {
  const { inspection } = useLab();
  const isAsking = useInspection(({ asking }) => asking === of);
  const cancelled = useInspection((state) => state.cancelled && state.asking === null);
  if (isAsking)
    return (
      <button type="button" onClick={inspection.cancelCheck}>
        Cancel the check
      </button>
    );
  return (
    cancelled && (
      <span className="small soft" role="status">
        The check was cancelled. It ran on a device of its own: the run is as it was.
      </span>
    )
  );
}
