/** Other rules on the same rollouts. */
import type { Recredit } from '../../store/credit.ts';
import type { AdvantageRule, CreditConfig, ValueRule } from '../../units.ts';
import { useLab } from '../binding.ts';
import { ADVANTAGE_RULES, VALUE_RULES } from './sentences.ts';

interface RulePickerProps {
  readonly own: CreditConfig;
  readonly shown: Recredit;
}

export function RulePicker({ own, shown }: RulePickerProps) {
  const { selection } = useLab();
  const { config } = shown;
  return (
    <div className="bar rules" role="group" aria-label="Credit rules">
      <label>
        value{' '}
        <select
          value={config.valueRule}
          title={VALUE_RULES[config.valueRule].meaning}
          onChange={(event) => {
            const rule = event.target.value as ValueRule; // options are the rules
            selection.select({ valueRule: rule === own.valueRule ? null : rule });
          }}
        >
          {Object.entries(VALUE_RULES).map(([rule, { title }]) => (
            <option key={rule} value={rule}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        advantage{' '}
        <select
          value={config.advantageRule}
          title={ADVANTAGE_RULES[config.advantageRule].meaning}
          onChange={(event) => {
            const rule = event.target.value as AdvantageRule; // options are the rules
            selection.select({ advantageRule: rule === own.advantageRule ? null : rule });
          }}
        >
          {Object.entries(ADVANTAGE_RULES).map(([rule, { title }]) => (
            <option key={rule} value={rule}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label>
        <input
          type="checkbox"
          checked={config.leafNormalisation}
          onChange={({ target: { checked } }) =>
            selection.select({ leafNormalisation: checked === own.leafNormalisation ? null : checked })
          }
        />{' '}
        normalise leaves
      </label>
      {shown.hypothetical && (
        <>
          <strong className="what-if-note">What-if: the run was not trained with this.</strong>
          <button
            type="button"
            onClick={() =>
              selection.select({ valueRule: null, advantageRule: null, leafNormalisation: null, whatIf: [] })
            }
          >
            Back to the run’s own
          </button>
        </>
      )}
    </div>
  );
}
