/** The two rules of a comparison, chosen side by side. */
import type { CreditConfig } from '../../units.ts';
import { useLab } from '../binding.ts';
import { RuleSelect } from '../credit/RulePicker.tsx';
import { ADVANTAGE_RULES, VALUE_RULES } from '../credit/sentences.ts';

interface RulePairProps {
  readonly own: CreditConfig; // the run's
  readonly a: CreditConfig;
  readonly b: CreditConfig;
}

export function RulePair({ own, a, b }: RulePairProps) {
  const { selection } = useLab();
  return (
    <div className="bar rule-pair">
      <fieldset>
        <legend>Rule A{a.advantageRule === own.advantageRule ? ' (the run’s)' : ''}</legend>
        <RuleSelect
          label="advantage"
          rules={ADVANTAGE_RULES}
          value={a.advantageRule}
          own={own.advantageRule}
          onChange={(advantageRule) => selection.select({ advantageRule })}
        />
        <RuleSelect
          label="value"
          rules={VALUE_RULES}
          value={a.valueRule}
          own={own.valueRule}
          onChange={(valueRule) => selection.select({ valueRule })}
        />
      </fieldset>
      <fieldset>
        <legend>Rule B</legend>
        <RuleSelect
          label="advantage"
          rules={ADVANTAGE_RULES}
          value={b.advantageRule}
          own={null}
          onChange={(againstAdvantage) => selection.select({ againstAdvantage })}
        />
        <RuleSelect
          label="value"
          rules={VALUE_RULES}
          value={b.valueRule}
          own={null}
          onChange={(againstValue) => selection.select({ againstValue })}
        />
      </fieldset>
    </div>
  );
}
