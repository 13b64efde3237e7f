/** Below a view that stands in another page: what is on screen, the engine, which nobody starts unasked, and the way to the whole lab. */
import { useState } from 'react';
import { linkNow } from '../../store/export/link.ts';
import { unframed } from '../../store/place/address.ts';
import { titleOf } from '../../store/record/shelf.ts';
import { useLab, useRun, useSelection, useTransport } from '../parts/binding.ts';
import { Playback } from '../train/TransportBar.tsx';

export function FrameBar() {
  const lab = useLab();
  const title = useRun(titleOf);
  const view = useSelection((selection) => selection.view);
  const engine = useTransport((transport) => transport.engine.kind);
  const awaiting = useTransport((transport) => transport.awaiting);
  const [asked, setAsked] = useState(false);
  const isAsked = asked || awaiting || engine !== 'starting';
  const start = (): void => {
    setAsked(true);
    lab.transport.restartEngine();
  };
  return (
    <footer className="frame-bar small" aria-label="Turnwise">
      {view !== 'train' && <Playback />}
      <span className="soft">{title}</span>
      {!isAsked && (
        <button type="button" className="small" onClick={start}>
          Start the engine
        </button>
      )}
      {isAsked && (
        <span className="soft" role="status">
          {engine === 'ready'
            ? 'Engine ready'
            : engine === 'starting'
              ? 'Engine starting …'
              : 'No WebGPU here'}
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
