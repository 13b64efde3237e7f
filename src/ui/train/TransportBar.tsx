/** Play, single update, single phase, reset, and the six phases with the live one marked. */
import { PHASES } from '../../store/record/run_state.ts';
import { SPEEDS } from '../../store/record/player.ts';
import {
  useRecipe,
  useIsHidden,
  useIsPlaying,
  useLab,
  useOfUpdate,
  usePlayer,
  useRun,
  useSelection,
  useTransport,
} from '../parts/binding.ts';
import { countWords, formatMs } from '../parts/format.ts';
import { Hidable } from '../parts/parts.tsx';
import { useKeys, type KeyBinding } from '../shell/keys.tsx';

/** A record that lies there whole has nothing to play. */
const useCanPlay = (): boolean => useTransport(({ source }) => source !== 'file');

/** What the button says that sets the run on screen going, or holds it. */
function usePlayWords(): string {
  const playing = useIsPlaying();
  const live = useTransport((transport) => transport.source === 'live');
  const status = useRun((run) => run.status);
  const begun = useRun((run) => run.updates.length > 0);
  const isOver = usePlayer((player) => player.complete && player.position === player.length);
  if (live && playing && status === 'preparing') return 'Preparing…';
  if (playing) return 'Pause';
  if (live && status === 'failed' && begun) return 'Start again'; // its weights are gone: it can only be opened anew
  if (!begun) return 'Play';
  return !live && isOver ? 'Play again' : 'Resume';
}

function PlayButton({ small = false }: { readonly small?: boolean }) {
  const playing = useIsPlaying();
  const live = useTransport((transport) => transport.source === 'live');
  const words = usePlayWords();
  const canPlay = useCanPlay();
  const { transport } = useLab();
  return (
    <button
      type="button"
      className={small ? 'small' : live ? 'primary play' : 'play'}
      disabled={!canPlay}
      title={small ? words : undefined}
      aria-keyshortcuts={small ? 'k' : 'Space k'}
      onClick={playing ? transport.pause : transport.play}
    >
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        <path d={playing ? 'M2 1H5V11H2ZM7 1H10V11H7Z' : 'M2 0.5L11 6L2 11.5Z'} fill="currentColor" />
      </svg>
      <span className={small ? 'visually-hidden' : undefined}>{words}</span>
    </button>
  );
}

/** From another record to a run that is trained here. */
function TrainLiveButton() {
  const awaiting = useTransport((transport) => transport.awaiting);
  const offered = useTransport(({ source, engine }) => source !== 'live' && engine.kind !== 'unavailable');
  const { transport } = useLab();
  if (!offered) return null;
  return (
    <button
      type="button"
      className="primary"
      aria-pressed={awaiting}
      onClick={awaiting ? transport.pause : transport.trainLive}
    >
      {awaiting ? 'Preparing…' : 'Train live'}
    </button>
  );
}

/** How fast the recorded run plays. */
function Speed() {
  const speed = usePlayer((player) => player.speed);
  const recorded = useTransport((transport) => transport.source === 'recorded');
  const { player } = useLab();
  const isHidden = useIsHidden('speed');
  if (!recorded || isHidden) return null;
  return (
    <label className="speed">
      <span className="visually-hidden">speed of the recorded run </span>
      <select value={speed} onChange={(event) => player.setSpeed(Number(event.target.value))}>
        {SPEEDS.map((choice) => (
          <option key={choice} value={choice}>
            {choice} ×
          </option>
        ))}
      </select>
    </label>
  );
}

/** In the views beside Train: pause, speed, and the way to the newest update. */
export function Playback() {
  const { selection } = useLab();
  const follows = useSelection((state) => state.update === null);
  return (
    <div className="playback" role="group" aria-label="Playback">
      <Hidable name="play">
        <PlayButton small />
      </Hidable>
      <Speed />
      <Hidable name="updates">
        <button
          type="button"
          className="quiet small"
          disabled={follows}
          aria-keyshortcuts="f"
          onClick={() => selection.select({ update: null })}
        >
          Newest
        </button>
      </Hidable>
    </div>
  );
}

/** Keys of every view that move the run on screen. */
export function usePlaybackKeys(): readonly KeyBinding[] {
  const { transport, player } = useLab();
  const playing = useIsPlaying();
  const change = (by: number): void => {
    const at = SPEEDS.findIndex((speed) => speed === player.getState().speed) + by;
    player.setSpeed(SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)]);
  };
  return [
    {
      key: 'k',
      of: 'play',
      label: 'pause or resume the run',
      run: playing ? transport.pause : transport.play,
    },
    { key: '<', of: 'speed', label: 'play the recorded run slower', run: () => change(-1) },
    { key: '>', of: 'speed', label: 'play the recorded run faster', run: () => change(1) },
  ];
}

export function PhaseBar() {
  const phase = useOfUpdate((update) => update?.phase ?? null);
  const ended = useOfUpdate((update) => update?.ended === true);
  const measured = useOfUpdate((update) => update?.metrics != null); // else it ended where its file does
  const reached = phase ? PHASES.indexOf(phase) : -1;
  const stateOf = (index: number) => {
    if (ended ? measured || index <= reached : index < reached) return 'done';
    return index === reached ? 'live' : 'ahead';
  };
  return (
    <ol className="phase-bar" aria-label="Phases of the update">
      {PHASES.map((phase, index) => (
        <li
          key={phase}
          data-state={stateOf(index)}
          aria-current={stateOf(index) === 'live' ? 'step' : undefined}
        >
          {phase}
        </li>
      ))}
    </ol>
  );
}

export function TransportBar() {
  const { transport } = useLab();
  const playing = useIsPlaying();
  const seed = useRecipe((config) => config.seed);
  const source = useTransport((state) => state.source);
  const canPlay = useCanPlay();
  const keys: readonly KeyBinding[] = [
    { key: ' ', of: 'play', label: 'play or pause', run: playing ? transport.pause : transport.play },
    { key: 'u', of: 'step', label: 'one update', run: transport.stepUpdate },
    { key: '.', of: 'step', label: 'one phase', run: transport.stepPhase },
    { key: 'R', of: 'reset', label: 'reset: the same seed from the start', run: transport.reset },
  ];
  useKeys(keys);
  return (
    <div className="transport" role="group" aria-label="Transport">
      <Hidable name="play">
        <PlayButton />
      </Hidable>
      <Hidable name="live">
        <TrainLiveButton />
      </Hidable>
      <Speed />
      <Hidable name="step">
        <button type="button" disabled={!canPlay} onClick={transport.stepUpdate} aria-keyshortcuts="u">
          One update
        </button>
        <button type="button" disabled={!canPlay} onClick={transport.stepPhase} aria-keyshortcuts=".">
          One phase
        </button>
      </Hidable>
      <Hidable name="reset">
        <button
          type="button"
          disabled={source === 'file'}
          onClick={transport.reset}
          aria-keyshortcuts="Shift+R"
        >
          {source === 'live' && seed !== null ? `Reset, seed ${seed}` : 'From the start'}
        </button>
      </Hidable>
      <PhaseBar />
    </div>
  );
}

// Moves through the updates of the log; follows the newest until it is touched.

/** Work of the update shown: time and tokens. */
function Pace() {
  const metrics = useOfUpdate((update) => update?.metrics);
  if (!metrics) return <span className="pace small soft" />;
  const total = formatMs(metrics.rolloutMs + metrics.trainMs);
  return (
    <span className="pace small soft">
      {total} · {countWords(metrics.sampledTokens, 'token')} sampled
    </span>
  );
}

export function Scrubber() {
  const { selection } = useLab();
  const last = useRun((run) => run.updates.length);
  const planned = useRecipe((config) => config.updates) ?? last;
  const selected = useSelection((state) => state.update);
  const shown = Math.min(selected ?? last, last);
  return (
    <div className="scrubber">
      <label htmlFor="scrubber">
        Update <output className="number">{shown}</output> of {planned}
      </label>
      <input
        id="scrubber"
        type="range"
        min={Math.min(1, last)}
        max={Math.max(planned, last, 1)}
        value={shown}
        disabled={last === 0}
        aria-valuetext={`update ${shown} of ${planned}${selected === null ? ', following the newest' : ''}`}
        onChange={(event) => {
          const wanted = Number(event.target.value);
          selection.select({ update: wanted >= last ? null : wanted });
        }}
      />
      {selected === null ? (
        <span className="follow small soft">newest</span>
      ) : (
        <button type="button" className="follow small" onClick={() => selection.select({ update: null })}>
          Newest
        </button>
      )}
      <Pace />
    </div>
  );
}
