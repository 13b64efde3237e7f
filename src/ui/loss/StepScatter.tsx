/** Predicted against actual change of log-probability, a point a token. */
import type { CheckedStep } from '../../store/inspection.ts';
import { countWords, formatNumber, formatSigned } from '../format.ts';
import { nodeName } from '../tree/encodings.ts';

const WIDTH = 240;
const HEIGHT = 180;
const INSET = 0.95; // of the half axes
const SHOWN = 600; // points; more would only overlap

interface Point {
  readonly name: string; // where the token stands
  readonly predicted: number; // nats
  readonly actual: number; // nats
}

const pointsOf = ({ rows }: CheckedStep): readonly Point[] =>
  rows.flatMap(({ prompt, leaf, tokenIndex, predicted, before, after }) =>
    predicted.map((value, index) => ({
      name: `prompt ${prompt + 1}, ${nodeName(leaf)}, token ${tokenIndex[index]}`,
      predicted: value,
      actual: after[index] - before[index],
    })),
  );

/** What is drawn, in numbers. */
function Table({ points }: { readonly points: readonly Point[] }) {
  return (
    <details className="small">
      <summary>as a table</summary>
      <div className="scroll-table" tabIndex={0} role="region" aria-label="Tokens of the checked step">
        <table>
          <thead>
            <tr>
              <th scope="col">token</th>
              <th scope="col">predicted</th>
              <th scope="col">actual</th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ name, predicted, actual }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{formatSigned(predicted, 5)}</td>
                <td>{formatSigned(actual, 5)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** One scale on both axes, so that a kept promise lies on the diagonal. */
export function StepScatter({ step }: { readonly step: CheckedStep }) {
  const all = pointsOf(step);
  const every = Math.max(1, Math.ceil(all.length / SHOWN));
  const points = all.filter((_, index) => index % every === 0);
  const extent = all.reduce(
    (most, { predicted, actual }) => Math.max(most, Math.abs(predicted), Math.abs(actual)),
    Number.MIN_VALUE,
  );
  const x = (value: number): number => (WIDTH / 2) * (1 + (INSET * value) / extent);
  const y = (value: number): number => (HEIGHT / 2) * (1 - (INSET * value) / extent);
  const label = `${countWords(all.length, 'token')}: predicted change of log-probability to the right, actual change upwards, correlation ${formatNumber(step.forecastCorrelation, 3)}`;
  return (
    <figure className="step-figure">
      <svg className="step-scatter" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
        <path d={`M0 ${HEIGHT / 2}H${WIDTH}M${WIDTH / 2} 0V${HEIGHT}`} />
        <path className="promise" d={`M${x(-extent)} ${y(-extent)}L${x(extent)} ${y(extent)}`} />
        {points.map(({ name, predicted, actual }) => (
          <circle key={name} cx={x(predicted)} cy={y(actual)} r={2} />
        ))}
      </svg>
      <figcaption className="small soft">
        Right: predicted, up: actual, both to {formatSigned(extent, 4)} nats. On the dashed line a token did
        what was promised.
        {every > 1 && ` One in ${every} of ${countWords(all.length, 'token')} is drawn.`}
      </figcaption>
      <Table points={points} />
    </figure>
  );
}
