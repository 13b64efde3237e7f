/** The frame of everything that is presented: words at one side, a figure at the other, only the controls of the step. */
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { useLab } from '../parts/binding.ts';
import { LazyPart } from '../parts/Boundary.tsx';
import { useKeys } from '../shell/keys.tsx';
import { notesAddress, openChannel, type Act, type Notes } from './notes_channel.ts';
import type { Scene } from './scene.tsx';

const loadQr = () => import('../teach/QrCode.tsx');

/** Tells the second window what is on screen, and does what it asks. */
function useNotesWindow(notes: Notes, act: (act: Act) => void): void {
  const latest = useRef({ notes, act });
  const channel = useRef<ReturnType<typeof openChannel> | null>(null);
  useEffect(() => {
    latest.current = { notes, act };
  });
  useEffect(() => {
    const opened = openChannel((message) => {
      if (message.kind === 'hello') opened.say({ kind: 'notes', notes: latest.current.notes });
      if (message.kind === 'act') latest.current.act(message.act);
    });
    channel.current = opened;
    return () => {
      opened.say({ kind: 'over' });
      opened.close();
    };
  }, []);
  const said = JSON.stringify(notes);
  useEffect(() => {
    channel.current?.say({ kind: 'notes', notes: latest.current.notes });
  }, [said]);
}

/** The keyboard's place as a pointer: from part to part of what is shown. */
function movePointer(slide: HTMLElement | null, by: 1 | -1): void {
  const points = [...(slide?.querySelectorAll<HTMLElement | SVGElement>('[data-point]') ?? [])];
  if (points.length === 0) return;
  const at = points.findIndex((point) => point === document.activeElement);
  const to = at < 0 ? (by === 1 ? 0 : points.length - 1) : (at + by + points.length) % points.length;
  points[to].focus();
}

export function Slide({ title, place, figure, says, now, ahead, next, previous }: Scene) {
  const { stage } = useLab();
  const slide = useRef<HTMLDivElement>(null);
  const [black, setBlack] = useState(false);
  const [qr, setQr] = useState<string | null>(null);
  const leave = (): void => stage.present(false);
  const lift = (move: (() => void) | undefined) => (): void => {
    if (black) setBlack(false);
    else if (qr !== null) setQr(null);
    else move?.();
  };
  const [goOn, goBack, escape] = [lift(next?.run), lift(previous?.run), lift(leave)];
  const toBlack = (): void => setBlack(!black);
  const openNotes = (): void =>
    void window.open(notesAddress(location), 'turnwise notes', 'popup,width=900,height=700');
  const showQr = (): void =>
    setQr(
      qr === null ? `${location.origin}${location.pathname}${location.hash.replace(/&present=1/, '')}` : null,
    );
  useNotesWindow({ title, place, now, next: ahead, black }, (act) => {
    if (act === 'black') toBlack();
    else if (act === 'next') goOn();
    else goBack();
  });
  useEffect(() => slide.current?.focus({ preventScroll: true }), []);
  /** A clicker goes on from a field too, which keeps all other keys. */
  const fromField = (event: KeyboardEvent): void => {
    const act = event.target instanceof HTMLInputElement ? event.key : '';
    if (act !== 'PageDown' && act !== 'PageUp') return;
    event.preventDefault();
    slide.current?.focus({ preventScroll: true });
    if (act === 'PageDown') goOn();
    else goBack();
  };
  useKeys([
    { key: ' ', label: 'next step', first: true, run: goOn },
    { key: 'ArrowRight', label: 'next step', first: true, run: goOn },
    { key: 'PageDown', label: 'next step', first: true, run: goOn },
    { key: ' ', shift: true, label: 'step before', first: true, run: goBack },
    { key: 'ArrowLeft', label: 'step before', first: true, run: goBack },
    { key: 'PageUp', label: 'step before', first: true, run: goBack },
    {
      key: 'ArrowDown',
      label: 'point at the next part',
      first: true,
      run: () => movePointer(slide.current, 1),
    },
    {
      key: 'ArrowUp',
      label: 'point at the part before',
      first: true,
      run: () => movePointer(slide.current, -1),
    },
    { key: 'b', label: 'black screen', first: true, run: toBlack },
    { key: 'B', label: 'black screen', first: true, run: toBlack },
    { key: '.', label: 'black screen', first: true, run: toBlack },
    { key: 'n', label: 'second window with notes', first: true, run: openNotes },
    { key: 'q', label: 'QR code of this place', first: true, run: showQr },
    { key: 'Escape', label: 'leave the presenter', first: true, run: escape },
  ]);
  return (
    <main
      className="presenter"
      ref={slide}
      tabIndex={-1}
      aria-label={`Presenter: ${title}`}
      onKeyDown={fromField}
    >
      <header className="slide-head">
        <h1>{title}</h1>
        <p className="soft">{place}</p>
      </header>
      <div className="slide-body" data-figure={figure !== null}>
        <div className="slide-says">{says}</div>
        {figure !== null && <div className="slide-figure">{figure}</div>}
      </div>
      <footer className="slide-foot">
        <button type="button" onClick={goBack} disabled={!previous}>
          ◀ {previous?.words ?? 'Back'}
        </button>
        <button type="button" className="primary" onClick={goOn} disabled={!next}>
          {next?.words ?? 'Next'} ▶
        </button>
        <span className="slide-more">
          <button type="button" onClick={toBlack}>
            Black
          </button>
          <button type="button" onClick={showQr}>
            QR
          </button>
          <button type="button" onClick={openNotes}>
            Notes
          </button>
          <button type="button" onClick={leave}>
            Leave
          </button>
        </span>
      </footer>
      {qr !== null && (
        <div className="slide-qr">
          <LazyPart name="The QR code" load={loadQr} props={{ text: qr }} />
          <button type="button" onClick={() => setQr(null)}>
            Close
          </button>
        </div>
      )}
      {black && (
        <div className="slide-black" role="status">
          <span className="visually-hidden">The screen is black. B shows it again.</span>
        </div>
      )}
    </main>
  );
}
