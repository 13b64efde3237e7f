/** Where two rules part: the first token they push differently, and how often they do. */
import type { Agreement, TokenPair } from '../../store/compare.ts';
import type { NodeId } from '../../units.ts';
import { useLab, useVocabulary } from '../binding.ts';
import { countWords, formatNumber, formatShare, formatSigned } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';

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
}

export function Disagreement({ leaf, first, agreement, rows, wordAt }: DisagreementProps) {
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
