/** The Profile view: where an update's time on the device went, how close that is to its best, and who holds memory. */
import { useState } from 'react';
import {
  groupProfile,
  idleShare,
  PROFILE_GROUPINGS,
  wholeProfile,
  type Bound,
  type ProfileGrouping,
  type UpdateProfile,
} from '../../store/loss/profile_reading.ts';
import { AdapterPart } from './Adapter.tsx';
import { LazyPart } from '../parts/Boundary.tsx';
import { useInspection, useLab, useRun, useTransport } from '../parts/binding.ts';
import { countWords, formatCount, formatMs, formatNumber, formatShare } from '../parts/format.ts';
import { Missing, useMissing } from '../parts/parts.tsx';
import { Label } from '../parts/Term.tsx';
import { ENGINE_WORDS } from '../parts/run_ground.ts';
import { BOUND_NAMES, formatRate, formatTimes, MemoryTable, ProfileTable } from './ProfileTable.tsx';

const loadKernels = async () => ({ default: (await import('../kernels/KernelPanel.tsx')).KernelBrowser });

// A row of numbers, each with its name above and what it stands against below.

export type Fact = readonly [name: string, value: string, note: string];

export function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl className="profile-facts">
      {facts.map(([name, value, note]) => (
        <div key={name}>
          <dt>
            <Label>{name}</Label>
          </dt>
          <dd>
            <span className="number">{value}</span>
            <span className="small soft">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const METHOD_WORDS: Readonly<Record<UpdateProfile['method'], string>> = {
  timestamps:
    'Each dispatch was timed on the device by timestamps at both ends, in a pass of its own. A browser may round them (Chrome to 0.1 ms), so trust sums over many dispatches, not a single short one. Copies and clears are not timed.',
  submissions:
    'This device has no timestamps (timestamp-query). Whole submissions were timed from the page’s side, each for all the programs in it; the time to submit and to be answered is included, so the idle share is a lower bound.',
};

function factsOf(profile: UpdateProfile): readonly Fact[] {
  const all = wholeProfile(profile);
  const { ceilings } = profile;
  return [
    ['update', formatMs(profile.wallMs), 'pauses left out'],
    ['device busy', formatMs(profile.busyMs), countWords(all.dispatches, 'dispatch')],
    ['device idle', formatShare(idleShare(profile)), 'of the update'],
    [
      'arithmetic while busy',
      formatRate(all.flops, 'FLOP/s'),
      all.flops
        ? `${formatTimes(all.flops, ceilings.flopsPerSecond)} of ${formatRate({ perSecond: ceilings.flopsPerSecond, atLeast: false }, 'FLOP/s')}`
        : '',
    ],
    [
      'memory traffic while busy',
      formatRate(all.bytes, 'B/s'),
      all.bytes
        ? `${formatTimes(all.bytes, ceilings.bytesPerSecond)} of ${formatRate({ perSecond: ceilings.bytesPerSecond, atLeast: false }, 'B/s')}`
        : '',
    ],
  ];
}

/** What it is, and what a person can do about it. */
const BOUND_ADVICE: Readonly<Record<Bound, (ceilings: UpdateProfile['ceilings']) => string>> = {
  arithmetic: () =>
    'computes at half of the device’s best or more. Only less work makes it shorter: fewer tokens, a smaller model.',
  bandwidth: () =>
    'moves bytes at half of the device’s best or more. More rows at once read the same weights for more tokens: more prompts per update, a larger mini-batch.',
  launches: ({ launchMs }) =>
    `is dispatches so short that starting them (${formatNumber(1000 * launchMs, 1)} µs each here) is half of it or more. More prompts per update and a larger mini-batch give each of them more to do.`,
  groups: ({ fillingGroups }) =>
    `has fewer workgroups than the ${formatCount(fillingGroups)} that fill this device, part of which is idle. More prompts per update, a larger mini-batch.`,
  other: () =>
    'is none of these: loads, addresses and functions between the multiply-adds, or waits for memory and within workgroups. No setting of a run is known to help.',
};

const LEAST_SHARE = 0.005; // that prints as more than 0 %

function Bounds({ profile }: { readonly profile: UpdateProfile }) {
  const bounds = wholeProfile(profile).bounds.filter(({ share }) => share >= LEAST_SHARE);
  return (
    <section className="panel" aria-label="What bounds it">
      <h2>
        <Label>Bound by</Label>
      </h2>
      <ul className="small">
        {bounds.map(({ bound, share }) => (
          <li key={bound}>
            <strong>
              {BOUND_NAMES[bound]}, {formatShare(share)} of the time:
            </strong>{' '}
            {BOUND_ADVICE[bound](profile.ceilings)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Profile({ profile }: { readonly profile: UpdateProfile }) {
  const [grouping, setGrouping] = useState<ProfileGrouping>('kernel');
  const groups = groupProfile(profile, profile.method === 'timestamps' ? grouping : 'program');
  return (
    <div className="profile-columns">
      <section className="profile-main" aria-label="Time on the device">
        <Facts facts={factsOf(profile)} />
        <Bounds profile={profile} />
        {profile.method === 'timestamps' && (
          <div className="bar" role="group" aria-label="Group by">
            <span className="heading">Time by</span>
            {PROFILE_GROUPINGS.map((option) => (
              <button
                key={option}
                type="button"
                aria-pressed={option === grouping}
                onClick={() => setGrouping(option)}
              >
                <Label>{option}</Label>
              </button>
            ))}
          </div>
        )}
        <ProfileTable groups={groups} ceilings={profile.ceilings} />
      </section>
      <aside className="profile-side">
        <MemoryTable memory={profile.memory} />
        <section className="panel" aria-label="How this was measured">
          <h2>How this was measured</h2>
          <p className="small">{METHOD_WORDS[profile.method]}</p>
          {profile.untimed > 0 && (
            <p className="small">
              {countWords(profile.untimed, 'dispatch')} found no room for timestamps and{' '}
              {profile.untimed === 1 ? 'is' : 'are'} missing.
            </p>
          )}
          <p className="small">
            Rates count the operations and bytes that a kernel needs at least; ≥ where part depends on the
            data (how long the cached rows are while sampling) and is not counted. The bests they stand
            against were measured once on this device: a kernel of multiply-adds in registers, and a copy. So
            were the time of a dispatch of next to nothing, and the number of workgroups from which
            multiply-adds come near their best. More than 100 % of a best means that data stayed in a cache,
            or that something else ran while it was measured.
          </p>
        </section>
      </aside>
    </div>
  );
}

/** Why there is nothing to show, and what to do. */
function useNothing(): string {
  const engine = useTransport((transport) => transport.engine.kind);
  const source = useTransport((transport) => transport.source);
  const profiling = useTransport((transport) => transport.profiling);
  if (profiling) return 'The next update is being profiled; its numbers come when it ends.';
  if (engine === 'unavailable')
    return 'There is nothing to time here: the run on screen is a recording, made on another device, and training needs WebGPU.';
  if (engine !== 'ready') return ENGINE_WORDS[engine];
  if (source === 'recorded')
    return 'The run on screen is a recording, and the device that made it is not here. “Profile next update” trains a live run and times its first update.';
  return 'No update of this run has been profiled yet. “Profile next update” times every dispatch of one update; the run’s numbers stay the same, bit for bit.';
}

export function ProfileView() {
  const profiles = useInspection((asked) => asked.profiles);
  const engine = useTransport((transport) => transport.engine.kind);
  const profiling = useTransport((transport) => transport.profiling);
  const finished = useRun((run) => run.status === 'finished');
  const live = useTransport((transport) => transport.source === 'live');
  const [chosen, setChosen] = useState<number | null>(null);
  const { transport } = useLab();
  const nothing = useNothing();
  const profile = profiles.find(({ update }) => update === chosen) ?? profiles.at(-1);
  const isMissing = useMissing('profile').length > 0;
  const over = finished && live;
  return (
    <div className="view profile-view">
      <div className="bar">
        <button
          type="button"
          className="primary"
          disabled={engine !== 'ready' || profiling || over}
          onClick={() => {
            setChosen(null);
            transport.profile();
          }}
        >
          {profiling ? 'Profiling…' : 'Profile next update'}
        </button>
        {over && <span className="small soft">The run is finished: reset it to time another update.</span>}
        {profiles.length > 0 && (
          <div className="bar" role="group" aria-label="Profiled updates">
            <span className="heading">Update</span>
            {profiles.map(({ update }) => (
              <button
                key={update}
                type="button"
                aria-pressed={update === profile?.update}
                onClick={() => setChosen(update)}
              >
                {update}
              </button>
            ))}
          </div>
        )}
      </div>
      <AdapterPart />
      <Missing view="profile" />
      {profile ? (
        <Profile key={profile.update} profile={profile} />
      ) : (
        !isMissing && <p className="empty">{nothing}</p>
      )}
      <LazyPart name="The kernels" load={loadKernels} props={{}} />
    </div>
  );
}
