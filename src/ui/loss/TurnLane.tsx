/** The turns of a row, as the loss sees them: ratio within its clip band, advantage, and whether gradient flows. */
import type { LossTurn } from '../../store/loss_reading.ts';
import type { ClipState, LossConfig } from '../../units.ts';
import { useLab, useSelection } from '../binding.ts';
import { formatCredit, formatRatio } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';

export const CLIP_WORDS: Readonly<Record<ClipState, string>> = {
  0: 'not clipped',
  1: 'clipped above: no gradient',
  2: 'clipped below: no gradient',
  3: 'log-ratio beyond its cap: no gradient',
  4: 'loss at its limit (dual clip): no gradient',
  5: 'above the band: the gradient of its upper edge',
  6: 'below the band: the gradient of its lower edge',
};

const BAND_WIDTH = 160; // px
const BAND_HEIGHT = 14; // px

/** Ratio on a log axis three bands wide; the band is drawn in. */
function Band({ turnLogRatio, config }: { readonly turnLogRatio: number; readonly config: LossConfig }) {
  const low = Math.log(Math.max(1e-6, 1 - config.clipLow));
  const high = Math.log(1 + config.clipHigh);
  const reach = 3 * Math.max(-low, high);
  const x = (value: number): number => BAND_WIDTH * (0.5 + Math.min(Math.max(value / reach, -1), 1) / 2);
  return (
    <svg width={BAND_WIDTH} height={BAND_HEIGHT} aria-hidden="true" className="band">
      <rect className="band-inside" x={x(low)} width={x(high) - x(low)} height={BAND_HEIGHT} />
      <line className="band-one" x1={x(0)} x2={x(0)} y1={0} y2={BAND_HEIGHT} />
      <path className="band-ratio" d={`M${x(turnLogRatio)} 1l4.5 6l-4.5 6l-4.5 -6Z`} />
    </svg>
  );
}

export function TurnLane({
  turns,
  config,
}: {
  readonly turns: readonly LossTurn[];
  readonly config: LossConfig;
}) {
  const { selection } = useLab();
  const selected = useSelection(({ node }) => node);
  return (
    <table className="turn-lane">
      <caption className="visually-hidden">Turns of this row</caption>
      <thead>
        <tr>
          <th scope="col">turn</th>
          <th scope="col">tokens</th>
          <th scope="col">advantage A</th>
          <th scope="col">turn ratio s</th>
          <th scope="col">
            band [{formatRatio(1 - config.clipLow)}, {formatRatio(1 + config.clipHigh)}]
          </th>
          <th scope="col">state</th>
        </tr>
      </thead>
      <tbody>
        {turns.map((turn) => (
          <tr key={turn.turn} aria-selected={turn.node === selected} data-clip={turn.clipState}>
            <td>
              <button
                type="button"
                className="quiet link"
                onClick={() => selection.select({ node: turn.node, token: turn.tokens[0]?.position ?? null })}
              >
                {turn.turn + 1}
                {turn.node !== null && <span className="soft"> ({nodeName(turn.node)})</span>}
              </button>
            </td>
            <td>{turn.tokens.length}</td>
            <td>{formatCredit(turn.advantage)}</td>
            <td>{formatRatio(turn.turnRatio)}</td>
            <td>
              <Band turnLogRatio={turn.turnLogRatio} config={config} />
            </td>
            <td className="state">
              {turn.clipState === 0 ? '' : '⊘ '}
              {CLIP_WORDS[turn.clipState]}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
