/** Controls of the question who would have been expanded under another α, K or rule. */
import type { ExpansionRule } from '../../store/credit/expansion_what_if.ts';
import { Label } from '../parts/Term.tsx';

interface ExpansionControlsProps {
  readonly own: ExpansionRule; // the run's
  readonly rule: ExpansionRule;
  readonly onChange: (rule: ExpansionRule | null) => void; // null: the run's own again
}

export function ExpansionControls({ own, rule, onChange }: ExpansionControlsProps) {
  const changed =
    rule.siblingPenalty !== own.siblingPenalty ||
    rule.picks !== own.picks ||
    rule.expansion !== own.expansion;
  return (
    <div className="bar small" role="group" aria-label="What if">
      <span className="heading">What if</span>
      <label>
        <Label>α</Label>{' '}
        <input
          type="number"
          min={0}
          max={10}
          step={0.01}
          value={rule.siblingPenalty}
          onChange={(event) =>
            onChange({ ...rule, siblingPenalty: Math.max(0, event.target.valueAsNumber || 0) })
          }
        />
      </label>
      <label>
        <Label>K</Label>{' '}
        <input
          type="number"
          min={1}
          max={64}
          value={rule.picks}
          onChange={(event) =>
            onChange({ ...rule, picks: Math.max(1, Math.round(event.target.valueAsNumber || 1)) })
          }
        />
      </label>
      <label>
        rule{' '}
        <select
          value={rule.expansion}
          onChange={(event) => onChange({ ...rule, expansion: event.target.value as 'entropy' | 'random' })}
        >
          <option value="entropy">surprisal</option>
          <option value="random">random</option>
        </select>
      </label>
      {changed && (
        <button type="button" onClick={() => onChange(null)}>
          as run
        </button>
      )}
    </div>
  );
}
