/** Says after the page was hidden whether training went on at its pace: a browser may slow what nobody sees. */
import { useEffect, useRef, useState } from 'react';
import { useLab } from '../binding.ts';
import { countWords, formatNumber, formatShare } from '../format.ts';
import { hiddenRate, type HiddenRate } from './hidden_rate.ts';

/** Less than this is noise between updates. */
const WORTH_SAYING = 0.1;

const finished = (updates: readonly { readonly metrics: unknown }[]): number =>
  updates.filter(({ metrics }) => metrics !== null).length;

export function HiddenNotice() {
  const { run, transport } = useLab();
  const [rate, setRate] = useState<HiddenRate | null>(null);
  const hiddenAt = useRef<number | null>(null);
  useEffect(() => {
    const changed = (): void => {
      const { updates } = run.getState();
      if (document.visibilityState === 'hidden') {
        hiddenAt.current = transport.getState().source === 'live' ? finished(updates) : null;
        return;
      }
      const first = hiddenAt.current;
      hiddenAt.current = null;
      if (first === null) return;
      // What came while hidden is still being folded: look once it is.
      setTimeout(() => {
        const { updates: now } = run.getState();
        setRate(hiddenRate(now, first, finished(now)));
      }, CATCH_UP_MS);
    };
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  }, [run, transport]);
  if (!rate || rate.slower < WORTH_SAYING) return null;
  return (
    <div className="notice" role="status">
      <p>
        <strong>The browser slowed training while this page was hidden.</strong>{' '}
        {countWords(rate.updates, 'update')} took {formatNumber(rate.hidden, 1)} s each instead of{' '}
        {formatNumber(rate.before, 1)} s: the rate dropped by {formatShare(rate.slower)}. Nothing of the run
        is lost; keep the page in a window of its own to train at full pace.
      </p>
      <button type="button" className="small" onClick={() => setRate(null)}>
        Dismiss
      </button>
    </div>
  );
}

const CATCH_UP_MS = 1000;
