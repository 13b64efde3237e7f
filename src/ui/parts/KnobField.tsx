/** One setting, drawn from what the engine says of it. */
import { useId, useState } from 'react';
import type { KnobDescription, KnobValue } from '../../store/lab/knobs.ts';
import { formatSetting } from './format.ts';

export interface KnobFieldProps {
  readonly knob: KnobDescription;
  readonly value: KnobValue;
  readonly presetValue: KnobValue | undefined; // of the preset, to say what changed
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
  readonly integer: boolean;
}

/** Keeps what is typed until it is left or entered, then takes the nearest value in range. */
function NumberInput({ id, describedBy, value, min, max, integer, onChange }: NumberInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const commit = (): void => {
    const number = typed === null || typed === '' ? NaN : Number(typed);
    setTyped(null);
    if (!Number.isFinite(number)) return;
    const within = Math.min(max, Math.max(min, integer ? Math.round(number) : number));
    if (within !== value) onChange(within);
  };
  return (
    <input
      id={id}
      type="number"
      step={integer ? 1 : 'any'}
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
    case 'number':
      return <NumberInput {...props} min={range.min} max={range.max} integer={range.kind === 'integer'} />;
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
        <span role="group" aria-labelledby={`${id}-label`} className="choices">
          {range.options.map((option) => (
            <label key={option}>
              <input
                type="checkbox"
                checked={chosen.includes(option)}
                disabled={chosen.length === 1 && chosen.includes(option)}
                onChange={() => onChange(toggle(option))}
              />
              {option}
            </label>
          ))}
        </span>
      );
    }
  }
}

export function KnobField(props: KnobFieldProps) {
  const { knob, value, presetValue } = props;
  const id = useId();
  const describedBy = `${id}-help`;
  const changed = JSON.stringify(value) !== JSON.stringify(presetValue);
  return (
    <div className="knob" data-changed={changed}>
      <label htmlFor={id} id={`${id}-label`}>
        {knob.title} {knob.term && <span className="term">{knob.term}</span>}
      </label>
      <Control {...props} id={id} describedBy={describedBy} />
      <p id={describedBy} className="small soft">
        {knob.description} Preset {sayKnob(presetValue)}
        {knob.paperDefault !== null && <>, paper {sayKnob(knob.paperDefault)}</>}
        {knob.unit && <> ({knob.unit})</>}.
      </p>
    </div>
  );
}
