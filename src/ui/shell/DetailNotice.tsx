/** Said in place of an old update's trees and loss rows while they are compressed, and when they are gone. */
import { useOfUpdate, useUpdateNumber } from '../binding.ts';

/** Null where the update on screen is at hand. */
function useMissingDetail(): string | null {
  const detail = useOfUpdate((update) => update?.detail ?? 'here');
  const number = useUpdateNumber();
  if (detail === 'here') return null;
  if (detail === 'archived') return `Update ${number} is compressed; it is being read back.`;
  return `Trees and loss rows of update ${number} are no longer kept: this browser could not compress them, and the page keeps only the newest updates in full. Its metrics and curves stay.`;
}

export function DetailNotice() {
  const missing = useMissingDetail();
  if (missing === null) return null;
  return (
    <p className="notice" role="status">
      {missing}
    </p>
  );
}
