/** All rules × the turns of one leaf: signed marks, and the numbers behind them. */
import type { RuleLine } from '../../store/compare.ts';
import type { AdvantageRule } from '../../units.ts';
import { useLab } from '../binding.ts';
import { ADVANTAGE_RULES } from '../credit/sentences.ts';
import { creditGlyph, formatSigned } from '../format.ts';
import { creditShade } from '../scales.ts';
import { nodeName } from '../tree/encodings.ts';

interface RuleMatrixProps {
  readonly lines: readonly RuleLine[];
  readonly a: AdvantageRule;
  readonly b: AdvantageRule;
}

/** Scales of rules differ: a mark is as strong as the turn is beside the others of its line. */
function Line({ line, a, b }: { readonly line: RuleLine } & Omit<RuleMatrixProps, 'lines'>) {
  const { selection } = useLab();
  const { rule, turns, missing } = line;
  const extent = Math.max(...(turns ?? []).map(({ advantage }) => Math.abs(advantage)), 0) || 1;
  const side = rule === a ? 'A' : rule === b ? 'B' : '';
  return (
    <tr data-side={side}>
      <th scope="row">
        <button
          type="button"
          className="link"
          title={`Compare with ${ADVANTAGE_RULES[rule].title} as rule B`}
          onClick={() => selection.select({ againstAdvantage: rule })}
        >
          {ADVANTAGE_RULES[rule].title}
        </button>{' '}
        {side && <b>{side}</b>}
      </th>
      {turns === null ? (
        <td className="soft small" colSpan={99}>
          {missing}
        </td>
      ) : (
        turns.map(({ turn, node, advantage }) => (
          <td key={turn} style={{ backgroundColor: creditShade(advantage, extent) }}>
            <button
              type="button"
              className="link number"
              aria-label={`${ADVANTAGE_RULES[rule].title}, turn ${turn + 1}: ${formatSigned(advantage)}`}
              onClick={() => selection.select({ node })}
            >
              <span aria-hidden="true">{creditGlyph(advantage) || '·'}</span> {formatSigned(advantage)}
            </button>
          </td>
        ))
      )}
    </tr>
  );
}

export function RuleMatrix({ lines, a, b }: RuleMatrixProps) {
  const turns = lines.find((line) => line.turns !== null)?.turns ?? [];
  return (
    <section className="rule-matrix" aria-label="Every rule on this leaf">
      <h2>Every rule, turn by turn</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Advantages of the leaf’s turns by rule">
        <table>
          <thead>
            <tr>
              <th scope="col">rule</th>
              {turns.map(({ turn, node, tokens }) => (
                <th key={turn} scope="col">
                  turn {turn + 1}{' '}
                  <span className="soft small">
                    {nodeName(node)}, {tokens} tokens
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <Line key={line.rule} line={line} a={a} b={b} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
