/** The settings as rows: searched, the few or all of them, and on top those that are not the preset's. */
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import {
  changedSettings,
  isFound,
  isRead,
  methodTitle,
  readKnob,
  withAlgorithm,
  writeKnob,
  type ChangedSetting,
  type KnobDescription,
  type KnobValue,
} from '../../store/lab/knobs.ts';
import { same } from '../../store/lab/open_run.ts';
import { settingTitle } from '../../store/record/run_difference.ts';
import { presetConfigs } from '../../store/record/run_name.ts';
import type { RunState } from '../../store/record/run_state.ts';
import type { RunConfig } from '../../units.ts';
import { useInspection, useLab } from '../parts/binding.ts';
import { countWords } from '../parts/format.ts';
import { KnobField, knobId, sayKnob } from '../parts/KnobField.tsx';
import { Label } from '../parts/Term.tsx';

type Ready = NonNullable<RunState['ready']>;

const GROUPS: readonly (readonly [prefix: string, title: string])[] = [
  ['model', 'Model'],
  ['algorithm.rollout', 'Rollout'],
  ['algorithm.reward', 'Reward'],
  ['algorithm.filter', 'Groups'],
  ['algorithm.credit', 'Credit'],
  ['algorithm.loss', 'Loss'],
  ['optimiser', 'Optimiser'],
  ['evaluation', 'Evaluation'],
  ['', 'Run'],
];

const groupOf = ({ path }: KnobDescription): string =>
  GROUPS.find(([prefix]) => prefix !== '' && path.startsWith(`${prefix}.`))?.[1] ?? 'Run';

const byGroup = (knobs: readonly KnobDescription[]) =>
  GROUPS.map(([, title]) => ({ title, rows: knobs.filter((knob) => groupOf(knob) === title) })).filter(
    ({ rows }) => rows.length > 0,
  );

/** What the chosen preset says, with its own method and under the one that was chosen; null where it is not known. */
function presetOf(ready: Ready, { preset, algorithm }: RunConfig) {
  const config = ready.presets.find(({ name }) => name === preset)?.config;
  if (!config) return null;
  const name = { preset, seed: config.seed, method: algorithm.name };
  return { config, own: presetConfigs(ready, name).at(-1) ?? config };
}

/** A configuration with one setting as its preset has it. */
function withoutChange(ready: Ready, config: RunConfig, { path, own }: ChangedSetting): RunConfig {
  if (path === 'weights') return { ...config, weights: own as string | null };
  if (path !== 'algorithm.name') return own === null ? config : writeKnob(config, path, own);
  const method = ready.algorithms.find(({ name }) => name === own)?.config;
  const scale = ready.presets.find(({ name }) => name === config.preset)?.scale;
  return method && scale ? withAlgorithm(config, method, scale) : config;
}

const sayChange = (path: string, value: KnobValue | null): string =>
  path === 'algorithm.name' && typeof value === 'string' ? methodTitle(value) : sayKnob(value);

interface ChangedProps {
  readonly changes: readonly ChangedSetting[];
  readonly ready: Ready;
  readonly onShow: (path: string) => void;
  readonly onReset: (change: ChangedSetting) => void;
}

function Changed({ changes, ready, onShow, onReset }: ChangedProps) {
  const id = useId();
  if (changes.length === 0) return null;
  return (
    <section className="changed-settings" aria-labelledby={id}>
      <h3 id={id} className="heading">
        <Label>Changed from the preset</Label>
      </h3>
      <ul>
        {changes.map((change) => {
          const title = settingTitle(ready, change.path);
          return (
            <li key={change.path}>
              <button type="button" className="quiet small" onClick={() => onShow(change.path)}>
                {title}
              </button>{' '}
              <span className="number">{sayChange(change.path, change.value)}</span>{' '}
              <span className="small soft">preset {sayChange(change.path, change.own)}</span>
              <button
                type="button"
                className="small"
                aria-label={`Reset ${title}`}
                onClick={() => onReset(change)}
              >
                Reset
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const ALL_KEY = 'turnwise-all-settings';

/** Whether all settings are shown; remembered where the browser lets it. */
function useShowsAll() {
  const [isAll, setAll] = useState(() => {
    try {
      return localStorage.getItem(ALL_KEY) === 'yes';
    } catch {
      return false;
    }
  });
  const choose = (next: boolean): void => {
    setAll(next);
    try {
      localStorage.setItem(ALL_KEY, next ? 'yes' : 'no');
    } catch {
      // storage is blocked: the choice lasts as long as the panel
    }
  };
  return [isAll, choose] as const;
}

interface SearchProps {
  readonly search: string;
  readonly found: readonly KnobDescription[];
  readonly current: number; // among those found; −1 none
  readonly onSearch: (search: string) => void;
  readonly onMove: (current: number) => void;
}

/** ↓ and ↑ walk through what was found, Enter goes there, Esc empties the field. */
function Search({ search, found, current, onSearch, onMove }: SearchProps) {
  const id = useId();
  const move = (to: number): void => {
    onMove(to);
    document.getElementById(knobId(found[to].path))?.closest('.knob')?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { length } = found;
    if (event.key === 'Escape' && search !== '') onSearch('');
    else if (event.key === 'ArrowDown' && length > 0) move((current + 1) % length);
    else if (event.key === 'ArrowUp' && length > 0) move((Math.max(current, 0) - 1 + length) % length);
    else if (event.key === 'Enter' && length > 0)
      document.getElementById(knobId(found[Math.max(current, 0)].path))?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const at = found[current];
  return (
    <div className="settings-search">
      <input
        type="search"
        aria-label="Search the settings"
        aria-describedby={id}
        placeholder="Search: title, term, path"
        value={search}
        onChange={({ target }) => onSearch(target.value)}
        onKeyDown={onKeyDown}
      />
      <p id={id} className="small soft" role="status">
        {at
          ? `${at.title}, ${current + 1} of ${found.length}; Enter goes there`
          : search !== '' && `${countWords(found.length, 'setting')} found`}
      </p>
    </div>
  );
}

interface SettingsListProps {
  readonly config: RunConfig;
  readonly ready: Ready;
  readonly children: ReactNode; // what is above the rows unless they are searched
}

export function SettingsList({ config, ready, children }: SettingsListProps) {
  const { transport } = useLab();
  const footprint = useInspection((state) => state.footprint);
  const [search, setSearch] = useState('');
  const [current, setCurrent] = useState(-1);
  const [isAll, setAll] = useShowsAll();
  const list = useRef<HTMLDivElement>(null);
  const preset = presetOf(ready, config);
  const read = ready.knobs.filter(
    (knob) => isRead(config, knob) && readKnob(config, knob.path) !== undefined,
  );
  const isSearched = search.trim() !== '';
  const groups = byGroup(
    read.filter((knob) => (isSearched ? isFound(knob, search.trim()) : isAll || knob.basic)),
  );
  const rows = groups.flatMap((group) => group.rows);
  const changes = preset ? changedSettings(config, preset.own, preset.config, ready.knobs) : [];
  const problem = footprint && same(footprint.config, config) ? footprint.problem : null;
  const find = (next: string): void => {
    setSearch(next);
    setCurrent(-1);
  };
  /** Focuses a setting's row, one that is not shown too. */
  const show = (path: string): void => {
    find('');
    if (ready.knobs.some((knob) => knob.path === path && !knob.basic)) setAll(true);
    requestAnimationFrame(() => document.getElementById(knobId(path))?.focus());
  };
  const reset = (change: ChangedSetting): void => {
    transport.setDraft(withoutChange(ready, config, change));
    list.current?.focus(); // its button is gone
  };
  return (
    <>
      <div className="settings-tools">
        <Search
          search={search}
          found={isSearched ? rows : []}
          current={current}
          onSearch={find}
          onMove={setCurrent}
        />
        <div className="bar" role="group" aria-label="Settings shown">
          <button type="button" className="small" aria-pressed={!isAll} onClick={() => setAll(false)}>
            Basic
          </button>
          <button type="button" className="small" aria-pressed={isAll} onClick={() => setAll(true)}>
            All {read.length}
          </button>
        </div>
      </div>
      <div
        ref={list}
        className="knob-list"
        tabIndex={0}
        role="group"
        aria-label={isAll ? 'All settings' : 'Basic settings'}
      >
        {!isSearched && <Changed changes={changes} ready={ready} onShow={show} onReset={reset} />}
        {!isSearched && children}
        {groups.map(({ title, rows: knobs }) => (
          <fieldset key={title}>
            <legend className="heading">
              <Label>{title}</Label>
            </legend>
            {knobs.map((knob) => (
              <KnobField
                key={knob.path}
                knob={knob}
                value={readKnob(config, knob.path) ?? ''}
                presetValue={preset ? readKnob(preset.own, knob.path) : undefined}
                problem={problem && problem.where.replace(/^config\./, '') === knob.path ? problem : null}
                isCurrent={rows[current]?.path === knob.path}
                onChange={(next) => transport.setDraft(writeKnob(config, knob.path, next))}
              />
            ))}
          </fieldset>
        ))}
      </div>
    </>
  );
}
