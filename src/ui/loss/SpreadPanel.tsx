/** How a mini-batch's ratios and advantages spread, with the clip band drawn in. */
import { useMemo, useRef } from 'react';
import { batchSpread, histogram, type Bin } from '../../store/loss/batch_reading.ts';
import { clipBandOf } from '../../store/loss/loss_reading.ts';
import type { MinibatchState } from '../../store/record/run_state.ts';
import type { LossConfig } from '../../units.ts';
import { SavePage } from '../drawing/SaveDrawing.tsx';
import { useUpdateNumber } from '../parts/binding.ts';
import { countWords, formatCount, formatRatio, formatSigned } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { hasRatio, LEVEL_WORDS } from './loss_words.ts';

// A histogram as SVG, with a band drawn in, a sentence above and the bins as a table below.

const WIDTH = 360; // px
const HEIGHT = 90;
const AXIS = 18;

interface HistogramProps {
  readonly title: string;
  readonly sentence: string;
  readonly bins: readonly Bin[];
  readonly band?: readonly [number, number]; // drawn behind the bars
  readonly middle: number; // where bars change sign
  readonly format: (value: number) => string;
}

export function Histogram({ title, sentence, bins, band, middle, format }: HistogramProps) {
  const figure = useRef<HTMLElement>(null);
  const update = useUpdateNumber();
  const [low, high] = [bins[0].from, bins[bins.length - 1].to];
  const most = Math.max(...bins.map(({ count }) => count), 1);
  const x = (value: number): number =>
    (WIDTH * (Math.min(high, Math.max(low, value)) - low)) / (high - low || 1);
  const ends = band && [x(band[0]), x(band[1])];
  return (
    <figure ref={figure}>
      <figcaption className="small">
        <strong>{title}.</strong> {sentence}
        <SavePage name={`${title} update${update}`} about={[`update ${update}`]} box={figure} />
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + AXIS}`} className="histogram" aria-hidden="true">
        {ends && (
          <rect
            className="in-band"
            x={ends[0]}
            width={Math.max(1, ends[1] - ends[0])}
            y={0}
            height={HEIGHT}
          />
        )}
        {bins.map(({ from, to, count }) => {
          const height = (HEIGHT * count) / most;
          const sign = from >= middle ? 'plus' : to <= middle ? 'minus' : undefined;
          return (
            <rect
              key={from}
              className="bar-rect"
              data-sign={sign}
              x={x(from) + 0.5}
              width={Math.max(1, x(to) - x(from) - 1)}
              y={HEIGHT - height}
              height={height}
            />
          );
        })}
        <line className="axis" x1={0} x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        <line className="axis" x1={x(middle)} x2={x(middle)} y1={0} y2={HEIGHT + 3} />
        <text x={0} y={HEIGHT + 15}>
          {format(low)}
        </text>
        <text x={WIDTH} y={HEIGHT + 15} textAnchor="end">
          {format(high)}
        </text>
        {x(middle) > 70 && x(middle) < WIDTH - 70 && (
          <text x={x(middle)} y={HEIGHT + 15} textAnchor="middle">
            {format(middle)}
          </text>
        )}
      </svg>
      <details className="small">
        <summary>as a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">from</th>
              <th scope="col">to</th>
              <th scope="col">count</th>
            </tr>
          </thead>
          <tbody>
            {bins
              .filter(({ count }) => count > 0)
              .map(({ from, to, count }) => (
                <tr key={from}>
                  <td>{format(from)}</td>
                  <td>{format(to)}</td>
                  <td>{formatCount(count)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

const BINS = 41; // odd: one bin holds the middle

/** Bins about `middle` that reach what lies farthest from it. */
function about(values: readonly number[], middle: number, least: number) {
  const reach = values.reduce((most, value) => Math.max(most, Math.abs(value - middle)), least) || 1;
  return histogram(values, middle - reach, middle + reach, BINS);
}

interface SpreadPanelProps {
  readonly minibatch: MinibatchState;
  readonly config: LossConfig;
}

function ratioSentence(ratios: readonly number[], outside: number, config: LossConfig): string {
  const level = LEVEL_WORDS[config.ratioLevel];
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  const range = `${countWords(ratios.length, level)}, from ${formatRatio(least)} to ${formatRatio(most)}`;
  if (most - least < 1e-5 && Math.abs(most - 1) < 1e-5)
    return `${range}: the policy has not moved since it sampled them, as in the first mini-batch of an update.`;
  if (config.surrogate !== 'clip') return `${range}.`;
  return `${range}; ${formatCount(outside)} ${outside === 1 ? 'lies' : 'lie'} outside the band.`;
}

function advantageSentence(advantages: readonly number[]): string {
  const up = advantages.filter((value) => value > 0).length;
  const down = advantages.filter((value) => value < 0).length;
  const mean = advantages.reduce((sum, value) => sum + value, 0) / Math.max(1, advantages.length);
  return `${countWords(advantages.length, 'token')}: ${formatCount(up)} above zero, ${formatCount(down)} below, ${formatCount(advantages.length - up - down)} at zero; mean ${formatSigned(mean, 3)}.`;
}

export function SpreadPanel({ minibatch, config }: SpreadPanelProps) {
  const { ratios, outside, advantages } = useMemo(() => batchSpread(minibatch, config), [minibatch, config]);
  const band = config.surrogate === 'clip' ? clipBandOf(config) : undefined;
  const bandReach = band ? Math.max(1 - band[0], band[1] - 1) : 1e-6;
  return (
    <section className="panel" aria-label="Distributions">
      <h2>
        <Label>{`Ratios and advantages of mini-batch ${minibatch.minibatch + 1}`}</Label>
      </h2>
      <div className="spread">
        {hasRatio(config) && ratios.length > 0 && (
          <Histogram
            title="Ratios"
            sentence={ratioSentence(ratios, outside, config)}
            bins={about(ratios, 1, 1.5 * bandReach)}
            {...(band && { band })}
            middle={1}
            format={formatRatio}
          />
        )}
        <Histogram
          title="Advantages"
          sentence={advantageSentence(advantages)}
          bins={about(advantages, 0, 0)}
          middle={0}
          format={(value) => formatSigned(value)}
        />
      </div>
    </section>
  );
}
