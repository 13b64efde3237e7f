/** What a kernel cost in the last profiled update, and the way to profile another. */
import { useLab, useRun, useTransport } from '../binding.ts';
import { countWords, formatMs } from '../format.ts';

function useTimeWords(kernel: string): string {
  const profile = useRun((run) => run.profiles.at(-1));
  if (!profile) return 'No time of it yet: no update of this run was profiled.';
  if (profile.method === 'submissions')
    return `No time of it: this device has no timestamps, so update ${profile.update} was timed by whole submissions, not by kernel.`;
  const rows = profile.rows.filter((row) => row.kernel === kernel);
  if (rows.length === 0) return `It did not run in update ${profile.update}, the last that was profiled.`;
  const ms = rows.reduce((sum, row) => sum + row.ms, 0);
  const dispatches = rows.reduce((sum, row) => sum + row.dispatches, 0);
  const time = ms < 10 ? `${ms.toFixed(2)} ms` : formatMs(ms);
  return `${time} in update ${profile.update}, ${countWords(dispatches, 'dispatch')}, by timestamps on the device.`;
}

export function KernelTime({ kernel }: { readonly kernel: string }) {
  const words = useTimeWords(kernel);
  const engine = useTransport((transport) => transport.engine.kind);
  const profiling = useTransport((transport) => transport.profiling);
  const isOver = useRun((run) => run.status === 'finished');
  const isLive = useTransport((transport) => transport.source === 'live');
  const { transport } = useLab();
  return (
    <p className="small kernel-time">
      {words}{' '}
      <button
        type="button"
        className="small"
        disabled={engine !== 'ready' || profiling || (isOver && isLive)}
        onClick={transport.profile}
      >
        {profiling ? 'Profiling the next update …' : 'Profile the next update'}
      </button>
    </p>
  );
}
