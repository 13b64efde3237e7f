/** How often the token is counted, and how often computed: the rows that share it, and the sum of their pushes. */
import type { NetWeight } from '../../store/net_weight.ts';
import { useLab } from '../binding.ts';
import { countWords, formatCredit, formatNumber, formatSigned } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';

export function NetWeightPanel({ net }: { readonly net: NetWeight }) {
  const { selection } = useLab();
  return (
    <section className="panel" aria-label="Net weight">
      <h2>
        Net weight <span className="soft">of this token’s prefix</span>
      </h2>
      <p className="small">
        Computed once, counted in <strong>{countWords(net.rows.length, 'row')}</strong> of the prompt’s{' '}
        {net.rowsOfTree}: rows that begin with the same tokens share one prediction here, and each adds its
        own push to it.
      </p>
      <div className="scroll-table" tabIndex={0} role="region" aria-label="Rows that count this token">
        <table className="net-weight">
          <thead>
            <tr>
              <th scope="col">row</th>
              <th scope="col">weight w</th>
              <th scope="col">A</th>
              <th scope="col">w·A</th>
              <th scope="col">∂L/∂logπ</th>
            </tr>
          </thead>
          <tbody>
            {net.rows.map(({ leaf, weight, advantage, signed, dlogProb }) => (
              <tr key={leaf}>
                <td>
                  <button
                    type="button"
                    className="quiet link"
                    onClick={() => selection.select({ leaf, node: leaf })}
                  >
                    {nodeName(leaf)}
                  </button>
                </td>
                <td>{formatNumber(weight, 6)}</td>
                <td>{formatCredit(advantage)}</td>
                <td>{formatSigned(signed, 6)}</td>
                <td>{formatSigned(dlogProb, 6)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">net</th>
              <td>{formatNumber(net.weight, 6)}</td>
              <td></td>
              <td>{formatSigned(net.signed, 6)}</td>
              <td>{formatSigned(net.dlogProb, 6)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}
