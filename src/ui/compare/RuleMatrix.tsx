/** All rules × the turns of one leaf: signed marks, and the numbers behind them. */
import type { AdvantageRange } from '../../store/credit/advantage_range.ts';
import type { Agreement, RuleLine, TokenPair } from '../../store/credit/compare.ts';
import type { AdvantageRule, NodeId } from '../../units.ts';
import { ADVANTAGE_RULES } from '../credit/sentences.ts';
import { advantageExtent, nodeName } from '../drawing/encodings.ts';
import { useLab, useVocabulary } from '../parts/binding.ts';
import {
  countWords,
  formatNumber,
  formatRange,
  formatShare,
  formatSigned,
  rangeGlyph,
} from '../parts/format.ts';
import { creditShade } from '../parts/scales.ts';
import { Label } from '../parts/Term.tsx';

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
          <Label>{ADVANTAGE_RULES[rule].title}</Label>
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
                  <Label>{`turn ${turn + 1}`}</Label>{' '}
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

// Where two rules part: the first token they push differently, and how often they do.

const pushOf = (advantage: number): string => (advantage > 0 ? 'up' : advantage < 0 ? 'down' : 'not at all');

export interface LeafPairs {
  readonly leaf: NodeId;
  readonly first: TokenPair | null;
}

interface DisagreementProps {
  readonly leaf: NodeId;
  readonly first: TokenPair | null; // in the leaf's row
  readonly agreement: Agreement; // over all rows of the tree
  readonly rows: readonly LeafPairs[]; // every leaf, in row order
  readonly wordAt: (pair: TokenPair) => number; // token id
  readonly stepOf: (pair: TokenPair) => number; // of rule A's credit, that finds what the token gets
}

export function Disagreement({ leaf, first, agreement, rows, wordAt, stepOf }: DisagreementProps) {
  const { selection } = useLab();
  const vocabulary = useVocabulary();
  const parted = rows.filter((row) => row.first !== null);
  const { tokens, opposite, oneSilent, cosine } = agreement;
  return (
    <section className="disagreement" aria-label="Where the rules disagree">
      {first ? (
        <p>
          In the row of {nodeName(leaf)} the rules first disagree at <b>turn {first.turn + 1}</b> (
          {nodeName(first.node)}), <b>token {first.position}</b>{' '}
          <q className="mono">{vocabulary[wordAt(first)] ?? `#${wordAt(first)}`}</q>: A pushes it{' '}
          {pushOf(first.a)} (<span className="number">{formatSigned(first.a)}</span>), B {pushOf(first.b)} (
          <span className="number">{formatSigned(first.b)}</span>).{' '}
          <button
            type="button"
            className="small"
            onClick={() => selection.select({ leaf, node: first.node, token: first.position })}
          >
            Show the token
          </button>{' '}
          <button
            type="button"
            className="small"
            onClick={() =>
              selection.select({ view: 'credit', leaf, node: first.node, creditFrame: stepOf(first) })
            }
          >
            In Credit
          </button>{' '}
          <button
            type="button"
            className="small"
            onClick={() => selection.select({ view: 'loss', leaf, node: first.node, token: first.position })}
          >
            In Loss
          </button>
        </p>
      ) : (
        <p>In the row of {nodeName(leaf)} the rules push every token the same way.</p>
      )}
      <p className="small soft">
        Over the whole tree: {opposite} of {countWords(tokens, 'trained token')} pushed opposite ways (
        {formatShare(tokens === 0 ? null : opposite / tokens)}), {oneSilent} pushed by one rule only; cosine
        of the advantages {formatNumber(cosine, 3)}. Rows with a disagreement: {parted.length} of{' '}
        {rows.length}
        {parted.length > 0 && (
          <>
            {' '}
            (
            {parted.map((row, index) => (
              <span key={row.leaf}>
                {index > 0 && ', '}
                <button
                  type="button"
                  className="link"
                  aria-current={row.leaf === leaf}
                  onClick={() => selection.select({ leaf: row.leaf })}
                >
                  {nodeName(row.leaf)}
                </button>
              </span>
            ))}
            )
          </>
        )}
        .
      </p>
    </section>
  );
}
