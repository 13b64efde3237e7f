/** What is on screen: a live run, the recorded one, or the recorded one because there is no WebGPU. */
import { useLab, useRun, useTransport } from '../binding.ts';
import { factsOfThisBrowser, webgpuAdvice } from './webgpu_advice.ts';

function useAdapterName(): string {
  return useRun((run) => {
    const adapter = run.ready?.adapter ?? run.header?.adapter;
    if (!adapter) return 'this machine';
    const name = adapter.description || [adapter.vendor, adapter.architecture].filter(Boolean).join(' ');
    return adapter.software ? `${name || 'CPU'} (software)` : name || 'GPU';
  });
}

export function SourceBadge() {
  const source = useTransport((transport) => transport.source);
  const engine = useTransport((transport) => transport.engine);
  const stopped = useRun((run) => run.status === 'failed');
  const life = useTransport((transport) => transport.life);
  const adapter = useAdapterName();
  const { transport } = useLab();
  const liveWords = stopped ? '○ Live run stopped' : `● Live on ${adapter}`;
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
        </div>
      </details>
    );
  if (engine.kind === 'unavailable')
    return (
      <details className="badge" data-kind="none">
        <summary title="Recorded run · no WebGPU here">Recorded run · no WebGPU here</summary>
        <div className="popover">
          <p>{engine.report.what}. The recorded run works in full: play, step and inspect it.</p>
          <p>To train live: {webgpuAdvice(factsOfThisBrowser())}</p>
        </div>
      </details>
    );
  const words =
    engine.kind === 'ready'
      ? 'Recorded run · Play trains live'
      : life === 'well'
        ? 'Recorded run · engine starting'
        : 'Recorded run · engine does not answer';
  return (
    <details className="badge" data-kind="recorded">
      <summary title={words}>{words}</summary>
      <div className="popover">
        <p>
          A run recorded earlier{engine.kind === 'ready' ? '' : ', shown while the GPU programs compile'}.
          Press Play to train a new one on {adapter}.
        </p>
      </div>
    </details>
  );
}
