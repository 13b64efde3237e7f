/** A new experiment: methods, or values of one setting, on a task, with so many seeds. As it stands it can be started. */
import { useState, type ReactNode } from 'react';
import {
  CURRENCY_NAMES,
  CURRENCY_UNITS,
  experimentOf,
  FIRST_DRAFT,
  isCurrency,
  USUAL_AMOUNT,
  valuesOf,
  type ExperimentDraft,
} from '../../store/experiment/draft.ts';
import type { Experiments } from '../../store/experiment/experiments.ts';
import { reportOf } from '../../store/experiment/held.ts';
import type { AlgorithmDescription } from '../../store/lab/knobs.ts';
import type { ErrorReport } from '../../units.ts';
import { useRun, useTransport } from '../parts/binding.ts';
import { countWords } from '../parts/format.ts';
import { Reports } from '../parts/parts.tsx';
import { Label } from '../parts/Term.tsx';

const MOST_SEEDS = 50;
const MOST_QUESTIONS = 1000;

function Field({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <label className="new-field">
      <span className="small soft">
        <Label>{label}</Label>
      </span>
      {children}
    </label>
  );
}

interface WholeProps {
  readonly label: string;
  readonly value: number;
  readonly most: number;
  readonly onChange: (value: number) => void;
}

function Whole({ label, value, most, onChange }: WholeProps) {
  return (
    <Field label={label}>
      <input
        type="number"
        min={1}
        max={most}
        step={1}
        value={Number.isNaN(value) ? '' : value}
        onChange={({ target }) => onChange(target.valueAsNumber)}
      />
    </Field>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, title: string])[];
  readonly onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <Field label={label}>
      <select value={value} onChange={({ target }) => onChange(target.value)}>
        {options.map(([own, title]) => (
          <option key={own} value={own}>
            {title}
          </option>
        ))}
      </select>
    </Field>
  );
}

interface PartProps {
  readonly draft: ExperimentDraft;
  readonly onChange: (change: Partial<ExperimentDraft>) => void;
}

const titlesOf = (algorithms: readonly AlgorithmDescription[]) =>
  algorithms.map(({ name, title }) => [name, title] as const);

interface ChoiceListProps {
  readonly labels: readonly [first: string, others: string];
  readonly values: readonly string[]; // each once
  readonly options: ChoiceProps['options'];
  readonly none?: string; // what the first says where there are no values; absent: there always are
  readonly fewest: number; // more can be left out again
  readonly more: string;
  readonly onChange: (values: readonly string[]) => void;
}

/** Several of some options, in an order. */
function ChoiceList({ labels, values, options, none, fewest, more, onChange }: ChoiceListProps) {
  const untaken = options.filter(([name]) => !values.includes(name));
  const put = (at: number, name: string): void =>
    onChange(name === '' ? [] : values.length === 0 ? [name] : values.with(at, name));
  return (
    <>
      {(values.length === 0 ? [''] : values).map((value, at) => (
        <span key={value} className="bar">
          <Choice
            label={labels[at === 0 ? 0 : 1]}
            value={value}
            options={[
              ...(at === 0 && none !== undefined ? [['', none] as const] : []),
              ...options.filter((option) => option[0] === value || untaken.includes(option)),
            ]}
            onChange={(name) => put(at, name)}
          />
          {values.length > fewest && (
            <button
              type="button"
              className="small quiet"
              aria-label={`Leave ${value} out`}
              onClick={() => onChange(values.filter((each) => each !== value))}
            >
              ×
            </button>
          )}
        </span>
      ))}
      {values.length > 0 && untaken.length > 0 && (
        <button type="button" className="small" onClick={() => onChange([...values, untaken[0][0]])}>
          {more}
        </button>
      )}
    </>
  );
}

function Setting({
  draft: { method, path, values },
  onChange,
  algorithms,
}: PartProps & { readonly algorithms: readonly AlgorithmDescription[] }) {
  const knobs = useRun(({ ready }) => ready?.knobs ?? null) ?? [];
  const { range, paperDefault } = knobs.find((knob) => knob.path === path) ?? {};
  const usual = (own: string): string => {
    const knob = knobs.find((each) => each.path === own);
    if (knob?.range.kind === 'choice') return knob.range.options.slice(0, 2).join(', ');
    return knob?.range.kind === 'switch' ? 'true, false' : '';
  };
  const what =
    range?.kind === 'choice'
      ? `some of ${range.options.join(', ')}`
      : range?.kind === 'integer' || range?.kind === 'number'
        ? `numbers from ${range.min} to ${range.max}${paperDefault === null ? '' : `; the paper’s is ${String(paperDefault)}`}`
        : 'true, false';
  return (
    <>
      <Choice label="Method" value={method} options={titlesOf(algorithms)} onChange={(name) => onChange({ method: name })} />
      <Choice
        label="Setting"
        value={path}
        options={knobs.filter(({ range: { kind } }) => kind !== 'choices').map((knob) => [knob.path, knob.title] as const)}
        onChange={(own) => onChange({ path: own, values: usual(own) })}
      />
      <Field label={`Values, with commas: ${what}`}>
        <input type="text" className="new-values" value={values} onChange={({ target }) => onChange({ values: target.value })} />
      </Field>
    </>
  ); // prettier-ignore
}

/** @param onStarted told the experiment's id */
export function NewExperiment({
  experiments,
  onStarted,
}: {
  readonly experiments: Experiments;
  readonly onStarted: (id: string) => void;
}) {
  const ready = useRun((run) => run.ready);
  const engine = useTransport((transport) => transport.engine);
  const [draft, setDraft] = useState(FIRST_DRAFT);
  const [refusal, setRefusal] = useState<ErrorReport | null>(null);
  if (engine.kind === 'unavailable' || !ready)
    return (
      <section className="panel" aria-label="New experiment">
        <h2>New experiment</h2>
        <p>
          {engine.kind === 'unavailable'
            ? `No experiment is trained here: ${engine.report.what}. Those that are listed can be read, and files opened.`
            : 'The engine is starting …'}
        </p>
      </section>
    );
  const { presets, algorithms, environments } = ready;
  const preset = presets.find(({ name }) => name === draft.preset) ?? presets[0];
  const datasets = environments.find(({ name }) => name === preset.config.environment)?.datasets ?? [];
  const change = (part: Partial<ExperimentDraft>): void => {
    setRefusal(null);
    setDraft((old) => ({ ...old, ...part }));
  };
  const arms = (draft.compares === 'methods' ? draft.methods : valuesOf(draft)).length;
  const count = arms * Math.max(1, draft.datasets.length);
  const start = (): void => {
    const begin = async (): Promise<string> => experiments.start(experimentOf(draft));
    begin().then(onStarted, (error: unknown) => setRefusal(reportOf(error, 'The experiment cannot start')));
  };
  return (
    <section className="panel" aria-label="New experiment">
      <h2>New experiment</h2>
      <form
        className="new-experiment"
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <div className="bar" role="group" aria-label="What is compared">
          {(['methods', 'setting'] as const).map((kind) => (
            <button
              key={kind}
              type="button"
              className="small"
              aria-pressed={draft.compares === kind}
              onClick={() => change({ compares: kind })}
            >
              {kind === 'methods' ? 'Methods' : 'Values of a setting'}
            </button>
          ))}
        </div>
        {draft.compares === 'methods' ? (
          <ChoiceList
            labels={['Method', 'against']}
            values={draft.methods}
            options={titlesOf(algorithms)}
            fewest={2}
            more="Another method"
            onChange={(methods) => change({ methods })}
          />
        ) : (
          <Setting draft={draft} onChange={change} algorithms={algorithms} />
        )}
        <Choice
          label="Preset"
          value={preset.name}
          options={presets.map(({ name, title }) => [name, title] as const)}
          onChange={(name) => change({ preset: name, datasets: [] })}
        />
        <ChoiceList
          labels={['Questions', 'and, as a task of its own,']}
          values={draft.datasets}
          options={datasets.map((name) => [name, name] as const)}
          none="the preset’s own"
          fewest={1}
          more="Another task"
          onChange={(names) => change({ datasets: names })}
        />
        <div className="new-row">
          <Whole
            label="Seeds"
            value={draft.seeds}
            most={MOST_SEEDS}
            onChange={(seeds) => change({ seeds })}
          />
          <Whole
            label="Budget of a run"
            value={draft.amount}
            most={1e9}
            onChange={(amount) => change({ amount })}
          />
          <Choice
            label="in"
            value={draft.by}
            options={CURRENCY_NAMES.map((name) => [name, CURRENCY_UNITS[name]] as const)}
            onChange={(by) => isCurrency(by) && change({ by, amount: USUAL_AMOUNT[by] })}
          />
        </div>
        <details className="small">
          <summary>Held-out questions, and what counts as equal</summary>
          <Whole
            label="Held-out questions"
            value={draft.questions}
            most={MOST_QUESTIONS}
            onChange={(questions) => change({ questions })}
          />
          <Field label="Equal within ± (exact match, 0 to 1; empty: equal is no answer)">
            <input
              type="number"
              min={0}
              max={1}
              step="any"
              value={draft.equalWithin ?? ''}
              onChange={({ target }) =>
                change({ equalWithin: target.value === '' ? null : target.valueAsNumber })
              }
            />
          </Field>
        </details>
        <div className="bar">
          <button type="submit" className="primary">
            Start
          </button>
          <p className="small soft">
            {countWords(count * (draft.seeds || 0), 'run')}, one after another, in the background
          </p>
        </div>
        {refusal && <Reports reports={[refusal]} />}
      </form>
    </section>
  );
}
