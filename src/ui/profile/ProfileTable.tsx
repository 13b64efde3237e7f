/** Time of each kernel, program or step, most first, with its rates against the device's best. */
import type {
  Bound,
  BoundTimes,
  MemoryShare,
  ProfileGroup,
  Rate,
  UpdateProfile,
} from '../../store/loss/profile_reading.ts';
import { asPrinted, formatCount, formatNumber, formatShare } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';

// Rates and bytes as people read them.

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];
const NOTHING = '–';

/** 1234567 → "1.23 M". */
function scaled(value: number, base = 1000): string {
  const power = value <= 0 ? 0 : Math.floor(Math.log(value) / Math.log(base));
  const place = Math.max(0, Math.min(PREFIXES.length - 1, power));
  const short = value / base ** place;
  return `${formatNumber(short, short < 10 ? 2 : short < 100 ? 1 : 0)} ${PREFIXES[place]}`;
}

/** "≥ 1.23 GFLOP/s"; "none" for a kernel that only moves; a dash where nothing is known. */
export function formatRate(rate: Rate | null, unit: string): string {
  if (!rate) return NOTHING;
  if (rate.perSecond === 0 && !rate.atLeast) return 'none';
  return `${rate.atLeast ? '≥ ' : ''}${scaled(rate.perSecond)}${unit}`;
}

/** Share of a ceiling: "12 %", "≥ 12 %"; '' for none. */
export function formatTimes(rate: Rate | null, ceiling: number): string {
  if (!rate || ceiling <= 0) return NOTHING;
  if (rate.perSecond === 0 && !rate.atLeast) return '';
  const share = rate.perSecond / ceiling;
  return `${rate.atLeast ? '≥ ' : ''}${formatShare(share, share < 0.1 ? 1 : 0)}`;
}

/** 212_000_000 → "212 MB" (powers of 1000). */
export const formatBytes = (bytes: number): string => `${scaled(bytes)}B`;

export const BOUND_NAMES: Readonly<Record<Bound, string>> = {
  arithmetic: 'arithmetic',
  bandwidth: 'bandwidth',
  launches: 'launches',
  groups: 'too few groups',
  other: 'other',
};

/** "arithmetic"; "too few groups 62 %" where other dispatches of the line are bound by something else. */
function boundWords([most, ...others]: BoundTimes): string {
  if (!most) return NOTHING;
  const name = BOUND_NAMES[most.bound];
  return others.length === 0 ? name : `${name} ${formatShare(most.share)}`;
}

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
            <th scope="col">
              <Label>dispatches</Label>
            </th>
            <th scope="col">µs each</th>
            <th scope="col">
              <Label>arithmetic</Label>
            </th>
            <th scope="col">of best</th>
            <th scope="col">
              <Label>traffic</Label>
            </th>
            <th scope="col">of best</th>
            <th scope="col">
              <Label>bound by</Label>
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ name, ms, share, dispatches, flops, bytes, bounds }) => (
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
              <td>{boundWords(bounds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Who holds how much of the device's memory at the end of the profiled update.

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
              <th scope="row">
                <Label>{owner}</Label>
              </th>
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
