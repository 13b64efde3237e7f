/** Who of the engine gives no sign for a while, in plain words, and the ways out. It goes when the sign comes. */
import { useLab, useTransport } from '../binding.ts';

const WORDS = {
  'adapter-silent': {
    what: 'The browser has not given a graphics adapter for 20 s',
    why: 'The page goes on waiting. If it stays so, close other tabs that use the graphics card, or restart the browser: a program that never ends can hold its graphics process.',
  },
  'device-silent': {
    what: 'The graphics device has not answered for 30 s',
    why: 'A slow device may need that for a large mini-batch, and the run then goes on by itself. An edited kernel with a loop that does not end never answers.',
  },
  'worker-silent': {
    what: 'The engine has shown no sign of life for 20 s',
    why: 'It is busy or stuck, and goes on by itself if it is busy. What is on screen stays either way.',
  },
} as const;

export function LifeNotice() {
  const life = useTransport((state) => state.life);
  const isLive = useTransport((state) => state.source === 'live');
  const { transport } = useLab();
  if (life === 'well' || life === 'ended') return null; // what ended is an error, with a banner of its own
  const { what, why } = WORDS[life];
  return (
    <div className="notice" role="status">
      <p>
        <strong>{what}.</strong> {why}
      </p>
      {life === 'device-silent' ? (
        <button type="button" className="small" onClick={transport.giveUpDevice}>
          Give the device up
        </button>
      ) : (
        <button type="button" className="small" onClick={transport.restartEngine}>
          Start the engine again
        </button>
      )}
      {isLive && (
        <button type="button" className="small" onClick={transport.replay}>
          Show the recorded run
        </button>
      )}
    </div>
  );
}
