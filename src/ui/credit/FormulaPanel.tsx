/** The formula of the current step: in symbols, and with its live numbers, each linked to its node. */
import type { CreditFrame, FormulaPart, StepperStep } from '../../store/credit_steps.ts';
import { useLab, useSelection } from '../binding.ts';
import { formatCredit, formatNumber } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';
import { symbolsOf } from './sentences.ts';

function Part({ part, before }: { readonly part: FormulaPart; readonly before: FormulaPart | undefined }) {
  const { selection } = useLab();
  const hovered = useSelection((state) => state.hovered);
  if (part.kind === 'text') return <>{part.text}</>;
  const afterOperator = before?.kind === 'text' && /[·+−] $/.test(before.text);
  const number = formatNumber(part.value, 3);
  return (
    <button
      type="button"
      className="quiet formula-number number"
      data-lit={hovered === part.node}
      title={part.label}
      aria-label={`${number}, of ${nodeName(part.node)}`}
      onClick={() => selection.select({ node: part.node })}
      onPointerEnter={() => selection.select({ hovered: part.node })}
      onPointerLeave={() => selection.select({ hovered: null })}
      onFocus={() => selection.select({ hovered: part.node })}
      onBlur={() => selection.select({ hovered: null })}
    >
      {part.value < 0 && afterOperator ? `(${number})` : number}
    </button>
  );
}

function TermTable({ step }: { readonly step: StepperStep }) {
  if (step.phase !== 'tokens') return null;
  return (
    <table className="row-turns">
      <thead>
        <tr>
          <th scope="col">turn</th>
          <th scope="col">tokens</th>
          <th scope="col">advantage on each</th>
        </tr>
      </thead>
      <tbody>
        {step.row.map((turn) => (
          <tr key={turn.node}>
            <td>{nodeName(turn.node)}</td>
            <td>{turn.tokenCount}</td>
            <td>{[...new Set(turn.range.map((value) => formatCredit(value, 3)))].join(' to ')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function FormulaPanel({ frame }: { readonly frame: CreditFrame }) {
  const step = frame.current;
  if (!step)
    return (
      <section className="panel" aria-label="Formula">
        <h2>Formula</h2>
        <p className="small soft">Press Next (or Space) to follow the reward, one number at a time.</p>
      </section>
    );
  return (
    <section className="panel" aria-label="Formula">
      <h2>
        {nodeName(step.node)}: <span className="soft">{step.rule}</span>
      </h2>
      <p className="formula symbols">{symbolsOf(step)}</p>
      {step.phase === 'tokens' ? (
        <TermTable step={step} />
      ) : (
        <p className="formula live">
          {step.formula.map((part, index) => (
            <Part key={index} part={part} before={step.formula[index - 1]} />
          ))}
        </p>
      )}
    </section>
  );
}
