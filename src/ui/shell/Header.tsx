/** Name, the views, what is on screen, theme and keyboard help. */
import { useStore } from 'zustand';
import { compareRecords } from '../../store/lab/side_by_side.ts';
import { titleOf } from '../../store/record/shelf.ts';
import type { View } from '../../store/place/selection.ts';
import { useAlarms } from '../parts/Alarms.tsx';
import { useLab, useRun, useSelection, useTransport } from '../parts/binding.ts';
import { Hidable } from '../parts/parts.tsx';
import { LessonsButton } from '../lessons/LessonDock.tsx';
import { ShownReplayCheck } from '../parts/Replay.tsx';
import { SaveAndOpen } from '../runs/Files.tsx';
import { Playback } from '../train/TransportBar.tsx';
import { AdapterPart, useAdapterName, useSavesPower } from '../profile/Adapter.tsx';
import { CopyLink, ExportMenu } from './ExportMenu.tsx';
import { EditedBadge } from './Notices.tsx';
import { useTheme } from './theme.ts';
import { VIEW_LIST, VIEW_PANELS } from './views.tsx';
import { factsOfThisBrowser, webgpuAdvice, WITHOUT_WEBGPU } from './webgpu_advice.ts';

// What is on screen: a live run, the recorded one, or the recorded one because there is no WebGPU.

/** The run on screen beside the other one that is at hand: the recorded run, or the live one. */
function WhatDiffers() {
  const lab = useLab();
  const shown = useRun((run) => run.header);
  const isRecorded = useTransport((transport) => transport.source === 'recorded');
  const other = isRecorded ? lab.live : lab.recorded;
  const hasOther = useStore(other, (run) => run.updates.length > 0);
  if (!shown || !hasOther) return null;
  return (
    <button type="button" onClick={() => compareRecords(lab, [lab.run.shown(), other])}>
      What differs from the {isRecorded ? 'live' : 'recorded'} run?
    </button>
  );
}

export function SourceBadge() {
  const source = useTransport((transport) => transport.source);
  const engine = useTransport((transport) => transport.engine);
  const stopped = useRun((run) => run.status === 'failed');
  const life = useTransport((transport) => transport.life);
  const adapter = useAdapterName();
  const savesPower = useSavesPower();
  const title = useRun(titleOf);
  const isBegun = useTransport((transport) => transport.asked !== null);
  const { transport } = useLab();
  const liveWords = stopped
    ? '○ Live run stopped'
    : `● Live${savesPower ? ', power-saving,' : ''} on ${adapter}`;
  if (source === 'live')
    return (
      <details className="badge" data-kind="live">
        <summary title={liveWords}>{liveWords}</summary>
        <div className="popover">
          <p>
            {stopped
              ? 'This run was computed in this tab until it failed; it can be started again.'
              : 'This run is computed now, in this tab.'}
          </p>
          <button type="button" onClick={transport.replay}>
            Show the recorded run
          </button>
          <WhatDiffers />
          <ShownReplayCheck />
          <AdapterPart />
          <Hidable name="files">
            <SaveAndOpen />
          </Hidable>
        </div>
      </details>
    );
  if (source === 'file')
    return (
      <details className="badge" data-kind="recorded">
        <summary title={title}>{title}</summary>
        <div className="popover">
          <p>A record of the shelf, whole. Compare has the others.</p>
          {isBegun && (
            <button type="button" onClick={transport.showLive}>
              Show the live run
            </button>
          )}
          <button type="button" onClick={transport.replay}>
            Show the recorded run
          </button>
          <WhatDiffers />
          <ShownReplayCheck />
          <AdapterPart />
          <Hidable name="files">
            <SaveAndOpen />
          </Hidable>
        </div>
      </details>
    );
  if (engine.kind === 'unavailable')
    return (
      <details className="badge" data-kind="none">
        <summary title={`No WebGPU here. ${WITHOUT_WEBGPU}`}>Recorded run · no WebGPU here</summary>
        <div className="popover">
          <p>{engine.report.what}.</p>
          <p>{WITHOUT_WEBGPU}</p>
          <p>To train live: {webgpuAdvice(factsOfThisBrowser())}</p>
          <ShownReplayCheck />
          <Hidable name="files">
            <SaveAndOpen />
          </Hidable>
        </div>
      </details>
    );
  const state =
    engine.kind === 'ready' ? 'engine ready' : life === 'well' ? 'engine starting' : 'engine does not answer';
  return (
    <details className="badge" data-kind="recorded">
      <summary title={`Recorded run · ${state}`}>
        <span className={engine.kind === 'ready' ? '' : 'badge-spare'}>Recorded run</span>
        <span className="badge-spare"> · </span>
        <span className={engine.kind === 'ready' ? 'badge-spare' : ''}>{state}</span>
      </summary>
      <div className="popover">
        <p>
          A run recorded earlier{engine.kind === 'ready' ? '' : ', shown while the GPU programs compile'}.
          Train live trains a new one on {adapter}.
        </p>
        <Hidable name="live">
          <button type="button" className="primary" onClick={transport.trainLive}>
            Train live
          </button>
        </Hidable>
        {isBegun && (
          <button type="button" onClick={transport.showLive}>
            Show the live run
          </button>
        )}
        <WhatDiffers />
        <ShownReplayCheck />
        <AdapterPart />
        <Hidable name="files">
          <SaveAndOpen />
        </Hidable>
      </div>
    </details>
  );
}

/** Alarms stand in Train; the other views say that there are some. */
function AlarmCount() {
  const { length } = useAlarms();
  if (length === 0) return null;
  return (
    <span className="alarm-count number">
      <span aria-hidden="true">▲</span> {length}
      <span className="visually-hidden"> {length === 1 ? 'alarm' : 'alarms'}</span>
    </span>
  );
}

function ViewTab({ view, index }: { readonly view: View; readonly index: number }) {
  const current = useSelection((selection) => selection.view) === view;
  const { selection } = useLab();
  return (
    <button
      type="button"
      className="tab"
      aria-current={current ? 'page' : undefined}
      aria-keyshortcuts={String(index + 1)}
      onClick={() => selection.select({ view })}
    >
      <span className="key" aria-hidden="true">
        {index + 1}
      </span>
      {VIEW_PANELS[view].title}
      {view === 'train' && <AlarmCount />}
    </button>
  );
}

export function Header({ onHelp }: { readonly onHelp: () => void }) {
  const [theme, nextTheme] = useTheme();
  const view = useSelection((selection) => selection.view);
  return (
    <header className="header">
      <h1>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <path
            d="M4 16H11M11 16V7H18M11 16V25H18M18 7H25"
            fill="none"
            stroke="currentColor"
            strokeWidth="2.4"
          />
          <path d="M25 2.5L30 11H20Z" fill="var(--correct)" />
          <circle cx="23" cy="25" r="4" fill="none" stroke="currentColor" strokeWidth="2.4" />
        </svg>
        Turnwise
      </h1>
      <nav aria-label="Views">
        {VIEW_LIST.map((view, index) => (
          <Hidable key={view} name={view}>
            <ViewTab view={view} index={index} />
          </Hidable>
        ))}
      </nav>
      <div className="header-end">
        {view !== 'train' && <Playback />}
        <EditedBadge />
        <SourceBadge />
        <Hidable name="link">
          <CopyLink />
        </Hidable>
        <Hidable name="export">
          <ExportMenu />
        </Hidable>
        <Hidable name="theme">
          <button type="button" className="quiet small" onClick={nextTheme} title={`Theme: ${theme}`}>
            <span aria-hidden="true">◐</span>
            <span className="visually-hidden">Theme: {theme}</span>
          </button>
        </Hidable>
        <Hidable name="lessons">
          <LessonsButton />
        </Hidable>
        <button type="button" className="quiet small" onClick={onHelp} aria-keyshortcuts="?">
          <span className="keys-word">Keys</span> <kbd>?</kbd>
        </button>
      </div>
    </header>
  );
}
