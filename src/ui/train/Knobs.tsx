/** All settings of a run, grouped, as the engine describes them; a change offers a restart. */
import { recipeOf } from '../../store/record/reading.ts';
import { useEffect, useMemo } from 'react';
import { useStore } from 'zustand';
import { withAlgorithm } from '../../store/lab/knobs.ts';
import { same } from '../../store/lab/open_run.ts';
import { forkOffer } from '../../store/lab/fork.ts';
import type { RunState } from '../../store/record/run_state.ts';
import { configWords } from '../../store/record/run_difference.ts';
import { LOADED_BY_HAND, withKernel, type RunConfig } from '../../units.ts';
import { useInspection, useLab, useRun, useSelection, useStage, useTransport } from '../parts/binding.ts';
import { settingName } from '../../store/place/stage.ts';
import { Hidable } from '../parts/parts.tsx';
import { Progress } from '../parts/Replay.tsx';
import { knobId, Problem } from '../parts/KnobField.tsx';
import { Label } from '../parts/Term.tsx';
import { ENGINE_WORDS } from '../parts/run_ground.ts';
import { formatBytes } from '../profile/ProfileTable.tsx';
import { OpenButton, useFiles } from '../runs/Files.tsx';
import { fileName, saveFile } from '../drawing/save_file.ts';
import { EditedLine } from '../shell/Notices.tsx';
import { MethodCard, MethodChanges } from './MethodCard.tsx';
import { SettingsList } from './SettingsList.tsx';

// What the settings on screen need of the device's memory, or why they would not run; asked anew for each change.

export function FootprintLine({ config }: { readonly config: RunConfig }) {
  const engine = useTransport((state) => state.engine.kind);
  const footprint = useInspection((state) => state.footprint);
  const { inspection } = useLab();
  useEffect(() => {
    if (engine === 'ready') inspection.estimate(config);
  }, [inspection, config, engine]);
  if (!footprint || !same(footprint.config, config)) return null;
  const { bytes, problem } = footprint;
  if (problem)
    return (
      <p className="small footprint" data-fits="false" role="status">
        <Problem problem={problem} />
      </p>
    );
  if (bytes === null) return null;
  return (
    <p className="small soft footprint" data-fits="true">
      Needs at most <span className="number">{formatBytes(bytes)}</span> of device memory.
    </p>
  );
}

/** What the knobs show: the draft, else the run on screen, else the first preset. */
function useConfig(): RunConfig | null {
  const draft = useTransport((transport) => transport.draft);
  const asked = useTransport((transport) => (transport.source === 'live' ? transport.asked : null));
  const shown = useRun(recipeOf);
  const first = useRun((run) => run.ready?.presets[0]?.config ?? null);
  return draft ?? shown ?? asked ?? first;
}

function Pickers({ config }: { readonly config: RunConfig }) {
  const ready = useRun((run) => run.ready);
  const { transport } = useLab();
  if (!ready) return null;
  const { presets, algorithms } = ready;
  const method = algorithms.find(({ name }) => name === config.algorithm.name);
  const pickPreset = (name: string): void =>
    transport.setDraft(presets.find((preset) => preset.name === name)?.config ?? null);
  const pickAlgorithm = (name: string): void => {
    const chosen = algorithms.find((algorithm) => algorithm.name === name)?.config;
    const scale = presets.find((preset) => preset.name === config.preset)?.scale;
    if (chosen && scale) transport.setDraft(withAlgorithm(config, chosen, scale));
  };
  return (
    <div className="pickers">
      <Hidable name="preset">
        <label>
          <Label>Preset</Label>
          <select value={config.preset} onChange={(event) => pickPreset(event.target.value)}>
            {presets.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
      </Hidable>
      <Hidable name="algorithm">
        <label>
          Algorithm
          <select
            id={knobId('algorithm.name')}
            value={config.algorithm.name}
            onChange={(event) => pickAlgorithm(event.target.value)}
          >
            {[...new Set(algorithms.map(({ family }) => family))].map((family) => (
              <optgroup key={family} label={family}>
                {algorithms
                  .filter((algorithm) => algorithm.family === family)
                  .map(({ name, title }) => (
                    <option key={name} value={name}>
                      {title}
                    </option>
                  ))}
              </optgroup>
            ))}
          </select>
        </label>
      </Hidable>
      {method && <MethodCard method={method} />}
      <MethodChanges config={config} />
      <EditedLine edit={config.editedKernel} />
      {config.editedKernel && (
        <button type="button" className="small" onClick={() => transport.setDraft(withKernel(config, null))}>
          Take the edited kernel out
        </button>
      )}
      <p className="small soft">{presets.find(({ name }) => name === config.preset)?.description}</p>
      <Hidable name="weights">
        <StartingWeights config={config} />
      </Hidable>
    </div>
  );
}

// What the policy starts from.

const WEIGHTS = '.safetensors';

/** Those of the presets of this environment, and the one at hand. */
const warmStarts = (ready: RunState['ready'], { environment, weights }: RunConfig): readonly string[] => {
  const known = (ready?.presets ?? []).filter((preset) => preset.config.environment === environment);
  const files = [...known.map((preset) => preset.config.weights), weights];
  return [...new Set(files.filter((file) => file !== null))];
};

function StartingWeights({ config }: { readonly config: RunConfig }) {
  const { files, transport } = useLab();
  const loaded = useFiles((state) => state.loaded);
  const canSave = useTransport(({ source, engine }) => source === 'live' && engine.kind === 'ready');
  const ready = useRun((run) => run.ready);
  const hasWeights = useRun(({ status }) => status !== 'failed' && status !== 'preparing');
  const { weights } = config;
  const save = async (): Promise<void> => {
    const file = await files.saveWeights();
    if (file) saveFile(fileName(configWords(config, ready), 'safetensors'), file, 'application/octet-stream');
  };
  return (
    <div className="starting-weights">
      <label>
        Warm start
        <select
          id={knobId('weights')}
          value={weights ?? ''}
          onChange={({ target }) =>
            transport.setDraft({ ...config, weights: target.value === '' ? null : target.value })
          }
        >
          <option value="">none: random parameters</option>
          {warmStarts(ready, config).map((file) => (
            <option key={file} value={file}>
              {file === LOADED_BY_HAND ? (loaded ?? 'a file that was opened by hand') : file}
            </option>
          ))}
        </select>
      </label>
      <OpenButton accept={WEIGHTS} onFile={(file) => void files.loadWeights(file, config)}>
        Load weights
      </OpenButton>
      <button type="button" className="small" disabled={!canSave || !hasWeights} onClick={() => void save()}>
        Save weights
      </button>
    </div>
  );
}

/** Goes on from the update on screen as a new run, with the changes. */
function ForkNow({ draft }: { readonly draft: RunConfig }) {
  const { run, fork } = useLab();
  const selected = useSelection(({ update }) => update);
  const engine = useTransport((state) => state.engine.kind);
  const newest = useRun(({ updates }) => updates.findLast(({ ended }) => ended)?.update ?? 0); // what the offer depends on
  const job = useStore(useLab().replays, (state) => state.job);
  const offer = newest === 0 ? null : forkOffer(run.getState(), selected, draft);
  if (!offer) return null;
  const { update, fixed } = offer;
  return (
    <>
      <button
        type="button"
        disabled={engine !== 'ready' || fixed.length > 0 || job !== null}
        onClick={() => void fork(draft, update)}
      >
        Fork now, after update {update}
      </button>
      <Progress kind="weights" />
      {fixed.length > 0 && (
        <ul className="small">
          {fixed.map(({ path, why }) => (
            <li key={path}>
              <code>{path}</code> cannot change at a fork: {why}.
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function DraftActions() {
  const draft = useTransport((transport) => transport.draft);
  const engine = useTransport((transport) => transport.engine);
  const live = useTransport(({ source }) => source === 'live');
  const { transport } = useLab();
  if (!draft) return null;
  return (
    <div className="draft-actions" role="status">
      <ForkNow draft={draft} />
      <button
        type="button"
        className="primary"
        disabled={engine.kind !== 'ready'}
        onClick={transport.restart}
      >
        {live ? 'Start again with the same seed' : 'Restart with this'}
      </button>
      <button type="button" onClick={() => transport.setDraft(null)}>
        Undo changes
      </button>
      {engine.kind !== 'ready' && (
        <p className="small">
          {engine.kind === 'unavailable' ? 'Training needs WebGPU.' : ENGINE_WORDS[engine.kind]}
        </p>
      )}
    </div>
  );
}

export function Knobs({ onClose }: { readonly onClose: () => void }) {
  const config = useConfig();
  const ready = useRun((run) => run.ready);
  const hidden = useStage((stage) => stage.hidden);
  const listed = useMemo(
    () => ready && { ...ready, knobs: ready.knobs.filter(({ path }) => !hidden.includes(settingName(path))) },
    [ready, hidden],
  );
  return (
    <aside className="knobs" aria-label="Settings">
      <div className="section-head">
        <h2>Settings</h2>
        <button type="button" className="quiet small" onClick={onClose}>
          Close
        </button>
      </div>
      <DraftActions />
      {config && <FootprintLine config={config} />}
      {!ready && (
        <p className="small soft">The engine lists its settings here once it has started; it needs WebGPU.</p>
      )}
      {config && listed && (
        <SettingsList config={config} ready={listed}>
          <Pickers config={config} />
        </SettingsList>
      )}
    </aside>
  );
}
