/** What a what-if changes, before → after: every value, every advantage, and how many tokens. */
import type { Change, CreditChange } from '../../store/credit_change.ts';
import { useLab, useSelection } from '../binding.ts';
import { formatCount, formatSigned } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';

function Moved({ change, changed }: { readonly change: Change; readonly changed: boolean }) {
  if (!changed) return <td className="soft">{formatSigned(change.after)}</td>;
  const way = change.after > change.before ? '▲' : '▼';
  return (
    <td>
      <span className="soft">{formatSigned(change.before)}</span> →{' '}
      <strong>{formatSigned(change.after)}</strong> <span aria-hidden="true">{way}</span>
    </td>
  );
}

export function ChangePanel({ change }: { readonly change: CreditChange }) {
  const { selection } = useLab();
  const selected = useSelection(({ node }) => node);
  return (
    <section className="panel" aria-label="What changes">
      <h2>What changes</h2>
      <p className="small" role="status">
        {change.values} values, {change.advantages} advantages and {formatCount(change.tokens)} of{' '}
        {formatCount(change.rowTokens)} tokens in rows differ from the run’s own.
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
                  <Moved change={value} changed={valueChanged} />
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
