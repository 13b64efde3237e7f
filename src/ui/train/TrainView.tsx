/** The run as it happens: transport, curves, the batch as tiny trees, one question in words, settings. */
import { useState } from 'react';
import { methodTitle } from '../../store/lab/knobs.ts';
import { Alarms } from '../parts/Alarms.tsx';
import { BatchStrip } from '../parts/BatchStrip.tsx';
import { useLab, useOfUpdate, useRun, useSelection } from '../parts/binding.ts';
import { formatCount, formatSetting } from '../parts/format.ts';
import { Missing, useMissing } from '../parts/parts.tsx';
import { useKeys } from '../shell/keys.tsx';
import { Answer } from './Answer.tsx';
import { Curves } from './Curves.tsx';
import { Knobs } from './Knobs.tsx';
import { MethodChanges } from './MethodCard.tsx';
import { Scrubber, TransportBar } from './TransportBar.tsx';

/** Settings stay open where there is room for a third column. */
const WIDE = '(min-width: 1600px)';

function ConfigLine() {
  const header = useRun((run) => run.header);
  if (!header) return null;
  const { config, origin, parameterCount } = header;
  if (!config)
    return origin.kind === 'imported' ? (
      <p className="small soft">
        {origin.file}, read as {origin.format}
      </p>
    ) : null;
  const { algorithm, optimiser, preset, seed } = config;
  const { rollout, credit, loss } = algorithm;
  const items: readonly (readonly [string, string])[] = [
    ['method', methodTitle(algorithm.name)],
    ['preset', preset],
    ['seed', String(seed)],
    ['parameters', parameterCount === null ? 'unknown' : formatCount(parameterCount)],
    ['rollout', rollout.shape],
    ['M, L, K', `${rollout.initialBranches}, ${rollout.iterations}, ${rollout.picks}`],
    ['lr', formatSetting(optimiser.learningRate)],
    ['clip', `${formatSetting(loss.clipLow)} / ${formatSetting(loss.clipHigh)}`],
    ['ratio', loss.ratioLevel],
    ['value', credit.valueRule],
    ['advantage', credit.advantageRule],
  ];
  return (
    <>
      <dl className="config-line small">
        {items.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd className="number">{value}</dd>
          </div>
        ))}
      </dl>
      <MethodChanges config={config} />
    </>
  );
}

export function TrainView() {
  const [preview, setPreview] = useState<number | null>(null);
  const [settings, setSettings] = useState(() => matchMedia(WIDE).matches);
  const selected = useSelection((selection) => selection.prompt);
  const trees = useOfUpdate((update) => update?.trees.length ?? 0);
  const sentences = useMissing('train');
  const { selection } = useLab();
  const move = (by: number): void => {
    if (trees > 0) selection.select({ prompt: (selected + by + trees) % trees });
  };
  useKeys([
    { key: 'ArrowLeft', label: 'prompt before', run: () => move(-1) },
    { key: 'ArrowRight', label: 'prompt after', run: () => move(1) },
    { key: 's', label: 'settings', run: () => setSettings((open) => !open) },
  ]);
  return (
    <div className="train" data-settings={settings}>
      <div className="train-top">
        <TransportBar />
        <Scrubber />
        <Alarms />
      </div>
      {sentences.length > 0 ? <Missing view="train" /> : <Curves />}
      <div className="train-run">
        <BatchStrip onPreview={setPreview} />
        <Answer prompt={preview ?? selected} />
        <div className="config">
          <ConfigLine />
          <button
            type="button"
            className="small"
            aria-expanded={settings}
            aria-keyshortcuts="s"
            onClick={() => setSettings(!settings)}
          >
            Settings
          </button>
        </div>
      </div>
      {settings && <Knobs onClose={() => setSettings(false)} />}
    </div>
  );
}
