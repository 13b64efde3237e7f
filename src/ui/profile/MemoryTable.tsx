/** Who holds how much of the device's memory at the end of the profiled update. */
import type { MemoryShare } from '../../store/profile_reading.ts';
import { formatCount } from '../format.ts';
import { formatBytes } from './rates.ts';

export function MemoryTable({ memory }: { readonly memory: readonly MemoryShare[] }) {
  const total = memory.reduce((sum, { bytes }) => sum + bytes, 0);
  const buffers = memory.reduce((sum, share) => sum + share.buffers, 0);
  const most = Math.max(...memory.map(({ bytes }) => bytes), 1);
  return (
    <section className="panel" aria-label="Device memory">
      <h2>Device memory at the end of the update</h2>
      <table className="profile-memory">
        <thead>
          <tr>
            <th scope="col">owner</th>
            <th scope="col">buffers</th>
            <th scope="col">bytes</th>
            <th scope="col">
              <span className="visually-hidden">bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {memory.map(({ owner, buffers: count, bytes }) => (
            <tr key={owner}>
              <th scope="row">{owner}</th>
              <td>{formatCount(count)}</td>
              <td>{formatBytes(bytes)}</td>
              <td className="profile-bar">
                <span style={{ width: `${(100 * bytes) / most}%` }} aria-hidden="true" />
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">all</th>
            <td>{formatCount(buffers)}</td>
            <td>{formatBytes(total)}</td>
            <td />
          </tr>
        </tfoot>
      </table>
    </section>
  );
}
