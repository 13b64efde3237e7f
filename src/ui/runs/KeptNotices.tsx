/** What became of keeping the live run: it went on from a checkpoint, or it is no longer written down. */
import { configWords } from '../../store/record/run_difference.ts';
import { useKept, useLab, useRun, useTransport } from '../parts/binding.ts';
import { useSaveRun } from './Files.tsx';

export function ReturnedNotice() {
  const returned = useKept((kept) => kept.returned);
  const { kept } = useLab();
  if (!returned) return null;
  const { why, update, cause } = returned;
  const words = {
    asked: `Resumed at update ${update}.`,
    reload: `Resumed at update ${update}: the page was loaded again.`,
    adapter: `The run went on from update ${update} on the other graphics adapter, as a run of its own. The run before is in Runs.`,
    device: `The graphics device was lost${cause ? ` (${cause})` : ''}. The run went on from update ${update}.`,
  }[why];
  return (
    <div className="notice" role="status">
      <p>{words}</p>
      <button type="button" className="small" onClick={() => kept.dismiss('returned')}>
        Dismiss
      </button>
    </div>
  );
}

/** The run on screen grows as another tab writes it down. */
export function FollowedNotice() {
  const followed = useKept((kept) => kept.followed);
  const update = useRun((run) => run.updates.length);
  if (followed === null) return null;
  return (
    <p className="notice" role="status">
      This run is trained in another tab and followed here: update {update} is the newest.
    </p>
  );
}

export function TroubleNotice() {
  const trouble = useKept((kept) => kept.trouble);
  const config = useTransport((transport) => transport.asked); // of the live run
  const { kept, run } = useLab();
  const saveRun = useSaveRun();
  if (!trouble) return null;
  const save = (): void => void (config && saveRun('live', configWords(config, run.getState().ready)));
  return (
    <div className="notice" role="alert">
      <p>
        <strong>{trouble.what}.</strong> {trouble.next}
      </p>
      {config && (
        <button type="button" className="small" onClick={save}>
          Save now
        </button>
      )}
      <button type="button" className="small" onClick={() => kept.dismiss('trouble')}>
        Dismiss
      </button>
    </div>
  );
}
