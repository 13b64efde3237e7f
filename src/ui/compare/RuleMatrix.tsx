/** All rules × the turns of one leaf: signed marks, and the numbers behind them. */
import type { AdvantageRange } from '../../store/advantage_range.ts';
import type { RuleLine } from '../../store/compare.ts';
import type { AdvantageRule } from '../../units.ts';
import { useLab } from '../binding.ts';
import { ADVANTAGE_RULES } from '../credit/sentences.ts';
import { countWords, formatRange, rangeGlyph } from '../format.ts';
import { creditShade } from '../scales.ts';
import { advantageExtent, nodeName } from '../tree/encodings.ts';

interface RuleMatrixProps {
  readonly lines: readonly RuleLine[];
  readonly a: AdvantageRule;
  readonly b: AdvantageRule;
}

/** Numbers of both signs have no shade. */
const shadeOf = ([least, greatest]: AdvantageRange): number =>
  least < 0 && greatest > 0 ? 0 : (least + greatest) / 2;

/** Scales of rules differ: a mark is as strong as the turn is beside the others of its line. */
function Line({ line, a, b }: { readonly line: RuleLine } & Omit<RuleMatrixProps, 'lines'>) {
  const { selection } = useLab();
  const { rule, turns, missing } = line;
  const extent = advantageExtent((turns ?? []).map(({ range }) => range));
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
        turns.map(({ turn, node, range }) => (
          <td key={turn} style={{ backgroundColor: creditShade(shadeOf(range), extent) }}>
            <button
              type="button"
              className="link number"
              aria-label={`${ADVANTAGE_RULES[rule].title}, turn ${turn + 1}: ${formatRange(range)}`}
              onClick={() => selection.select({ node })}
            >
              <span aria-hidden="true">{rangeGlyph(range) || '·'}</span> {formatRange(range)}
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
                    {nodeName(node)}, {countWords(tokens, 'token')}
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
