/** Below a view that stands in another page: what is on screen, the engine, which nobody starts unasked, and the way to the whole lab. */
import { useStore } from 'zustand';
import { linkNow } from '../../store/export/link.ts';
import { unframed } from '../../store/place/address.ts';
import { titleOf } from '../../store/record/shelf.ts';
import { useLab, useRun, useSelection, useTransport } from '../parts/binding.ts';
import { Playback } from '../train/TransportBar.tsx';
import { useRememberedTheme } from './theme.ts';
import { VIEW_PANELS } from './views.tsx';
import './frame.css';

const WORDS = {
  starting: 'Engine starting …',
  ready: 'Engine ready',
  unavailable: 'No WebGPU here',
} as const;

/** What the frame shows, or will when it has come: of the address, which is there first. */
function useFrameWords(): string {
  const { lessons } = useLab();
  const { view, update, example, lesson } = useSelection((selection) => selection);
  const title = useRun(titleOf);
  const opened = useStore(lessons, (state) => state.lesson);
  const what = VIEW_PANELS[view].title;
  if (lesson !== null) return `${what}, lesson${opened ? `: ${opened.title}` : ''}`;
  if (example !== null) return `${what}, a small tree`;
  return [`${what}${update === null ? '' : `, update ${update}`}`, title].filter(Boolean).join(' · ');
}

export function FrameBar() {
  const lab = useLab();
  const words = useFrameWords();
  const isOwnTree = useSelection(({ view, example }) => view === 'train' || example !== null);
  useRememberedTheme();
  const engine = useTransport((transport) => transport.engine.kind);
  return (
    <footer className="frame-bar small" aria-label="Turnwise">
      {!isOwnTree && <Playback />}
      <span className="soft">{words}</span>
      {engine === 'resting' ? (
        <button type="button" className="small" onClick={lab.transport.restartEngine}>
          Start the engine
        </button>
      ) : (
        <span className="soft" role="status">
          {WORDS[engine]}
        </span>
      )}
      <a
        href={unframed(location.href)}
        target="_blank"
        rel="noreferrer"
        onClick={({ currentTarget }) => {
          currentTarget.href = unframed(linkNow(lab, location).href); // the place of now
        }}
      >
        Open in Turnwise
      </a>
    </footer>
  );
}
