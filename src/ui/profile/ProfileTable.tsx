/** Time of each kernel, program or step, most first, with its rates against the device's best. */
import type { ProfileGroup, UpdateProfile } from '../../store/profile_reading.ts';
import { asPrinted, formatCount, formatNumber, formatShare } from '../format.ts';
import { formatRate, formatTimes } from './rates.ts';

interface TableProps {
  readonly groups: readonly ProfileGroup[];
  readonly ceilings: UpdateProfile['ceilings'];
}

export function ProfileTable({ groups, ceilings }: TableProps) {
  const longest = Math.max(...groups.map(({ ms }) => ms), 1e-12);
  return (
    <div className="profile-scroll" tabIndex={0} role="region" aria-label="Time table">
      <table className="profile-table">
        <thead>
          <tr>
            <th scope="col">what</th>
            <th scope="col">ms</th>
            <th scope="col">share</th>
            <th scope="col">
              <span className="visually-hidden">bar</span>
            </th>
            <th scope="col">dispatches</th>
            <th scope="col">µs each</th>
            <th scope="col">arithmetic</th>
            <th scope="col">of best</th>
            <th scope="col">traffic</th>
            <th scope="col">of best</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ name, ms, share, dispatches, flops, bytes }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{formatNumber(ms, 1)}</td>
              <td>{formatShare(share, 1)}</td>
              <td className="profile-bar">
                <span style={{ width: `${(100 * asPrinted(ms, 1)) / longest}%` }} aria-hidden="true" />
              </td>
              <td>{formatCount(dispatches)}</td>
              <td>{formatNumber((1000 * ms) / dispatches, 0)}</td>
              <td>{formatRate(flops, 'FLOP/s')}</td>
              <td>{formatTimes(flops, ceilings.flopsPerSecond)}</td>
              <td>{formatRate(bytes, 'B/s')}</td>
              <td>{formatTimes(bytes, ceilings.bytesPerSecond)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
