/** Why there is no live training here and what to do about it, in plain words. The recorded run goes on. */
import { useState } from 'react';
import { useLab, useTransport } from '../binding.ts';
import { factsOfThisBrowser, webgpuAdvice } from './webgpu_advice.ts';

export function EngineNotice() {
  const engine = useTransport((transport) => transport.engine);
  const { transport } = useLab();
  const [dismissed, setDismissed] = useState(false);
  if (engine.kind !== 'unavailable' || dismissed) return null;
  const { what, where, got, wanted, next } = engine.report;
  const facts = factsOfThisBrowser();
  const lacksAdapter = !facts.hasApi || /adapter/.test(got);
  return (
    <div className="notice" role="status">
      <p>
        <strong>{what}.</strong> You see a recorded run: play, step and open it as you like. To train live:{' '}
        {lacksAdapter ? webgpuAdvice(facts) : next}
      </p>
      <details className="small">
        <summary>Details</summary>
        {where}: got {got}, wanted {wanted}. {next}
      </details>
      <button type="button" className="small" onClick={transport.restartEngine}>
        Start the engine again
      </button>
      <button type="button" className="small" onClick={() => setDismissed(true)}>
        Dismiss
      </button>
    </div>
  );
}
