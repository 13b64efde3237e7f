/** What a what-if changes, before → after: every value, every advantage, and how many tokens. */
import type { Change, CreditChange, RangeChange } from '../../store/credit_change.ts';
import { useLab, useSelection } from '../binding.ts';
import { countWords, formatCount, formatRange } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';

interface MovedProps {
  readonly change: RangeChange | null; // null: there is no such number
  readonly changed: boolean;
}

/** Which way both ends went; nothing where they went apart. */
function wayOf({ before, after }: RangeChange): string {
  const [low, high] = before.map((end, side) => after[side] - end);
  if (low * high < 0) return '';
  return low + high > 0 ? '▲' : '▼';
}

function Moved({ change, changed }: MovedProps) {
  if (!change) return <td className="soft">none</td>;
  if (!changed) return <td className="soft">{formatRange(change.after)}</td>;
  return (
    <td>
      <span className="soft">{formatRange(change.before)}</span> →{' '}
      <strong>{formatRange(change.after)}</strong> <span aria-hidden="true">{wayOf(change)}</span>
    </td>
  );
}

const single = ({ before, after }: Change): RangeChange => ({
  before: [before, before],
  after: [after, after],
});

export function ChangePanel({ change }: { readonly change: CreditChange }) {
  const { selection } = useLab();
  const selected = useSelection(({ node }) => node);
  return (
    <section className="panel" aria-label="What changes">
      <h2>What changes</h2>
      <p className="small" role="status">
        {countWords(change.values, 'value')}, {countWords(change.advantages, 'advantage')} and{' '}
        {formatCount(change.tokens)} of {countWords(change.rowTokens, 'token')} in rows differ from the run’s
        own.
      </p>
      {change.nodes.length > 0 && (
        <div className="scroll-table" tabIndex={0} role="region" aria-label="Changed turns">
          <table className="changes">
            <thead>
              <tr>
                <th scope="col">turn</th>
                <th scope="col">value</th>
                <th scope="col">advantage</th>
              </tr>
            </thead>
            <tbody>
              {change.nodes.map(({ node, value, advantage, valueChanged, advantageChanged }) => (
                <tr key={node} aria-selected={selected === node}>
                  <td>
                    <button type="button" className="quiet link" onClick={() => selection.select({ node })}>
                      {nodeName(node)}
                    </button>
                  </td>
                  <Moved change={single(value)} changed={valueChanged} />
                  <Moved change={advantage} changed={advantageChanged} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
