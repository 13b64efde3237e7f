/** The lecturer's second window: notes on what is projected, what comes next, and the same keys. */
import { useEffect, useRef, useState } from 'react';
import { actOf, openChannel, type Act, type Notes } from './notes_channel.ts';
import { useRememberedTheme } from '../shell/theme.ts';
import '../shell/tokens.css';
import '../shell/base.css';
import './present.css';

/** The notes as they come, and the way to move the projector. */
function useNotes() {
  const [notes, setNotes] = useState<Notes | null>(null);
  const channel = useRef<ReturnType<typeof openChannel> | null>(null);
  useEffect(() => {
    const opened = openChannel((message) => {
      if (message.kind === 'notes') setNotes(message.notes);
      if (message.kind === 'over') setNotes(null);
    });
    channel.current = opened;
    opened.say({ kind: 'hello' });
    return opened.close;
  }, []);
  return { notes, act: (act: Act): void => channel.current?.say({ kind: 'act', act }) };
}

export function NotesPage() {
  const { notes, act } = useNotes();
  useRememberedTheme();
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const isButton = event.target instanceof HTMLButtonElement && event.key === ' ';
      const asked = isButton ? null : actOf(event);
      if (!asked || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act(asked);
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  });
  useEffect(() => {
    document.title = 'Notes · Turnwise';
  }, []);
  if (!notes)
    return (
      <main className="notes">
        <h1>Notes</h1>
        <p role="status">Nothing is presented. Press P in the lab: its notes come here.</p>
      </main>
    );
  return (
    <main className="notes">
      <h1>
        {notes.title} <span className="soft">{notes.place}</span>
      </h1>
      {notes.black && <p className="notes-black">The projector is black.</p>}
      <div role="status">
        {notes.now.map((paragraph, at) => (
          <p key={at}>{paragraph}</p>
        ))}
      </div>
      <h2>Next</h2>
      <p>{notes.next}</p>
      <div className="bar">
        <button type="button" onClick={() => act('previous')}>
          ◀ Back
        </button>
        <button type="button" onClick={() => act('next')}>
          Next ▶
        </button>
        <button type="button" aria-pressed={notes.black} onClick={() => act('black')}>
          Black
        </button>
      </div>
    </main>
  );
}
