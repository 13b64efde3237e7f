/** Said where a link held something that this version does not understand: the rest of it is shown. */
import { useLab, useSelection } from '../binding.ts';

export function AddressNotice() {
  const { selection } = useLab();
  const ignored = useSelection((state) => state.ignored);
  if (ignored.length === 0) return null;
  return (
    <div className="notice" role="status">
      <p>
        This address asks for something that the lab does not know:{' '}
        {ignored.map((part, index) => (
          <span key={index}>
            {index > 0 && ', '}
            <code>{part}</code>
          </span>
        ))}
        . That part was left out; the rest is shown as the link has it.
      </p>
      <button type="button" className="small" onClick={() => selection.select({ ignored: [] })}>
        Dismiss
      </button>
    </div>
  );
}
