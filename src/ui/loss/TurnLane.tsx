/** The turns of a row, as the loss sees them: ratio within its clip band, advantage, and whether gradient flows. */
import type { LossTurn } from '../../store/loss/loss_reading.ts';
import type { LossConfig } from '../../units.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { formatCreditRange, formatRatio } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { nodeName } from '../drawing/encodings.ts';
import { LEVEL_WORDS, hasRatio, turnState } from './loss_words.ts';

const BAND_WIDTH = 160; // px
const BAND_HEIGHT = 14; // px

/** Ratio on a log axis three bands wide; the band is drawn in. */
function Band({
  turnLogRatio,
  band,
}: {
  readonly turnLogRatio: number;
  readonly band: readonly [number, number];
}) {
  const low = Math.log(Math.max(1e-6, band[0]));
  const high = Math.log(band[1]);
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
  const isToken = config.ratioLevel === 'token';
  return (
    <table className="turn-lane">
      <caption className="visually-hidden">Turns of this row</caption>
      <thead>
        <tr>
          <th scope="col">
            <Label>turn</Label>
          </th>
          <th scope="col">
            <Label>tokens</Label>
          </th>
          <th scope="col">
            <Label>advantage A</Label>
          </th>
          <th scope="col">
            <Label>{isToken ? 'mean ratio' : `${LEVEL_WORDS[config.ratioLevel]} ratio s`}</Label>
          </th>
          <th scope="col">
            <Label>
              {config.surrogate === 'clip'
                ? `band [${formatRatio(1 - config.clipLow)}, ${formatRatio(1 + config.clipHigh)}]`
                : 'band'}
            </Label>
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
            <td>{formatCreditRange(turn.advantage)}</td>
            <td>{hasRatio(config) ? formatRatio(turn.turnRatio) : ''}</td>
            <td>
              {config.surrogate === 'clip' && turn.tokens[0] && (
                <Band turnLogRatio={turn.turnLogRatio} band={turn.tokens[0].band} />
              )}
            </td>
            <td className="state">
              {turn.clippedCount === 0 ? '' : '⊘ '}
              {turnState(turn, config)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
