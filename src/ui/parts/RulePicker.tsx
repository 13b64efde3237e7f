/** Other rules on the same rollouts. */
import {
  NAMED_CREDIT,
  isAvailable,
  isValueAvailable,
  sameCredit,
  type Recredit,
} from '../../store/credit/credit.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { CreditConfig } from '../../units.ts';
import { useLab } from './binding.ts';
import { Label } from './Term.tsx';
import { ADVANTAGE_RULES, VALUE_RULES, type RuleWords } from '../credit/sentences.ts';

interface RuleSelectProps<Rule extends string> {
  readonly label: string;
  readonly rules: Readonly<Record<Rule, RuleWords>>;
  readonly value: Rule;
  readonly own: Rule | null; // the run's; null: there is none
  readonly isAvailable?: (rule: Rule) => boolean; // the run measured what it reads; absent: all are
  readonly onChange: (rule: Rule | null) => void; // null: back to the run's
}

const always = (): boolean => true;

export function RuleSelect<Rule extends string>(props: RuleSelectProps<Rule>) {
  const { label, rules, value, own, isAvailable: offered = always, onChange } = props;
  const options = Object.keys(rules) as Rule[]; // the keys are the rules
  return (
    <label>
      <Label>{label}</Label>{' '}
      <select
        value={value}
        title={rules[value].meaning}
        onChange={({ target }) => {
          const rule = options[target.selectedIndex];
          onChange(rule === own ? null : rule);
        }}
      >
        {options.map((rule) => (
          <option key={rule} value={rule} disabled={!offered(rule)}>
            {rules[rule].title}
          </option>
        ))}
      </select>
    </label>
  );
}

interface NamedCreditProps {
  readonly config: CreditConfig; // in force
  readonly onChoose: (credit: CreditConfig) => void;
}

/** The credit of methods by their names, beside each what the code calls its rule. */
export function NamedCredit({ config, onChoose }: NamedCreditProps) {
  return (
    <span className="bar named-credit" role="group" aria-label="Credit as in">
      {NAMED_CREDIT.map(({ method, title, credit }) => (
        <button
          key={method}
          type="button"
          className="small"
          aria-pressed={sameCredit(credit, config)}
          title={`Credit as ${title} gives it: ${ADVANTAGE_RULES[credit.advantageRule].symbols}`}
          onClick={() => onChoose(credit)}
        >
          <Label>{title}</Label> <code>{credit.advantageRule}</code>
        </button>
      ))}
    </span>
  );
}

interface RulePickerProps {
  readonly state: TreeState;
  readonly own: CreditConfig;
  readonly shown: Recredit;
}

export function RulePicker({ state, own, shown }: RulePickerProps) {
  const { selection } = useLab();
  const { config } = shown;
  const orOwn = <Key extends keyof CreditConfig>(credit: CreditConfig, key: Key): CreditConfig[Key] | null =>
    credit[key] === own[key] ? null : credit[key];
  return (
    <div className="bar rules" role="group" aria-label="Credit rules">
      <NamedCredit
        config={config}
        onChoose={(credit) =>
          selection.select({
            valueRule: orOwn(credit, 'valueRule'),
            advantageRule: orOwn(credit, 'advantageRule'),
            leafNormalisation: orOwn(credit, 'leafNormalisation'),
          })
        }
      />
      <RuleSelect
        label="value"
        rules={VALUE_RULES}
        value={config.valueRule}
        own={own.valueRule}
        isAvailable={(rule) => isValueAvailable(rule, state)}
        onChange={(valueRule) => selection.select({ valueRule })}
      />
      <RuleSelect
        label="advantage"
        rules={ADVANTAGE_RULES}
        value={config.advantageRule}
        own={own.advantageRule}
        isAvailable={(rule) => isAvailable(rule, own, state)}
        onChange={(advantageRule) => selection.select({ advantageRule })}
      />
      <label>
        <input
          type="checkbox"
          checked={config.leafNormalisation}
          onChange={({ target: { checked } }) =>
            selection.select({ leafNormalisation: checked === own.leafNormalisation ? null : checked })
          }
        />{' '}
        <Label>normalise leaves</Label>
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
