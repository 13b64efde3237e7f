/** One setting, drawn from what the engine says of it. */
import { useState } from 'react';
import type { KnobDescription, KnobValue } from '../../store/lab/knobs.ts';
import type { ErrorReport } from '../../units.ts';
import { formatSetting } from './format.ts';
import { Label } from './Term.tsx';

export interface KnobFieldProps {
  readonly knob: KnobDescription;
  readonly value: KnobValue;
  readonly presetValue: KnobValue | undefined; // of the preset, to say what changed
  readonly problem?: ErrorReport | null; // why no run could start with this value
  readonly isCurrent?: boolean; // the search stands on it
  readonly onChange: (value: KnobValue) => void;
}

export function sayKnob(value: KnobValue | null | undefined): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number') return formatSetting(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return typeof value === 'string' ? value : value.join(', ');
}

interface NumberInputProps extends KnobFieldProps {
  readonly id: string;
  readonly describedBy: string;
  readonly min: number;
  readonly max: number;
  readonly step: number | null; // null: any number
}

/** The control of a setting in the page: its rows are there once. */
export const knobId = (path: string): string => `setting-${path.replaceAll('.', '-')}`;

/** Keeps what is typed until it is left or entered, then takes the nearest value in range. */
function NumberInput({ id, describedBy, value, min, max, step, onChange }: NumberInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const commit = (): void => {
    const number = typed === null || typed === '' ? NaN : Number(typed);
    setTyped(null);
    if (!Number.isFinite(number)) return;
    const whole = step === null ? number : Math.round(number / step) * step;
    const within = Math.min(max, Math.max(min, whole));
    if (within !== value) onChange(within);
  };
  return (
    <input
      id={id}
      type="number"
      step={step ?? 'any'}
      min={min}
      max={max}
      value={typed ?? String(value)}
      aria-describedby={describedBy}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
    />
  );
}

function Control(props: KnobFieldProps & { readonly id: string; readonly describedBy: string }) {
  const { knob, value, onChange, id, describedBy } = props;
  const { range } = knob;
  switch (range.kind) {
    case 'integer':
      return <NumberInput {...props} min={range.min} max={range.max} step={range.multipleOf ?? 1} />;
    case 'number':
      return <NumberInput {...props} min={range.min} max={range.max} step={null} />;
    case 'switch':
      return (
        <input
          id={id}
          type="checkbox"
          checked={value === true}
          aria-describedby={describedBy}
          onChange={(event) => onChange(event.target.checked)}
        />
      );
    case 'choice':
      return (
        <select
          id={id}
          value={value as string}
          aria-describedby={describedBy}
          onChange={(event) => onChange(event.target.value)}
        >
          {range.options.map((option, index) => (
            <option key={option} value={option}>
              {range.titles?.[index] ?? option}
            </option>
          ))}
        </select>
      );
    case 'choices': {
      const chosen = value as readonly string[];
      const toggle = (option: string): readonly string[] =>
        range.options.filter((other) =>
          other === option ? !chosen.includes(option) : chosen.includes(other),
        );
      return (
        <span role="group" id={id} tabIndex={-1} aria-labelledby={`${id}-label`} className="choices">
          {range.options.map((option) => (
            <label key={option}>
              <input
                type="checkbox"
                checked={chosen.includes(option)}
                disabled={chosen.length === 1 && chosen.includes(option)}
                onChange={() => onChange(toggle(option))}
              />
              <Label>{option}</Label>
            </label>
          ))}
        </span>
      );
    }
  }
}

/** In five parts, as the engine says it. */
export const Problem = ({ problem }: { readonly problem: ErrorReport }) => (
  <span className="knob-problem">
    <strong>{problem.what}</strong> ({problem.where}): {problem.got}, wanted {problem.wanted}. {problem.next}
  </span>
);

export function KnobField(props: KnobFieldProps) {
  const { knob, value, presetValue, problem = null, isCurrent = false } = props;
  const id = knobId(knob.path);
  const describedBy = `${id}-help`;
  const changed = JSON.stringify(value) !== JSON.stringify(presetValue);
  return (
    <div className="knob" data-changed={changed} data-current={isCurrent} data-bad={problem !== null}>
      <label htmlFor={knob.range.kind === 'choices' ? undefined : id} id={`${id}-label`}>
        <Label>{knob.title}</Label> {knob.term && <span className="term">{knob.term}</span>}
      </label>
      <Control {...props} id={id} describedBy={describedBy} />
      <p id={describedBy} className="small soft">
        {knob.description} Preset {sayKnob(presetValue)}
        {knob.paperDefault !== null && <>, paper {sayKnob(knob.paperDefault)}</>}
        {knob.unit && <> ({knob.unit})</>}.{problem && <Problem problem={problem} />}
      </p>
    </div>
  );
}
